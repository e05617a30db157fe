"""The command line: what users type, and one verb per stage for the workflow.

Exit codes: 0 done, 1 problems in the data, 2 usage, 3 internal error.
"""

import argparse
import gc
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from drp.arguments import command_parser
from drp.problems import DataError, Problem
from drp.progress import harmless_line

if TYPE_CHECKING:
    from drp.launch import Asked
    from drp.plan import Plan

DONE, PROBLEMS, USAGE, INTERNAL = 0, 1, 2, 3
_LISTED = 20  # reports named one by one at the end of a run; with more the index is enough


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    gc.set_threshold(200_000, 20, 20)  # imports make many objects and little garbage
    parser = command_parser()
    options, extra = parser.parse_known_args(arguments)
    if extra and options.command not in ("run", "resume"):
        parser.error(f"unknown arguments: {' '.join(extra)}")
    options.extra = [argument for argument in extra if argument != "--"]
    try:
        return int(_COMMANDS.get(options.command, _stage)(options))
    except DataError as fault:
        _print_problems(fault.problems)
        return PROBLEMS
    except BrokenPipeError:
        return DONE
    except Exception:  # noqa: BLE001 (the last resort, so that a fault of ours has its own exit code)
        traceback.print_exc()
        print("This is a fault of drp: please report it with the lines above.", file=sys.stderr)
        return INTERNAL


def _stage(options: argparse.Namespace) -> int:
    from drp.job import Job
    from drp.stages import STAGES

    inputs: dict[str, list[Path]] = {}
    for first, *more in options.inputs:
        name, _, path = first.partition("=")
        inputs[name] = [Path(part) for part in (path, *more) if part]
    outputs = dict(part.partition("=")[::2] for part in options.outputs)
    job = Job(
        inputs=inputs,
        outputs={name: Path(path) for name, path in outputs.items()},
        settings=options.settings,
        sheets=options.sheets,
        name=options.name,
    )
    start = time.perf_counter()
    STAGES[options.command](job)
    print(f"{options.command} {options.name}: {_costs(time.perf_counter() - start)}")
    return DONE


