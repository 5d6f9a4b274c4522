"""The derivation of the compartments' table, on a package of made-up definitions."""

import importlib.util
import io
import json
import tarfile
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[3] / "tools" / "derive_compartments.py"
BASE = "http://hl7.org/fhir/CompartmentDefinition/"


@pytest.fixture
def tool(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("derive_compartments", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "TARGET", tmp_path / "table.json")
    return module


def definition(name, *resources, url=BASE):
    listed = [{"code": code, **({"param": params} if params else {})} for code, params in resources]
    return {"resourceType": "CompartmentDefinition", "id": name, "url": url + name, "code": name, "resource": listed}


def package(folder, *definitions):
    path = folder / "google/fhir/r4/data/hl7.fhir.r4.core.tgz"
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as archive:
        for one in definitions:
            data = json.dumps(one).encode()
            member = tarfile.TarInfo(f"package/CompartmentDefinition-{one['id']}.json")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return folder


def test_the_table_lists_what_is_in_and_by_what(tool, tmp_path, capsys):
    folder = package(
        tmp_path,
        definition("Patient", ("Flag", ["patient"]), ("Binary", []), ("Account", ["subject"])),
        definition("Encounter", ("Encounter", ["{def}"]), ("Flag", ["encounter"])),
        definition("example", ("Flag", ["patient"])),
        definition("Mine", ("Flag", ["patient"]), url="http://example.org/"),
    )
    tool.main(str(folder))
    assert json.loads(tool.TARGET.read_text()) == {
        "Encounter": {"Flag": ["encounter"]},
        "Patient": {"Account": ["subject"], "Flag": ["patient"]},
    }
    assert capsys.readouterr().out == "Encounter: 1 types, Patient: 2 types\n"
