"""Drug response profiling: from plate-reader exports to one report per patient.

The public names load on first use, so that ``import drp`` costs nothing:

>>> import drp
>>> sorted(name for name in drp.__all__ if not name.startswith("_"))
['classify_risk', 'fit_curves', 'read_layout', 'read_plate', 'score_synergy']
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = [
    "__version__",
    "classify_risk",
    "fit_curves",
    "read_layout",
    "read_plate",
    "score_synergy",
]

_HOMES = {
    "read_plate": "drp.plates",
    "read_layout": "drp.plates",
    "fit_curves": "drp.sensitivity",
    "score_synergy": "drp.synergy",
    "classify_risk": "drp.risk",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in {"curves", "plates", "risk", "synergy", "tables", "problems"}:
        return import_module(f"drp.{name}")
    raise AttributeError(f"module 'drp' has no attribute {name!r}")
