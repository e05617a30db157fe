"""Write plates as reader exports: for simulated plates, and to test that what we read is right.

Every writer puts a file in place whole or not at all, and gives the same bytes for the same plate.
"""

from drp.plates.writers.envision import write_envision
from drp.plates.writers.labelled_grid import write_labelled_grid
from drp.plates.writers.tidy import write_tidy

__all__ = [
    "write_envision",
    "write_labelled_grid",
    "write_tidy",
]
