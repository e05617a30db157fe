"""What every test file may ask for."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of real plates, curves and cases; skip, saying so, where it is absent."""
    folder = Path(os.environ.get("DRP_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(
            f"the shared data folder is absent (looked for {folder.name} beside the project)"
        )
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """With DRP_CI=1 a test that needs a browser or a cluster must run: a skip is a failure."""
    report = yield
    needed = any(item.get_closest_marker(name) for name in ("browser", "cluster"))
    if report.skipped and needed and os.environ.get("DRP_CI") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, where DRP_CI=1 allows no skip: {reason}"
    return report
