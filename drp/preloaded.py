"""One process that has loaded the libraries, and lends itself to the jobs of a run.

A job works for a second or less, and loading NumPy, pandas, SciPy and the report's libraries takes
longer than that. So `drp run` starts a process that loads them once; each job is a fork of it, with
the job's own folder, environment and output. The job's process waits for the fork and gives its
exit code, so that the workflow manager sees nothing of this. Where no such process answers, as on
another machine, the job loads what it needs itself.
"""

import contextlib
import gc
import importlib
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from drp.asking import ADDRESS, STARTED, receive
from drp.plan import SETTINGS
from drp.provenance import fingerprint
from drp.sheets import keep_sheets

_INTERNAL = 3
_SERVE = (
    "import sys; from drp.cli import main; from drp.preloaded import serve;"
    " serve(int(sys.argv[1]), main)"
)
# What the stages load when they run; each brings the libraries it needs.
_MODULES = (
    *("pyarrow.json", "pyarrow.parquet", "scipy.special", "scipy.stats"),
    *("drp.calls", "drp.checks", "drp.cohort", "drp.issuing", "drp.plates.from_sheets"),
    *("drp.plates.layouts", "drp.quality", "drp.records", "drp.registration", "drp.report.build"),
    *("drp.report.control_page", "drp.report.index", "drp.report.review", "drp.risk"),
    *("drp.run_charts", "drp.samples", "drp.sensitivity", "drp.stages", "drp.synergy"),
    *("drp.viability", "drp.wells"),
)


@contextlib.contextmanager
def preloaded() -> Iterator[dict[str, str]]:
    """Start the process for the length of a run; give the environment that leads jobs to it.

    The environment is empty where processes cannot fork.
    """
    if not hasattr(os, "fork"):
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="drp-") as folder:  # for this user alone
        address = str(Path(folder) / "jobs")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen(128)
            process = _start(listener)
        try:
            yield {ADDRESS: address}
        finally:
            if process.stdin:
                process.stdin.close()  # the sign to stop
            process.wait()


def _start(listener: socket.socket) -> "subprocess.Popen[bytes]":
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # a fork has one thread
    return subprocess.Popen(  # noqa: S603 (our own command, no shell)
        [sys.executable, "-c", _SERVE, str(listener.fileno())],
        stdin=subprocess.PIPE,
        pass_fds=[listener.fileno()],
        env=os.environ | threads,
    )


def serve(number: int, main: Callable[[list[str]], int]) -> None:
    """Load the libraries, then fork for every job, until the run that started this one ends.

    Parameters
    ----------
    number : int
        The listening socket, as a file descriptor.
    main : function
        Runs a command line and gives its exit code.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the jobs are interrupted, and the run ends this
    listener = socket.socket(fileno=number)
    for module in _MODULES:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [], 1.0)
        _reap()
        if listener in ready:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                os._exit(_work(connection, main))
            connection.close()
            # While the first job runs: read the code and the sheets once, or each job would.
            fingerprint(*SETTINGS)
            keep_sheets(Path("config"))
        elif ready:  # the end of standard input
            return


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _work(connection: socket.socket, main: Callable[[list[str]], int]) -> int:
    """Do one job in a fork, and say how it ended."""
    code = _INTERNAL
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        arguments = _take_place(connection)
        connection.sendall(STARTED)
        threading.Thread(target=_end_with, args=[connection], daemon=True).start()
        code = main(arguments)
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else _INTERNAL
    except BaseException:  # noqa: BLE001 (a fork must never go back into the loop above)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    with contextlib.suppress(OSError):
        connection.sendall(bytes([code]))
    return code


def _take_place(connection: socket.socket) -> list[str]:
    """Put this fork in the place of the process that asks: folder, environment, output."""
    request, descriptors = receive(connection)
    descriptors.insert(0, os.open(os.devnull, os.O_RDONLY))
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
        os.close(descriptor)
    os.chdir(request["folder"])
    os.umask(request["umask"])
    os.environ.clear()
    os.environ.update(request["environment"])
    return list(request["arguments"])


def _end_with(connection: socket.socket) -> None:
    """End this job at once if the process that asked for it is gone."""
    with contextlib.suppress(OSError):
        if not connection.recv(1):
            os.kill(os.getpid(), signal.SIGKILL)
