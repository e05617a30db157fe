"""A real SLURM of two nodes on this machine, for as long as a test wants it.

The controller, one daemon per node and munge run without systemd, in one folder. Nothing outside
that folder is written: SLURM's commands are wrapped by scripts that name the configuration, and the
folder of the scripts goes first in PATH, also inside the jobs.
"""

import importlib.util
import os
import shutil
import socket
import stat
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from tests import slurm_accounts

NODES = ("n0", "n1")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
COMMANDS = ("sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo", "sacct", "sacctmgr")
PLACES = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
CPUS, MEMORY_MB = 1, 4000  # one job on each node at a time, so that both are used

CONFIGURATION = """\
ClusterName=drptest
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
# Neither cgroups nor systemd: processes are followed, and memory is watched, through /proc.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
{accounts}SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SlurmdParameters=config_overrides
SlurmctldTimeout=10
SlurmdTimeout=10
KillWait=3
WaitTime=0
JobRequeue=0
DefMemPerCPU=500
NodeName=n[0-1] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{ports[1]}-{ports[2]}] \
CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE DefaultTime=60 State=UP
"""


# Without accounts the controller itself has to remember what became of a job.
NO_ACCOUNTS = """\
AccountingStorageType=accounting_storage/none
MinJobAge=3600
"""


def missing(*, accounts=False):
    """Say what this machine lacks for a SLURM of its own; empty if nothing."""
    programs, packages = PROGRAMS, "slurmctld slurmd slurm-client munge"
    if accounts:
        programs += slurm_accounts.PROGRAMS
        packages += " slurmdbd mariadb-server"
    absent = [name for name in programs if shutil.which(name, path=PLACES) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (Debian: {packages})"
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        return "the SLURM plugin of Snakemake is not installed: pip install 'drp[slurm]'"
    return ""


class Cluster:
    """A running SLURM. `environment` is what a process needs to find it."""

    def __init__(self, folder: Path, *, accounts: bool = False) -> None:
        self.folder, self.accounts = folder, accounts
        self.processes: dict[str, subprocess.Popen] = {}
        self.environment = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "SLURM_CONF": str(folder / "slurm.conf"),
        }

    def ask(self, *command: str) -> str:
        """Run one of SLURM's commands and give its answer."""
        done = subprocess.run(
            command, env=os.environ | self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def jobs(self, *states: str) -> list[str]:
        """Numbers of the jobs in some states; those that run, if none is given."""
        wanted = ",".join(states or ("RUNNING",))
        return self.ask("squeue", "-h", f"--states={wanted}", "--format=%i").split()

    def start_node(self, node: str) -> None:
        self.start_program(f"slurmd-{node}", "slurmd", "-D", "-N", node, "-f", self._conf)

    def kill_node(self, node: str) -> None:
        """Let a node be lost: its daemon and everything it had started end at once."""
        daemon = self.processes.pop(f"slurmd-{node}")
        steps = _descendants_of(node, self.folder)
        daemon.kill()
        daemon.wait()
        for pid in steps:
            with suppress(ProcessLookupError):
                os.kill(pid, 9)

    def start(self) -> None:
        *ports, accounts, database = _free_ports()
        values = {"host": socket.gethostname().split(".")[0], "folder": self.folder, "ports": ports}
        values |= {"user": _user(), "cpus": CPUS, "memory": MEMORY_MB, "accounts": NO_ACCOUNTS}
        if self.accounts:
            kept = slurm_accounts.SETTINGS.format(folder=self.folder, port=accounts)
            values["accounts"] = kept
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(**values))
        (self.folder / "cgroup.conf").write_text("")
        for name in ("state", *(f"spool-{node}" for node in NODES)):
            (self.folder / name).mkdir()
        self._wrap_commands()
        self._start_munge()
        if self.accounts:
            slurm_accounts.start_accounts(self, [accounts, database], _user())
        self.start_program("slurmctld", "slurmctld", "-D", "-f", self._conf)
        for node in NODES:
            self.start_node(node)
        self.wait_for(self.nodes_ready)

    def nodes_ready(self) -> bool:
        found = self.ask("sinfo", "-h", "-N", "-t", "idle,mixed,allocated", "-o", "%N")
        return set(found.split()) == set(NODES)

    def wait_for(self, true, seconds: float = 60) -> None:
        """Wait until a function says yes."""
        end = time.monotonic() + seconds
        while not self._says_yes(true):
            assert time.monotonic() < end, f"waited {seconds} s: see the logs in {self.folder}"
            time.sleep(0.2)

    def stop(self) -> None:
        with suppress(AssertionError):
            self.ask("scancel", f"--user={_user()}", "--full")
            self.wait_for(lambda: not self.jobs("RUNNING", "COMPLETING", "PENDING"), 20)
        for process in reversed(self.processes.values()):
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def _conf(self) -> str:
        return str(self.folder / "slurm.conf")

    @staticmethod
    def _says_yes(true) -> bool:
        try:
            return bool(true())
        except AssertionError:  # the controller does not answer yet
            return False

    def start_program(self, name: str, *command: str) -> None:
        program = shutil.which(command[0], path=PLACES)
        with (self.folder / f"{name}.out").open("ab") as out:
            self.processes[name] = subprocess.Popen(
                [program, *command[1:]],
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def _start_munge(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        parts = {"key": "key", "socket": "socket", "pid": "pid", "log": "log", "seed": "seed"}
        files = [f"--{part}-file={self.folder}/munge.{name}" for part, name in parts.items()]
        files = [word.replace("--socket-file", "--socket") for word in files]
        self.start_program("munged", "munged", "--foreground", "--force", *files)
        self.wait_for((self.folder / "munge.socket").exists, 10)

    def _wrap_commands(self) -> None:
        (self.folder / "bin").mkdir()
        for name in COMMANDS:
            program = shutil.which(name, path=PLACES)
            if program:
                script = self.folder / "bin" / name
                script.write_text(f'#!/bin/sh\nSLURM_CONF={self._conf} exec {program} "$@"\n')
                script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


@contextmanager
def cluster(folder: Path, *, accounts: bool = False):
    """Start a SLURM, give it, and stop it whatever happens."""
    folder.mkdir()
    folder.chmod(0o755)
    running = Cluster(folder, accounts=accounts)
    try:
        running.start()
        yield running
    finally:
        running.stop()


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.geteuid()).pw_name


def _free_ports() -> list[int]:
    """Five ports: the controller's, two in a row for the nodes, two for accounts."""
    for first in range(21000 + os.getpid() % 5000, 40000, 5):
        wanted = [*range(first, first + 5)]
        if all(_is_free(port) for port in wanted):
            return wanted
    raise RuntimeError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as trial, suppress(OSError):
        trial.bind(("127.0.0.1", port))
        return True
    return False


def _descendants_of(node: str, folder: Path) -> list[int]:
    """The job steps of a node, and all that they started."""
    parents: dict[int, int] = {}
    steps: set[int] = set()
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            variables = (path / "environ").read_bytes().split(b"\0")
            if f"SLURMD_NODENAME={node}".encode() in variables and any(
                str(folder).encode() in part for part in variables
            ):
                steps.add(int(path.name))
    # A step daemon has no such variable: it is the parent of one that has.
    steps |= {
        parents[pid]
        for pid in steps
        if pid in parents and Path(f"/proc/{parents[pid]}/comm").read_text().startswith("slurmstep")
    }
    return sorted(steps)
