"""Starts the workflow manager on this machine, without its limit on jobs per second.

With a limit Snakemake wakes up a second after each decision to decide again, and each finished job
adds one such waking up that goes on as long as jobs are waiting: in a run of 331 jobs they took a
fifth of all CPU time, and a second at the end (decision 17). Its command line cannot switch the
limit off; its Python interface can. Who asks for another limit gets it.

Asked to end (SIGTERM: a full disk, an administrator, a cluster's time limit), Snakemake's scheduler
takes a lock in the signal's handler. If it holds that lock just then, since it is putting an ended
job away, it waits for itself for ever. `end_when_asked` gives it a handler without the lock.
"""

import sys
import threading
from collections.abc import Sequence
from typing import Any


def main(arguments: Sequence[str]) -> int:
    """Run Snakemake with a command line and give its exit code, as `snakemake.cli.main` would."""
    from snakemake.cli import args_to_api, parse_args
    from snakemake.exceptions import print_exception

    end_when_asked()
    try:
        parser, parsed = parse_args(list(arguments))
        if _is_usual(parsed.max_jobs_per_timespan, parser.get_default("max_jobs_per_timespan")):
            parsed.max_jobs_per_timespan = None
        return 0 if args_to_api(parsed, parser) else 1
    except Exception as fault:  # noqa: BLE001 (Snakemake's own way to say what went wrong)
        print_exception(fault)
        return 1


def end_when_asked() -> None:
    """Let Snakemake's scheduler end in good order whatever it does when it is asked to."""
    from snakemake.scheduling.job_scheduler import JobScheduler

    JobScheduler.exit_gracefully = _exit_gracefully


def _exit_gracefully(scheduler: Any, *_: object) -> None:
    """Start no further job; setting the word needs no lock, and waking up must not wait for one."""
    scheduler._user_kill = "graceful"
    threading.Thread(target=scheduler._open_jobs.release, daemon=True).start()


def _is_usual(limit: Any, default: str) -> bool:
    """Say whether a limit is the one that holds where nobody asks for any."""
    usual = type(limit).parse_choice(default)
    return bool((limit.max_jobs, limit.timespan) == (usual.max_jobs, usual.timespan))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
