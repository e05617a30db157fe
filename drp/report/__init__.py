"""One record per patient, and its renderings: HTML, PDF, JSON and the index; plate reviews.

`build` turns the stage tables into a `PatientRecord`; everything else reads the finished record.
None of it loads NumPy or pandas, so that a report is drawn in a light process.
Names load on first use.

>>> import drp.report
>>> sorted(drp.report.__all__)[:3]
['PatientRecord', 'build_record', 'index_row']
"""

from importlib import import_module
from typing import Any

__all__ = [
    "PatientRecord",
    "build_record",
    "index_row",
    "read_record",
    "render_html",
    "render_index",
    "render_json",
    "render_pdf",
    "render_review",
]

_HOMES = {
    "PatientRecord": "record",
    "read_record": "record",
    "render_json": "record",
    "build_record": "build",
    "render_html": "html",
    "render_pdf": "pdf",
    "index_row": "index",
    "render_index": "index",
    "render_review": "review",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"drp.report.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'drp.report' has no attribute {name!r}")
