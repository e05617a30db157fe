"""The verbs of the workflow: read the stage's inputs, call its pure function, write its outputs.

Each function here is one stage. It gets a `Job`: the files to read and write, the few settings the
stage uses, and the sheets. Science lives in the modules they call, imported only when needed.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from drp.job import Job
from drp.sheets import run_of
from drp.storage import join_tables, write_json, write_table, write_text

if TYPE_CHECKING:
    import pandas as pd

    from drp.call_words import DrugFacts
    from drp.drugs import DrugTable
    from drp.problems import Problem


def plates(job: Job) -> None:
    """Read the exports and layouts of a batch: reads, layouts, files, and what is wrong."""
    import pandas as pd

    from drp.plain_tables import make_frame
    from drp.plates.layouts import LAYOUT
    from drp.plates.reads import READS
    from drp.readable import read_good_plates

    rows = job.grouping().plates_of[job.name]
    found = read_good_plates(rows, job.settings["plates_folder"], job.settings["layouts"])
    write_table(job.outputs["reads"], make_frame(found.reads, "reads", READS))
    write_table(job.outputs["layout"], make_frame(found.layouts, "layout", LAYOUT))
    write_table(job.outputs["files"], pd.DataFrame(found.files, dtype="str"))
    write_json(job.outputs["problems"], _as_json(found.problems.items))


def wells(job: Job) -> None:
    """Join readings, layouts and sheets of a batch; samples with a plate in error are left out."""
    from drp.joining import WELLS
    from drp.plain_tables import make_frame, plain
    from drp.problems import Problems
    from drp.readable import join_good_plates, own_wells

    sheets = job.grouping()
    rows = sheets.plates_of[job.name]
    found = Problems()
    joined = join_good_plates(
        plain(job.table("reads")),
        plain(job.table("layout")),
        rows,
        sheets.sheets.exclusions_of(row["plate"] for row in rows),
        job.settings,
        found,
    )
    # On a plate shared with other batches the controls are for all, the drug wells for each.
    own = own_wells(joined, rows, [row["sample"] for row in sheets.samples_of_batch[job.name]])
    write_table(job.outputs["wells"], make_frame(own, "wells", WELLS))
    write_json(job.outputs["problems"], _as_json(found.items))


def quality(job: Job) -> None:
    """Judge the plates of a run, read from their files, and scale them for the review pages."""
    from drp.joining import WELLS
    from drp.plain_tables import make_frame
    from drp.problems import Problems
    from drp.quality import judge_plates
    from drp.readable import join_good_plates, read_good_plates
    from drp.registration import check_exchanged, check_placements, check_sizes, lay_out
    from drp.sheets import read_sheets
    from drp.viability import normalise

    sheets, asked = read_sheets(job.sheets), job.settings
    rows = [row for row in sheets.plates if run_of(row) == job.name]
    read = read_good_plates(rows, asked["plates_folder"], asked["layouts"])
    exclusions = sheets.exclusions_of(row["plate"] for row in rows)
    table = join_good_plates(read.reads, read.layouts, rows, exclusions, asked, Problems())
    wells = make_frame(table, "wells", WELLS)
    remarks: dict[str, list[tuple[str, str]]] = {}
    sizes, laid_out = check_sizes(table), lay_out(table)
    for problem in [*sizes, *check_placements(laid_out, sizes), *check_exchanged(laid_out)]:
        tier = "fail" if problem.severity == "error" else "warn"
        remarks.setdefault(problem.where.plate, []).append((tier, problem.found))
    correction, order = asked["normalisation"]["edge_correction"], [row["plate"] for row in rows]
    judged = judge_plates(wells, asked["quality"], remarks, correction=correction, order=order)
    write_table(job.outputs["quality"], judged)
    write_table(job.outputs["scaled"], normalise(wells, correction, asked["quality"]))


def samples(job: Job) -> None:
    """Judge the samples of a batch."""
    from drp.samples import judge_samples
    from drp.sheets import samples_of_plate
    from drp.storage import read_rows, write_rows

    sheets = job.grouping()
    plates_of: dict[str, list[str]] = {}
    for plate in sheets.plates_of[job.name]:
        for sample in samples_of_plate(plate):
            plates_of.setdefault(sample, []).append(plate["plate"])
    rows = [row for row in sheets.samples_of_batch[job.name] if row["sample"] in plates_of]
    quality = [row for path in job.inputs["quality"] for row in read_rows(path)]
    verdicts = judge_samples(rows, plates_of, quality, job.settings["quality"])
    for verdict, row in zip(verdicts, rows, strict=True):
        verdict["assay"] = row.get("assay") or job.settings["assay"]["name"]
    write_rows(job.outputs["samples"], verdicts)


def viability(job: Job) -> None:
    """Scale the wells of a batch by their plates' controls."""
    from drp.viability import normalise

    limits = {name.removeprefix("quality."): value for name, value in job.settings.items()}
    correction = limits.pop("normalisation.edge_correction")
    write_table(job.outputs["viability"], normalise(job.table("wells"), correction, limits))


