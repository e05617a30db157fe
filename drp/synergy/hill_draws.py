"""Draws of Hill curves with a given start, followed to their least squared error in few steps.

Most curves of a matrix are of this kind, four hundred times over. `drp.synergy.descent` would do;
but with the start given there is one asymptote only, which stands in closed form, one start of the
search per draw, and no need to go on once a step has nothing left to gain: half the work remains.
All operations are elementwise over the columns, sums run first dose to last: a column's bits do
not depend on its neighbours.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from drp.synergy.descent import (
    ETA,
    FIRST_DAMPING,
    LEAST_SHARE,
    LESS_DAMPING,
    LONGEST_STEP,
    LOSS,
    MIDPOINT,
    MORE_DAMPING,
    N_ROWS,
    NEGLIGIBLE,
    PAST_THE_CAP,
    PLATEAU,
    START,
    TINY,
    Columns,
    Floats,
    Indices,
    Search,
    limited,
)

# Where the squared error has no more to gain than this many tolerances of it, the next step is the
# last: what that leaves is about the square, and only the error has to be computed after it.
LAST_STEP = 10.0


class _Point(NamedTuple):
    """Where a column is: parameters, plateau, squared error; slopes and bends of half the error.

    rate_l, rate_eta: of the plateau; 0 where it stands at the cap or lies below the start.
    """

    midpoint: Floats
    eta: Floats
    plateau: Floats
    loss: Floats
    g_l: Floats
    g_eta: Floats
    ll: Floats
    leta: Floats
    etaeta: Floats
    rate_l: Floats
    rate_eta: Floats
    promised: Floats

    def take(self, columns: Indices) -> "_Point":
        return _Point(*(part[columns] for part in self))


def descend_given(
    columns: Columns, midpoint: Floats, eta: Floats, how: Search
) -> tuple[Floats, NDArray[np.bool_]]:
    """Follow each column from one place, as `drp.synergy.descent.descend` does.

    Parameters
    ----------
    columns : Columns
        Curves whose start is given: per_weight is 0.
    midpoint, eta : array (n_columns,)
        Where to begin, inside the limits.
    how : Search
        When to stop.

    Returns
    -------
    state : array (N_ROWS, n_columns)
        Of the rows midpoint, eta, loss, start and plateau are filled in.
    converged : array of bool (n_columns,)
        False where steps ran out with something left to gain.
    """
    if len(midpoint) == 1:  # NumPy would add up a single column in another order
        pair = np.zeros(2, dtype=np.intp)
        both = descend_given(columns.take(pair), midpoint[pair], eta[pair], how)
        return both[0][:, :1], both[1][:1]
    with np.errstate(all="ignore"):
        return _descend(columns, midpoint, eta, how)


def _descend(
    columns: Columns, midpoint: Floats, eta: Floats, how: Search
) -> tuple[Floats, NDArray[np.bool_]]:
    here = _evaluate(columns, midpoint, eta, how)
    state = np.empty((N_ROWS, len(eta)))
    state[START] = 0.0
    converged = np.zeros(len(eta), dtype=bool)
    active, damping = np.arange(len(eta)), np.zeros(len(eta))
    for left in range(how.most_steps, 0, -1):
        near = here.promised <= LAST_STEP * how.tolerance * here.loss
        moved = _next(columns, here, damping, how)
        final = near if left > 1 else np.ones_like(near)
        at = _two_or_more(np.flatnonzero(final))
        stay = np.flatnonzero(~final)
        if len(at):
            some = here.take(at)
            _write(state, active[at], _last(columns.take(at), some, *(one[at] for one in moved)))
            small = some.promised <= NEGLIGIBLE * columns.spread[at]
            converged[active[at]] = near[at] | small
        if not len(stay):
            break
        stay = _two_or_more(stay)
        if len(stay) < len(active):
            columns, here, active = columns.take(stay), here.take(stay), active[stay]
            damping, moved = damping[stay], (moved[0][stay], moved[1][stay])
        there = _evaluate(columns, *moved, how)
        lower = there.loss < here.loss
        here = _Point(*(np.where(lower, new, old) for new, old in zip(there, here, strict=True)))
        more = np.maximum(damping, FIRST_DAMPING) * MORE_DAMPING
        damping = np.where(lower, damping * LESS_DAMPING, more)
    return state, converged


def _two_or_more(kept: Indices) -> Indices:
    """Repeat a lonely column: NumPy would add up a single one in another order."""
    return np.repeat(kept, 2) if len(kept) == 1 else kept


def _write(state: Floats, at: Indices, end: tuple[Floats, Floats, Floats, Floats]) -> None:
    midpoint, eta, plateau, loss = end
    state[MIDPOINT, at], state[ETA, at] = midpoint, eta
    state[PLATEAU, at], state[LOSS, at] = plateau, 0.5 * loss


def _last(
    columns: Columns, here: _Point, midpoint: Floats, eta: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Take the last step where it lowers the error: parameters, plateau and error after it."""
    _, t = _bend(columns, midpoint, np.exp(eta))
    plateau, _, loss = _plateau(columns, t, columns.weight * t)
    lower = loss < here.loss
    return (
        np.where(lower, midpoint, here.midpoint),
        np.where(lower, eta, here.eta),
        np.where(lower, plateau, here.plateau),
        np.where(lower, loss, here.loss),
    )


