"""From scores to a call, and the sentence that says why.

The limits are conventions, not clinically validated; they are arguments and end up in the
report. Effect and synergy are called together: synergy between two drugs that do not kill is
of no use to a patient.
"""

from dataclasses import dataclass

from drp.synergy.draws import Estimate
from drp.synergy.flags import BLOCKING
from drp.synergy.wording import signed, whole

CALLS = (
    "effective and synergistic",
    "effective and additive",
    "effective, antagonistic",
    "synergistic but weak",
    "weak",
    "antagonistic",
    "inconclusive",
    "not assessable",
)

_LEADS = {
    "synergistic": "the drugs do more together than independent action explains",
    "additive": "the drugs do together what independent action explains, no more and no less",
    "antagonistic": "the drugs do less together than independent action explains",
    "inconclusive": "too uncertain to tell synergy from additivity",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the calls change.

    Attributes
    ----------
    effective_inhibition : float
        Mean inhibition from which a combination counts as effective, %, if it also gains on the
        best single agent.
    synergistic_excess : float
        Mean Bliss excess from which it counts as synergistic (or, below its negative,
        antagonistic), points, if its interval excludes 0 as well.
    additive_within : float
        The whole interval within ± this counts as additive, points.
    ceiling_inhibition : float
        Expected inhibition above which a cell leaves no room for synergy, %.
    ceiling_share : float
        Share of such cells above which synergy is not assessable, 0 to 1.
    min_cells : int
        Combination cells needed for a call.
    """

    effective_inhibition: float = 50.0
    synergistic_excess: float = 5.0
    additive_within: float = 10.0
    ceiling_inhibition: float = 90.0
    ceiling_share: float = 0.5
    min_cells: int = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a call is made from, over the cells it is made on.

    Attributes
    ----------
    bliss, gain, inhibition : Estimate
        Mean Bliss excess, mean gain over the best single agent (HSA excess), both in points,
        and mean inhibition, %.
    n_cells : int
        Combination cells in those means.
    n_ceiling : int
        Those among them that leave no room for synergy.
    saturated : str
        A single agent that leaves no room at its lowest dose already, in words; or empty.
    cells : str
        Which cells they are: ``all 25 dose pairs``, ``the 9 dose pairs a patient can reach``.
    gap : str
        Why there are too few cells, in words; used only when there are.
    flags : tuple of str
        As `drp.synergy.flags.find_flags` gives them.
    """

    bliss: Estimate
    gain: Estimate
    inhibition: Estimate
    n_cells: int
    n_ceiling: int
    saturated: str
    cells: str
    gap: str
    flags: tuple[str, ...] = ()


def make_call(evidence: Evidence, limits: Limits) -> tuple[bool, str, str]:
    """Call a combination.

    Parameters
    ----------
    evidence : Evidence
        Scores over the cells that count.
    limits : Limits
        Where the calls change.

    Returns
    -------
    assessable : bool
        False if the data allow no call.
    call : str
        One of `CALLS`.
    reason : str
        Why, in one sentence.

    Examples
    --------
    >>> evidence = Evidence(Estimate(14.2, 2.2, 9.8, 18.6, 0.001), Estimate(20, 2, 16, 24, 0.001),
    ...                     Estimate(71, 2, 67, 75, 0.001), 25, 0, "", "all 25 dose pairs", "")
    >>> make_call(evidence, Limits())[1]
    'effective and synergistic'
    >>> print(make_call(evidence, Limits())[2])
    The drugs do more together than independent action explains: Bliss excess +14.2 points
    (95 % interval +9.8 to +18.6) over all 25 dose pairs, mean inhibition 71 %
    (67 to 75 %), +20.0 points (+16.0 to +24.0) above the best single agent.
    """
    obstacle = _obstacle(evidence, limits)
    if obstacle:
        return False, "not assessable", f"Synergy cannot be judged: {obstacle}."
    synergy = classify_excess(evidence.bliss, limits)
    strong = evidence.inhibition.value >= limits.effective_inhibition
    effective = strong and evidence.gain.lo > 0
    calls = {
        "synergistic": ("synergistic but weak", "effective and synergistic"),
        "additive": ("weak", "effective and additive"),
        "antagonistic": ("antagonistic", "effective, antagonistic"),
        "inconclusive": ("inconclusive", "inconclusive"),
    }
    lead = _LEADS[synergy]
    reason = f"{lead[0].upper()}{lead[1:]}: {_numbers(evidence)}"
    if not effective:
        least = f"mean inhibition is below {limits.effective_inhibition:.0f} %"
        reason = f"{reason}; {'no gain over the best single agent is shown' if strong else least}"
    return True, calls[synergy][effective], f"{reason}."


def classify_excess(bliss: Estimate, limits: Limits) -> str:
    """Name a mean Bliss excess by its size and its interval.

    Parameters
    ----------
    bliss : Estimate
        Mean Bliss excess, points.
    limits : Limits
        `synergistic_excess` and `additive_within` count.

    Returns
    -------
    str
        ``synergistic``, ``additive``, ``antagonistic`` or ``inconclusive``.

    Examples
    --------
    >>> classify_excess(Estimate(-7.0, 1.5, -10.0, -4.0, 0.001), Limits())
    'antagonistic'
    >>> classify_excess(Estimate(2.0, 4.0, -6.0, 12.0, 0.6), Limits())
    'inconclusive'
    """
    if bliss.lo > 0 and bliss.value >= limits.synergistic_excess:
        return "synergistic"
    if bliss.hi < 0 and bliss.value <= -limits.synergistic_excess:
        return "antagonistic"
    if -limits.additive_within <= bliss.lo and bliss.hi <= limits.additive_within:
        return "additive"
    return "inconclusive"


def _obstacle(evidence: Evidence, limits: Limits) -> str:
    """Say why no call can be made; empty if one can."""
    blocking = [BLOCKING[flag] for flag in evidence.flags if flag in BLOCKING]
    if blocking:
        return "; ".join(blocking)
    if evidence.n_cells < limits.min_cells:
        return evidence.gap
    room = f"more than {limits.ceiling_inhibition:.0f} %"
    if evidence.n_ceiling > limits.ceiling_share * evidence.n_cells:
        return (
            f"in {evidence.n_ceiling} of {evidence.n_cells} dose pairs the drugs alone already "
            f"explain {room} inhibition, which leaves no room for synergy (ceiling)"
        )
    if evidence.saturated:
        return f"{evidence.saturated}, which leaves no room for synergy (ceiling)"
    return ""


def _numbers(evidence: Evidence) -> str:
    bliss, gain, inhibition = evidence.bliss, evidence.gain, evidence.inhibition
    return (
        f"Bliss excess {signed(bliss.value)} points (95 % interval {signed(bliss.lo)} to "
        f"{signed(bliss.hi)}) over {evidence.cells}, "
        f"mean inhibition {whole(inhibition.value)} % "
        f"({whole(inhibition.lo)} to {whole(inhibition.hi)} %), {signed(gain.value)} points "
        f"({signed(gain.lo)} to {signed(gain.hi)}) above the best single agent"
    )