def _costs(wall_s: float) -> str:
    """Say what a job took: its own work, the whole process, and its memory at most."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    peak_mb = used.ru_maxrss / 1024  # kilobytes on Linux
    return f"{wall_s:.2f} s, cpu {used.ru_utime + used.ru_stime:.2f} s, peak {peak_mb:.0f} MB"


def _init(options: argparse.Namespace) -> int:
    from drp.project import start_project

    for path in start_project(options.folder):
        print(path)
    print("Put your exports into plates/, fill in the sheets in config/, then: drp check")
    return DONE


def _simulate(options: argparse.Namespace) -> int:
    from drp.simulate import simulate_run

    simulate_run(
        options.folder, seed=options.seed, patients=options.patients, dialect=options.dialect
    )
    print(f"A simulated run lies in {options.folder}. Next: drp run --directory {options.folder}")
    return DONE


def _overrides(options: argparse.Namespace) -> dict[str, str]:
    return {"plates_folder": options.plates_folder} if options.plates_folder else {}


def _check(options: argparse.Namespace) -> int:
    from drp.checks import check_folder, processors

    os.chdir(options.directory)
    checked = check_folder(_overrides(options), processors())
    if options.json:
        problems = [problem.as_dict() for problem in checked.problems]
        print(json.dumps(problems, ensure_ascii=False, indent=1))
    else:
        for file, word, drug, role, wells in checked.roles:
            written = " ".join(part for part in (word, drug) if part) or "drugs"
            print(f"{file}: {written} -> {role}, {wells} wells")
        _print_problems(checked.problems)
    failed = any(problem.severity == "error" for problem in checked.problems)
    return PROBLEMS if failed else DONE


def _plan(options: argparse.Namespace) -> "Plan":
    """Read configuration and sheets, and raise every problem of both at once."""
    from drp.config import CONFIG_FILE, read_config
    from drp.plan import Plan
    from drp.sheets import scan_sheets

    sheets, problems = scan_sheets(Path("config"))
    try:
        config = read_config(Path(CONFIG_FILE), _overrides(options))
    except DataError as fault:
        raise DataError([*fault.problems, *problems]) from None
    if any(problem.severity == "error" for problem in problems):
        raise DataError(problems)
    return Plan(config, sheets)


def _asked(options: argparse.Namespace) -> "Asked":
    from drp.launch import Asked

    folder = options.plates_folder or ""
    return Asked(options.cores, options.profile, folder, tuple(options.extra))


def _run(options: argparse.Namespace) -> int:
    os.chdir(options.directory)
    return _compute(options, _asked(options))


def _compute(options: argparse.Namespace, asked: "Asked") -> int:
    from drp.checks import check_once, processors
    from drp.launch import check_free, run_workflow
    from drp.provenance import now
    from drp.run_provenance import FILE, run_provenance
    from drp.storage import write_json

    check_free()
    try:
        plan = _plan(options)
        cores = "1" if asked.cluster and not asked.cores else asked.cores
        problems = check_once(plan, Path("results/check.json"), processors(cores))
        _print_problems(problems)
    except DataError as fault:
        _print_problems(fault.problems)
        print("Nothing was computed. Mend the errors above and run again.", file=sys.stderr)
        return PROBLEMS
    if any(problem.severity == "error" for problem in problems):
        print(
            "Samples on the plates named above are not computed; their reports say why.",
            file=sys.stderr,
        )
    started = now()
    # Whoever hands arguments to the workflow manager wants to see its own words.
    say = None if asked.extra else _say
    code = run_workflow(asked, say)
    if {"-n", "--dry-run", "--dryrun"} & set(asked.extra):
        return PROBLEMS if code else DONE
    if code == 0:
        write_json(FILE, run_provenance(plan, started=started, finished=now()))
    return _close_run(code, plan)


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


def _close_run(code: int, plan: "Plan") -> int:
    """Say how a run ended, and where its reports lie."""
    from drp.mishaps import what_happened
    from drp.summary import summarise

    summary = summarise(plan)
    if code:
        summary.count_as_failed()
    made = sorted({*summary.reported, *summary.with_caution, *summary.without_result})
    if len(made) <= _LISTED:
        for patient in made:
            print(Path("reports") / patient / "report.html")
    print(Path("reports/index.html"))
    for line in summary.lines():
        print(harmless_line(line))
    if code:
        _print_problems(what_happened(code))
        print("The run did not finish: see logs/run.log and the folder logs/.", file=sys.stderr)
    return PROBLEMS if code or summary.failures else DONE


def _resume(options: argparse.Namespace) -> int:
    from drp.disk import check_writable
    from drp.launch import as_before, unlock_command
    from drp.resume import make_ready

    os.chdir(options.directory)
    check_writable()
    before = make_ready(unlock_command(), _say, stopped=options.stopped)
    asked = as_before(_asked(options), before)
    options.plates_folder = asked.plates_folder
    _say("Going on where it stopped.")
    return _compute(options, asked)


def _open(options: argparse.Namespace) -> int:
    import webbrowser

    path = (options.directory / "reports" / options.patient / "report.html").resolve()
    if not path.is_file():
        print(f"There is no report of {options.patient} yet: drp run makes it.", file=sys.stderr)
        return PROBLEMS
    webbrowser.open(path.as_uri())
    return DONE


def _verify(options: argparse.Namespace) -> int:
    from drp.launch import Asked, snakemake_command
    from drp.preloaded import preloaded
    from drp.verify import compute_with, verify_report

    os.chdir(options.directory)
    plan = _plan(options)
    with preloaded() as given:
        command = snakemake_command(Asked(options.cores, plates_folder=options.plates_folder or ""))
        compute = compute_with(command, os.environ | given)
        differences, notes = verify_report(plan, options.report, compute)
    for words in notes:
        print(harmless_line(words))
    for words in differences:
        print(f"Differs: {harmless_line(words)}")
    if not differences:
        print(f"Identical: {options.report} is what its recorded inputs give.")
    return PROBLEMS if differences else DONE


def _export(options: argparse.Namespace) -> int:
    from drp.export import export_tables

    os.chdir(options.directory)
    for path in export_tables(Path("results"), options.to):
        print(path)
    return DONE


def _concordance(options: argparse.Namespace) -> int:
    from drp.concordance import compare
    from drp.config import CONFIG_FILE, read_config
    from drp.outcomes import read_outcomes
    from drp.provenance import now
    from drp.report.concordance_page import render_concordance
    from drp.storage import read_rows, write_text

    os.chdir(options.directory)
    outcomes = read_outcomes(options.outcomes)
    tables = sorted(Path("results").rglob("calls.parquet"))
    if not tables:
        print("There are no calls yet: drp run makes them.", file=sys.stderr)
        return PROBLEMS
    rows = compare(outcomes, [row for path in tables for row in read_rows(path)])
    settings = read_config(Path(CONFIG_FILE), _overrides(options)).model_dump()
    write_text(options.to, render_concordance(rows, settings=settings, generated_at=now()))
    print(options.to)
    return DONE


def _profiles(options: argparse.Namespace) -> int:
    from drp.config import CONFIG_FILE, read_config
    from drp.provenance import now
    from drp.references import recorded_words
    from drp.report.cohort_page import render_cohort_page
    from drp.sheets import read_sheets
    from drp.storage import read_table, write_text

    os.chdir(options.directory)
    members = Path("results/cohort/members.parquet")
    if not members.is_file():
        print("There is no reference yet: drp run makes it.", file=sys.stderr)
        return PROBLEMS
    recorded = recorded_words(read_sheets(Path("config")).samples)
    settings = read_config(Path(CONFIG_FILE), _overrides(options)).model_dump()
    page = render_cohort_page(read_table(members), recorded, settings=settings, generated_at=now())
    write_text(options.to, page)
    print(options.to)
    return DONE


def _reference(options: argparse.Namespace) -> int:
    from drp.references import grow

    os.chdir(options.directory)
    plan = _plan(options)
    table = plan.config.cohort.reference
    if not table or plan.config.cohort.within_run:
        print(
            "Name the table under cohort.reference in config.yaml, and set cohort.within_run: "
            "false: a reference that grows by approved samples does not take the others.",
            file=sys.stderr,
        )
        return PROBLEMS
    kinds = {row["sample"]: row.get("kind", "") for row in plan.sheets.samples}
    version, samples = grow(Path(table), Path("results"), kinds)
    print(f"{table}: version {version}, added: {', '.join(samples) or 'nothing new is approved'}")
    return DONE


def _risk(options: argparse.Namespace) -> int:
    from drp import risk_text
    from drp.risk import classify_rows, risk_context
    from drp.risk.markdown import tables_markdown

    if options.outputs:
        return _stage(options)  # the stage of the workflow, which names what it writes
    if options.tables:
        print(tables_markdown(), end="")
        return DONE
    rows = _patient_rows(options)
    switches = _risk_switches(options)
    classes = classify_rows(rows, switches=switches)
    shape = options.format or ("text" if len(rows) <= 3 else "table")
    if shape in ("text", "json"):
        published = risk_context(rows, classes, switches=switches) if options.published else []
        write = risk_text.as_text if shape == "text" else risk_text.as_json
        print(write(classes, published))
    else:
        print((risk_text.as_table if shape == "table" else risk_text.as_tsv)(classes))
    return DONE


def _patient_rows(options: argparse.Namespace) -> list[dict[str, str]]:
    """Read the rows asked for; say what is wrong with the sheet, and raise what is an error."""
    from drp.problems import Problems
    from drp.risk.inputs import choose_rows, read_rows
    from drp.sheetfiles import read_sheet
    from drp.sheets import SHEETS

    path = options.patients or options.directory / "config" / "patients.tsv"
    found = Problems()
    rows, _ = read_sheet(path, *SHEETS["patients"], found)
    chosen = choose_rows(rows, options.patient, found) if rows else rows
    _, problems = read_rows(chosen)
    if any(problem.severity == "error" for problem in [*found.items, *problems]):
        raise DataError([*found.items, *problems])
    _print_problems([*found.items, *problems])
    return chosen


def _risk_switches(options: argparse.Namespace) -> dict[str, str]:
    """Give the readings of the configuration, if there is one, and then those of the command."""
    from drp.config import CONFIG_FILE, read_config

    path = options.directory / CONFIG_FILE
    config = read_config(path).risk_switches.model_dump() if path.is_file() else {}
    return config | dict(part.partition("=")[::2] for part in options.switch)


def _print_problems(problems: Sequence[Problem]) -> None:
    errors = sum(problem.severity == "error" for problem in problems)
    for problem in problems:
        print(harmless_line(str(problem)), file=sys.stderr)
    if problems:
        print(f"Errors: {errors}. Warnings: {len(problems) - errors}.", file=sys.stderr)


_COMMANDS = {
    "init": _init,
    "simulate": _simulate,
    "check": _check,
    "run": _run,
    "resume": _resume,
    "open": _open,
    "verify": _verify,
    "export": _export,
    "risk": _risk,
    "concordance": _concordance,
    "profiles": _profiles,
    "reference": _reference,
}
