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
    log:
        "logs/{batch}/curves.log",
    params:
        code=PLAN.code("curves"),
        settings=PLAN.settings("curves"),
        drugs=PLAN.rows("drugs"),
    shell:
        "python -m drp curves --settings {params.settings:q}"
        " --in viability={input.viability} --out curves={output.curves} > {log} 2>&1"


rule synergy:
    input:
        viability=f"{BATCH}/viability.parquet",
    output:
        synergy=f"{BATCH}/synergy.parquet",
        surface=f"{BATCH}/surface.parquet",
    log:
        "logs/{batch}/synergy.log",
    params:
        code=PLAN.code("synergy"),
        settings=PLAN.settings("synergy"),
        drugs=PLAN.rows("drugs"),
    shell:
        "python -m drp synergy --settings {params.settings:q} --in viability={input.viability}"
        " --out synergy={output.synergy} surface={output.surface} > {log} 2>&1"
