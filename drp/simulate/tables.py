"""Simulated tables at any scale: viability with its truth, and a reference of earlier samples."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drp.simulate.panel import demo_rows, load_pairs, load_panel
from drp.simulate.plate_maps import Design, plate_map, true_viability
from drp.simulate.responses import Responses, draw_responses, matrix_viability
from drp.simulate.signals import WELL_CV_PCT, read_out, scale_to_controls
from drp.tables import check
from drp.wellnames import parse_well

Values = NDArray[np.float64]

ASSAY = "demo-ctg-72h"
_NORMAL_95 = 1.959963984540054
_SUFFIX: dict[Design, str] = {"single": "A", "combinations": "B"}
_REFERENCE_STREAM = 100


def simulate_viability(
    samples: int,
    *,
    seed: int,
    design: Design = "single",
    cv_pct: float = WELL_CV_PCT,
    prefix: str = "S",
    stream: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Simulate ordinary samples, one 384-well plate each, and the truth behind them.

    Parameters
    ----------
    samples : int
        Number of samples, 1 or more; thousands are fine.
    seed, stream : int
        The same pair gives the same table; a sample does not depend on those after it.
    design : {"single", "combinations"}
        40 drugs at 8 doses, one well each; or 3 pairs as 6 × 6 matrices in triplicate.
    cv_pct : float
        Well noise, per cent of the signal.
    prefix : str
        Sample ids are the prefix and a number from 1, padded with zeros.

    Returns
    -------
    viability : DataFrame
        Table `viability` (360 wells per single-agent plate, 364 per combination plate), with the
        further columns viability_true_pct, control, row and column.
    truth : DataFrame
        As `truth_table` gives it.

    Examples
    --------
    >>> viability, truth = simulate_viability(2, seed=1)
    >>> len(viability), sorted(set(viability["sample"])), len(truth)
    (720, ['S1', 'S2'], 86)
    """
    width = len(str(samples))
    names = tuple(f"{prefix}{number:0{width}d}" for number in range(1, samples + 1))
    responses = draw_responses(names, seed=seed, stream=stream)
    truth = true_viability(responses, design)
    noise_stream = stream + (1 if design == "single" else 2)
    signal = read_out(truth, design, seed=seed, stream=noise_stream, cv_pct=cv_pct)
    return _viability_table(names, design, signal, truth), truth_table(responses)


def _viability_table(
    samples: tuple[str, ...], design: Design, signal: Values, truth: Values
) -> pd.DataFrame:
    layout = plate_map(design)
    filled = [i for i, row in enumerate(layout.rows) if row["role"] != "empty"]
    rows = [layout.rows[i] for i in filled]
    count = len(samples)

    def text(column: str) -> NDArray[np.object_]:
        return np.tile(np.array([row[column] for row in rows], dtype=object), count)

    def number(column: str) -> Values:
        return np.tile([float(row[column] or "nan") for row in rows], count)

    sample = np.repeat(np.array(samples, dtype=object), len(rows))
    role = text("role")
    places = [parse_well(row["well"]) or (0, 0) for row in rows]
    table = pd.DataFrame(
        {
            "run": "simulated",
            "plate": sample + f"-{_SUFFIX[design]}",
            "well": text("well"),
            "sample": sample,
            "role": role,
            "drug": text("drug"),
            "dose": number("dose"),
            "drug2": text("drug2"),
            "dose2": number("dose2"),
            "drug3": "",
            "dose3": np.nan,
            "dose_unit": text("dose_unit"),
            "signal": signal[:, filled].ravel(),
            "status": "ok",
            "excluded": False,
            "reason": "",
            "viability_pct": scale_to_controls(signal, design)[:, filled].ravel(),
            "viability_true_pct": truth[:, layout.place[filled]].ravel(),
            "control": np.where(role == "sample", "", role),
            "row": np.tile([row for row, _ in places], count),
            "column": np.tile([column for _, column in places], count),
        }
    )
    return check(table, "viability")


