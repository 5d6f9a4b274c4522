"""LOINC codes of the catalogue are looked up in publications; what none has is told and not noted."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import yaml

TOOLS = Path(__file__).resolve().parents[3] / "tools"
ITEMS = """
laboratory:
  - {id: potassium, en: Potassium, loinc: [2823-3, 9999-9]}
  - {id: sodium, en: Sodium, loinc: [2951-2]}
  - {id: iron, en: Iron}
version: "1"
"""


@pytest.fixture
def tool(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(TOOLS))
    spec = importlib.util.spec_from_file_location("verify_recognition", TOOLS / "verify_recognition.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "profiles" / "recognition").mkdir(parents=True)
    (tmp_path / "profiles" / "recognition" / "items.yaml").write_text(ITEMS, "utf-8")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "TARGET", tmp_path / "published.yaml")
    yield module
    sys.modules.pop("verify_codes", None)


def test_a_code_is_noted_with_its_names_and_what_was_found_earlier_stays(tool, tmp_path, capsys):
    package = tmp_path / "package-1.0"
    package.mkdir()
    coding = {"system": "http://loinc.org", "code": "2823-3", "display": "Potassium [Moles/volume] in Serum"}
    (package / "a.json").write_text(json.dumps({"resourceType": "Observation", "code": {"coding": [coding]}}), "utf-8")
    tool.main([str(package)])
    assert "9999-9 (Potassium) is in none of them" in capsys.readouterr().out
    orders = tmp_path / "orders.json"
    orders.write_text(
        json.dumps([{"LOINC_NUM": "2951-2", "LONG_COMMON_NAME": "Sodium"}, {"LOINC_NUM": "1-8"}]), "utf-8"
    )
    tool.main([str(orders)])
    found = yaml.safe_load((tmp_path / "published.yaml").read_text("utf-8"))["loinc"]
    assert set(found) == {"2823-3", "2951-2"}
    assert found["2823-3"] == {"as": "Potassium", "names": [coding["display"]], "by": ["package"]}
    assert found["2951-2"]["by"] == ["orders"]
    assert "2 of 3 found" in capsys.readouterr().out
