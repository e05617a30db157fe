# With whom a sample is compared, which drugs stand out, and the relapse risk class beside them.


rule cohort:
    input:
        earlier=PLAN.reference_files,
        curves=of_batches("curves.parquet", PLAN.reference_batches),
        samples=of_batches("samples.parquet", PLAN.reference_batches),
        quality=of_runs(PLAN.reference_runs),
    output:
        members="results/cohort/members.parquet",
        healthy="results/cohort/healthy.parquet",
        reference="results/cohort/reference.parquet",
        others="results/cohort/other_references.parquet",
    log:
        "logs/cohort.log",
    params:
        code=PLAN.code("cohort"),
        settings=PLAN.settings("cohort"),
        rows=PLAN.rows("cohort"),
    shell:
        "python -m drp cohort --settings {params.settings:q} --in earlier={input.earlier:q}"
        " --in curves={input.curves} --in samples={input.samples} --in quality={input.quality}"
        " --out members={output.members} healthy={output.healthy} reference={output.reference}"
        " others={output.others} > {log} 2>&1"


rule calls:
    input:
        curves=f"{BATCH}/curves.parquet",
        samples=f"{BATCH}/samples.parquet",
        quality=lambda w: of_runs(PLAN.runs_of(w.batch)),
        members="results/cohort/members.parquet",
        healthy="results/cohort/healthy.parquet",
    output:
        calls=f"{BATCH}/calls.parquet",
        faults=f"{BATCH}/calls.faults.json",
    log:
        "logs/{batch}/calls.log",
    params:
        code=PLAN.code("calls"),
        settings=PLAN.settings("calls"),
        drugs=PLAN.rows("drugs"),
        rows=lambda w: PLAN.rows("calls", w.batch),
    shell:
        "python -m drp calls --settings {params.settings:q} --in curves={input.curves}"
        " --in samples={input.samples} --in quality={input.quality} --in members={input.members}"
        " --in healthy={input.healthy}"
        " --out calls={output.calls} faults={output.faults} > {log} 2>&1"


# The reference with this project's samples beside it, whether they belong to it or not.
rule cohort_page:
    input:
        members="results/cohort/members.parquet",
        healthy="results/cohort/healthy.parquet",
        curves=of_batches("curves.parquet", PLAN.batches),
        samples=of_batches("samples.parquet", PLAN.batches),
        quality=of_runs(PLAN.runs),
    output:
        page="reports/cohort.html",
    log:
        "logs/cohort_page.log",
    localrule: True
    params:
        code=PLAN.code("cohort_page"),
        settings=PLAN.settings("cohort_page"),
        rows=PLAN.rows("cohort_page"),
    shell:
        "python -m drp cohort_page --settings {params.settings:q} --in members={input.members}"
        " --in healthy={input.healthy} --in curves={input.curves} --in samples={input.samples}"
        " --in quality={input.quality} --out page={output.page} > {log} 2>&1"


rule risk:
    output:
        risk="results/groups/{group}/risk.parquet",
        context="results/groups/{group}/risk_context.parquet",
    log:
        "logs/groups/{group}/risk.log",
    params:
        code=PLAN.code("risk"),
        settings=PLAN.settings("risk"),
        rows=lambda w: PLAN.rows("risk", w.group),
    shell:
        "python -m drp risk --name {wildcards.group} --settings {params.settings:q}"
        " --out risk={output.risk} context={output.context} > {log} 2>&1"
