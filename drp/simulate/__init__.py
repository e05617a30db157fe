"""Simulated runs with known truth, for the demonstration, the tests and the benchmarks.

Whatever is written says that it is simulated. Nothing here takes part in the analysis of real
plates.
"""

from drp.simulate.run import DEMO_SEED, simulate_run
from drp.simulate.tables import simulate_reference, simulate_viability, truth_table

__all__ = ["DEMO_SEED", "simulate_reference", "simulate_run", "simulate_viability", "truth_table"]
