# Exports and layouts become readings, and readings become wells.


rule plates:
    input:
        lambda w: there(PLAN.files_of(w.batch)),
    output:
        reads=f"{BATCH}/reads.parquet",
        layout=f"{BATCH}/layout.parquet",
        files=f"{BATCH}/files.parquet",
        problems=f"{BATCH}/plates.problems.json",
    log:
        "logs/{batch}/plates.log",
    params:
        code=PLAN.code("plates"),
        settings=PLAN.settings("plates"),
        rows=lambda w: PLAN.rows("plates", w.batch),
    shell:
        "python -m drp plates --name {wildcards.batch} --settings {params.settings:q}"
        " --out reads={output.reads} layout={output.layout} files={output.files}"
        " problems={output.problems} > {log} 2>&1"


rule wells:
    input:
        reads=f"{BATCH}/reads.parquet",
        layout=f"{BATCH}/layout.parquet",
    output:
        wells=f"{BATCH}/wells.parquet",
        problems=f"{BATCH}/wells.problems.json",
    log:
        "logs/{batch}/wells.log",
    params:
        code=PLAN.code("wells"),
        settings=PLAN.settings("wells"),
        rows=lambda w: PLAN.rows("wells", w.batch),
    shell:
        "python -m drp wells --name {wildcards.batch} --settings {params.settings:q}"
        " --in reads={input.reads} --in layout={input.layout}"
        " --out wells={output.wells} problems={output.problems} > {log} 2>&1"