def curves(job: Job) -> None:
    """Fit the single-agent curves of a batch and derive their measures."""
    from drp.apart import compute_apart
    from drp.drug_sheets import read_drug_table
    from drp.drugs import cmax_nm
    from drp.sensitivity import fit_curves

    viability = job.table("viability")
    names = sorted(set(viability["drug"]) - {""})
    peaks = cmax_nm(names, job.settings["exposure"], read_drug_table(job.sheets))

    def fitted(wells: "pd.DataFrame") -> "dict[str, pd.DataFrame]":
        found = fit_curves(wells, cmax=peaks, seed=job.settings["seed"])
        return {"curves": found.assign(plates=_plates_of(found, wells))}

    _write_apart(job, *compute_apart(viability, fitted, "curves"))


def _write_apart(job: Job, tables: "dict[str, pd.DataFrame]", faults: list[dict[str, str]]) -> None:
    """Write a batch's tables, and which of its samples are not in them."""
    for name, table in tables.items():
        write_table(job.outputs[name], table)
    write_json(job.outputs["faults"], faults)


def _plates_of(curves: "pd.DataFrame", viability: "pd.DataFrame") -> list[str]:
    """The plates each curve rests on, joined by ';': a failed plate blocks its drugs' calls."""
    wells = viability[viability["role"] == "sample"]
    alone = _plates_by_drug(wells[(wells["drug2"] == "") & (wells["addon"] == "")])
    every = _plates_by_drug(wells)
    plates = []
    for sample, drug, flags in zip(curves["sample"], curves["drug"], curves["flags"], strict=True):
        used = every if "matrix_monotherapy" in flags.split(";") else alone
        plates.append(";".join(sorted(used.get((sample, drug), ()))))
    return plates


def _plates_by_drug(wells: "pd.DataFrame") -> dict[tuple[str, str], set[str]]:
    """The plates with wells of a drug, first or second, by sample and drug."""
    found: dict[tuple[str, str], set[str]] = {}
    for column in ("drug", "drug2"):
        rows = wells[["sample", column, "plate"]].drop_duplicates()
        for sample, drug, plate in rows.itertuples(index=False):
            found.setdefault((sample, drug), set()).add(plate)
    return found


def synergy(job: Job) -> None:
    """Score the combinations of a batch."""
    from drp.apart import compute_apart
    from drp.drug_sheets import read_drug_table
    from drp.drugs import cmax_nm
    from drp.synergy import Limits, score_synergy

    asked = job.settings["synergy"]
    viability = job.table("viability")
    names = {name for column in ("drug", "drug2", "drug3") for name in viability[column]} - {""}
    peaks = cmax_nm(sorted(names), job.settings["exposure"], read_drug_table(job.sheets))

    def scored(wells: "pd.DataFrame") -> "dict[str, pd.DataFrame]":
        scores, surface = score_synergy(
            wells,
            seed=job.settings["seed"],
            draws=asked["draws"],
            cmax=peaks,
            limits=Limits(**{name: asked[name] for name in Limits.__slots__}),
            prior_sd=asked["prior_sd"],
            models=asked["models"],
            model_draws=asked["model_draws"],
            zip_variant=asked["zip_variant"],
            musyc=asked["musyc"],
        )
        return {"synergy": scores, "surface": surface}

    _write_apart(job, *compute_apart(viability, scored, "synergy"))


