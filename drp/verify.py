"""`drp verify`: whether a report is what its inputs give, and its files are as issued."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from drp.issuing import FILES, rendered
from drp.plan import Plan
from drp.provenance import digest, file_sha256, fingerprint, table_hashes
from drp.report.record import PatientRecord, read_record

_SHOWN = 10
# What another version of the code changes by itself: hashes that hold its fingerprint.
_OF_THE_CODE = ("report_id", "fingerprint", "versions", "input_hash")


def verify_report(
    plan: Plan, folder: Path, compute: Callable[[list[str], Path], int]
) -> tuple[list[str], list[str]]:
    """Check one report.

    Parameters
    ----------
    plan : Plan
        The project in the current folder.
    folder : Path
        The patient's folder of reports.
    compute : function
        Runs the workflow for some targets in another folder and gives its exit code.

    Returns
    -------
    differences, notes : list of str
        What differs; empty if the report is identical. Notes say under which conditions.
    """
    path = folder / FILES["json"]
    if not path.is_file():
        return [f"there is no {path}"], []
    text = path.read_text(encoding="utf-8")
    if "failure" in json.loads(text):
        return ["no report could be made of this patient, so there is nothing to verify"], []
    record = read_record(text)
    same_code = record.provenance.fingerprint == fingerprint("record")
    changed = list(_changed_inputs(plan, record))
    if changed:
        return changed, ["Not recomputed, as the inputs are not those of the report."]
    notes: list[str] = []
    differences: list[str] = []
    if same_code:
        time = json.loads(text)["generated_at"]
        differences += _changed_files(folder, record, time, plan.config.language)
    else:
        notes.append(
            f"Made by other code: fingerprint {record.provenance.fingerprint}, "
            f"now {fingerprint('record')}. Its results are compared, its pages are not."
        )
    differences += _recomputed(plan, record, compute, () if same_code else _OF_THE_CODE)
    return differences, notes


def _changed_inputs(plan: Plan, record: PatientRecord) -> Iterator[str]:
    """Inputs of which the record says that they were different, or that are gone."""
    known = record.provenance
    for name, sha256 in sorted(known.files.items()):
        path = Path(plan.path_of(name))
        if not path.is_file():
            yield f"input {name} is gone"
        elif file_sha256(path) != sha256:
            yield f"input {name} is another file than the one the report was made from"
    if known.config_hash != digest(plan.config.computing()):
        yield "the configuration is another one"
    now = table_hashes()
    for name, sha256 in sorted(known.tables.items()):
        if now.get(name) != sha256:
            yield f"the table {name} of drp is another one"


def _changed_files(folder: Path, record: PatientRecord, time: str, language: str) -> Iterator[str]:
    """Files of the report that are not what its record gives when it is rendered again."""
    for kind, content in rendered(record, time, language).items():
        path = folder / FILES[kind]
        if not path.is_file():
            yield f"{path.name} is gone"
        elif path.read_bytes() != content:
            yield f"{path.name} is not as it was issued"


def _recomputed(
    plan: Plan,
    record: PatientRecord,
    compute: Callable[[list[str], Path], int],
    ignored: tuple[str, ...],
) -> list[str]:
    group = plan.group_of.get(record.patient)
    if group is None:
        return [f"the sheets no longer name {record.patient}"]
    records = f"results/groups/{group}/records"
    with tempfile.TemporaryDirectory(prefix="drp-verify-") as temporary:
        folder = Path(temporary)
        copy_project(plan, folder)
        if compute([records], folder):
            return ["the results could not be computed again: see drp run"]
        again = read_record((folder / records / f"{record.patient}.json").read_text("utf-8"))
    # What changed from report to report is known only where the reports lie.
    before, now = (one.model_dump(exclude={"amendments"}) for one in (record, again))
    found = list(_unlike(before, now, "", ignored))
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return [*found[:_SHOWN], *more]


def copy_project(plan: Plan, folder: Path) -> None:
    """Copy sheets and configuration; the plates are linked, nothing is written to them."""
    shutil.copytree("config", folder / "config")
    for name in plan.reference_files:
        target = folder / name
        if not Path(name).is_absolute() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, target)
    plates = Path(plan.config.plates_folder)
    if not plates.is_absolute():
        (folder / plates).parent.mkdir(parents=True, exist_ok=True)
        (folder / plates).symlink_to(plates.resolve(), target_is_directory=True)


def compute_with(command: list[str], environment: Mapping[str, str]) -> Callable[..., int]:
    """Give a function that runs the workflow quietly, with further targets, in a folder."""

    def compute(targets: list[str], folder: Path) -> int:
        return subprocess.run(  # noqa: S603 (our own command, no shell)
            [*command, "--", *targets],
            cwd=folder,
            env=dict(environment),
            check=False,
            capture_output=True,
        ).returncode

    return compute


def _unlike(before: Any, now: Any, place: str, ignored: tuple[str, ...]) -> Iterator[str]:
    """Places at which two records differ, with both values.

    >>> list(_unlike({"a": [1, 2]}, {"a": [1, 3]}, "", ()))
    ['a[1]: 2 in the report, 3 now']
    """
    if isinstance(before, dict) and isinstance(now, dict):
        for name in [key for key in before | now if key not in ignored]:
            inside = f"{place}.{name}" if place else str(name)
            yield from _unlike(before.get(name), now.get(name), inside, ignored)
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, pair in enumerate(zip(before, now, strict=True)):
            yield from _unlike(*pair, f"{place}[{number}]", ignored)
    elif before != now:
        yield f"{place}: {_short(before)} in the report, {_short(now)} now"


def _short(value: Any) -> str:
    words = repr(value)
    return words if len(words) <= 60 else f"{words[:57]}..."
