"""What every test file may ask for."""

import fcntl
import gc
import json
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from tests.examples import QUICK

ROOT = Path(__file__).resolve().parent.parent
settings.register_profile("quick", max_examples=QUICK)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of real plates, curves and cases; skip, saying so, where it is absent."""
    folder = Path(os.environ.get("DRP_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(
            f"the shared data folder is absent (looked for {folder.name} beside the project)"
        )
    return folder


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> dict[str, str]:
    """What an undisturbed run of `TWO_PATIENTS` writes, as `tests.faults.outcome` gives it.

    Computed once however many processes run tests: the first that asks does it, others wait.
    """
    from tests.faults import TWO_PATIENTS, outcome, timed_run
    from tests.project import copy_part_of_demo

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # the folder of the session, which its processes share
    kept = folder / "undisturbed.json"
    with (folder / "undisturbed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.is_file():
            project = copy_part_of_demo(folder / "undisturbed", *TWO_PATIENTS)
            timed_run(project, "--cores", "2")
            kept.write_text(json.dumps(outcome(project)), encoding="utf-8")
    found = json.loads(kept.read_text(encoding="utf-8"))
    assert {f"reports/{patient}/report.json" for patient in TWO_PATIENTS} <= found.keys()
    return found


def pytest_collection_modifyitems(items):
    """Begin with the files that take long, so that two processes end at about the same time.

    First the files that are slow as a whole (end to end), then those with some slow tests.
    """
    tests, long = Counter(), Counter()
    for item in items:
        tests[item.path] += 1
        long[item.path] += any(item.get_closest_marker(name) for name in ("slow", "browser"))
    items.sort(key=lambda item: -((long[item.path] > 0) + (long[item.path] == tests[item.path])))


def pytest_collection_finish():
    """Keep the collector of garbage off what was loaded: else it looks through all of it, often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


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
