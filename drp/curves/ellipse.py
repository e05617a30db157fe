"""What the asymptotes may be, for a given midpoint and slope, within the likelihood region.

The curve is linear in its asymptotes, so for each midpoint and slope the region is an ellipse cut
by the limits on them. The range over it of anything linear in the asymptotes, and of the dose of
half viability, is known in closed form.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.curves.asymptotes import Sums, squared_error_excess
from drp.curves.model import Box, Floats

# Limits are kept to this share of the values compared.
SLACK = 1e-9
OUTWARDS = (-1, 1, -1, 1)  # of the low and high limits of a box


class Ellipse(NamedTuple):
    """The ellipse of each cell; arrays of one shape, `box` and `weight` broadcast with them.

    span: left - right asymptote at the centre, where the mean is 0; radius: root of the squared
    error to spare there, NaN outside the region; edge: points where limits cut the ellipse, as
    (left, right), NaN where they do not.
    """

    weight: Floats
    mean_s: Floats
    spread: Floats
    span: Floats
    radius: Floats
    box: Box
    edge: list[tuple[Floats, Floats]]


def ellipse(sums: Sums, limit: Floats, box: Box) -> Ellipse:
    """Set up the ellipses of cells.

    Parameters
    ----------
    sums : Sums
        Weighted sums of s at each cell.
    limit : array
        SSE - SST up to which a point belongs to the region.
    box : Box
        Limits on the asymptotes.
    """
    with np.errstate(all="ignore"):
        span = sums.sy / sums.spread
        room = limit + sums.sy * span
        radius = np.sqrt(np.where(room >= 0, room, np.nan))
        cut = Ellipse(
            sums.weight,
            sums.s / sums.weight,
            sums.spread,
            span,
            radius,
            _loosened(box),
            [],
        )
        return cut._replace(edge=[_kept(cut, *point) for point in _edge_points(sums, limit, box)])


def _loosened(box: Box) -> Box:
    """Move the limits apart by a little, for points that rounding puts beyond them."""
    slack = [SLACK * (1.0 + np.abs(limit)) for limit in box]
    return Box(*(limit + side * by for limit, side, by in zip(box, OUTWARDS, slack, strict=True)))


def _allowed(cut: Ellipse, left: Floats, right: Floats) -> NDArray[np.bool_]:
    box = cut.box
    fine: NDArray[np.bool_] = left >= right
    for limit, value, side in zip(box, (left, left, right, right), OUTWARDS, strict=True):
        if np.isfinite(limit[:1]).all():
            fine &= value >= limit if side < 0 else value <= limit
    return fine


def _kept(cut: Ellipse, left: Floats, right: Floats) -> tuple[Floats, Floats]:
    fine = _allowed(cut, left, right)
    return np.where(fine, left, np.nan), np.where(fine, right, np.nan)


def _edge_points(sums: Sums, limit: Floats, box: Box) -> list[tuple[Floats, Floats]]:
    """Give where limits cross the ellipse, and the corners of the box that lie inside it."""
    rights = [held for held in (box.right_low, box.right_high) if np.isfinite(held).any()]
    lefts = [held for held in (box.left_low, box.left_high) if np.isfinite(held).any()]
    points = []
    for held in rights:
        points += [(other, held + 0 * other) for other in _crossings(sums, limit, held, True)]
    for held in lefts:
        points += [(held + 0 * other, other) for other in _crossings(sums, limit, held, False)]
    for left in lefts:
        for right in rights:
            inside = squared_error_excess(sums, left, right) <= limit
            points.append((np.where(inside, left, np.nan), np.where(inside, right, np.nan)))
    return points


def _crossings(sums: Sums, limit: Floats, held: Floats, right: bool) -> tuple[Floats, Floats]:
    """Give the two values of the other asymptote where one is held and the ellipse is met."""
    rest = sums.weight - 2 * sums.s + sums.ss
    square, own = (sums.ss, rest) if right else (rest, sums.ss)
    sy = sums.sy if right else -sums.sy
    middle = (sy - held * (sums.s - sums.ss)) / square
    # Excess with one asymptote held: held² own + 2 held sy - middle² square at best.
    lowest = held**2 * own + 2 * held * sy - middle**2 * square
    half = np.sqrt(np.where(limit >= lowest, (limit - lowest) / square, np.nan))
    return middle - half, middle + half


def linear_range(cut: Ellipse, share: Floats) -> tuple[Floats, Floats]:
    """Give the range of ``right + (left - right) * share``, as deviation from the mean.

    Parameters
    ----------
    cut : Ellipse
        The cells.
    share : array
        1 for the left asymptote, 0 for the right one, the mean of s for the area, s at a dose
        for the viability there.

    Returns
    -------
    low, high : array
        NaN outside the region.
    """
    arm = share - cut.mean_s
    with np.errstate(invalid="ignore", over="ignore"):
        lever = arm / cut.spread
        norm = np.sqrt(1.0 / cut.weight + arm * lever)
        reach = cut.radius / norm
        ends = []
        for side in (-1.0, 1.0):
            span = cut.span + side * reach * lever
            right = side * reach / cut.weight - span * cut.mean_s
            value = cut.span * arm + side * cut.radius * norm
            ends.append(np.where(_allowed(cut, right + span, right), value, np.nan))
        low, high = ends
        for left, right in cut.edge:
            value = right + (left - right) * share
            low, high = np.fmin(low, value), np.fmax(high, value)
    return np.fmin(low, high), np.fmax(low, high)


def half_dose_range(
    cut: Ellipse, half: Floats, e: Floats, slope: Floats, right_high: Floats
) -> tuple[Floats, Floats]:
    """Give the range of the log10 dose at which a falling curve crosses a viability.

    For a share s of the span to stand at that viability the ellipse must be met by a line through
    one fixed point; the outermost such lines touch it.

    Parameters
    ----------
    cut : Ellipse
        The cells.
    half : array
        The viability, as deviation from the mean.
    e, slope : array
        Midpoint and slope of the cells.
    right_high : array
        Highest right asymptote of each cell.

    Returns
    -------
    low, high : array
        Infinite where a curve of the cell never crosses; NaN outside the region.
    """
    with np.errstate(all="ignore"):
        square = cut.radius * cut.radius
        a = cut.span * cut.span - square / cut.spread
        b, c = half * cut.span, half * half - square / cut.weight
        root = np.sqrt(np.maximum(b * b - a * c, 0.0))
        shares = [_touching(cut, (b + side * root) / a, half) for side in (-1.0, 1.0)]
        shares += [(half - right) / (left - right) for left, right in cut.edge]
        shares = [np.where((share > 0) & (share < 1), share, np.nan) for share in shares]
        low = high = shares[0]
        for share in shares[1:]:
            low, high = np.fmin(low, share), np.fmax(high, share)
        early = e + np.log10(1.0 / high - 1.0) / slope
        late = e + np.log10(1.0 / low - 1.0) / slope
    never, always = right_high >= half, linear_range(cut, np.ones(()))[0] <= half
    late = np.where(never, np.inf, np.where(always, np.fmax(late, -np.inf), late))
    early = np.where(always, -np.inf, np.where(never, np.fmin(early, np.inf), early))
    return early, late


def _touching(cut: Ellipse, arm: Floats, half: Floats) -> Floats:
    """Give the share at which a line through the fixed point touches the ellipse, if allowed."""
    lever = arm / cut.spread
    reach = cut.radius / np.sqrt(1.0 / cut.weight + arm * lever)
    span = cut.span + np.sign(half - cut.span * arm) * reach * lever
    right = half - span * (arm + cut.mean_s)
    share: Floats = np.where(_allowed(cut, right + span, right), arm + cut.mean_s, np.nan)
    return share
