"""Starts the workflow manager for a cluster, so that jobs cancelled there are seen in its accounts.

SLURM's accounts say of a cancelled job by whom: ``CANCELLED by 1001``. The executor plugin (2.8.0)
knows the word ``CANCELLED`` alone, takes the job for one that still runs, and waits for ever
(decision 19). Here it gets the first word of each state.
"""

import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from drp.manager import end_when_asked

_PLUGIN = "snakemake_executor_plugin_slurm"

States = dict[str, str]
Query = Callable[..., Awaitable[tuple[States | None, float | None]]]


def main(arguments: Sequence[str]) -> None:
    """Run Snakemake with a command line; it ends the process with its own exit code."""
    from snakemake.cli import main as snakemake

    end_when_asked()
    if find_spec(_PLUGIN):  # without it Snakemake says what is missing
        plugin: Any = import_module(_PLUGIN)
        plugin.query_job_status = first_words(plugin.query_job_status)
    snakemake(list(arguments))


def first_words(query: Query) -> Query:
    """Give a query whose states are single words.

    Parameters
    ----------
    query : coroutine function
        Gives the states of jobs by number, and the seconds that took; or None twice, if it failed.

    Examples
    --------
    >>> import asyncio
    >>> async def ask(command):
    ...     return {"7": "CANCELLED by 1001", "8": "RUNNING"}, 0.1
    >>> asyncio.run(first_words(ask)("sacct"))
    ({'7': 'CANCELLED', '8': 'RUNNING'}, 0.1)
    """

    async def asked(*arguments: Any) -> tuple[States | None, float | None]:
        states, seconds = await query(*arguments)
        return states and {job: state.split()[0] for job, state in states.items() if state}, seconds

    return asked


if __name__ == "__main__":
    main(sys.argv[1:])
