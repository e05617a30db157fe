"""Write the schemas beside this file, and that of the report, from the definitions in drp.

`make format` runs it.
"""

import json
from pathlib import Path

import yaml

from drp.config import Config
from drp.report.record import json_schema
from drp.sheets import ID_PATTERN, SHEETS

FOLDER = Path(__file__).parent
REPORT = FOLDER.parents[1] / "docs" / "schema" / "report.schema.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDS = {"plate", "sample", "patient"}


def schemas() -> dict[str, dict]:
    """Give the schema of the configuration and of each sheet's rows, by file name."""
    found = {"config": {"$schema": DIALECT} | Config.model_json_schema()}
    for sheet, (required, further, _) in SHEETS.items():
        properties = {
            column: {"type": "string"}
            | ({"pattern": f"^{ID_PATTERN.pattern}$"} if column in IDS else {})
            for column in required + further
        }
        if sheet == "plates":
            properties["sample"] = {"type": "string", "description": "several separated by ';'"}
        found[sheet] = {
            "$schema": DIALECT,
            "description": f"a row of config/{sheet}.tsv",
            "type": "object",
            "properties": properties,
            "required": list(required),
            "additionalProperties": False,
        }
    return found


def report_text() -> str:
    """Give the schema of report.json as JSON."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=1) + "\n"


def text_of(schema: dict) -> str:
    """Give a schema as YAML."""
    head = "# Written by write.py from the definitions in drp; do not edit.\n"
    return head + yaml.safe_dump(schema, sort_keys=False, allow_unicode=True, width=100)


if __name__ == "__main__":
    for name, schema in schemas().items():
        (FOLDER / f"{name}.schema.yaml").write_text(text_of(schema), encoding="utf-8")
    REPORT.write_text(report_text(), encoding="utf-8")
