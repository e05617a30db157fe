# Plates are judged by run, samples by batch. A run reads its plates itself, whatever batches their
# samples are in: so another patient's plates redo the runs they are in, and no others.


rule quality:
    input:
        lambda w: there(PLAN.files_of_run(w.run)),
    output:
        quality="results/runs/{run}/quality.parquet",
        scaled="results/runs/{run}/scaled.parquet",
    log:
        "logs/runs/{run}/quality.log",
    params:
        code=PLAN.code("quality"),
        settings=PLAN.settings("quality"),
        rows=lambda w: PLAN.rows("quality", w.run),
    shell:
        "python -m drp quality --name {wildcards.run} --settings {params.settings:q}"
        " --out quality={output.quality} scaled={output.scaled} > {log} 2>&1"


rule samples:
    input:
        quality=lambda w: of_runs(PLAN.runs_of(w.batch)),
    output:
        samples=f"{BATCH}/samples.parquet",
    log:
        "logs/{batch}/samples.log",
    localrule: True
    params:
        code=PLAN.code("samples"),
        settings=PLAN.settings("samples"),
        rows=lambda w: PLAN.rows("samples", w.batch),
    shell:
        "python -m drp samples --name {wildcards.batch} --settings {params.settings:q}"
        " --in quality={input.quality} --out samples={output.samples} > {log} 2>&1"


# Curves are read only where control drugs are named.
rule charts:
    input:
        quality=of_runs(PLAN.runs),
        curves=of_batches("curves.parquet", PLAN.charted_batches),
    output:
        charts="results/charts.parquet",
        page=report(
            "reports/quality.html",
            caption="../report/quality.rst",
            category="Quality",
            labels={"list": "controls"},
        ),
    log:
        "logs/charts.log",
    localrule: True
    params:
        code=PLAN.code("charts"),
        settings=PLAN.settings("charts"),
        rows=PLAN.rows("charts"),
    shell:
        "python -m drp charts --settings {params.settings:q} --in quality={input.quality}"
        " --in curves={input.curves} --out charts={output.charts} page={output.page} > {log} 2>&1"
