# One record per patient, and the pages made from it.


rule record:
    input:
        files=of_group("files.parquet"),
        plate_problems=of_group("plates.problems.json"),
        well_problems=of_group("wells.problems.json"),
        faults=lambda w: [
            f"results/batches/{batch}/{stage}.faults.json"
            for batch in PLAN.batches_of_group(w.group)
            for stage in ("curves", "synergy", "calls")
        ],
        viability=of_group("viability.parquet"),
        samples=of_group("samples.parquet"),
        curves=of_group("curves.parquet"),
        synergy=of_group("synergy.parquet"),
        surface=of_group("surface.parquet"),
        calls=of_group("calls.parquet"),
        quality=lambda w: of_runs(PLAN.runs_of_group(w.group)),
        reference="results/cohort/reference.parquet",
        other_references="results/cohort/other_references.parquet",
        risk="results/groups/{group}/risk.parquet",
        risk_context="results/groups/{group}/risk_context.parquet",
    output:
        records=directory("results/groups/{group}/records"),
        index="results/groups/{group}/index.json",
    log:
        "logs/groups/{group}/record.log",
    params:
        code=PLAN.code("record"),
        settings=PLAN.settings("record"),
        rows=lambda w: PLAN.rows("record", w.group),
    shell:
        "python -m drp record --name {wildcards.group} --settings {params.settings:q}"
        " --in files={input.files} --in plate_problems={input.plate_problems}"
        " --in well_problems={input.well_problems} --in faults={input.faults}"
        " --in viability={input.viability}"
        " --in samples={input.samples} --in curves={input.curves} --in synergy={input.synergy}"
        " --in surface={input.surface} --in calls={input.calls} --in quality={input.quality}"
        " --in reference={input.reference} --in other_references={input.other_references}"
        " --in risk={input.risk}"
        " --in risk_context={input.risk_context}"
        " --out records={output.records} index={output.index} > {log} 2>&1"


# Without batches each report is a target of its own.
if PLAN.config.batches is None:

    rule report:
        input:
            records=lambda w: f"results/groups/{PLAN.group_of[w.patient]}/records",
        output:
            html=report(
                "reports/{patient}/report.html",
                caption="../report/patient.rst",
                category="Patients",
                labels={"patient": "{patient}", "as": "page"},
            ),
            pdf=report(
                "reports/{patient}/report.pdf",
                caption="../report/patient.rst",
                category="Patients",
                labels={"patient": "{patient}", "as": "PDF"},
            ),
            json="reports/{patient}/report.json",
            fhir="reports/{patient}/report.fhir.json",
        log:
            "logs/reports/{patient}.log",
        params:
            code=PLAN.code("report"),
            settings=PLAN.settings("report"),
        shell:
            "python -m drp report --name {wildcards.patient} --settings {params.settings:q}"
            " --in record={input.records}/{wildcards.patient}.json"
            " --out html={output.html} pdf={output.pdf} json={output.json} fhir={output.fhir}"
            " > {log} 2>&1"

    # A patient may be called "plates".
    ruleorder: report > review


# With batches a job renders a whole group; its manifest lists every file (decision 12).
else:

    rule reports:
        input:
            records="results/groups/{group}/records",
        output:
            manifest="results/groups/{group}/reports.json",
        log:
            "logs/groups/{group}/reports.log",
        params:
            code=PLAN.code("reports"),
            settings=PLAN.settings("reports"),
        shell:
            "python -m drp reports --name {wildcards.group} --settings {params.settings:q}"
            " --in records={input.records}"
            " --out manifest={output.manifest} folder=reports > {log} 2>&1"


rule index:
    input:
        entries=[f"results/groups/{group}/index.json" for group in PLAN.groups],
    output:
        index=report(
            "reports/index.html",
            caption="../report/index.rst",
            category="All patients",
            labels={"list": "patients"},
        ),
    log:
        "logs/index.log",
    localrule: True
    params:
        code=PLAN.code("index"),
        settings=PLAN.settings("index"),
        rows=PLAN.rows("index"),
    shell:
        "python -m drp index --settings {params.settings:q} --in entries={input.entries}"
        " --out index={output.index} > {log} 2>&1"


# The review pages of a run's plates, in one job: drawing a page takes less time than starting one.
rule review:
    input:
        scaled="results/runs/{run}/scaled.parquet",
        quality="results/runs/{run}/quality.parquet",
    output:
        pages=directory("reports/plates/{run}"),
    log:
        "logs/runs/{run}/review.log",
    params:
        code=PLAN.code("review"),
        settings=PLAN.settings("review"),
        rows=lambda w: PLAN.rows("review", w.run),
    shell:
        "python -m drp review --name {wildcards.run} --settings {params.settings:q}"
        " --in scaled={input.scaled} --in quality={input.quality}"
        " --out pages={output.pages} > {log} 2>&1"
