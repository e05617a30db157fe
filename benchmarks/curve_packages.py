"""One curve at a time by packages for dose-response curves, those that are installed.

Each is used as its own guide shows, with the common bounds where it takes bounds.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

import numpy as np
from curve_designs import MARGIN, SLOPES, Floats
from curve_peers import SCIPY_PEERS, Parameters, Peer, box, first_guess, flat_p, logistic

HIGHEST = 1e4


def _lmfit() -> list[Peer]:
    import lmfit

    model = lmfit.Model(logistic)

    def fitted(dose: Floats, viability: Floats) -> "lmfit.model.ModelResult":
        x = np.log10(dose)
        names = ("left", "right", "log10_ec50", "slope")
        limits = zip(names, first_guess(x, viability), *box(x), strict=True)
        start = model.make_params(
            **{name: {"value": value, "min": low, "max": high} for name, value, low, high in limits}
        )
        return model.fit(viability, start, x=x)

    def fit(dose: Floats, viability: Floats) -> Parameters:
        best = fitted(dose, viability).best_values
        return best["left"], best["right"], best["log10_ec50"], best["slope"]

    def more(dose: Floats, viability: Floats) -> object:
        result = fitted(dose, viability)
        try:
            interval = result.conf_interval(p_names=["log10_ec50"], sigmas=[0.95])
        except lmfit.minimizer.MinimizerException:
            return None
        return interval, flat_p(result.chisqr, viability)

    gives = "profile interval of the EC50, F test"
    return [Peer("lmfit, bounded", "lmfit", fit, more, gives, share=0.2)]


def _neutcurve() -> list[Peer]:
    from neutcurve.hillcurve import HillCurve, HillCurveFittingError

    def using(**limits: object) -> Callable[[Floats, Floats], Parameters]:
        def fit(dose: Floats, viability: Floats) -> Parameters:
            try:
                curve = HillCurve(dose, viability / 100, **limits)
            except HillCurveFittingError:
                return None
            return 100 * curve.top, 100 * curve.bottom, np.log10(curve.midpoint), curve.slope

        return fit

    limits = {"fixtop": (0.0, HIGHEST), "fixbottom": (0.0, HIGHEST), "fixslope": SLOPES}
    return [
        Peer("neutcurve, free", "neutcurve", using(fixtop=False, fixbottom=False)),
        Peer("neutcurve, bounded", "neutcurve", using(**limits)),
    ]


def _curve_curator() -> list[Peer]:
    from curve_curator.models import LogisticModel

    def fitted(dose: Floats, viability: Floats, speed: str) -> tuple[LogisticModel, Floats, Floats]:
        order = np.argsort(dose, kind="stable")
        x, y = np.log10(dose)[order], viability[order] / 100
        model = LogisticModel()
        limits = {"slope_limits": SLOPES, "y_limits": (0.0, HIGHEST)}
        model.set_boundaries(x, pec50_delta=MARGIN, **limits)
        if speed == "fast":
            model.find_best_guess_ols(x, y, noise=y.std())
            model.fit_ols(x, y)
        else:
            model.efficiently_fit_ols(x, y, noise=y.std())
        return model, x, y

    def using(speed: str) -> Callable[[Floats, Floats], Parameters]:
        def fit(dose: Floats, viability: Floats) -> Parameters:
            best = fitted(dose, viability, speed)[0].get_all_parameters()
            return 100 * best["front"], 100 * best["back"], -best["pec50"], best["slope"]

        return fit

    def more(dose: Floats, viability: Floats) -> object:
        model, x, y = fitted(dose, viability, "standard")
        return model.calculate_parameter_error(x, y), model.evaluate(x, y)

    gives = "standard errors, its own F test"
    return [
        Peer("CurveCurator, fast", "curve-curator", using("fast")),
        Peer("CurveCurator, standard", "curve-curator", using("standard"), more, gives),
    ]


def _synergy() -> list[Peer]:
    from synergy.single import Hill

    def fit(dose: Floats, viability: Floats) -> Parameters:
        low, high = dose.min() / 10**MARGIN, dose.max() * 10**MARGIN
        level = (0.0, HIGHEST)
        model = Hill(E0_bounds=level, Emax_bounds=level, h_bounds=SLOPES, C_bounds=(low, high))
        model.fit(dose, viability)
        if not model.is_converged:
            return None
        return model.E0, model.Emax, np.log10(model.C), model.h

    return [Peer("synergy, Hill, bounded", "synergy", fit)]


def _thunor() -> list[Peer]:
    from thunor.curve_fit import HillCurveLL4, fit_drc

    def fit(dose: Floats, viability: Floats) -> Parameters:
        curve = fit_drc(dose, viability / 100, null_rejection_threshold=None)
        if curve is None:
            return None
        return 100 * curve.e0, 100 * curve.emax, np.log10(curve.ec50), curve.hill_slope

    def more(dose: Floats, viability: Floats) -> object:
        return fit_drc(dose, viability / 100, fit_cls=HillCurveLL4)

    return [Peer("thunor, LL4", "thunor", fit, more, "F test only")]


# Modules that must be there, what they are called, and the peers they make.
PACKAGES = (
    ("lmfit", "lmfit", _lmfit),
    ("neutcurve", "neutcurve", _neutcurve),
    ("curve_curator", "CurveCurator", _curve_curator),
    ("synergy", "synergy", _synergy),
    ("thunor", "thunor", _thunor),
)


def peers() -> tuple[list[Peer], list[str]]:
    """Give the peers that are installed, and a line for each that is not."""
    found, skipped = list(SCIPY_PEERS), []
    for module, name, make in PACKAGES:
        if find_spec(module) is None:
            skipped.append(f"{name}: not installed")
            continue
        try:
            found += make()
        except (ImportError, AttributeError) as error:
            skipped.append(f"{name}: cannot be imported ({error})")
    return found, skipped


def version_of(package: str) -> str:
    """Give the version installed, or ``unknown``."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


