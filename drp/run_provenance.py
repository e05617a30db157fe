"""`results/provenance.json`: from what, by what and in what time results were made.

A patient's record holds the same for that patient; this is the whole, with the timings, which stand
in no record because they differ from run to run.
"""

import re
from pathlib import Path
from typing import Any

from drp.config import CONFIG_FILE
from drp.plan import SETTINGS, Plan
from drp.provenance import digest, file_sha256, fingerprint, table_hashes, versions
from drp.sheets import SHEETS
from drp.storage import read_rows

FILE = Path("results/provenance.json")
_COSTS = re.compile(r"^(\w+) \S*: ([\d.]+) s, cpu ([\d.]+) s, peak (\d+) MB$", re.M)


def run_provenance(plan: Plan, *, started: str, finished: str) -> dict[str, Any]:
    """Gather the provenance of all results in the current folder.

    Parameters
    ----------
    plan : Plan
        The project.
    started, finished : str
        ISO 8601 times of the run.

    Returns
    -------
    dict
        ``run_id`` is a hash of all but times: results with the same id were made from the same
        inputs by the same code. ``files`` are the exports and layouts as they were read;
        ``timings`` come from the logs of the jobs that made the results, also of earlier runs.
    """
    content: dict[str, Any] = {
        "code": {stage: fingerprint(stage) for stage in SETTINGS},
        "versions": versions(),
        "config": {
            "sha256": file_sha256(Path(CONFIG_FILE)),
            "values": plan.config.model_dump(mode="json"),
        },
        "seed": plan.config.seed,
        "sheets": _hashes([f"config/{sheet}.tsv" for sheet in SHEETS]),
        "reference": _hashes(plan.reference_files),
        "tables": table_hashes(),
        "files": _files_read(plan),
        "human_edits": {
            "exclusions": [dict(row) for row in plan.sheets.exclusions],
            "approvals": [dict(row) for row in plan.sheets.approvals],
        },
    }
    times = {"started": started, "finished": finished, "timings": stage_costs(Path("logs"))}
    return {"run_id": digest(content)} | content | times


def _hashes(names: list[str]) -> dict[str, str]:
    return {name: file_sha256(Path(name)) for name in names if Path(name).is_file()}


def _files_read(plan: Plan) -> dict[str, str]:
    found: dict[str, str] = {}
    for batch in plan.batches:
        path = Path(f"results/batches/{batch}/files.parquet")
        rows = read_rows(path) if path.is_file() else []
        found |= {row["file"]: row["sha256"] for row in rows}
    return dict(sorted(found.items()))


def stage_costs(logs: Path) -> dict[str, dict[str, float]]:
    """Add up what the jobs of each stage took, from the last line of their logs.

    Parameters
    ----------
    logs : Path
        The folder with the logs of jobs.

    Returns
    -------
    dict
        By stage: jobs, wall_s and cpu_s summed over jobs, and peak_mb of the largest one.
    """
    found: dict[str, dict[str, float]] = {}
    for path in sorted(logs.rglob("*.log")):
        for stage, wall, cpu, peak in _COSTS.findall(_end_of(path)):
            sums = found.setdefault(stage, {"jobs": 0, "wall_s": 0.0, "cpu_s": 0.0, "peak_mb": 0})
            sums["jobs"] += 1
            sums["wall_s"] = round(sums["wall_s"] + float(wall), 2)
            sums["cpu_s"] = round(sums["cpu_s"] + float(cpu), 2)
            sums["peak_mb"] = max(sums["peak_mb"], int(peak))
    return dict(sorted(found.items()))


def _end_of(path: Path) -> str:
    """The last line of a log; a message before it may hold anything."""
    lines = path.read_bytes()[-300:].decode("utf-8", errors="replace").splitlines()
    return lines[-1] if lines else ""
