"""Files are whole or not there, whatever happens in between."""

import contextlib
import errno
import json
import os
import stat
from pathlib import Path

import pytest

from drp import storage
from drp.problems import DataError
from drp.storage import (
    RUN_FILE,
    RUN_VARIABLE,
    clear_temporaries,
    disk_problem,
    replacing,
    replacing_folder,
    write_bytes,
    write_json,
    write_text,
    write_together,
)


def codes(fault):
    return [problem.code for problem in fault.value.problems]


def no_room(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("step", ["fsync", "open"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step):
    target = tmp_path / "a.txt"
    write_text(target, "old")
    monkeypatch.setattr(storage.os, step, no_room)
    with pytest.raises(DataError) as fault:
        write_text(target, "new")
    monkeypatch.undo()
    assert codes(fault) == ["project.disk-full"]
    assert fault.value.problems[0].where.file == "a.txt"
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_leaves_the_old_folder(tmp_path, monkeypatch):
    target = tmp_path / "records"
    with replacing_folder(target) as folder:
        (folder / "P01.json").write_text("old")
    with pytest.raises(DataError) as fault, replacing_folder(target) as folder:
        (folder / "P01.json").write_text("new")
        no_room()
    assert codes(fault) == ["project.disk-full"]
    assert (target / "P01.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["records"]


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_closed_folder_is_a_problem_with_its_place(tmp_path, monkeypatch, number):
    monkeypatch.chdir(tmp_path)

    def refuse(self, *_, **__):
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(DataError) as fault:
        write_text(Path("results/a.txt"), "new")
    assert codes(fault) == ["project.read-only"]
    assert fault.value.problems[0].where.file == "results/a.txt"


def test_another_file_that_may_not_be_read_is_no_fault_of_the_disk(tmp_path):
    fault = PermissionError(errno.EACCES, "Permission denied", "/etc/shadow")
    assert disk_problem(fault, tmp_path / "a.txt") is None
    assert disk_problem(FileNotFoundError(errno.ENOENT, "none"), tmp_path / "a.txt") is None


def test_places_name_no_folder_of_the_machine(tmp_path):
    problem = disk_problem(OSError(errno.ENOSPC, "full"), tmp_path / "deep" / "a.txt")
    assert problem is not None
    assert problem.where.file == "a.txt"


def test_files_that_belong_together_are_never_new_beside_old(tmp_path, monkeypatch):
    """Killed at each single step: what is there is all old, all new, or some of them missing."""
    paths = [tmp_path / name for name in ("report.html", "report.pdf", "report.json")]
    seen = set()
    for killed_at in range(40):
        for path in tmp_path.iterdir():
            path.unlink()
        write_together(dict.fromkeys(paths, b"old"))
        steps = iter(range(40))

        def step(own, killed_at=killed_at, steps=steps):
            def act(*arguments, **options):
                if next(steps) == killed_at:
                    raise KeyboardInterrupt
                return own(*arguments, **options)

            return act

        with monkeypatch.context() as patch:
            patch.setattr(storage.os, "fsync", step(os.fsync))
            patch.setattr(Path, "unlink", step(Path.unlink))
            patch.setattr(Path, "replace", step(Path.replace))
            with contextlib.suppress(KeyboardInterrupt):
                write_together(dict.fromkeys(paths, b"new"))
            found = {path.read_bytes() for path in paths if path.exists()}
        assert found in (set(), {b"old"}, {b"new"}), killed_at
        seen.add((frozenset(found), sum(path.exists() for path in paths)))
    assert (frozenset({b"old"}), 3) in seen
    assert (frozenset({b"new"}), 3) in seen
    assert any(count < 3 for _, count in seen)


def test_a_job_of_a_run_that_was_taken_over_replaces_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_text(Path("results/a.txt"), "of the newer run")
    monkeypatch.setenv(RUN_VARIABLE, "older")
    write_text(Path("results/b.txt"), "no record yet: nothing to compare with")
    RUN_FILE.write_text(json.dumps({"run": "newer"}))
    for write in (
        lambda: write_text(Path("results/a.txt"), "late"),
        lambda: write_together({Path("results/a.txt"): b"late"}),
    ):
        with pytest.raises(DataError) as fault:
            write()
        assert codes(fault) == ["project.superseded"]
    with pytest.raises(DataError), replacing_folder(Path("results/records")):
        pass
    assert Path("results/a.txt").read_text() == "of the newer run"
    monkeypatch.setenv(RUN_VARIABLE, "newer")
    write_text(Path("results/a.txt"), "in time")
    assert Path("results/a.txt").read_text() == "in time"


def test_leftovers_are_found_by_name_and_nothing_else_is_removed(tmp_path):
    write_text(tmp_path / "results" / "a.txt", "kept")
    (tmp_path / "results" / ".hidden").write_text("kept")
    (tmp_path / "results" / ".a.txt.01ab.drp-tmp").write_text("half")
    left = tmp_path / "results" / ".records.01ab.drp-tmp"
    left.mkdir()
    (left / ".P01.json.77.drp-tmp").write_text("half")
    removed = clear_temporaries(tmp_path / "results", tmp_path / "absent")
    assert len(removed) == 3
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [".hidden", "a.txt"]


def test_two_writers_of_one_file_use_different_temporary_names(tmp_path):
    target = tmp_path / "a.txt"
    with replacing(target) as first, replacing(target) as second:
        assert first != second
        first.write_text("1")
        second.write_text("2")
    assert target.read_text() == "1"  # the outer one ends last


def test_outputs_follow_the_umask(tmp_path):
    mask = os.umask(0o027)
    try:
        write_bytes(tmp_path / "a.txt", b"")
        with replacing_folder(tmp_path / "records"):
            pass
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "records").stat().st_mode) == 0o750


def test_json_without_a_number_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "a.json", {"x": float("inf")})
    assert list(tmp_path.iterdir()) == []
