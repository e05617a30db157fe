"""A whole simulated run on disk: exports, layouts and sheets as a laboratory would have them."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drp.problems import DataError, Place, Problem
from drp.simulate import sheets
from drp.simulate.dialects import Dialect, Reading, find_dialect
from drp.simulate.panel import demo_rows
from drp.simulate.plate_maps import COLUMNS, ROWS, place_of_well, plate_map, true_viability
from drp.simulate.responses import Responses, draw_responses, plant
from drp.simulate.signals import read_out
from drp.simulate.tables import simulate_reference, truth_table

DEMO_SEED = 1
REMARK = "# Simulated data: no real patient, no real measurement."
_FIRST_READ = timedelta(hours=9, minutes=5)
_MINUTES_PER_PLATE = 4
_NOISE_STREAMS = {"single": 1, "combinations": 2}
_DIGITS = 6
_REFERENCE_DIGITS = 4


def simulate_run(
    folder: str | Path,
    *,
    seed: int,
    patients: int = 8,
    reference: int = 32,
    dialect: str = "envision",
) -> list[Path]:
    """Write a simulated run with known truth: plates, layouts, sheets and a reference.

    Parameters
    ----------
    folder : str or Path
        The project folder; `plates` and `config` are made in it. Sheets of an earlier simulated
        run are replaced, a laboratory's own never; neither is a configuration that is there.
    seed : int
        The same seed gives the same bytes.
    patients : int
        Number of patients, 1 or more. The first eight have planted responses (one sensitive with a
        synergy, one resistant, one additivity, one failed sample, one pending risk, a T-cell
        leukaemia, one antagonism, one with two samples); further ones are ordinary.
    reference : int
        Number of earlier samples in `config/reference.tsv`; with 0 the file is not written.
    dialect : str
        Kind of the exports: the name of a reader, see `drp.simulate.dialects.DIALECTS`.

    Returns
    -------
    list of Path
        Every file written. Per sample a single-agent and a combination plate; two
        layouts; the sheets; and `plates/simulated_truth.tsv`, which no stage reads.

    Raises
    ------
    DataError
        A sheet is there that no simulation wrote, or the kind of export is not known.

    Examples
    --------
    >>> import tempfile
    >>> files = simulate_run(tempfile.mkdtemp(), seed=1, patients=1, reference=0)
    >>> [file.name for file in files][:2]
    ['CTG_20251106_001_P01-S1-A.txt', 'CTG_20251106_002_P01-S1-B.txt']
    """
    exports = find_dialect(dialect)
    plates_folder, config = Path(folder) / "plates", Path(folder) / "config"
    _refuse_to_replace(config)
    for directory in (plates_folder, config):
        directory.mkdir(parents=True, exist_ok=True)
    samples = sheets.demo_samples(patients)
    responses = _responses(samples, seed)
    plates = sheets.plates_sheet(samples, exports.suffix)
    written = _write_exports(
        plates_folder, plates, _signals(samples, responses, plates, seed), exports
    )
    written += _write_layouts(plates_folder)
    written.append(_write_truth(plates_folder, samples, responses))
    written += _write_sheets(config, sheets.demo_patients(patients), samples, plates)
    if reference:
        earlier = simulate_reference(reference, seed=seed).to_dict("records")
        path = config / "reference.tsv"
        written.append(_write_table(path, earlier, digits=_REFERENCE_DIGITS))
    if not (config / "config.yaml").exists():
        written.append(_write_config(config / "config.yaml", with_reference=reference > 0))
    return written


def _write_config(path: Path, *, with_reference: bool) -> Path:
    text = (files("drp") / "data" / "demo" / "config.yaml").read_text(encoding="utf-8")
    if not with_reference:
        text = text.replace("reference: config/reference.tsv", 'reference: ""')
    path.write_text(text, encoding="utf-8")
    return path


def _refuse_to_replace(config: Path) -> None:
    names = ("plates", "samples", "patients", "exclusions", "approvals", "reference")
    paths = [config / f"{name}.tsv" for name in names]
    own = [
        path.name
        for path in paths
        if path.is_file() and not path.read_bytes().startswith(REMARK.encode())
    ]
    if own:
        raise DataError(
            Problem(
                "simulate.would-replace",
                "error",
                Place(name),
                "the sheet is there already and is not simulated",
                "Simulate into another folder.",
            )
            for name in own
        )


def _responses(samples: list[sheets.Row], seed: int) -> Responses:
    """Draw each patient once, so that two samples of one patient are alike, then plant."""
    patients = list(dict.fromkeys(row["patient"] for row in samples))
    drawn = draw_responses(tuple(patients), seed=seed)
    rows = [patients.index(row["patient"]) for row in samples]
    return plant(
        replace(
            drawn,
            samples=tuple(row["sample"] for row in samples),
            log10_ec50=drawn.log10_ec50[rows],
            slope=drawn.slope[rows],
            bottom_pct=drawn.bottom_pct[rows],
            excess=drawn.excess[rows],
        )
    )


def _write_exports(
    folder: Path,
    plates: list[sheets.Row],
    signals: Mapping[str, NDArray[np.float64]],
    dialect: Dialect,
) -> list[Path]:
    runs: dict[str, int] = {}
    written = []
    for plate in plates:
        number = runs[plate["run"]] = runs.get(plate["run"], 0) + 1
        day = datetime.strptime(plate["file"].split("_")[1], "%Y%m%d")
        read_at = day + _FIRST_READ + timedelta(minutes=_MINUTES_PER_PLATE * number)
        signal = signals[plate["plate"]].reshape(ROWS, COLUMNS)
        path = folder / plate["file"]
        dialect.write(path, Reading(plate["plate"], number, signal, read_at))
        written.append(path)
    return written


def _signals(
    samples: list[sheets.Row], responses: Responses, plates: list[sheets.Row], seed: int
) -> dict[str, NDArray[np.float64]]:
    """Signals of every plate by its name, wells that went wrong included."""
    brightness = np.array([float(row["brightness"]) for row in samples])
    cv_pct = np.array([float(row["cv_pct"]) for row in samples])
    signals = {}
    for design, letter in sheets.PLATE_LETTERS.items():
        read = read_out(
            true_viability(responses, design),
            design,
            seed=seed,
            stream=_NOISE_STREAMS[design],
            brightness=brightness,
            cv_pct=cv_pct,
        )
        for sample, signal in zip(samples, read, strict=True):
            signals[f"{sample['sample']}-{letter}"] = signal
    for fault in sheets.exclusions_sheet(plates)[1]:
        signal, well = signals[fault["plate"]], place_of_well(fault["well"])
        signal[well] = np.rint(signal[well] * float(fault["factor"]))
    return signals


def _write_layouts(folder: Path) -> list[Path]:
    written = []
    for design, file in sheets.LAYOUTS.items():
        rows: Iterable[Mapping[str, str]] = plate_map(design).rows
        if design == "single":
            rows = [{k: v for k, v in row.items() if not k.endswith("2")} for row in rows]
        # A layout is a design and says nothing of any cells, so it carries no remark.
        written.append(_write_table(folder / file, list(rows), remark=False))
    return written


def _write_truth(folder: Path, samples: list[sheets.Row], responses: Responses) -> Path:
    patient_of = {row["sample"]: row["patient"] for row in samples}
    truth = truth_table(responses)
    truth.insert(0, "patient", truth["sample"].map(patient_of))
    return _write_table(folder / "simulated_truth.tsv", truth.to_dict("records"))


def _write_sheets(
    config: Path,
    patients: list[sheets.Row],
    samples: list[sheets.Row],
    plates: list[sheets.Row],
) -> list[Path]:
    excluded_columns = [name for name in demo_rows("exclusions")[0] if name != "factor"]
    tables: dict[str, tuple[list[sheets.Row], Sequence[str] | None]] = {
        "plates": (plates, None),
        "samples": (sheets.samples_sheet(samples), None),
        "patients": (patients, None),
        "exclusions": (sheets.exclusions_sheet(plates)[0], excluded_columns),
        "approvals": ([], sheets.APPROVALS_COLUMNS),
    }
    return [
        _write_table(config / f"{name}.tsv", rows, columns)
        for name, (rows, columns) in tables.items()
    ]


def _write_table(
    path: Path,
    rows: Sequence[Mapping[str, object]] | Sequence[Mapping[object, object]],
    columns: Sequence[str] | None = None,
    *,
    remark: bool = True,
    digits: int = _DIGITS,
) -> Path:
    header = list(columns) if columns is not None else [str(name) for name in rows[0]]
    lines = [REMARK] if remark else []
    lines.append("\t".join(header))
    lines += ["\t".join(_cell(value, digits) for value in row.values()) for row in rows]
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
    os.replace(partial, path)  # noqa: PTH105
    return path


def _cell(value: object, digits: int) -> str:
    if isinstance(value, float):
        rounded = float(f"{value:.{digits}g}")
        return "" if np.isnan(value) else np.format_float_positional(rounded, trim="-")
    return str(value)
