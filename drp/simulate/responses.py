"""How simulated cells respond: true curves and true combination surfaces, without any noise.

Arrays have one row per sample. A sample's row does not depend on how many samples are drawn after
it, so a small run is the beginning of a large one.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from drp.simulate.panel import Agent, Pair, demo_rows, load_pairs, load_panel

Values = NDArray[np.float64]

_SHARED = 0.5  # share of the variance between patients that drugs of one group have in common
_SLOPE_SD = 0.15  # of the natural logarithm of the slope
_BOTTOM_SD_PCT = 5.0
_MOST_BOTTOM_PCT = 95.0
_EXCESS_SD = 1.5  # points; ordinary samples are additive or nearly so


@dataclass(frozen=True, slots=True)
class Responses:
    """True parameters of simulated samples.

    Attributes
    ----------
    samples : tuple of str
        Sample ids, n of them.
    log10_ec50, slope, bottom_pct : array, shape (n, drugs)
        log10 of the EC50 in the drug's dose unit; Hill slope; remaining viability, per cent.
        Every curve starts at 100 %.
    excess : array, shape (n, pairs)
        Mean Bliss excess over the combination cells, points of inhibition; positive is synergy.
    """

    samples: tuple[str, ...]
    log10_ec50: Values
    slope: Values
    bottom_pct: Values
    excess: Values


def draw_responses(samples: tuple[str, ...], *, seed: int, stream: int = 0) -> Responses:
    """Draw ordinary samples from the simulated population.

    Parameters
    ----------
    samples : tuple of str
        Sample ids.
    seed, stream : int
        The same pair gives the same samples; different streams are independent.

    Returns
    -------
    Responses
        log10 EC50s vary by each drug's spread, half of the variance shared within its group.

    Examples
    --------
    >>> draw_responses(("S1", "S2"), seed=1).log10_ec50.shape
    (2, 40)
    """
    agents, pairs = load_panel(), load_pairs()
    groups = sorted({agent.group for agent in agents})
    count = len(agents)
    generator = np.random.default_rng([seed, stream])
    drawn = generator.standard_normal((len(samples), len(groups) + 3 * count + len(pairs)))
    of_group, of_drug, of_slope, of_bottom, of_pair = np.split(
        drawn, np.cumsum([len(groups), count, count, count]), axis=1
    )
    shared = of_group[:, [groups.index(agent.group) for agent in agents]]
    deviation = np.sqrt(_SHARED) * shared + np.sqrt(1 - _SHARED) * of_drug
    bottom = np.array([agent.bottom_pct for agent in agents])
    varied = np.clip(bottom + _BOTTOM_SD_PCT * of_bottom, 0, _MOST_BOTTOM_PCT)
    return Responses(
        samples=samples,
        log10_ec50=_medians(agents) + deviation * [agent.ec50_sd_log10 for agent in agents],
        slope=np.array([agent.slope for agent in agents]) * np.exp(_SLOPE_SD * of_slope),
        bottom_pct=np.where(bottom >= 100, 100.0, varied),
        excess=_EXCESS_SD * of_pair,
    )


def _medians(agents: tuple[Agent, ...]) -> Values:
    return np.log10([agent.ec50 for agent in agents])


def plant(responses: Responses) -> Responses:
    """Give the samples of the demonstration the responses that the tests look for.

    Parameters
    ----------
    responses : Responses
        Ordinary samples; those not named in `drp/data/demo/planted.tsv` stay as they are.

    Returns
    -------
    Responses
        Planted drugs sit a stated number of decades from the population median, planted
        combinations have a stated excess.
    """
    agents, pairs = load_panel(), load_pairs()
    medians = _medians(agents)
    planted = replace(
        responses,
        log10_ec50=responses.log10_ec50.copy(),
        bottom_pct=responses.bottom_pct.copy(),
        excess=responses.excess.copy(),
    )
    for row in demo_rows("planted"):
        if row["sample"] not in responses.samples:
            continue
        sample = responses.samples.index(row["sample"])
        kinds: tuple[Agent | Pair, ...] = agents if row["kind"] == "drug" else pairs
        named = [i for i, kind in enumerate(kinds) if row["name"] in ("*", kind.name)]
        if row["shift_log10"]:
            planted.log10_ec50[sample, named] = medians[named] + float(row["shift_log10"])
        if row["bottom_pct"]:
            planted.bottom_pct[sample, named] = float(row["bottom_pct"])
        if row["excess_points"]:
            planted.excess[sample, named] = float(row["excess_points"])
    return planted


def curve_viability(responses: Responses, drug: int, doses: tuple[float, ...]) -> Values:
    """Give the true viability of every sample at the doses of one drug.

    Parameters
    ----------
    responses : Responses
        n samples.
    drug : int
        Place of the drug in the panel.
    doses : tuple of float
        Doses in the drug's unit, 0 or more.

    Returns
    -------
    array, shape (n, len(doses))
        Per cent, 100 at dose 0.
    """
    with np.errstate(divide="ignore"):
        log10_dose = np.log10(np.array(doses))
    exponent = responses.slope[:, [drug]] * (log10_dose - responses.log10_ec50[:, [drug]])
    bottom = responses.bottom_pct[:, [drug]]
    viability: Values = bottom + (100 - bottom) / (1 + 10.0**exponent)
    return viability


def matrix_viability(responses: Responses, pair: int) -> tuple[Values, Values]:
    """Give the true viability of every sample in the dose matrix of one pair.

    Synergy takes a share of the cells that Bliss independence leaves alive, the larger the more
    both drugs do alone; antagonism gives back a share of what the second drug adds to the first.

    Parameters
    ----------
    responses : Responses
        n samples.
    pair : int
        Place of the pair among the panel's pairs.

    Returns
    -------
    viability : array, shape (n, doses + 1, doses2 + 1)
        Per cent; row and column 0 are dose 0, so they hold the single agents.
    excess : array, shape (n,)
        Mean Bliss excess over the cells with both drugs, points: the planted one, or less where
        the surface has no room for it.
    """
    pairs, names = load_pairs(), [agent.name for agent in load_panel()]
    first = curve_viability(responses, names.index(pairs[pair].drug), (0.0, *pairs[pair].doses))
    second = curve_viability(responses, names.index(pairs[pair].drug2), (0.0, *pairs[pair].doses2))
    bliss = first[:, :, None] * second[:, None, :] / 100
    room = np.minimum(first[:, :, None], second[:, None, :]) - bliss
    effects = np.sqrt((100 - first)[:, :, None] * (100 - second)[:, None, :])
    wanted = responses.excess[:, pair]
    weight = np.where(wanted[:, None, None] > 0, bliss * effects / 100, room)
    mean = weight[:, 1:, 1:].mean(axis=(1, 2))
    scale = np.divide(wanted, mean, out=np.zeros_like(mean), where=mean > 0)
    # Antagonism ends where the combination does no more than its better drug alone.
    scale = np.maximum(scale, -1.0)
    viability = np.clip(bliss - scale[:, None, None] * weight, 0, 100)
    return viability, (bliss - viability)[:, 1:, 1:].mean(axis=(1, 2))
