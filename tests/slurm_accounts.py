"""An accounting database for the SLURM of the tests: MariaDB and slurmdbd, in the same folder."""

import shutil
import subprocess
from pathlib import Path

PROGRAMS = ("mariadbd", "mariadb", "mariadb-install-db", "slurmdbd", "sacctmgr", "sacct")

# The controller forgets ended jobs at once: what became of them is known from the accounts alone.
SETTINGS = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={folder}/munge.socket
AccountingStoreFlags=job_comment
MinJobAge=2
"""

DATABASE = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser={user}
LogFile={folder}/slurmdbd.log
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database_port}
StorageUser=slurm
StoragePass=test
StorageLoc=slurm_acct
"""

GRANTS = """\
create database slurm_acct;
create user slurm@'127.0.0.1' identified by 'test', slurm@localhost identified by 'test';
grant all on slurm_acct.* to slurm@'127.0.0.1';
grant all on slurm_acct.* to slurm@localhost;
"""


def start_accounts(cluster, ports: list[int], user: str) -> None:
    """Start the database and slurmdbd of a cluster that keeps accounts; its munge runs already."""
    folder, (port, database_port) = cluster.folder, ports
    data, socket = folder / "database", folder / "database.socket"
    created = ["mariadb-install-db", "--no-defaults", f"--user={user}", f"--datadir={data}"]
    _do(*created, "--skip-test-db", "--auth-root-authentication-method=normal")
    place = (f"--datadir={data}", f"--socket={socket}", "--bind-address=127.0.0.1")
    small = ("--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0")
    own = (f"--user={user}", f"--port={database_port}", f"--pid-file={folder}/database.pid")
    cluster.start_program("mariadbd", "mariadbd", "--no-defaults", *own, *place, *small)
    cluster.wait_for(lambda: _sql(socket, "select 1"))
    _sql(socket, GRANTS)
    conf = folder / "slurmdbd.conf"
    values = {"folder": folder, "port": port, "database_port": database_port, "user": user}
    conf.write_text(DATABASE.format(**values))
    conf.chmod(0o600)
    cluster.start_program("slurmdbd", "slurmdbd", "-D")
    cluster.wait_for(lambda: cluster.ask("sacctmgr", "-n", "show", "cluster") or True)
    cluster.ask("sacctmgr", "-i", "-Q", "add", "cluster", "drptest")
    cluster.ask("sacctmgr", "-i", "-Q", "add", "account", "laboratory")
    cluster.ask("sacctmgr", "-i", "-Q", "add", "user", user, "account=laboratory")


def _sql(socket: Path, words: str) -> bool:
    return _do("mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "-e", words)


def _do(*command: str) -> bool:
    done = subprocess.run(
        [shutil.which(command[0]), *command[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command[0]}: {done.stderr}"
    return True
