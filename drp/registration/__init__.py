"""Registration: whether layout, plate and export belong together and lie on each other.

A layout one row off, a plate read turned, two exports exchanged or named twice leave no mark in
any one file; they show only where the signals do not fit what the layout says. Everything here
finds and says; nothing is moved or corrected.
"""

from drp.registration.controls import check_controls
from drp.registration.copies import check_copies, compare_readings, gather_readings
from drp.registration.plates import lay_out
from drp.registration.positions import check_placements, check_registration, score_placements
from drp.registration.sizes import check_sizes
from drp.registration.swaps import check_exchanged, check_swaps

__all__ = [
    "check_controls",
    "check_copies",
    "check_exchanged",
    "check_placements",
    "check_registration",
    "check_sizes",
    "check_swaps",
    "compare_readings",
    "gather_readings",
    "lay_out",
    "score_placements",
]
