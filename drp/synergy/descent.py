"""Hill curves of per cent inhibition, followed from starts to their least squared error.

The curve is ``y = start + (plateau - start) t`` with ``t = 1 / (1 + exp(-h (x - l)))``, x the ln
of the dose and l that of the midpoint. Start and plateau are projected out in closed form (Golub
and Pereyra, SIAM J Numer Anal 1973, doi:10.1137/0710036), which leaves a damped Newton search in l
and ``eta = ln h``. One matrix asks for some twenty curves, a thousand times over: the search of
`drp.curves` is thorough, but its cost per step forbids that. Here a curve may rise or fall in one
and the same column, the whole state is one array, and finished columns are dropped in bulk. All
operations are elementwise over the columns, sums run first dose to last: a column's bits do not
depend on its neighbours.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

# ln of dose 0: t is 0 to the last bit there, and products with it stay finite.
FAR_BELOW = -1e5
LONGEST_STEP = (0.9, 0.7)  # in l and eta
FIRST_DAMPING = 1e-2
MORE_DAMPING, LESS_DAMPING, MOST_DAMPING = 8.0, 0.1, 1e9
TOLERANCE_OF_SPREAD = 1e-15
# After the first steps a start is given up that would still be behind another start of its curve
# if it fell by several times what its quadratic promises.
HEAD_START, HOPE = 2, 10.0
# A search that has run out of steps still counts as arrived if this share is all there is to gain.
NEGLIGIBLE = 1e-6
TINY = np.finfo(np.float64).tiny
# Rows of a state.
MIDPOINT, ETA, LOSS, G_L, G_ETA, LL, LETA, ETAETA, PROMISED, START, PLATEAU = range(11)
RATE_L, RATE_ETA = 11, 12  # of the higher asymptote; 0 where it stands at the cap
N_ROWS = 13
# A step that would take an asymptote past the cap ends this share of the way beyond it: the
# curvature jumps there, and the far side has to be looked at from its own side.
PAST_THE_CAP, LEAST_SHARE = 1.1, 0.1


class Columns(NamedTuple):
    """One least-squares problem per column.

    x, y, weight: (n_doses, n_columns); y as deviation from `level`, which is the weighted mean of
    a free curve and the given start of a curve whose start is fixed. per_weight: 1 / sum of
    weights where the start is free, 0 where it is fixed. cap: highest start and plateau, as
    deviation from `level`. low, high: limits of l. spread: squared error about `level`.
    """

    x: Floats
    y: Floats
    weight: Floats
    level: Floats
    per_weight: Floats
    cap: Floats
    low: Floats
    high: Floats
    spread: Floats

    def take(self, columns: Indices) -> "Columns":
        """Give the same for some columns, laid out by rows, on which sums rely."""
        return Columns(*(part.take(columns, axis=-1) for part in self))


class Search(NamedTuple):
    """How far to go: limits of eta, share of the error still to be had at the end, most steps."""

    eta_low: float
    eta_high: float
    tolerance: float
    most_steps: int


def descend(
    columns: Columns, midpoint: Floats, eta: Floats, owner: Indices, how: Search
) -> tuple[Floats, NDArray[np.bool_]]:
    """Follow every start down to its local optimum, or until another of its owner's is ahead.

    Parameters
    ----------
    columns : Columns
        One per start.
    midpoint, eta : array (n_starts,)
        Where to start, inside the limits.
    owner : array of int (n_starts,)
        The curve each start belongs to.
    how : Search
        When to stop.

    Returns
    -------
    state : array (N_ROWS, n_starts)
        Where each start ended; start and plateau as deviations from `level`.
    converged : array of bool (n_starts,)
        False where steps ran out with something left to gain.
    """
    if len(midpoint) == 1:  # NumPy would add up a single column in another order
        pair = np.zeros(2, dtype=np.intp)
        both = descend(columns.take(pair), midpoint[pair], eta[pair], owner[pair], how)
        return both[0][:, :1], both[1][:1]
    with np.errstate(all="ignore"):
        return _descend(columns, midpoint, eta, owner, how)


def _descend(
    columns: Columns, midpoint: Floats, eta: Floats, owner: Indices, how: Search
) -> tuple[Floats, NDArray[np.bool_]]:
    here = _evaluate(columns, midpoint, eta, how)
    ended, converged = np.empty_like(here), np.zeros(len(eta), dtype=bool)
    active, damping = np.arange(len(eta)), np.zeros(len(eta))
    done = np.zeros(len(eta), dtype=bool)
    lowest = np.full(int(owner.max(initial=-1)) + 1, np.inf)
    for step in range(how.most_steps + 1):
        least = how.tolerance * here[LOSS] + TOLERANCE_OF_SPREAD * columns.spread
        done |= (here[PROMISED] <= least) | (damping > MOST_DAMPING)
        if step >= HEAD_START:
            np.minimum.at(lowest, owner[active], here[LOSS])
            done |= here[LOSS] - HOPE * here[PROMISED] > lowest[owner[active]]
        if step == how.most_steps or done.all():
            break
        if 4 * np.count_nonzero(done) > len(done) > 64:
            ended[:, active[done]], converged[active[done]] = here[:, done], True
            kept = _two_or_more(np.flatnonzero(~done))
            here, damping, done = here[:, kept], damping[kept], np.zeros(len(kept), dtype=bool)
            active, columns = active[kept], columns.take(kept)
        there = _evaluate(columns, *_next(columns, here, damping, how), how)
        lower = (there[LOSS] < here[LOSS]) & ~done
        np.copyto(here, there, where=lower)
        more = np.maximum(damping, FIRST_DAMPING) * MORE_DAMPING
        damping = np.where(lower, damping * LESS_DAMPING, np.where(done, damping, more))
    ended[:, active] = here
    converged[active] = done | (here[PROMISED] <= NEGLIGIBLE * columns.spread)
    return ended, converged


def _two_or_more(kept: Indices) -> Indices:
    """Repeat a lonely column: NumPy would add up a single one in another order."""
    return np.repeat(kept, 2) if len(kept) == 1 else kept


class _Arms(NamedTuple):
    """Asymptotes at their best: y is about `off`, t about `tau`; what may still move."""

    off: Floats | float
    tau: Floats
    span: Floats
    per_arm: Floats
    per_level: Floats


def _evaluate(columns: Columns, midpoint: Floats, eta: Floats, how: Search) -> Floats:
    """Compute error, gradient and quadratic at some points, start and plateau at their best."""
    weight, steep = columns.weight, np.exp(eta)
    z = columns.x - midpoint
    z *= steep
    bent = 0.5 * z
    np.tanh(bent, out=bent)
    t = 0.5 * bent
    t += 0.5
    arms = _solve_arms(columns, t)
    t -= arms.tau  # from here on t is about tau
    residual = columns.y - arms.off
    residual -= arms.span * t
    pulled = weight * residual
    products = np.empty((13, *t.shape))
    v = bent * bent
    np.subtract(1.0, v, out=v)
    v *= 0.25
    wv, wvz, wvv, wvvz = products[0:4]
    np.multiply(weight, v, out=wv)
    np.multiply(wv, z, out=wvz)
    np.multiply(wv, v, out=wvv)
    np.multiply(wvz, v, out=wvvz)
    np.multiply(wvvz, z, out=products[4])
    np.multiply(products[0:2], t, out=products[5:7])
    np.multiply(pulled, residual, out=products[7])
    np.multiply(pulled, v, out=products[8])
    np.multiply(products[8], z, out=products[9])
    np.multiply(products[8:10], bent, out=products[10:12])
    np.multiply(products[11], z, out=products[12])
    sums = np.add.reduce(products, axis=1)
    return _state(columns, midpoint, eta, steep, arms, sums, how)


def _solve_arms(columns: Columns, t: Floats) -> _Arms:
    weighted = columns.weight * t
    tau = np.add.reduce(weighted, axis=0)
    tau *= columns.per_weight
    apart = t - tau
    weighted = columns.weight * apart
    products = np.empty((2, *t.shape))
    np.multiply(weighted, apart, out=products[0])
    np.multiply(weighted, columns.y, out=products[1])
    square, pull = np.add.reduce(products, axis=1)
    per_arm = 1.0 / np.maximum(square, TINY)
    span = pull * per_arm
    arms = _Arms(0.0, tau, span, per_arm, columns.per_weight)
    over = np.maximum(span - span * tau, -span * tau) > columns.cap
    if not over.any():
        return arms
    # A given start stands at 0; its plateau is held at the cap, and nothing is left to move.
    fixed = over & (columns.per_weight == 0)
    span[fixed] = columns.cap[fixed]
    per_arm[fixed] = 0.0
    free = np.flatnonzero(over & ~fixed)
    return _held(columns, t, arms, free) if len(free) else arms


def _held(columns: Columns, t: Floats, arms: _Arms, at: Indices) -> _Arms:
    """Hold an asymptote of free curves at the cap, and solve for the other."""
    tau = np.where(arms.span[at] > 0, 1.0, 0.0)  # 1: the plateau is held, 0: the start
    span, wanted, per_arm = _one_held(columns, t, at, tau)
    # Where the other would lie above the cap too, it is the one to be held: the problem is convex.
    both = np.flatnonzero(span != wanted)
    if len(both):
        tau[both] = 1.0 - tau[both]
        again = _one_held(columns, t, at[both], tau[both])
        span[both], wanted[both], per_arm[both] = again
    off, per_level = np.zeros_like(arms.tau), columns.per_weight.copy()
    off[at], per_level[at] = columns.cap[at], 0.0
    arms.tau[at], arms.span[at] = tau, span
    arms.per_arm[at] = np.where(wanted == span, per_arm, 0.0)
    return arms._replace(off=off, per_level=per_level)


def _one_held(
    columns: Columns, t: Floats, at: Indices, tau: Floats
) -> tuple[Floats, Floats, Floats]:
    """Solve for the span that keeps below the cap, and the one wanted; 1 / sum of squares."""
    apart = t[:, at] - tau
    weighted = columns.weight[:, at] * apart
    pair = _two_or_more(np.arange(len(at)))
    square = np.add.reduce((weighted * apart)[:, pair], axis=0)[: len(at)]
    error = columns.y[:, at] - columns.cap[at]
    pull = np.add.reduce((weighted * error)[:, pair], axis=0)[: len(at)]
    per_arm = 1.0 / np.maximum(square, TINY)
    wanted = pull * per_arm
    span = np.where(tau > 0, np.maximum(wanted, 0.0), np.minimum(wanted, 0.0))
    return span, wanted, per_arm


# Rows and columns of the three entries of a symmetric 2 by 2 matrix.
_ROW, _COLUMN = np.array([0, 0, 1]), np.array([0, 1, 1])


def _state(
    columns: Columns,
    midpoint: Floats,
    eta: Floats,
    steep: Floats,
    arms: _Arms,
    sums: Floats,
    how: Search,
) -> Floats:
    """Lay out parameters, half the squared error, gradient and a positive definite quadratic."""
    off, tau, span, per_arm, per_level = arms
    state = np.empty((N_ROWS, len(eta)))
    state[MIDPOINT], state[ETA] = midpoint, eta
    np.multiply(sums[7], 0.5, out=state[LOSS])
    below = span * tau
    np.subtract(off, below, out=state[START])
    np.add(state[START], span, out=state[PLATEAU])
    # dt/dl = -h v and dt/deta = v z; all second derivatives follow from dv/dz = -v b.
    inner = np.ones((2, len(eta)))
    np.negative(steep, out=inner[0])
    outer = span * inner
    pull = inner * sums[8:10]
    np.multiply(pull, -span, out=state[G_L : G_ETA + 1])
    shift, arm = outer * sums[0:2], outer * sums[5:7]
    full = arm - pull
    common = outer[_ROW] * outer[_COLUMN]
    common *= sums[2:5]
    common -= shift[_ROW] * (shift * per_level)[_COLUMN]
    newton = common - arm[_ROW] * (arm * per_arm)[_COLUMN]
    scaled = full * per_arm
    common -= full[_ROW] * scaled[_COLUMN]
    bends = sums[10:13]
    np.subtract(sums[8], bends[1], out=bends[1])
    bends[2] -= sums[9]
    bends *= span
    bends[0:2] *= steep
    bends[0] *= steep
    common += bends
    _set_rates(columns, state, (span > 0) - tau, scaled, shift * per_level)
    _quadratic(columns, state, common, newton, how)
    return state


def _set_rates(
    columns: Columns, state: Floats, higher: Floats, of_span: Floats, of_level: Floats
) -> None:
    """Put the rate of the higher asymptote into the state: 0 where it stands at the cap."""
    loose = np.maximum(state[START], state[PLATEAU]) < columns.cap
    of_span *= higher
    of_span += of_level
    np.multiply(of_span, -1.0 * loose, out=state[RATE_L : RATE_ETA + 1])


def _quadratic(
    columns: Columns, state: Floats, hessian: Floats, newton: Floats, how: Search
) -> None:
    """Put the Hessian into the state where it is positive definite, else its Gauss-Newton part.

    A coordinate at a limit that the descent would leave is frozen.
    """
    at_limit = (state[MIDPOINT] <= columns.low) | (state[MIDPOINT] >= columns.high)
    at_limit |= (state[ETA] <= how.eta_low) | (state[ETA] >= how.eta_high)
    ll, leta, etaeta = hessian
    product = ll * etaeta
    positive = (ll > 0) & (product - leta * leta > 1e-13 * np.abs(product))
    newton[0::2] *= 1.0 + 1e-6
    newton[0::2] += TINY
    chosen = state[LL : ETAETA + 1]
    np.copyto(chosen, newton)
    np.copyto(chosen, hessian, where=positive)
    if at_limit.any():
        _freeze(columns, state, hessian, np.flatnonzero(at_limit), how)
    g_l, g_eta = state[G_L], state[G_ETA]
    ll, leta, etaeta = chosen
    determinant = np.maximum(ll * etaeta - leta * leta, 1e-15 * ll * etaeta + TINY)
    gain = etaeta * g_l * g_l - 2.0 * leta * g_l * g_eta + ll * g_eta * g_eta
    np.divide(gain, determinant, out=state[PROMISED])


def _freeze(columns: Columns, state: Floats, hessian: Floats, at: Indices, how: Search) -> None:
    """Freeze the coordinates of some columns that stand at a limit which descent would leave."""
    some, ll, etaeta = state[:, at], hessian[0, at], hessian[2, at]
    midpoint, eta, g_l, g_eta = some[MIDPOINT], some[ETA], some[G_L], some[G_ETA]
    hold_l = ((midpoint <= columns.low[at]) & (g_l > 0)) | (
        (midpoint >= columns.high[at]) & (g_l < 0)
    )
    hold_eta = ((eta <= how.eta_low) & (g_eta > 0)) | ((eta >= how.eta_high) & (g_eta < 0))
    held = hold_l | hold_eta
    # What is left is one coordinate: its own curvature decides, not the determinant.
    some[LL] = np.where(held & (ll > 0), ll, some[LL])
    some[ETAETA] = np.where(held & (etaeta > 0), etaeta, some[ETAETA])
    some[LL, hold_l] = some[ETAETA, hold_eta] = 1.0
    some[LETA, held] = some[G_L, hold_l] = some[G_ETA, hold_eta] = 0.0
    state[:, at] = some


def _next(columns: Columns, here: Floats, damping: Floats, how: Search) -> tuple[Floats, Floats]:
    """Give the parameters after one damped, limited step that stays inside the limits."""
    g_l, g_eta, leta = here[G_L], here[G_ETA], here[LETA]
    ll, etaeta = here[LL] * (1.0 + damping), here[ETAETA] * (1.0 + damping)
    determinant = np.maximum(ll * etaeta - leta * leta, 1e-15 * ll * etaeta + TINY)
    step = (leta * g_l - ll * g_eta) / determinant
    eta = limited(here[ETA], step, LONGEST_STEP[1], how.eta_low, how.eta_high)
    # l takes what is best for the step that eta really makes. Steep curves lie in valleys that
    # are straight in 1/h, not in ln h: hence expm1.
    step = (leta * np.expm1(here[ETA] - eta) - g_l) / ll
    midpoint = limited(here[MIDPOINT], step, LONGEST_STEP[0], columns.low, columns.high)
    cut = midpoint != here[MIDPOINT] + step
    if cut.any():
        step = -(g_eta + leta * (midpoint - here[MIDPOINT])) / etaeta
        again = limited(here[ETA], step, LONGEST_STEP[1], how.eta_low, how.eta_high)
        eta = np.where(cut, again, eta)
    rise = here[RATE_L] * (midpoint - here[MIDPOINT]) + here[RATE_ETA] * (eta - here[ETA])
    room = columns.cap - np.maximum(here[START], here[PLATEAU])
    past = (rise > 0) & (rise > PAST_THE_CAP * room)
    if past.any():
        share = np.where(past, np.maximum(PAST_THE_CAP * room / rise, LEAST_SHARE), 1.0)
        midpoint = here[MIDPOINT] + share * (midpoint - here[MIDPOINT])
        eta = here[ETA] + share * (eta - here[ETA])
    return midpoint, eta


def limited(
    start: Floats, step: Floats, longest: float, low: Floats | float, high: Floats | float
) -> Floats:
    """Give where a step ends that is no longer than `longest` and stays inside the limits."""
    moved = np.fmin(np.fmax(step, -longest), longest)
    moved += start
    limited: Floats = np.minimum(np.maximum(moved, low), high)
    return limited
