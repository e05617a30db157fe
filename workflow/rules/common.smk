# Configuration, sheets and plates are checked here, before any rule runs; the plan says what to
# compute. The check is repeated only when one of its files changed.
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

from drp.checks import check_once
from drp.config import parse_config
from drp.manifests import drop_stale_manifests
from drp.plan import Plan
from drp.problems import DataError
from drp.sheets import read_sheets

try:
    PLAN = Plan(parse_config(dict(config)), read_sheets(Path("config")))
    if workflow.is_main_process:
        check_once(PLAN, Path("results/check.json"))
        drop_stale_manifests([Path(name) for name in PLAN.manifests])
except DataError as fault:
    raise WorkflowError(
        f"the sheets or the configuration have problems\n{fault}"
    ) from None

validate(config, "../schemas/config.schema.yaml", set_default=False)

# Jobs run the drp of the Python that runs this workflow. They are many and short: one thread each,
# and compiled code is kept, else every job would compile drp anew.
shell.prefix(
    f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH"
    " OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=; "
)


wildcard_constraints:
    batch="[A-Za-z0-9][A-Za-z0-9._-]*",
    run="[A-Za-z0-9][A-Za-z0-9._-]*",
    group="[A-Za-z0-9][A-Za-z0-9._-]*",
    patient="[A-Za-z0-9][A-Za-z0-9._-]*",


def there(files):
    """Those of some files that exist; that one is missing is found, and said, when it is read."""
    return [file for file in files if Path(file).is_file()]


BATCH = "results/batches/{batch}"


def of_batches(file, batches):
    """A file of each of some batches."""
    return [f"results/batches/{batch}/{file}" for batch in batches]


def of_runs(runs):
    """The plate verdicts of some runs."""
    return [f"results/runs/{run}/quality.parquet" for run in runs]


def of_group(file):
    """A file of each batch with samples of the group's patients."""
    return lambda w: of_batches(file, PLAN.batches_of_group(w.group))
