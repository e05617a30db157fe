# Plates are judged by run, samples by batch.


rule quality:
    input:
        wells=lambda w: of_batches("wells.parquet", PLAN.runs[w.run]),
    output:
        quality="results/runs/{run}/quality.parquet",
    log:
        "logs/runs/{run}/quality.log",
    params:
        code=PLAN.code("quality"),
        settings=PLAN.settings("quality"),
    shell:
        "python -m drp quality --name {wildcards.run} --settings {params.settings:q}"
        " --in wells={input.wells} --out quality={output.quality} > {log} 2>&1"


rule samples:
    input:
        quality=lambda w: of_runs(PLAN.runs_of(w.batch)),
    output:
        samples=f"{BATCH}/samples.parquet",
    log:
        "logs/{batch}/samples.log",
    params:
        code=PLAN.code("samples"),
        settings=PLAN.settings("samples"),
        rows=lambda w: PLAN.rows("samples", w.batch),
    shell:
        "python -m drp samples --name {wildcards.batch} --settings {params.settings:q}"
        " --in quality={input.quality} --out samples={output.samples} > {log} 2>&1"
