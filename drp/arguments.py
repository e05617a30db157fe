"""What the command line takes: every command, its arguments, and one line of help for each."""

import argparse
import json
from pathlib import Path

_STAGES = {
    "plates": "read exports and layouts",
    "wells": "join readings, layouts and sheets",
    "quality": "judge the plates of a run",
    "samples": "judge samples",
    "viability": "scale wells by their controls",
    "curves": "fit curves",
    "synergy": "score combinations",
    "cohort": "build the reference",
    "calls": "call drugs",
    "record": "put together records",
    "report": "render one report",
    "reports": "render the reports of a group",
    "index": "list all patients",
    "review": "write the review pages of a run's plates",
    "charts": "chart the controls of all runs",
    "cohort_page": "draw the cohort",
}


def command_parser() -> argparse.ArgumentParser:
    """Give the parser of all commands; `command` names the one that was asked for.

    >>> command_parser().parse_args(["check", "--json"]).command
    'check'
    """
    from drp import __version__

    parser = argparse.ArgumentParser(
        prog="drp", description="Drug response profiling: plates in, one report per patient out."
    )
    parser.add_argument("--version", action="version", version=f"drp {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, words in (
        ("init", "start a project in a new folder"),
        ("simulate", "write a simulated run with known truth into a folder"),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("folder", type=Path)
        if name == "simulate":
            command.add_argument("--seed", type=int, default=1)
            command.add_argument("--patients", type=int, default=8, help="how many (8)")
            command.add_argument(
                "--dialect",
                default="envision",
                help="kind of the exports, by its reader (envision)",
            )
    _project_commands(commands)
    for name, words in _STAGES.items():
        _stage_options(commands.add_parser(name, help=f"stage: {words}"))
    _risk_options(commands.add_parser("risk", help="classify relapses under five risk systems"))
    return parser


def _project_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    check = commands.add_parser(
        "check", help="check sheets, plates and configuration; writes nothing"
    )
    check.add_argument("--json", action="store_true", help="problems as JSON, for machines")
    run = commands.add_parser("run", help="check, then compute every report")
    resume = commands.add_parser("resume", help="go on after a run was stopped")
    for command in (run, resume):
        command.add_argument("--cores", default="", help="how many processors to use (all)")
        command.add_argument("--profile", default="", help="slurm, or a profile of your own")
    resume.add_argument(
        "--stopped",
        action="store_true",
        help="I know that no run is at work here: one on another machine has stopped",
    )
    show = commands.add_parser("open", help="open a patient's report in the browser")
    show.add_argument("patient")
    verify = commands.add_parser(
        "verify", help="compute a report again from its recorded inputs, and compare"
    )
    verify.add_argument("report", type=Path, help="a patient's folder, as reports/P01")
    verify.add_argument("--cores", default="all", help="how many processors to use (all)")
    export = commands.add_parser("export", help="write all result tables as TSV")
    export.add_argument("--to", type=Path, default=Path("export"), help="folder (export)")
    meant = commands.add_parser("concordance", help="compare calls with recorded outcomes")
    meant.add_argument("--outcomes", type=Path, default=Path("config/outcomes.tsv"))
    meant.add_argument("--to", type=Path, default=Path("reports/concordance.html"))
    view = commands.add_parser("profiles", help="draw the cohort: map, heat map, nearest profiles")
    view.add_argument("--to", type=Path, default=Path("reports/cohort.html"))
    grown = commands.add_parser("reference", help="add approved samples to the reference table")
    grown.add_argument("what", choices=["add"], help="add: as the table's next version")
    for command in (check, run, resume, show, verify, export, meant, view, grown):
        command.add_argument("--directory", type=Path, default=Path(), help="project folder (.)")
        command.add_argument("--plates-folder", help="where the exports lie, if not in plates/")


def _stage_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--in", dest="inputs", nargs="+", action="append", default=[], metavar="NAME=FILE"
    )
    command.add_argument("--out", dest="outputs", nargs="+", default=[], metavar="NAME=FILE")
    command.add_argument("--settings", type=json.loads, default={}, metavar="JSON")
    command.add_argument("--sheets", type=Path, default=Path("config"), metavar="FOLDER")
    command.add_argument("--name", default="", help="batch, run, group or patient")


def _risk_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("patient", nargs="*", help="patients to classify (all of the sheet)")
    command.add_argument("--directory", type=Path, default=Path(), help="project folder (.)")
    command.add_argument(
        "--patients", type=Path, metavar="FILE", help="sheet to read (config/patients.tsv)"
    )
    command.add_argument(
        "--format",
        choices=("text", "table", "tsv", "json"),
        help="a block or a line per patient, or every column (text up to 3 patients, else table)",
    )
    command.add_argument(
        "--published",
        action="store_true",
        help="add pathways, agents and outcomes of groups, as published (text, json)",
    )
    command.add_argument(
        "--switch",
        action="append",
        default=[],
        metavar="NAME=OPTION",
        help="read a contested criterion otherwise; --tables names them",
    )
    command.add_argument("--tables", action="store_true", help="print the decision tables and stop")
    _stage_options(command)
