"""Relapse risk: five published systems, each a decision table, side by side for each patient.

The tables are in ``systems``, one TOML file each, to be read and corrected by a clinician; what is
published beside the classes is in ``published``.
"""

from drp.risk.classify import classify_risk, classify_rows, list_switches
from drp.risk.context import risk_context
from drp.risk.inputs import scan_patients

__all__ = ["classify_risk", "classify_rows", "list_switches", "risk_context", "scan_patients"]