def cohort(job: Job) -> None:
    """Build the reference from earlier samples and, if so configured, from this project's.

    Beside it come the healthy controls, and the older versions that approvals hold samples to.
    """
    import pandas as pd

    from drp.cohort import read_members
    from drp.references import cohort_tables, own_members
    from drp.sheets import read_sheets

    sheets = read_sheets(job.sheets)
    earlier = []
    for path in job.inputs.get("earlier", []):
        frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, comment="#")
        earlier.append(read_members(frame, path.name))
    own = None
    if job.settings["cohort"]["within_run"]:
        kinds = {row["sample"]: row.get("kind", "") for row in sheets.samples}
        own = own_members(job.table("samples"), job.table("curves"), job.table("quality"), kinds)
    for name, table in cohort_tables(earlier, own, sheets.approvals).items():
        write_table(job.outputs[name], table)


def calls(job: Job) -> None:
    """Call the drugs of a batch."""
    from drp.apart import compute_apart
    from drp.calls import make_calls
    from drp.drug_sheets import read_drug_table
    from drp.healthy import beside_healthy
    from drp.references import with_errors

    curves, quality = job.table("curves"), job.table("quality")
    facts = _drug_facts(
        sorted(set(curves["drug"])), job.settings["exposure"], read_drug_table(job.sheets)
    )
    settings = dict(job.settings["calls"])
    settings |= {key: job.settings["cohort"][key] for key in ("minimum", "established")}
    samples, seed = job.table("samples"), job.settings["seed"]
    assay_of = dict(samples[["sample", "assay"]].to_numpy())

    def called(curves: "pd.DataFrame") -> "dict[str, pd.DataFrame]":
        parts = []
        for part, members, healthy in _by_version(job, with_errors(curves, quality)):
            made = make_calls(part, samples, quality, members, facts, settings, seed=seed)
            parts.append(beside_healthy(made, part, healthy, assay_of, settings["minimum"]))
        return {"calls": join_tables(parts).sort_values(["sample", "drug"], ignore_index=True)}

    _write_apart(job, *compute_apart(curves, called, "calls"))


def _by_version(
    job: Job, curves: "pd.DataFrame"
) -> "Iterator[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]]":
    """Curves with the members and the healthy controls they are compared with."""
    from drp.references import by_version
    from drp.sheets import read_sheets

    # A cohort that changes with every sample has no versions to be held to.
    versioned = job.settings["cohort"]["reference"] and not job.settings["cohort"]["within_run"]
    approvals = read_sheets(job.sheets).approvals if versioned else []
    return by_version(curves, job.table("members"), job.table("healthy"), approvals)


def _drug_facts(
    names: list[str], schedules: Mapping[str, str], table: "DrugTable"
) -> "dict[str, DrugFacts]":
    from drp.call_words import DrugFacts
    from drp.drugs import applicable_exposure, find, free_words

    facts = {}
    for name in names:
        known = find(name, table)
        peak, reason = applicable_exposure(name, schedules, table)
        facts[name.casefold()] = DrugFacts(
            exvivo=known.exvivo if known else "",
            caveat=known.caveat if known else "",
            cmax=peak.cmax_nm if peak and peak.cmax_nm else float("nan"),
            cmax_reason=reason,
            free=free_words(peak) if peak else "",
        )
    return facts


def risk(job: Job) -> None:
    """Classify the relapse risk of a group's patients, with what is published beside it."""
    from drp.risk import classify_rows, risk_context
    from drp.storage import write_rows

    if job.settings["risk_systems"]:
        rows, switches = job.grouping().patients_of[job.name], job.settings["risk_switches"]
        classes = classify_rows(rows, switches=switches)
        write_rows(job.outputs["risk"], classes)
        write_rows(job.outputs["context"], risk_context(rows, classes, switches=switches))
    else:
        from drp.tables import empty

        write_table(job.outputs["risk"], empty("risk"))
        write_table(job.outputs["context"], empty("risk_context"))


def record(job: Job) -> None:
    """Put together the records of a group's patients, one JSON file each, and their index rows."""
    from drp.records import patient_records, record_json
    from drp.report.index import entry_of
    from drp.storage import replacing_folder

    entries = []
    with replacing_folder(job.outputs["records"]) as folder:
        for patient, content in patient_records(job):
            write_text(folder / f"{patient}.json", record_json(content))
            entries.append(entry_of(content))
    write_json(job.outputs["index"], entries)


