"""A run that is stopped, or finds its disk full or closed, ends in the same records or in words."""

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from drp.disk import LEAST_FREE_MB
from drp.leftovers import processes_of
from tests.faults import (
    KINDS,
    TWO_PATIENTS,
    outcome,
    outcome_names,
    said,
    start,
    stopped_and_resumed,
    unfinished,
)
from tests.project import copy_part_of_demo

pytestmark = pytest.mark.slow


def wait_until(true, running, folder):
    """Ask often while a run goes on, but leave it the processor."""
    while not true():
        assert running.poll() is None, said(folder)
        time.sleep(0.02)


@pytest.mark.parametrize("seed", range(len(KINDS)), ids=KINDS)
def test_after_kill_9_and_resume_all_is_as_if_undisturbed(tmp_path, undisturbed, seed):
    for draw in range(3):  # a run that ended before it was killed shows nothing: draw again
        folder = copy_part_of_demo(tmp_path / f"killed{draw}", *TWO_PATIENTS)
        told = stopped_and_resumed(
            folder, seed + draw * len(KINDS), len(undisturbed), "--cores", "2"
        )
        if not told["finished"]:
            break
    assert told["code"] == 0, said(folder)
    assert not told["finished"]
    assert outcome(folder) == undisturbed
    assert unfinished(folder) == []


def test_a_second_run_in_the_folder_is_refused_and_harms_nothing(tmp_path, undisturbed):
    folder = copy_part_of_demo(tmp_path / "twice", *TWO_PATIENTS)
    first = start(folder, "run", "--cores", "1")
    wait_until(lambda: (folder / "results" / "run.json").is_file(), first, folder)
    for command in ("run", "resume"):
        second = start(folder, command)
        assert second.wait(120) == 1
    assert said(folder).count("project.held") == 2
    assert first.wait(1800) == 0
    assert outcome(folder) == undisturbed


@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "asked to end"])
def test_a_run_that_is_asked_to_end_leaves_nothing_to_resume(tmp_path, undisturbed, word):
    folder = copy_part_of_demo(tmp_path / "asked", *TWO_PATIENTS)
    running = start(folder, "run", "--cores", "1")
    wait_until(lambda: len(outcome_names(folder)) >= 5, running, folder)
    if word == signal.SIGINT:  # a terminal sends it to all processes in front
        os.killpg(running.pid, word)
    else:
        running.send_signal(word)
    assert running.wait(300) == 1
    assert "fault of drp" not in said(folder)
    assert start(folder, "run", "--cores", "2").wait(600) == 0, said(folder)
    assert outcome(folder) == undisturbed
    assert unfinished(folder) == []


def test_one_bad_sample_stops_no_other(tmp_path):
    folder = copy_part_of_demo(tmp_path / "bad", *TWO_PATIENTS, "P02")
    cut, absent = sorted(folder.glob("plates/*P02-S1*"))[:2]
    whole = {path: path.read_bytes() for path in (cut, absent)}
    cut.write_bytes(whole[cut][: len(whole[cut]) // 2])
    absent.unlink()
    assert start(folder, "run", "--cores", "2").wait(600) == 1
    assert f"error plate.bad-information: {cut.name}" in said(folder)
    assert "No report of P02: a plate cannot be used" in said(folder)
    assert "1 failed" in said(folder)
    for name in ("report.html", "report.json", "report.fhir.json"):
        text = (folder / "reports/P02" / name).read_text(encoding="utf-8")
        assert cut.name in text
        assert absent.name in text
        for patient in TWO_PATIENTS:
            other = (folder / "reports" / patient / name).read_text(encoding="utf-8")
            assert "cannot be used" not in other
    index = (folder / "reports/index.html").read_text(encoding="utf-8")
    assert "NO REPORT: A PLATE CANNOT BE USED" in index
    for path, content in whole.items():
        path.write_bytes(content)
    assert start(folder, "run", "--cores", "2").wait(600) == 0, said(folder)
    mended = json.loads((folder / "reports/P02/report.json").read_text(encoding="utf-8"))
    assert "failure" not in mended


def test_a_killed_job_is_said_with_what_to_do(tmp_path):
    folder = copy_part_of_demo(tmp_path / "job", *TWO_PATIENTS)
    target = "results/batches/batch-00001/reads.parquet"
    running = start(folder, "run", "--cores", "1", target)
    wait_until(lambda: kill_jobs(folder, "plates"), running, folder)
    assert running.wait(300) == 1
    assert "error project.job-killed" in said(folder), said(folder)
    assert outcome(folder) == {}


def kill_jobs(folder, verb):
    """Kill the processes that do a verb of the run in a folder, as a shortage of memory would."""
    path = folder / "results" / "run.json"
    pids = processes_of(json.loads(path.read_text())["run"]) if path.is_file() else []
    killed = []
    for pid in pids:
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if words[1:4] == [b"-m", b"drp", verb.encode()]:
                os.kill(pid, 9)
                killed.append(pid)
    return killed


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own, of a few megabytes; gives its folder and a function to close it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=80m", "drp-test", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this user may not mount a disk: {done.stderr.strip()}")

    def close():
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)

    yield folder, close
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_said_before_anything_is_started(small_disk):
    disk, _ = small_disk
    folder = copy_part_of_demo(disk / "project", *TWO_PATIENTS)
    said_beside(folder)
    for room_mb in (0, 20):
        fill(disk / "filling", room_mb)
        assert start(folder, "run", "--cores", "1").wait(120) == 1
        words = said(folder)
        assert words.count("project.disk-full") >= 1
        assert "Traceback" not in words, words
        (disk / "filling").unlink()
    assert outcome(folder) == {}