# R measures itself: user and system time of the fits, without starting R and reading the data.
DRC_PROGRAM = """
suppressMessages(library(drc)); library(jsonlite)
given <- fromJSON(file("stdin"))
one <- function(wells, more) {
  data <- data.frame(dose = given$dose, viability = wells)
  fit <- try(drm(viability ~ dose, data = data, fct = LL.4()), silent = TRUE)
  if (inherits(fit, "try-error")) return(rep(NA_real_, 4))
  if (more) try({ ED(fit, 50, interval = "delta", display = FALSE); noEffect(fit) }, silent = TRUE)
  p <- coef(fit)
  unname(c(p[3], p[2], log10(p[4]), p[1]))
}
warm <- suppressWarnings(apply(head(given$viability, 5), 1, one, TRUE))
timed <- function(more) {
  start <- proc.time()
  found <- suppressWarnings(apply(given$viability, 1, one, more))
  spent <- proc.time() - start
  list(found = t(found), seconds = unname(spent[1] + spent[2]))
}
plain <- timed(FALSE); full <- timed(TRUE)
answer <- list(found = plain$found, seconds = plain$seconds, seconds_more = full$seconds,
               version = as.character(packageVersion("drc")), r = as.character(getRversion()))
cat(toJSON(answer, digits = NA, na = "null"))
"""


def drc(dose: Floats, viability: Floats) -> dict[str, object] | None:
    """Fit curves by R's drc, LL.4; None without an R that has drc and jsonlite.

    Returns
    -------
    dict
        ``found`` (n_curves, 4), as the other peers give it; ``seconds`` of CPU for the fits and
        ``seconds_more`` with ED and noEffect; ``version`` and ``r``.
    """
    program = shutil.which("Rscript")
    if program is None:
        return None
    given = json.dumps({"dose": dose.tolist(), "viability": viability.tolist()})
    command = [program, "-e", DRC_PROGRAM]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    return read_drc(done.stdout) if done.returncode == 0 else None


def read_drc(text: str) -> dict[str, object]:
    """Read what the R program prints: single numbers come as lists of one."""
    answer = json.loads(text)
    rows = [[np.nan if value is None else value for value in row] for row in answer.pop("found")]
    single = {name: value[0] for name, value in answer.items()}
    return {"found": np.array(rows, dtype=np.float64), **single}
