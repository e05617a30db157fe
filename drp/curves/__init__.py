"""Dose-response curves: the bounded four-parameter fit of many curves at once.

Start with `fit`. The modules, in the order in which wells pass through them: `collapse` (wells to
dose means); `grid`, then `newton` on the `objective` with its `asymptotes` (the search); `search`
(the best of all); `noise`; `region`, `ellipse`, `ranges`, `outermost`, `intervals` (what the data
leave open); `errors`; `flat` (the test against no response); `fits` (what all of it comes to);
`robust` (outliers count less); `influence` (the fit without one well); `metrics` and `censoring`
(what is read off a curve); `monotone` (what can be said without one); `flags`.
"""

from drp.curves.fits import Fits
from drp.curves.fitting import Direction, fit
from drp.curves.influence import largest_auc_shift
from drp.curves.model import Bounds, curve_at
from drp.curves.noise import Noise, shared_noise

__all__ = [
    "Bounds",
    "Direction",
    "Fits",
    "Noise",
    "curve_at",
    "fit",
    "largest_auc_shift",
    "shared_noise",
]
