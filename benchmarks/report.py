"""CPU time of a report: each rendering in a warm process, and a whole cold job.

    python benchmarks/report.py [record.json ...]

Without a record, that of the tests with 60 drugs and 3 matrices is made. Each repeat renders
another patient: typst remembers what it has set, and would set the same patient again in a tenth
of the time. The unit to compare with is a start of Python with `import pandas`, as the speed of a
shared machine varies by a factor of two.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from drp.report.fhir import render_fhir  # noqa: E402
from drp.report.html import render_html  # noqa: E402
from drp.report.pdf import render_pdf  # noqa: E402
from drp.report.record import (  # noqa: E402
    Drug,
    PatientRecord,
    UsableSample,
    read_record,
    render_json,
)
from tests import report_example  # noqa: E402

REPEATS = 11
TIME = report_example.GENERATED


def median_ms(work: Callable[[PatientRecord], object], records: list[PatientRecord]) -> float:
    work(records[0])
    times = []
    for record in records[1:]:
        start = time.process_time()
        work(record)
        times.append(time.process_time() - start)
    return 1000 * median(times)


def variants(record: PatientRecord) -> list[PatientRecord]:
    """Records of the same size that differ in every number and sentence on drugs."""
    return [_other_patient(record, repeat) for repeat in range(REPEATS + 1)]


def _other_patient(record: PatientRecord, repeat: int) -> PatientRecord:
    names = {name: f"{getattr(record, name)}-{repeat}" for name in ("patient", "report_id")}
    samples = [
        sample.model_copy(update={"drugs": [_other_drug(drug, repeat) for drug in sample.drugs]})
        for sample in record.samples
        if isinstance(sample, UsableSample)
    ]
    return record.model_copy(update=names | {"samples": samples})


def _other_drug(drug: Drug, repeat: int) -> Drug:
    share = 1 + repeat / 50
    changes: dict[str, object] = {"reason": f"{drug.reason}, {repeat}"}
    if drug.measures:
        numbers = {
            name: (one := getattr(drug.measures, name)).model_copy(
                update={"value": share * (one.value or 1)}
            )
            for name in ("auc", "ic50")
        }
        changes["measures"] = drug.measures.model_copy(update=numbers)
    if drug.curve:
        heights = [height / share for height in drug.curve.fitted]
        changes["curve"] = drug.curve.model_copy(update={"fitted": heights})
    return drug.model_copy(update=changes)


def warm(record: PatientRecord) -> dict[str, float]:
    """Median CPU ms of each rendering, and of the three light ones together."""
    light = {
        "HTML": lambda one: render_html(one, TIME),
        "JSON": lambda one: render_json(one, TIME),
        "FHIR": lambda one: render_fhir(one, TIME),
    }
    records = variants(record)
    found = {name: median_ms(work, records) for name, work in light.items()}
    found["HTML + JSON + FHIR"] = median_ms(
        lambda one: [work(one) for work in light.values()], records
    )
    found["PDF"] = median_ms(lambda one: render_pdf(one, TIME), records)
    return found


def cold(arguments: list[str]) -> float:
    """Median CPU seconds of a Python process with all its children."""
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], check=True, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return median(times)


def cold_job(record: PatientRecord) -> float:
    with TemporaryDirectory() as folder:
        source = Path(folder, "record.json")
        source.write_text(record.model_dump_json(), encoding="utf-8")
        outputs = [f"{kind}={folder}/out/{name}" for kind, name in OUTPUTS.items()]
        return cold(["-m", "drp", "report", "--in", f"record={source}", "--out", *outputs])


OUTPUTS = {
    "html": "report.html",
    "pdf": "report.pdf",
    "json": "report.json",
    "fhir": "report.fhir.json",
}


def main() -> None:
    records = {path: read_record(Path(path).read_text(encoding="utf-8")) for path in sys.argv[1:]}
    unit = cold(["-c", "import pandas"])
    print(f"start of Python with pandas: {unit:.2f} s CPU")
    for name, record in (records or {"60 drugs": report_example.record(n_drugs=60)}).items():
        print(name)
        for what, value in warm(record).items():
            print(f"  {what:20} {value:7.1f} ms CPU")
        seconds = cold_job(record)
        print(f"  {'cold job':20} {seconds:7.2f} s CPU, {seconds / unit:.2f} units")


if __name__ == "__main__":
    main()
