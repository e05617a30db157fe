"""Plates are checked some at a time and by several processes: what is found stays the same."""

import pytest

from drp import plate_checks
from drp.checks import check_folder, processors
from drp.plate_checks import PlatesAsked, check_portion
from drp.simulate.run import simulate_run


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """A run in which one export is cut, two are exchanged, one is a copy, and one is not there."""
    folder = tmp_path_factory.mktemp("run")
    simulate_run(folder, seed=5, patients=3, reference=0)
    exports = sorted((folder / "plates").glob("CTG_*"))
    exports[0].write_text(exports[0].read_text().replace("\nC;", "\nQ;"))
    exports[1].write_text(exports[2].read_text())
    exports[3].unlink()
    (folder / "config" / "exclusions.tsv").write_text("plate\twell\treason\nnone\tZ1\todd\n")
    return folder


@pytest.fixture
def few_at_once(monkeypatch, faulty):
    monkeypatch.chdir(faulty)
    monkeypatch.setattr(plate_checks, "_LEAST_FOR_PROCESSES", 1)
    monkeypatch.setattr(plate_checks, "_AT_ONCE", 2)


@pytest.fixture
def helpers(monkeypatch):
    """The processes that were started."""
    started = []
    hand_over = plate_checks._hand_over

    def noted(helper, asked, portions):
        started.append(helper)
        hand_over(helper, asked, portions)

    monkeypatch.setattr(plate_checks, "_hand_over", noted)
    return started


@pytest.fixture(scope="module")
def expected(faulty):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(faulty)
        return check_folder({})


def test_the_faults_of_the_example_are_found(expected):
    codes = {problem.code for problem in expected.problems}
    assert {"plate.missing-row", "plates.no-file", "sheet.unknown-link"} <= codes
    assert codes & {"wells.identical-plates", "wells.same-export"}


@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_the_size_of_portions_changes_nothing(at_once, expected, few_at_once, monkeypatch):
    monkeypatch.setattr(plate_checks, "_AT_ONCE", at_once)
    assert check_folder({}) == expected


@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.slow
def test_the_number_of_processes_changes_nothing(processes, expected, few_at_once, helpers):
    assert check_folder({}, processes) == expected
    assert len(helpers) == processes
    assert [helper.poll() is not None for helper in helpers] == [True] * processes


def test_few_plates_are_checked_in_this_process(expected, faulty, monkeypatch, helpers):
    monkeypatch.chdir(faulty)
    assert check_folder({}, 2) == expected
    assert helpers == []


@pytest.mark.parametrize(
    "program",
    [
        "raise SystemExit(3)",
        "import os, sys; sys.stdout.write('no pickle'); sys.stdout.flush(); os._exit(0)",
        # gives one answer, and half of the next
        "import io, pickle, sys; from drp.plate_checks import *; from drp import plate_checks;"
        "asked, portions = pickle.load(sys.stdin.buffer); out = sys.stdout.buffer;"
        "pickle.dump(check_portion(asked, portions[0]), out);"
        "out.write(pickle.dumps(check_portion(asked, portions[0]))[:500])",
    ],
)
@pytest.mark.slow
def test_what_a_process_does_not_answer_is_checked_here(
    program, expected, few_at_once, helpers, monkeypatch
):
    monkeypatch.setattr(plate_checks, "_SERVE", program)
    assert check_folder({}, 2) == expected
    assert len(helpers) == 2


@pytest.mark.slow
def test_an_interruption_ends_the_processes(few_at_once, helpers, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(plate_checks, "_answer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        check_folder({}, 2)
    assert len(helpers) == 2
    assert all(helper.poll() is not None for helper in helpers)


def test_rows_of_one_file_stay_together(monkeypatch):
    monkeypatch.setattr(plate_checks, "_AT_ONCE", 2)
    rows = [{"plate": f"PL{n}", "file": name} for n, name in enumerate(["a", "b", "c", "a"])]
    portions = plate_checks._portions(rows)
    assert [[number for number, _ in portion] for portion in portions] == [[0, 3], [1, 2]]


def test_no_plates_are_no_problem():
    asked = PlatesAsked("plates", None, {}, [], {"layout": [], "well": []}, frozenset())
    assert check_portion(asked, []).joining == []
    assert (
        plate_checks.check_plates([], [], "plates", {}, {"read": None, "normalisation": {}})[0]
        == []
    )


def test_as_many_processes_as_were_asked_for():
    assert (processors("2"), processors("0")) == (2, 1)
    assert processors("all") == processors() >= 1
