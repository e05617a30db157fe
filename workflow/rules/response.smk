# What the drugs did: viability, curves, combinations.


rule viability:
    input:
        wells=f"{BATCH}/wells.parquet",
    output:
        viability=f"{BATCH}/viability.parquet",
    log:
        "logs/{batch}/viability.log",
    params:
        code=PLAN.code("viability"),
        settings=PLAN.settings("viability"),
    shell:
        "python -m drp viability --settings {params.settings:q} --in wells={input.wells}"
        " --out viability={output.viability} > {log} 2>&1"


rule curves:
    input:
        viability=f"{BATCH}/viability.parquet",
    output:
        curves=f"{BATCH}/curves.parquet",
        faults=f"{BATCH}/curves.faults.json",
    log:
        "logs/{batch}/curves.log",
    params:
        code=PLAN.code("curves"),
        settings=PLAN.settings("curves"),
        drugs=PLAN.rows("drugs"),
    shell:
        "python -m drp curves --settings {params.settings:q}"
        " --in viability={input.viability} --out curves={output.curves} faults={output.faults}"
        " > {log} 2>&1"


rule synergy:
    input:
        viability=f"{BATCH}/viability.parquet",
    output:
        synergy=f"{BATCH}/synergy.parquet",
        surface=f"{BATCH}/surface.parquet",
        faults=f"{BATCH}/synergy.faults.json",
    log:
        "logs/{batch}/synergy.log",
    params:
        code=PLAN.code("synergy"),
        settings=PLAN.settings("synergy"),
        drugs=PLAN.rows("drugs"),
    shell:
        "python -m drp synergy --settings {params.settings:q} --in viability={input.viability}"
        " --out synergy={output.synergy} surface={output.surface} faults={output.faults}"
        " > {log} 2>&1"
