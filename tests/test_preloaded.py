"""Jobs that borrow a process: they end as they would alone, and never outlive who asked."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from drp.asking import ADDRESS, STARTED, ask, receive
from drp.preloaded import preloaded
from drp.simulate.run import simulate_run
from drp.storage import read_rows
from tests.project import ROOT

WAIT_S = 120


@pytest.fixture(scope="module")
def environment():
    with preloaded() as given:
        assert set(given) == {ADDRESS}
        folder = Path(given[ADDRESS]).parent
        assert folder.stat().st_mode & 0o777 == 0o700, "no other user may hand in jobs"
        yield os.environ | given | {"PYTHONPATH": str(ROOT)}
    assert not folder.exists()


def drp(*arguments, folder, environment):
    return subprocess.run(
        [sys.executable, "-m", "drp", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=WAIT_S,
    )  # fmt: skip


@pytest.mark.parametrize("arguments", [["--version"], ["fly"], ["check"], ["samples"]])
@pytest.mark.slow
def test_a_job_ends_as_it_would_alone(arguments, environment, tmp_path):
    borrowed = drp(*arguments, folder=tmp_path, environment=environment)
    alone = {name: value for name, value in environment.items() if name != ADDRESS}
    own = drp(*arguments, folder=tmp_path, environment=alone)
    assert (borrowed.returncode, borrowed.stdout) == (own.returncode, own.stdout)
    last = [text.strip().splitlines()[-1:] for text in (borrowed.stderr, own.stderr)]
    assert last[0] == last[1]


def test_a_borrowed_process_has_the_folder_environment_and_mask_of_the_job(environment, tmp_path):
    started = drp("init", "lab", folder=tmp_path, environment=environment)
    assert started.returncode == 0
    assert (tmp_path / "lab" / "config" / "plates.tsv").is_file()
    mask = os.umask(0o027)
    try:
        drp("init", "closed", folder=tmp_path, environment=environment)
    finally:
        os.umask(mask)
    assert (tmp_path / "closed" / "config" / "plates.tsv").stat().st_mode & 0o777 == 0o640


def test_without_an_answer_nothing_is_begun(tmp_path):
    assert ask(str(tmp_path / "none"), ["--version"]) is None
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "mute"))
        listener.listen()
        command = [sys.executable, "-m", "drp", "--version"]
        given = os.environ | {ADDRESS: str(tmp_path / "mute"), "PYTHONPATH": str(ROOT)}
        job = subprocess.Popen(command, env=given, stdout=subprocess.PIPE, text=True)
        listener.accept()[0].close()  # it ended before it took the job
        assert job.communicate(timeout=WAIT_S)[0].startswith("drp ")
        assert job.returncode == 0


def test_a_borrowed_process_that_is_killed_is_an_error_and_is_not_begun_again(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "dying"))
        listener.listen()
        command = [sys.executable, "-m", "drp", "--version"]
        given = os.environ | {ADDRESS: str(tmp_path / "dying"), "PYTHONPATH": str(ROOT)}
        job = subprocess.Popen(command, env=given, stdout=subprocess.PIPE, text=True)
        connection, _ = listener.accept()
        request, descriptors = receive(connection)
        assert request["arguments"] == ["--version"]
        connection.sendall(STARTED)
        for descriptor in descriptors:
            os.close(descriptor)
        connection.close()
        assert job.communicate(timeout=WAIT_S)[0] == ""
        assert job.returncode == 3


def test_a_borrowed_process_ends_with_the_job_that_asked(environment, tmp_path):
    """A pipe that nobody opens holds the job; killing the asker must end it."""
    os.mkfifo(tmp_path / "P1.json")
    outputs = [f"{kind}={tmp_path / kind}" for kind in ("html", "pdf", "json", "fhir")]
    command = [sys.executable, "-m", "drp", "report", "--in", f"record={tmp_path / 'P1.json'}"]
    log = (tmp_path / "log").open("w+b")
    job = subprocess.Popen([*command, "--out", *outputs], env=environment, stdout=log, stderr=log)
    time.sleep(1)
    borrowed = holders(tmp_path / "log") - {job.pid}
    assert len(borrowed) == 1, borrowed
    os.kill(job.pid, signal.SIGKILL)
    job.wait()
    end = time.monotonic() + WAIT_S
    while holders(tmp_path / "log") - {os.getpid()} and time.monotonic() < end:
        time.sleep(0.05)
    assert holders(tmp_path / "log") - {os.getpid()} == set()
    log.close()


def holders(path):
    """The processes other than this one that hold a file open."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            links = [str((process / "fd" / n).readlink()) for n in "12"]
        except OSError:
            continue
        if str(path) in links:
            found.add(int(process.name))
    return found - {os.getpid()}


@pytest.mark.slow
def test_a_job_sees_a_sheet_that_changed_after_the_job_before(tmp_path, monkeypatch):
    """The process keeps the sheets it has read (drp.sheets), as long as they are the same."""
    simulate_run(tmp_path, seed=1, patients=2, reference=0)
    monkeypatch.chdir(tmp_path)
    settings = {"batches": None, "risk_systems": True, "risk_switches": {}}
    sheet = tmp_path / "config" / "patients.tsv"
    with preloaded() as given:
        environment = os.environ | given | {"PYTHONPATH": str(ROOT)}

        def classes():
            done = drp(
                *("risk", "--name", "P01", "--settings", json.dumps(settings)),
                *("--out", "risk=risk.parquet", "context=context.parquet"),
                folder=tmp_path, environment=environment,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            return read_rows(tmp_path / "risk.parquet")

        before = classes()
        assert classes() == before
        lines = sheet.read_text().splitlines()
        columns = next(line for line in lines if not line.startswith("#")).split("\t")
        at = next(number for number, line in enumerate(lines) if line.startswith("P01\t"))
        cells = lines[at].split("\t")
        cells[columns.index("immunophenotype")] = "T" if "B" in cells else "B"
        sheet.write_text("\n".join([*lines[:at], "\t".join(cells), *lines[at + 1 :]]) + "\n")
        assert classes() != before


def test_the_request_survives_any_text(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "echo"))
        listener.listen()
        odd = ["--settings", json.dumps({"a": "é\n'\"; rm -rf /", "b": "x" * 100_000})]
        command = [sys.executable, "-m", "drp", *odd]
        given = os.environ | {ADDRESS: str(tmp_path / "echo"), "PYTHONPATH": str(ROOT)}
        job = subprocess.Popen(command, env=given)
        connection, _ = listener.accept()
        request, descriptors = receive(connection)
        connection.sendall(STARTED + bytes([1]))
        for descriptor in descriptors:
            os.close(descriptor)
        assert job.wait(WAIT_S) == 1
        assert request["arguments"] == odd
        connection.close()
