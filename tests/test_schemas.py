import importlib.util
import json

import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

from drp.report.record import render_json
from tests import report_example
from tests.project import ROOT

FOLDER = ROOT / "workflow" / "schemas"


@pytest.fixture(scope="module")
def writer():
    spec = importlib.util.spec_from_file_location("write_schemas", FOLDER / "write.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_schemas_say_what_the_code_says(writer):
    """If this fails: make format."""
    for name, schema in writer.schemas().items():
        written = (FOLDER / f"{name}.schema.yaml").read_text(encoding="utf-8")
        assert written == writer.text_of(schema), name


def test_the_published_schema_of_the_report_is_current(writer):
    assert writer.REPORT.read_text(encoding="utf-8") == writer.report_text()


@pytest.mark.parametrize("options", [{}, {"verdict": "fail"}, {"verdict": "warn", "n_drugs": 3}])
def test_reports_fit_the_published_schema(writer, options):
    check = Draft202012Validator(json.loads(writer.report_text()))
    text = render_json(report_example.record(**options), report_example.GENERATED)
    check.validate(json.loads(text))
    for fault in (lambda found: found | {"new": 1}, lambda found: found | {"samples": None}):
        with pytest.raises(ValidationError):
            check.validate(fault(json.loads(text)))


@pytest.mark.parametrize("folder", ["config", "docs/examples/leukaemia_plates/config"])
def test_shipped_configurations_fit_the_schema(writer, folder):
    config = yaml.safe_load((ROOT / folder / "config.yaml").read_text(encoding="utf-8"))
    Draft202012Validator(writer.schemas()["config"]).validate(config)
    with pytest.raises(Exception, match="Additional properties"):
        Draft202012Validator(writer.schemas()["config"]).validate(config | {"sead": 1})
