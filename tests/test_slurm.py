"""What is asked of SLURM, against commands that answer what the test wants."""

import stat

import pytest

from drp.launch import Asked, cluster_arguments, snakemake_command
from drp.mishaps import fate, what_happened
from drp.problems import DataError
from drp.resume import make_ready
from drp.run_record import Run, write_run
from drp.slurm import ClusterJob, cancel_jobs, ended_badly, has_accounting, live_jobs

# A squeue that knows the jobs in the file `jobs`, and forgets what scancel was told.
SQUEUE = """#!/bin/sh
cat {folder}/jobs
"""
SCANCEL = """#!/bin/sh
echo "$@" >> {folder}/cancelled
for id in "$@"; do
  [ "$id" = "{stuck}" ] || sed -i "/^$id|/d" {folder}/jobs
done
"""
SCONTROL = """#!/bin/sh
echo "AccountingStorageType   = {accounting}"
"""
JOBS = """\
11|RUNNING|n0|drp-r1_5f3e|rule_curves_wildcards_S1
12|PENDING||drp-r1_5f3e|rule_curves_wildcards_S2
13|RUNNING|n1|drp-r12_77aa|rule_curves_wildcards_S1
14|RUNNING|n1|someone-elses|a|b
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Install commands; returns a function to change how they behave."""
    project = tmp_path / "project"
    (project / "results").mkdir(parents=True)
    monkeypatch.chdir(project)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "jobs").write_text(JOBS)

    def install(stuck="", accounting="accounting_storage/none", broken=""):
        for name, text in (("squeue", SQUEUE), ("scancel", SCANCEL), ("scontrol", SCONTROL)):
            script = tmp_path / name
            words = text.format(folder=tmp_path, stuck=stuck, accounting=accounting)
            if name == broken:
                words = "#!/bin/sh\necho 'Unable to contact slurm controller' >&2\nexit 1\n"
            script.write_text(words)
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
        return tmp_path

    install()
    return install


def codes(fault):
    return [problem.code for problem in fault.value.problems]


def stopped_run():
    write_run(Run("r1", "elsewhere", {"7": "then"}, cluster="slurm"))


def test_jobs_of_a_run_are_told_from_all_others(slurm):
    assert [job.number for job in live_jobs("drp-r1")] == ["11", "12"]
    assert str(live_jobs("drp-r1")[0]) == "11 (rule_curves_wildcards_S1, RUNNING on n0)"


def test_resume_cancels_the_jobs_of_its_run_and_no_others(slurm):
    folder = slurm()
    stopped_run()
    said = []
    make_ready(["true"], said.append, stopped=True)
    assert (folder / "cancelled").read_text().split() == ["11", "12"]
    assert [job.number for job in live_jobs("drp-r12")] == ["13"]
    assert "Cancelled 2 jobs" in "\n".join(said)


def test_jobs_that_do_not_go_stop_the_resume_with_their_list(slurm):
    slurm(stuck="11")
    with pytest.raises(DataError) as fault:
        cancel_jobs("drp-r1", patience_s=0.3, pause_s=0.1)
    assert codes(fault) == ["project.jobs-not-gone"]
    assert "11 (rule_curves_wildcards_S1, RUNNING on n0)" in str(fault.value)
    assert "12 (" not in str(fault.value)


def test_a_job_that_shows_late_is_cancelled_too(slurm, monkeypatch):
    folder = slurm()
    late = "15|PENDING||drp-r1_5f3e|rule_calls\n"

    def nap(_):
        nonlocal late
        with (folder / "jobs").open("a") as stream:
            stream.write(late)
        late = ""

    monkeypatch.setattr("drp.slurm.time.sleep", nap)
    assert [job.number for job in cancel_jobs("drp-r1")] == ["11", "12", "15"]