def truth_table(responses: Responses) -> pd.DataFrame:
    """Say what is true of every drug and combination of simulated samples.

    Parameters
    ----------
    responses : Responses
        n samples.

    Returns
    -------
    DataFrame
        One row per sample and drug or combination: sample, kind (``drug`` or ``combination``),
        name, dose_unit, ec50 (dose_unit), slope, bottom_pct, effect and call_expected. The effect
        of a drug is the mean true viability over the tested log doses (per cent, the normalised
        AUC), that of a combination its true mean Bliss excess (points). An empty expected call
        says that nothing was planted.
    """
    rows = []
    agents, pairs = load_panel(), load_pairs()
    excess = [matrix_viability(responses, pair)[1] for pair in range(len(pairs))]
    areas = [_true_auc(responses, drug, agent.doses) for drug, agent in enumerate(agents)]
    for i, sample in enumerate(responses.samples):
        expected = _expected_calls(sample)
        for drug, agent in enumerate(agents):
            parameters = {
                "dose_unit": agent.dose_unit,
                "ec50": float(10 ** responses.log10_ec50[i, drug]),
                "slope": float(responses.slope[i, drug]),
                "bottom_pct": float(responses.bottom_pct[i, drug]),
                "effect": float(areas[drug][i]),
            }
            if agent.bottom_pct >= 100:
                parameters |= {"ec50": float("nan"), "slope": float("nan")}
            rows.append((sample, "drug", agent.name, parameters, expected))
        for pair, combination in enumerate(pairs):
            parameters = {"dose_unit": "nM", "effect": float(excess[pair][i])}
            rows.append((sample, "combination", combination.name, parameters, expected))
    return pd.DataFrame(
        {"sample": sample, "kind": kind, "name": name}
        | dict.fromkeys(("dose_unit", "ec50", "slope", "bottom_pct", "effect"), float("nan"))
        | parameters
        | {"call_expected": expected.get((kind, name), expected.get((kind, "*"), ""))}
        for sample, kind, name, parameters, expected in rows
    )


def _expected_calls(sample: str) -> dict[tuple[str, str], str]:
    """What was planted in a sample; a row for the sample goes before one for all."""
    rows = [row for row in demo_rows("planted") if row["sample"] in (sample, "*")]
    ordered = sorted(rows, key=lambda row: row["sample"] != "*")
    return {(row["kind"], row["name"]): row["call_expected"] for row in ordered}


def _true_auc(responses: Responses, drug: int, doses: tuple[float, ...]) -> Values:
    """Area under the true curve over log10 dose, divided by the range; % viability."""
    slope, bottom = responses.slope[:, drug], responses.bottom_pct[:, drug]
    low, high = np.log10(doses[0]), np.log10(doses[-1])

    def fallen(log10_dose: float) -> Values:
        area: Values = np.log10(1 + 10 ** (slope * (log10_dose - responses.log10_ec50[:, drug])))
        return area / slope

    drop: Values = (100 - bottom) * (fallen(high) - fallen(low)) / (high - low)
    return 100 - drop


def simulate_reference(samples: int, *, seed: int) -> pd.DataFrame:
    """Simulate earlier samples of the same assay: their wells with noise, then their curves.

    Parameters
    ----------
    samples : int
        Number of earlier samples.
    seed : int
        Seeds the samples and their noise; independent of the run's own samples.

    Returns
    -------
    DataFrame
        One row per sample and drug: assay, sample, drug, dose_unit, dose_min, dose_max, auc,
        auc_sd (standard deviation from the 95 % interval, points), dss2, top, bottom, slope, ec50.
        Drugs that a plate cannot read are left out, as no call is ever made on them.
    """
    from drp.drugs import find
    from drp.sensitivity import fit_curves

    viability, _ = simulate_viability(samples, seed=seed, prefix="E", stream=_REFERENCE_STREAM)
    readable = [
        agent.name for agent in load_panel() if (drug := find(agent.name)) and drug.exvivo != "no"
    ]
    curves = fit_curves(viability[viability["drug"].isin(readable)], seed=seed)
    reference = curves.assign(
        assay=ASSAY, auc_sd=(curves["auc_hi"] - curves["auc_lo"]) / (2 * _NORMAL_95)
    )
    columns = ["assay", "sample", "drug", "dose_unit", "dose_min", "dose_max", "auc", "auc_sd"]
    columns += ["dss2", "top", "bottom", "slope", "ec50"]
    return reference[columns].sort_values(["sample", "drug"], ignore_index=True)
