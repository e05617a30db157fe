"""What befell the jobs of a run that did not finish, in words, and what to do about it.

A job that fails by itself writes why into its log. A job that is killed writes nothing: memory, a
lost node, a time limit, a person, a full disk. These are found out here, after the run.
"""

import re
from pathlib import Path

from drp.disk import check_writable
from drp.problems import DataError, Place, Problem
from drp.run_record import Run, read_run
from drp.slurm import ClusterJob, ended_badly

_WORKFLOW_LOGS = Path(".snakemake/log")
_CLUSTER_LOGS = Path(".snakemake/slurm_logs")
_KILLED = re.compile(r"died with <Signals\.SIGKILL|exit(?: status|code)? 137|\(exit code -9\)")
_MEMORY = re.compile(r"memory limit|oom.?kill|out.?of.?memory", re.IGNORECASE)
_LAST_BYTES = 1_000_000
_NAMED = 5  # jobs that are named; the others are counted

# What became of jobs → code, what was found, what to do.
_FATES = {
    "memory": (
        "project.job-out-of-memory",
        "ended for using more memory than asked for",
        "Ask for more: drp resume --set-resources RULE:mem_mb=4000, with the name of the rule.",
    ),
    "node": (
        "project.node-lost",
        "were on a node that was lost",
        "Run drp resume: they go to other nodes.",
    ),
    "time": (
        "project.job-out-of-time",
        "ran into their time limit",
        "Ask for more: drp resume --set-resources RULE:runtime=240 (minutes).",
    ),
    "cancelled": (
        "project.job-cancelled",
        "were cancelled by a person or by the cluster",
        "Ask whoever runs the cluster why, then run drp resume.",
    ),
}
_STATES = {
    "OUT_OF_MEMORY": "memory",
    "NODE_FAIL": "node",
    "BOOT_FAIL": "node",
    "PREEMPTED": "cancelled",
    "TIMEOUT": "time",
    "DEADLINE": "time",
    "CANCELLED": "cancelled",
}


def what_happened(code: int) -> list[Problem]:
    """Say what befell a run that did not finish.

    Parameters
    ----------
    code : int
        The exit code of the workflow manager; below 0 if it was killed.

    Returns
    -------
    list of Problem
        Empty if nothing befell it from outside: then the logs of its jobs say what is wrong.
    """
    problems = _of_the_disk()
    run = read_run()
    if code < 0:
        problems.append(_killed_itself(-code))
    elif run is not None and run.cluster:
        problems += _on_the_cluster(run)
    elif _KILLED.search(_last_log()):
        problems.append(_killed_job())
    return problems


def _of_the_disk() -> list[Problem]:
    try:
        check_writable()
    except DataError as fault:
        return fault.problems
    return []


def _on_the_cluster(run: Run) -> list[Problem]:
    try:
        jobs = ended_badly(run.job_prefix)
    except DataError as fault:
        return fault.problems
    groups: dict[str, list[ClusterJob]] = {}
    for job in jobs:
        groups.setdefault(fate(job, _cluster_log(job)), []).append(job)
    return [_fate_problem(name, groups[name]) for name in _FATES if name in groups]


def fate(job: ClusterJob, log: str) -> str:
    """Say what became of a cluster job: memory, node, time, cancelled; empty if it failed itself.

    Parameters
    ----------
    job : ClusterJob
        A job that did not end well.
    log : str
        What the cluster wrote about it; without cgroups only this tells of memory.

    Examples
    --------
    >>> job = ClusterJob("7", "FAILED", "n0", "drp-1_2", "rule_curves")
    >>> fate(job, "slurmstepd: error: Exceeded job memory limit"), fate(job, "")
    ('memory', '')
    """
    if _MEMORY.search(log):
        return "memory"
    if "NODE FAILURE" in log:
        return "node"
    return _STATES.get(job.state.split()[0] if job.state else "", "")


def _fate_problem(name: str, jobs: list[ClusterJob]) -> Problem:
    code, found, fix = _FATES[name]
    more = f" and {len(jobs) - _NAMED} more" if len(jobs) > _NAMED else ""
    named = ", ".join(map(str, jobs[:_NAMED])) + more
    return Problem(code, "error", Place(), f"cluster jobs {found}: {named}", fix)


def _killed_itself(number: int) -> Problem:
    return Problem(
        "project.workflow-killed",
        "error",
        Place(),
        f"Snakemake was ended from outside by signal {number}",
        "Often memory ran out. Run drp resume, if need be with fewer --cores.",
    )


def _killed_job() -> Problem:
    return Problem(
        "project.job-killed",
        "error",
        Place(),
        "a job was ended from outside (signal 9)",
        "Often memory ran out. Run drp resume, if need be with fewer --cores.",
    )


def _last_log() -> str:
    logs = sorted(_WORKFLOW_LOGS.glob("*.snakemake.log"), key=lambda path: path.stat().st_mtime)
    return _tail(logs[-1]) if logs else ""


def _cluster_log(job: ClusterJob) -> str:
    return "\n".join(_tail(path) for path in sorted(_CLUSTER_LOGS.rglob(f"{job.number}.log")))


def _tail(path: Path) -> str:
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _LAST_BYTES))
        return stream.read().decode("utf-8", "replace")