def report(job: Job) -> None:
    """Render a record as HTML, JSON, FHIR and PDF, all with the same time, and keep it."""
    from drp.issuing import issue_report
    from drp.provenance import now

    (path,) = job.inputs["record"]
    issue_report(path, job.outputs, now(), job.settings.get("language", "en"))


def reports(job: Job) -> None:
    """Render the records of a group of patients, and write a manifest of the files."""
    from drp.issuing import issue_group
    from drp.provenance import fingerprint, now

    (records,) = job.inputs["records"]
    issue_group(
        records,
        job.outputs["folder"],
        job.outputs["manifest"],
        code=fingerprint("reports"),
        time=now(),
        language=job.settings.get("language", "en"),
    )


def index(job: Job) -> None:
    """Write the list of all patients and, if they are reviewed, of all plates."""
    from drp.provenance import now
    from drp.report.index import read_entries, render_index, reviewed_plates
    from drp.sheets import read_sheets
    from drp.storage import read_json

    entries = [entry for path in job.inputs["entries"] for entry in read_json(path)]
    rows, verdicts = read_entries(entries)
    reviewed = read_sheets(job.sheets).plates if job.settings["plate_review"] else []
    plates = reviewed_plates({row["plate"]: run_of(row) for row in reviewed}, verdicts)
    write_text(
        job.outputs["index"], render_index(rows, now(), plates, cohort=job.settings["cohort_page"])
    )


def review(job: Job) -> None:
    """Write the review pages of a run's plates, one file each."""
    from drp.provenance import now
    from drp.report.review import render_review
    from drp.sheets import read_sheets
    from drp.storage import read_groups, read_rows, replacing_folder

    sheets, time = read_sheets(job.sheets), now()
    wells = read_groups(job.inputs["scaled"], "plate")
    quality = {row["plate"]: row for path in job.inputs["quality"] for row in read_rows(path)}
    with replacing_folder(job.outputs["pages"]) as folder:
        for plate in sheets.plates:
            name = plate["plate"]
            if run_of(plate) == job.name and name in wells:
                page = render_review(
                    plate,
                    wells[name](),
                    quality[name],
                    sheets.exclusions,
                    sheets.exclusion_remarks,
                    settings=job.settings,
                    generated_at=time,
                )
                write_text(folder / f"{name}.html", page)


def charts(job: Job) -> None:
    """Chart the controls of all runs: a table, and a page."""
    import pandas as pd

    from drp.provenance import now
    from drp.report.control_page import render_control_page
    from drp.run_charts import chart_table, drift_table
    from drp.sheets import read_sheets
    from drp.storage import read_rows

    quality, curves = (
        [row for path in job.inputs.get(name, []) for row in read_rows(path)]
        for name in ("quality", "curves")
    )
    plates = {row["plate"]: run_of(row) for row in read_sheets(job.sheets).plates}
    table = chart_table(quality, curves, plates, job.settings["quality"])
    page = render_control_page(
        table, drift_table(quality), settings=job.settings, generated_at=now()
    )
    write_table(job.outputs["charts"], pd.DataFrame(table))
    write_text(job.outputs["page"], page)


def cohort_page(job: Job) -> None:
    """Draw the cohort: the reference, and the samples of this project beside it."""
    from drp.cohort import join_members
    from drp.provenance import now
    from drp.references import own_members, recorded_words
    from drp.report.cohort_page import render_cohort_page
    from drp.sheets import read_sheets

    rows = read_sheets(job.sheets).samples
    kinds = {row["sample"]: row.get("kind", "") for row in rows}
    own = own_members(job.table("samples"), job.table("curves"), job.table("quality"), kinds)
    page = render_cohort_page(
        join_members([job.table("members"), job.table("healthy"), own]),
        recorded_words(rows),
        settings=job.settings,
        generated_at=now(),
    )
    write_text(job.outputs["page"], page)


def _as_json(problems: "list[Problem]") -> list[dict[str, Any]]:
    return [problem.as_dict() for problem in problems]


STAGES = {
    stage.__name__: stage
    for stage in (
        plates,
        wells,
        quality,
        samples,
        viability,
        curves,
        synergy,
        cohort,
        calls,
        risk,
        record,
        report,
        reports,
        index,
        review,
        charts,
        cohort_page,
    )
}
