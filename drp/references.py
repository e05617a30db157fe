"""The table of earlier samples in the workflow: what a project adds to it, and how it grows.

It grows by approved samples only, and only when the laboratory says so (`drp reference`). Rows are
never changed, only added, each with the version it came with; see `drp.locks`.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drp.locks import locked_versions, newest_version
from drp.members import MEMBER_NUMBERS, MEMBER_TEXT
from drp.storage import join_tables, read_json, read_table, write_text

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = (*MEMBER_TEXT, *MEMBER_NUMBERS, "auc_se", "version", "kind")
HEALTHY = "healthy"


def cohort_tables(
    earlier: Sequence["pd.DataFrame"],
    own: "pd.DataFrame | None",
    approvals: Iterable[Mapping[str, str]],
) -> dict[str, "pd.DataFrame"]:
    """Give the tables of the cohort.

    Parameters
    ----------
    earlier : sequence of DataFrame
        The tables of earlier samples, as members.
    own : DataFrame or None
        Members of this project, where they count; then the cohort has no versions.
    approvals : iterable of mapping
        Rows of approvals.tsv.

    Returns
    -------
    dict of DataFrame
        ``members`` (patients), ``healthy`` (controls), ``reference`` (table `reference` of the
        patients, with the newest version) and ``others``: the same of the healthy controls, and of
        both at each older version that an approval holds a sample to, told apart by `of`
        (``patients``, ``healthy``) and `version`.
    """
    from drp.cohort import build_reference, join_members, members_at

    everyone = join_members([*earlier, *([] if own is None else [own])])
    newest = newest_of(everyone) if earlier and own is None else 0
    members = everyone[everyone["kind"] != HEALTHY].reset_index(drop=True)
    healthy = everyone[everyone["kind"] == HEALTHY].reset_index(drop=True)
    parts = [("healthy", newest, healthy)]
    for version in sorted(set(locked_versions(approvals, newest).values())):
        parts.append(("patients", version, members_at(members, version)))
        parts.append(("healthy", version, members_at(healthy, version)))
    named = [build_reference(part).assign(of=of, version=version) for of, version, part in parts]
    return {
        "members": members,
        "healthy": healthy,
        "reference": build_reference(members).assign(version=newest),
        "others": join_tables(named),
    }


def newest_of(members: "pd.DataFrame") -> int:
    """Give the newest version of a table of earlier samples; one without versions is version 1."""
    return int(members["version"].fillna(1).max()) if len(members) else 1


def by_version(
    curves: "pd.DataFrame",
    members: "pd.DataFrame",
    healthy: "pd.DataFrame",
    approvals: Iterable[Mapping[str, str]],
) -> "Iterator[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]":
    """Give curves with the members and the healthy controls they are compared with.

    All curves at once, but for the samples that their approval holds to an older version.
    """
    from drp.cohort import members_at

    older = locked_versions(approvals, max(newest_of(members), newest_of(healthy)))
    yield curves[~curves["sample"].isin(list(older))], members, healthy
    for version in sorted(set(older.values())):
        own = curves["sample"].isin([name for name, held in older.items() if held == version])
        if own.any():
            yield curves[own], members_at(members, version), members_at(healthy, version)


def own_members(
    samples: "pd.DataFrame",
    curves: "pd.DataFrame",
    quality: "pd.DataFrame",
    kinds: Mapping[str, str],
) -> "pd.DataFrame":
    """Give the reference rows of this project's samples; failed samples and plates give none.

    Parameters
    ----------
    samples, curves, quality : DataFrame
        The tables of all batches and runs.
    kinds : mapping
        Sample → its kind in samples.tsv; `healthy` ones are healthy controls.
    """
    from drp.cohort import members_of_run

    passed = samples[samples["verdict"] != "fail"]
    assay_of = dict(zip(passed["sample"], passed["assay"], strict=True))
    kept = _without_failed_plates(curves, quality)
    members = members_of_run(with_errors(kept, quality), assay_of)
    healthy = [kinds.get(sample, "") == HEALTHY for sample in members["sample"]]
    return members.assign(kind=[HEALTHY if yes else "" for yes in healthy])


def recorded_words(samples: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Say what is recorded of each sample: its kind and material.

    >>> recorded_words([{"sample": "S1", "kind": "relapse", "material": "marrow"}])
    {'S1': 'relapse, marrow'}
    """
    return {
        row["sample"]: ", ".join(filter(None, (row.get("kind"), row.get("material")))) or "sample"
        for row in samples
    }


