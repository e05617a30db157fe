import importlib.util

import pytest
import yaml
from jsonschema import Draft202012Validator

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


@pytest.mark.parametrize("folder", ["config", "docs/examples/leukaemia_plates/config"])
def test_shipped_configurations_fit_the_schema(writer, folder):
    config = yaml.safe_load((ROOT / folder / "config.yaml").read_text(encoding="utf-8"))
    Draft202012Validator(writer.schemas()["config"]).validate(config)
    with pytest.raises(Exception, match="Additional properties"):
        Draft202012Validator(writer.schemas()["config"]).validate(config | {"sead": 1})
