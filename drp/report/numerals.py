"""Numbers as a person reads them: two significant figures, a true minus, never a negative zero.

Percentages are whole from 10 on, because a tenth of a point of viability means nothing.
"""

from collections.abc import Sequence
from math import floor, log10

from drp.report.record import Estimate

MINUS = "\N{MINUS SIGN}"
UNKNOWN = "not known"


def significant(value: float, figures: int = 2, finest: float = 0.0) -> str:
    """Write a number with so many significant figures, but no finer than `finest`.

    Parameters
    ----------
    value : float
        Finite.
    figures : int
        Significant figures, 1 or more.
    finest : float
        Smallest step shown, a power of ten; 0 for no limit.

    Examples
    --------
    >>> [significant(x) for x in (226, 0.0312, 12345, 9.96, -0.0)]
    ['230', '0.031', '12,000', '10', '0']
    >>> significant(0.043, finest=0.1)
    '0'
    """
    if value == 0:
        return "0"
    # The exponent is taken after rounding, which may have gained a digit (9.96 -> 10).
    step = floor(log10(abs(float(f"{value:.{figures - 1}e}")))) - figures + 1
    if finest:
        step = max(step, round(log10(finest)))
    rounded = round(value, -step)
    if rounded == 0:
        return "0"
    text = f"{abs(rounded):,.{max(0, -step)}f}"
    return f"{MINUS}{text}" if rounded < 0 else text


def signed(value: float) -> str:
    """Write a difference with its sign, two figures, no finer than 0.1.

    >>> [signed(x) for x in (14.23, -0.02, -5.24, 0.31)]
    ['+14', '0', '−5.2', '+0.3']
    """
    text = significant(value, finest=0.1)
    return text if text == "0" or text.startswith(MINUS) else f"+{text}"


def percent(value: float) -> str:
    """Write a percentage or points: whole from 10 on, else one decimal.

    >>> [percent(x) for x in (104.4, 6.23, -0.04, 99.6)]
    ['104', '6.2', '0', '100']
    """
    rounded = round(value, 1) if abs(value) < 9.95 else round(value)
    if rounded == 0:
        return "0"
    text = f"{abs(rounded):.1f}" if abs(value) < 9.95 else f"{abs(rounded):.0f}"
    return f"{MINUS}{text}" if rounded < 0 else text


def probability(value: float) -> str:
    """Write a probability; what would round to 0 or 1 is written as a bound.

    >>> [probability(x) for x in (0.934, 0.999, 0.0004, 1.0)]
    ['0.93', 'above 0.99', 'below 0.01', 'above 0.99']
    """
    if value > 0.99:
        return "above 0.99"
    return "below 0.01" if value < 0.01 else f"{value:.2f}"


def p_value(value: float) -> str:
    """Write a p-value, small ones as a bound.

    >>> [p_value(x) for x in (0.0002, 0.031, 0.5)]
    ['< 0.001', '0.031', '0.50']
    """
    return "< 0.001" if value < 0.001 else significant(value)


def interval(estimate: Estimate, style: str = "number") -> str:
    """Write the 95 % interval of an estimate in words; open ends are said, not drawn.

    Parameters
    ----------
    estimate : Estimate
    style : {"number", "signed", "percent"}

    Examples
    --------
    >>> interval(Estimate(value=18, lo=12.2, hi=26))
    '12 to 26'
    >>> interval(Estimate(value=18, lo=12.2, open="high"))
    '12 or more'
    >>> interval(Estimate(value=18))
    'no interval'
    """
    write = _STYLES[style]
    if estimate.open == "both":
        return "interval open at both ends"
    if estimate.open == "low" and estimate.hi is not None:
        return f"up to {write(estimate.hi)}"
    if estimate.open == "high" and estimate.lo is not None:
        return f"{write(estimate.lo)} or more"
    if estimate.lo is None or estimate.hi is None:
        return "no interval"
    return f"{write(estimate.lo)} to {write(estimate.hi)}"


def value(estimate: Estimate, style: str = "number") -> str:
    """Write the value of an estimate, or that it is not known.

    >>> value(Estimate(value=-5.24), "signed")
    '−5.2'
    """
    return UNKNOWN if estimate.value is None else _STYLES[style](estimate.value)


def ic50(estimate: Estimate, qualifier: str, unit: str) -> str:
    """Write an IC50 with its qualifier; beyond the tested doses the limit is named.

    >>> ic50(Estimate(value=10000), ">", "nM")
    'above 10,000 nM'
    """
    if estimate.value is None:
        return UNKNOWN
    word = {"<": "below ", ">": "above "}.get(qualifier, "")
    return f"{word}{significant(estimate.value)} {unit}"


def listed(names: Sequence[str], most: int = 0) -> str:
    """Join names as in a sentence; from `most` on, the rest is counted.

    >>> listed(["A", "B", "C"]), listed(["A", "B", "C", "D"], most=2)
    ('A, B and C', 'A, B and 2 more')
    """
    shown = list(names)
    if most and len(shown) > most:
        shown = [*shown[:most], f"{len(names) - most} more"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def sentence(words: str) -> str:
    """Begin with a capital and end with one full stop; empty stays empty.

    >>> sentence("cells 71 % viable"), sentence("")
    ('Cells 71 % viable.', '')
    """
    words = words.strip().rstrip(".")
    return words and f"{words[0].upper()}{words[1:]}."


def whole(value: float) -> str:
    """Write a whole number with a true minus.

    >>> whole(-3.4), whole(-0.2)
    ('−3', '0')
    """
    rounded = round(value)
    return f"{MINUS}{-rounded:,}" if rounded < 0 else f"{rounded:,}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Write a count with its noun.

    >>> counted(1, "plate"), counted(3, "plate")
    ('1 plate', '3 plates')
    """
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


_STYLES = {
    "number": significant,
    "signed": signed,
    "percent": percent,
}