def test_a_disk_that_fills_up_ends_the_run_in_good_order(small_disk, undisturbed):
    disk, _ = small_disk
    folder = copy_part_of_demo(disk / "project", *TWO_PATIENTS)
    said_beside(folder)
    running = start(folder, "run", "--cores", "1")
    wait_until(lambda: len(outcome_names(folder)) >= 5, running, folder)
    fill(disk / "filling", LEAST_FREE_MB // 2)
    assert running.wait(600) == 1
    words = said(folder)
    assert "error project.disk-full" in words, words
    assert "Traceback" not in words, words
    complete = outcome(folder)
    assert 5 <= len(complete) < len(undisturbed)
    assert {name: undisturbed[name] for name in complete} == complete
    (disk / "filling").unlink()
    assert start(folder, "resume", "--cores", "1").wait(600) == 0, said(folder)
    assert outcome(folder) == undisturbed


def test_a_disk_that_is_full_at_once_tears_nothing(small_disk, undisturbed):
    disk, _ = small_disk
    folder = copy_part_of_demo(disk / "project", *TWO_PATIENTS)
    said_beside(folder)
    running = start(folder, "run", "--cores", "1")
    wait_until(lambda: len(outcome_names(folder)) >= 5, running, folder)
    fill(disk / "filling", 0)
    assert running.wait(600) == 1
    assert "error project.disk-full" in said(folder)
    complete = outcome(folder)
    assert {name: undisturbed[name] for name in complete} == complete
    (disk / "filling").unlink()
    assert start(folder, "resume", "--cores", "1").wait(600) == 0, said(folder)
    assert outcome(folder) == undisturbed
    assert unfinished(folder) == []


def test_a_closed_disk_is_said_before_anything_is_started(small_disk):
    disk, close = small_disk
    folder = copy_part_of_demo(disk / "project", *TWO_PATIENTS)
    said_beside(folder)
    close()
    for command in ("run", "resume"):
        assert start(folder, command).wait(120) == 1
    words = said(folder)
    assert words.count("error project.read-only") >= 2, words
    assert "Traceback" not in words, words
    assert not (folder / "results").exists()


def said_beside(folder):
    """Let what is said go to another disk."""
    target = folder.parent.parent / "said"
    target.touch()
    folder.with_suffix(".said").symlink_to(target)


def fill(path, room_mb):
    """Fill a disk but for some room."""
    free = os.statvfs(path.parent)
    # Full before we thought: as wanted.
    with suppress(OSError), path.open("wb", buffering=0) as stream:
        stream.write(bytes(max(0, int(free.f_bavail * free.f_bsize - room_mb * 1e6))))
        while not room_mb:
            stream.write(bytes(4096))