def _bend(columns: Columns, midpoint: Floats, steep: Floats) -> tuple[Floats, Floats]:
    """Give z = h (x - l) and t, the share of the plateau that is reached."""
    z = columns.x - midpoint
    z *= steep
    t = 0.5 * z
    np.tanh(t, out=t)
    t *= 0.5
    t += 0.5
    return z, t


def _sum(one: Floats, other: Floats) -> Floats:
    """Add up products over the doses, first to last."""
    summed: Floats = np.einsum("dc,dc->c", one, other)
    return summed


def _plateau(columns: Columns, t: Floats, weighted: Floats) -> tuple[Floats, Floats, Floats]:
    """Give the best plateau below the cap, 1 / sum of squares (0 at the cap), squared error."""
    square, pull = _sum(weighted, t), _sum(weighted, columns.y)
    per_arm = 1.0 / np.maximum(square, TINY)
    span = pull * per_arm
    over = span > columns.cap
    if over.any():
        span = np.where(over, columns.cap, span)
        per_arm[over] = 0.0
    loss = columns.spread - span * (2.0 * pull - span * square)
    return span, per_arm, np.maximum(loss, 0.0)


def _evaluate(columns: Columns, midpoint: Floats, eta: Floats, how: Search) -> _Point:
    """Compute error, gradient and a positive definite quadratic, the plateau at its best."""
    steep = np.exp(eta)
    z, t = _bend(columns, midpoint, steep)
    weighted = columns.weight * t
    span, per_arm, loss = _plateau(columns, t, weighted)
    residual = columns.y - span * t
    v = t * t
    np.subtract(t, v, out=v)  # t (1 - t): dt/dl = -h v, dt/deta = v z
    wv = columns.weight * v
    wvz, vz = wv * z, v * z
    pull, pull_eta = _sum(wv, residual), _sum(wvz, residual)
    pull_l = -steep * pull
    arm_l, arm_eta = -steep * span * _sum(wv, t), span * _sum(wvz, t)
    square = span * span
    ll, leta = steep * steep * square * _sum(wv, v), -steep * square * _sum(wvz, v)
    etaeta = square * _sum(wvz, vz)
    newton = (
        (ll - arm_l * arm_l * per_arm) * (1.0 + 1e-6) + TINY,
        leta - arm_l * arm_eta * per_arm,
        (etaeta - arm_eta * arm_eta * per_arm) * (1.0 + 1e-6) + TINY,
    )
    # All second derivatives follow from dv/dz = v (1 - 2 t).
    t *= 2.0
    t -= 1.0
    residual *= t
    bent, bent_z = _sum(wv, residual), _sum(wvz, residual)
    wvz *= z
    full_l, full_eta = arm_l - pull_l, arm_eta - pull_eta
    rate_l, rate_eta = full_l * per_arm, full_eta * per_arm
    ll += steep * steep * span * bent - full_l * rate_l
    leta += steep * span * (pull - bent_z) - full_l * rate_eta
    etaeta += span * (_sum(wvz, residual) - pull_eta) - full_eta * rate_eta
    loose = (span < columns.cap) & (span > 0)
    return _quadratic(
        columns,
        _Point(
            midpoint,
            eta,
            span,
            loss,
            -span * pull_l,
            -span * pull_eta,
            ll,
            leta,
            etaeta,
            np.where(loose, -rate_l, 0.0),
            np.where(loose, -rate_eta, 0.0),
            loss,
        ),
        newton,
        how,
    )