@pytest.mark.parametrize("broken", ["squeue", "scancel"])
def test_nothing_is_unlocked_where_slurm_does_not_answer(slurm, tmp_path, broken):
    slurm(broken=broken)
    stopped_run()
    locks = tmp_path / "project" / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.output.lock").write_text("")
    left = tmp_path / "project" / "results" / ".a.0.drp-tmp"
    left.write_text("")
    with pytest.raises(DataError) as fault:
        make_ready(["rm", "-r", ".snakemake/locks"], print, stopped=True)
    assert codes(fault) == ["project.no-cluster"]
    assert "Unable to contact slurm controller" in str(fault.value)
    assert locks.is_dir()
    assert left.is_file()


def test_nothing_is_unlocked_where_slurm_is_not_installed(slurm, monkeypatch):
    stopped_run()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(DataError) as fault:
        make_ready(["true"], print, stopped=True)
    assert codes(fault) == ["project.no-cluster"]


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("accounting_storage/none", False),
        ("(null)", False),
        ("accounting_storage/slurmdbd", True),
    ],
)
def test_without_accounting_squeue_is_asked(slurm, kind, known):
    slurm(accounting=kind)
    assert has_accounting() is known
    arguments = cluster_arguments(Run("r1", "here"), ())
    assert "--slurm-jobname-prefix=drp-r1" in arguments
    assert ("--slurm-status-command=squeue" in arguments) is not known
    assert len(cluster_arguments(Run("r1", "here"), ("--slurm-no-account",))) == 1


def test_the_profile_says_that_jobs_go_to_the_cluster(slurm, tmp_path):
    asked = Asked(profile="slurm")
    assert asked.cluster == "slurm"
    command = snakemake_command(asked, Run("r1", "here", cluster="slurm"))
    assert "--cores" not in command  # it would be the most that all jobs together may use
    own = tmp_path / "project" / "profiles" / "slurm"
    own.mkdir(parents=True)
    (own / "profile.yaml").write_text("executor: slurm\n")
    assert "profiles/slurm" in snakemake_command(asked, Run("r1", "here", cluster="slurm"))
    assert Asked(profile="default").cluster == ""


def test_what_became_of_jobs_is_said_with_what_to_do(slurm, tmp_path):
    (tmp_path / "jobs").write_text(
        "11|FAILED|n0|drp-r1_5f3e|rule_curves\n"
        "12|NODE_FAIL|n1|drp-r1_5f3e|rule_calls\n"
        "13|TIMEOUT|n1|drp-r1_5f3e|rule_synergy\n"
        "14|CANCELLED|n1|drp-r1_5f3e|rule_wells_wildcards_S1\n"
        "15|FAILED|n1|drp-r1_5f3e|rule_wells_wildcards_S2\n"
        "18|NODE_FAIL|n1|drp-r1_5f3e|rule_wells_wildcards_S3\n"
        "16|COMPLETED|n1|drp-r1_5f3e|rule_wells_wildcards_S3\n"
        "17|NODE_FAIL|n1|drp-other_5f3e|rule_wells\n"
    )
    log = tmp_path / "project" / ".snakemake" / "slurm_logs" / "rule_curves" / "11.log"
    log.parent.mkdir(parents=True)
    log.write_text("slurmstepd: error: StepId=11.0 exceeded memory limit (9 > 8), being killed\n")
    write_run(Run("r1", "here", cluster="slurm", ended=True))
    found = {problem.code: problem.found for problem in what_happened(1)}
    assert list(found) == [
        "project.job-out-of-memory",
        "project.node-lost",
        "project.job-out-of-time",
        "project.job-cancelled",
    ]
    assert "11 (rule_curves" in found["project.job-out-of-memory"]
    assert "12 (rule_calls" in found["project.node-lost"]
    assert "17" not in found["project.node-lost"]
    assert "18" not in found["project.node-lost"]  # made good by 16
    assert len(ended_badly("drp-r1")) == 5


def test_a_job_that_failed_by_itself_has_no_fate():
    job = ClusterJob("7", "FAILED", "n0", "drp-1_2", "rule_curves")
    assert fate(job, "ValueError: nothing about storage") == ""
    killed = ClusterJob("7", "CANCELLED by 0", "n0", "drp-1_2", "rule_curves")
    assert fate(killed, "") == "cancelled"