def with_errors(curves: "pd.DataFrame", quality: "pd.DataFrame") -> "pd.DataFrame":
    """Give curves with `auc_se`: the standard error of the AUC, wells and controls together."""
    from drp.standing import control_errors, errors_of

    controls = control_errors(quality.to_dict("records"))
    return curves.assign(auc_se=errors_of(curves, controls))


def _without_failed_plates(curves: "pd.DataFrame", quality: "pd.DataFrame") -> "pd.DataFrame":
    failed = set(quality.loc[quality["verdict"] == "fail", "plate"])
    kept = [not failed & set(plates.split(";")) for plates in curves["plates"]]
    return curves[kept]


def approved_samples(records: Iterable[Path]) -> set[str]:
    """Give the samples whose approval holds for their present inputs."""
    samples = [sample for path in records for sample in read_json(path).get("samples", [])]
    return {
        sample["sample"] for sample in samples if sample["approval"] and sample["approval"]["valid"]
    }


def grow(table: Path, results: Path, kinds: Mapping[str, str]) -> tuple[int, list[str]]:
    """Add this project's approved samples to a table of earlier samples, as its next version.

    Parameters
    ----------
    table : Path
        The table; it is made if it is not there. Its lines stay as they are.
    results : Path
        The folder with the results of a finished run.
    kinds : mapping
        Sample → its kind in samples.tsv.

    Returns
    -------
    version : int
        The newest version, after what was added.
    samples : list of str
        Those added. One that stands in the table already is left as it is.
    """

    def joined(pattern: str) -> "pd.DataFrame":
        return join_tables(read_table(path) for path in sorted(results.glob(pattern)))

    approved = approved_samples(sorted(results.glob("groups/*/records/*.json")))
    remarks, header, rows = _read(table)
    known = {row["sample"] for row in rows}
    version = newest_version(table)
    if not approved - known:
        return version, []
    quality = joined("runs/*/quality.parquet")
    members = own_members(
        joined("batches/*/samples.parquet"), joined("batches/*/curves.parquet"), quality, kinds
    )
    new = members[members["sample"].isin(approved - known)].assign(version=version + 1)
    if new.empty:
        return version, []
    added = [
        {str(name): _cell(value) for name, value in row.items()} for row in new.to_dict("records")
    ]
    old = [row | {"version": row.get("version") or "1"} for row in rows]
    _write(table, remarks, header, [*old, *added])
    return version + 1, sorted(set(new["sample"]))


def _read(table: Path) -> tuple[list[str], list[str], list[dict[str, str]]]:
    if not table.is_file():
        return [], [], []
    lines = table.read_text(encoding="utf-8").splitlines()
    remarks = [line for line in lines if line.startswith("#")]
    reader = csv.DictReader((line for line in lines if not line.startswith("#")), delimiter="\t")
    rows = list(reader)
    return remarks, list(reader.fieldnames or []), rows


def _write(
    table: Path, remarks: Sequence[str], header: Sequence[str], rows: list[dict[str, str]]
) -> None:
    text = io.StringIO()
    text.writelines(f"{remark}\n" for remark in remarks)
    columns = list(dict.fromkeys([*header, *_COLUMNS]))
    writer = csv.DictWriter(text, columns, delimiter="\t", lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    write_text(table, text.getvalue())


def _cell(value: Any) -> str:
    """Every digit of a number, so that it reads back as the same one; nothing for NaN."""
    return "" if value != value else repr(value) if isinstance(value, float) else str(value)