def _quadratic(
    columns: Columns, point: _Point, newton: tuple[Floats, Floats, Floats], how: Search
) -> _Point:
    """Take the Hessian where it is positive definite, else its Gauss-Newton part.

    A coordinate at a limit that the descent would leave is frozen; what is left is one coordinate,
    whose own curvature decides.
    """
    g_l, g_eta = point.g_l, point.g_eta
    product = point.ll * point.etaeta
    positive = (point.ll > 0) & (product - point.leta * point.leta > 1e-13 * np.abs(product))
    bends = (point.ll, point.leta, point.etaeta)
    ll, leta, etaeta = (
        np.where(positive, own, plain) for own, plain in zip(bends, newton, strict=True)
    )
    hold_l = (point.midpoint <= columns.low) & (g_l > 0)
    hold_l |= (point.midpoint >= columns.high) & (g_l < 0)
    hold_eta = (point.eta <= how.eta_low) & (g_eta > 0)
    hold_eta |= (point.eta >= how.eta_high) & (g_eta < 0)
    held = hold_l | hold_eta
    if held.any():
        ll = np.where(hold_l, 1.0, np.where(held & (point.ll > 0), point.ll, ll))
        own = np.where(held & (point.etaeta > 0), point.etaeta, etaeta)
        etaeta = np.where(hold_eta, 1.0, own)
        leta = np.where(held, 0.0, leta)
        g_l, g_eta = np.where(hold_l, 0.0, g_l), np.where(hold_eta, 0.0, g_eta)
    determinant = np.maximum(ll * etaeta - leta * leta, 1e-15 * ll * etaeta + TINY)
    gain = etaeta * g_l * g_l - 2.0 * leta * g_l * g_eta + ll * g_eta * g_eta
    return point._replace(
        g_l=g_l, g_eta=g_eta, ll=ll, leta=leta, etaeta=etaeta, promised=gain / determinant
    )


def _next(columns: Columns, here: _Point, damping: Floats, how: Search) -> tuple[Floats, Floats]:
    """Give the parameters after one damped, limited step that stays inside the limits."""
    ll, etaeta = here.ll * (1.0 + damping), here.etaeta * (1.0 + damping)
    determinant = np.maximum(ll * etaeta - here.leta * here.leta, 1e-15 * ll * etaeta + TINY)
    step = (here.leta * here.g_l - ll * here.g_eta) / determinant
    eta = limited(here.eta, step, LONGEST_STEP[1], how.eta_low, how.eta_high)
    # As in `drp.synergy.descent`: l takes what is best for the step that eta really makes.
    step = (here.leta * np.expm1(here.eta - eta) - here.g_l) / ll
    midpoint = limited(here.midpoint, step, LONGEST_STEP[0], columns.low, columns.high)
    cut = midpoint != here.midpoint + step
    if cut.any():
        step = -(here.g_eta + here.leta * (midpoint - here.midpoint)) / etaeta
        again = limited(here.eta, step, LONGEST_STEP[1], how.eta_low, how.eta_high)
        eta = np.where(cut, again, eta)
    rise = here.rate_l * (midpoint - here.midpoint) + here.rate_eta * (eta - here.eta)
    room = columns.cap - np.maximum(here.plateau, 0.0)
    past = (rise > 0) & (rise > PAST_THE_CAP * room)
    if past.any():
        share = np.where(past, np.maximum(PAST_THE_CAP * room / rise, LEAST_SHARE), 1.0)
        midpoint = here.midpoint + share * (midpoint - here.midpoint)
        eta = here.eta + share * (eta - here.eta)
    return midpoint, eta
