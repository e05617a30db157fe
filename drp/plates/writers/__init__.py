"""Write plates as reader exports: for simulated plates, and to test that what we read is right.

Every writer puts a file in place whole or not at all, and gives the same bytes for the same plate.
"""

from drp.plates.writers.bmg_mars import write_bmg_mars
from drp.plates.writers.bmg_smart_control import write_bmg_smart_control
from drp.plates.writers.d300 import write_d300
from drp.plates.writers.echo import EchoTransfer, write_echo
from drp.plates.writers.envision import write_envision
from drp.plates.writers.gen5 import write_gen5
from drp.plates.writers.kaleido import write_kaleido
from drp.plates.writers.labelled_grid import write_labelled_grid
from drp.plates.writers.skanit import write_skanit
from drp.plates.writers.softmax import write_softmax
from drp.plates.writers.tecan_icontrol import write_tecan_icontrol
from drp.plates.writers.tecan_magellan import write_tecan_magellan
from drp.plates.writers.tecan_sparkcontrol import write_tecan_sparkcontrol
from drp.plates.writers.tidy import write_tidy

__all__ = [
    "EchoTransfer",
    "write_bmg_mars",
    "write_bmg_smart_control",
    "write_d300",
    "write_echo",
    "write_envision",
    "write_gen5",
    "write_kaleido",
    "write_labelled_grid",
    "write_skanit",
    "write_softmax",
    "write_tecan_icontrol",
    "write_tecan_magellan",
    "write_tecan_sparkcontrol",
    "write_tidy",
]
