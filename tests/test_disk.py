"""Whether the disk takes a run's results, before it starts and while it goes on."""

import os
import subprocess
from collections import namedtuple

import pytest

from drp import disk
from drp.disk import LEAST_FREE_MB, WRITTEN, check_writable, watched_disk
from drp.problems import DataError

Usage = namedtuple("Usage", "total used free")


def reports(monkeypatch, free_mb, total_mb=1000):
    usage = Usage(int(total_mb * 1e6), 0, int(free_mb * 1e6))
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage)


def codes(fault):
    return [problem.code for problem in fault.value.problems]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_usable_folder_is_left_with_no_trial_file(folder):
    check_writable()
    assert sorted(path.name for path in folder.rglob("*")) == sorted(WRITTEN)


@pytest.mark.parametrize(("free_mb", "enough"), [(LEAST_FREE_MB - 1, False), (LEAST_FREE_MB, True)])
def test_a_run_needs_some_room(monkeypatch, free_mb, enough):
    reports(monkeypatch, free_mb)
    if enough:
        check_writable()
        return
    with pytest.raises(DataError) as fault:
        check_writable()
    assert codes(fault) == ["project.disk-full"]
    assert f"{free_mb} MB are free" in str(fault.value)


def test_a_file_system_that_does_not_tell_its_size_is_not_full(monkeypatch):
    reports(monkeypatch, 0, total_mb=0)
    check_writable()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_belongs_to_others_is_named(folder):
    (folder / "results").mkdir(mode=0o555)
    with pytest.raises(DataError) as fault:
        check_writable()
    assert codes(fault) == ["project.read-only"]
    assert fault.value.problems[0].where.file == "results"


def test_the_workflow_is_asked_to_end_when_room_runs_short(monkeypatch):
    monkeypatch.setattr(disk, "_LOOK_S", 0.01)
    process = subprocess.Popen(["sleep", "60"])
    try:
        with watched_disk(process):
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.2)
            reports(monkeypatch, LEAST_FREE_MB - 1)
            assert process.wait(10) == -15
    finally:
        process.kill()
        process.wait()
