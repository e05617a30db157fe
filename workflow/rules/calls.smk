# With whom a sample is compared, which drugs stand out, and the relapse risk class beside them.


rule cohort:
    input:
        earlier=PLAN.reference_files,
        curves=of_batches("curves.parquet", PLAN.reference_batches),
        samples=of_batches("samples.parquet", PLAN.reference_batches),
        quality=of_runs(PLAN.reference_runs),
    output:
        members="results/cohort/members.parquet",
        reference="results/cohort/reference.parquet",
    log:
        "logs/cohort.log",
    params:
        code=PLAN.code("cohort"),
        settings=PLAN.settings("cohort"),
    shell:
        "python -m drp cohort --settings {params.settings:q} --in earlier={input.earlier:q}"
        " --in curves={input.curves} --in samples={input.samples} --in quality={input.quality}"
        " --out members={output.members} reference={output.reference} > {log} 2>&1"


rule calls:
    input:
        curves=f"{BATCH}/curves.parquet",
        samples=f"{BATCH}/samples.parquet",
        quality=lambda w: of_runs(PLAN.runs_of(w.batch)),
        members="results/cohort/members.parquet",
    output:
        calls=f"{BATCH}/calls.parquet",
    log:
        "logs/{batch}/calls.log",
    params:
        code=PLAN.code("calls"),
        settings=PLAN.settings("calls"),
    shell:
        "python -m drp calls --settings {params.settings:q} --in curves={input.curves}"
        " --in samples={input.samples} --in quality={input.quality} --in members={input.members}"
        " --out calls={output.calls} > {log} 2>&1"


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
