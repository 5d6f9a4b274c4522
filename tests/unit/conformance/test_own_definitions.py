"""Our own definitions: everything the gateway says in names of ours is defined, and what it produces satisfies them."""

import importlib.util
import json
import re
import shutil
import tarfile
from collections import defaultdict
from functools import cache

import pytest
import yaml
from stdnum import luhn, verhoeff

from gateway.conformance import profiles, validate
from gateway.fhir import types
from gateway.mapping.environment import BASE
from gateway.search import definitions, expression, extract, parameters
from tests.support.golden import ROOT, SAMPLES, golden, ours, resources

DEFINITIONS = ROOT / "tools" / "definitions"
STRUCTURE = f"{BASE}/StructureDefinition/"
SYSTEM = f"{BASE}/CodeSystem/"
URL = re.compile(
    r"(?:https://yigong\.example/fhir|\{BASE\})/"
    r"((?:StructureDefinition|CodeSystem|ValueSet|ConceptMap|NamingSystem|SearchParameter)/[A-Za-z0-9._/-]*[A-Za-z0-9])"
)
UNUSED = {  # what no mapping uses, and why it is here
    "StructureDefinition/release": "places are released by the referral service (ruling R15), whose search parameters stand ready",
    "CodeSystem/slot-audience": "the audience of a release",
    "ValueSet/team-role": "people choose from it",
    "ValueSet/family-relation": "people choose from it",
    "ValueSet/sex": "people choose from it",
    "ValueSet/marital-status": "people choose from it",
    "ValueSet/abo-blood-group": "people choose from it",
    "ValueSet/rh-blood-group": "people choose from it",
    "ValueSet/identity-document": "people choose from it",
}
NUMBERS = {  # index rows stand under them: a number is never changed, taken away or given again
    "coverage-period": 20000,
    "task-due": 20001,
    "slot-release-audience": 20002,
    "slot-release-from": 20003,
    "careplan-population-group": 20004,
    "careplan-contract-status": 20005,
    "patient-area": 20006,
    "organization-area": 20007,
}


@cache
def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# The inventory


def used():
    """Own addresses by the files that use them."""
    found = defaultdict(set)
    for folder, pattern in (("mappings", "*.yaml"), ("gateway", "*.py"), ("examples", "*"), ("profiles", "*.json")):
        for path in (ROOT / folder).rglob(pattern):
            if path.is_file() and path.suffix in {".yaml", ".py", ".json", ".md", ".toml"}:
                for address in URL.findall(path.read_text("utf-8")):
                    found[address].add(path.relative_to(ROOT).as_posix())
    return found


def test_every_address_of_ours_that_is_used_is_defined():
    known = ours()
    bare = [
        address
        for address in used()
        if f"{BASE}/{address}" not in known.canonical and known.naming(f"{BASE}/{address}") is None
    ]
    assert bare == []


def test_everything_defined_is_used_or_has_a_reason():
    places = used()
    systems = {
        include["system"]
        for one in ours().definitions.values()
        for include in one.get("compose", {}).get("include", ())
    }
    idle = []
    for name, one in ours().definitions.items():
        if one["resourceType"] not in ("StructureDefinition", "CodeSystem", "ValueSet") or "url" not in one:
            continue
        address = one["url"].removeprefix(f"{BASE}/")
        alone = not places.get(address, set()) - {f"profiles/{folder}/{one['id']}.json" for folder in profiles.FOLDERS}
        profile = one["resourceType"] == "StructureDefinition" and one["type"] != "Extension"
        national = one["url"].startswith("urn:oid:") and (one["url"] in systems or known_naming(one["url"]))
        if alone and not profile and not national and one["url"] not in systems and address not in UNUSED:
            idle.append(name)
    assert idle == []
    assert {address for address in UNUSED if f"{BASE}/{address}" not in ours().canonical} == set()


def known_naming(url):
    return ours().naming(url) is not None


def test_the_files_are_what_the_definitions_say(capsys):
    assert tool("derive_definitions").main(["--check", str(ROOT)]) == 0, capsys.readouterr().out


def test_every_definition_keeps_the_rules_r4_has_for_it():
    for name, one in ours().definitions.items():
        assert [issue.text for issue in validate.validate(one, ours())] == [], name


def test_files_that_differ_or_have_no_source_are_told_and_mended(tmp_path, capsys):
    for folder in ("profiles", "tools/definitions", "mappings/base/codes", "mappings/base/tables"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    derive = tool("derive_definitions").main
    stale = tmp_path / "profiles" / "codesystems" / "sex.json"
    stale.write_text(stale.read_text("utf-8").replace("男性", "男"), "utf-8")
    left = tmp_path / "profiles" / "structures" / "extension-gone.json"
    left.write_text("{}", "utf-8")
    assert derive(["--check", str(tmp_path)]) == 1
    told = capsys.readouterr().out
    assert "sex.json" in told and "extension-gone.json" in told
    assert derive([str(tmp_path)]) == 0
    assert derive(["--check", str(tmp_path)]) == 0
    assert not left.exists()


def test_two_search_parameters_of_one_number_are_refused(tmp_path):
    for folder in ("tools/definitions", "mappings/base/codes", "mappings/base/tables"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    source = tmp_path / "tools" / "definitions" / "searchparameters.yaml"
    source.write_text(source.read_text("utf-8").replace("20001", "20000"), "utf-8")
    with pytest.raises(ValueError, match="numbers of their own"):
        tool("derive_definitions").definitions(tmp_path)


# Extensions


def extensions():
    return [one for one in ours().definitions.values() if one.get("type") == "Extension"]


def test_every_extension_says_where_it_stands_what_it_holds_and_how_often():
    assert len(extensions()) > 100
    for one in extensions():
        root, *elements = one["differential"]["element"]
        assert root["max"] in ("1", "*"), one["id"]
        assert all(
            place["expression"].split(".")[0] in types.RESOURCE_TYPES | types.DATA_TYPES for place in one["context"]
        )
        values = [element for element in elements if element["path"].endswith("value[x]")]
        assert all(value.get("max") == "0" or value["type"] for value in values), one["id"]
        assert one["title"] and one["description"].rstrip(".")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_extension_the_gateway_writes_satisfies_its_definition(path):
    text = re.sub(r'("reference": "[A-Za-z]+/)[^"]*"', r'\1x"', path.read_text("utf-8"))
    for one in resources(json.loads(text)):
        if STRUCTURE in json.dumps(one):
            found = [issue for issue in validate.validate(one, ours()) if "xtension" in issue.where]
            assert [(issue.where, issue.text) for issue in found if issue.severity == "error"] == []


@pytest.mark.parametrize(
    ("name", "holder", "value"),
    [
        ("ethnic-group", "Patient", {"valueString": "汉族"}),
        ("ethnic-group", "Practitioner", {"valueCodeableConcept": {"text": "汉族"}}),
        ("refund", "ExplanationOfBenefit", {}),
    ],
)
def test_an_extension_of_another_type_or_place_is_refused(name, holder, value):
    bad = {"resourceType": holder, "extension": [{"url": STRUCTURE + name, **value}]}
    assert [
        issue for issue in validate.validate(bad, ours()) if issue.severity == "error" and "xtension" in issue.where
    ]


# Codes


def rows():
    """Yield own system, code and display of every code map of the mappings."""
    for path in (ROOT / "mappings").rglob("*.yaml"):
        yield from coded(yaml.load(path.read_text("utf-8"), Loader=tool("verify_codes").LOADER))


def coded(value):
    if isinstance(value, dict):
        for row in value["rows"].values() if isinstance(value.get("rows"), dict) else ():
            if isinstance(row, dict):
                yield row.get("system", value.get("system", "")), row["code"], row.get("display", "")
        if "system" in value and "code" in value:
            yield value["system"], value["code"], value.get("display", "")
        for below in value.values():
            yield from coded(below)
    elif isinstance(value, list):
        for one in value:
            yield from coded(one)


def test_every_code_the_mappings_write_is_in_its_code_system_under_its_name():
    strange = set()
    for system, code, display in rows():
        defined = ours().canonical.get(system)
        if defined is None or defined["resourceType"] != "CodeSystem" or defined["content"] == "not-present":
            continue
        concept = next((one for one in defined["concept"] if one["code"] == code), None)
        names = {concept["display"], *(word["value"] for word in concept["designation"])} if concept else set()
        if concept is None or (display and display not in names):
            strange.add((system, code, display))
    assert strange == set()


def test_codes_have_names_in_both_languages():
    for one in ours().definitions.values():
        for concept in one.get("concept", ()) if one["resourceType"] == "CodeSystem" else ():
            assert concept["designation"][0]["language"] == "en", (one["id"], concept)
            assert concept["designation"][0]["value"].isascii()
        assert len({concept["code"] for concept in one.get("concept", ())}) == len(one.get("concept", ()))


@pytest.mark.parametrize(
    ("name", "code", "target"),
    [
        ("sex", "1", ("male", "equivalent")),
        ("sex", "9", ("unknown", "wider")),
        ("marital-status", "22", ("M", "wider")),
        ("marital-status-1984", "4", ("D", "equivalent")),
        ("insurance-kind", "03", ("390", "wider")),
        ("insurance-kind", "01", ("310", "equivalent")),
        ("insurance-name", "新农合", ("390", "wider")),
        ("front-page-abo", "3", ("3", "equivalent")),
        ("identity-document-rc038", "6", ("03", "equivalent")),
        ("family-relation", "11", ("HUSB", "equivalent")),
    ],
)
def test_a_concept_map_says_what_the_mapping_does(name, code, target):
    groups = ours().definitions[f"ConceptMap/{name}"]["group"]
    (found,) = [one["target"][0] for group in groups for one in group["element"] if one["code"] == code]
    assert (found["code"], found["equivalence"]) == target


def test_kinds_of_insurance_that_the_platform_numbers_otherwise_are_not_guessed():
    groups = ours().definitions["ConceptMap/insurance-kind"]["group"]
    assert {one["code"] for group in groups for one in group["element"]} == {"01", "02", "03"}


def test_codes_of_others_are_looked_up_and_their_check_digits_are_right():
    listed = yaml.safe_load((DEFINITIONS / "published-codes.yaml").read_text("utf-8"))
    known = {(name, code) for name, one in listed.items() for kind in ("found", "not_found") for code in one[kind]}
    assert set(tool("verify_codes").used(ROOT)) == known, "run tools/verify_codes.py"
    assert [code for name, code in known if name == "loinc" and not luhn.is_valid(code.replace("-", ""))] == []
    assert [code for name, code in known if name == "snomed" and not verhoeff.is_valid(code)] == []


def test_codes_are_looked_up_in_packages_and_folders(tmp_path, monkeypatch, capsys):
    verify = tool("verify_codes")
    coding = {
        "resourceType": "ValueSet",
        "compose": {"include": [{"system": "http://loinc.org", "concept": [{"code": "8302-2", "display": "Height"}]}]},
    }
    module = {
        "codes": [
            {"system": "SNOMED-CT", "code": "3457005", "display": "Referral"},
            {"system": "LOINC", "code": "1988-5"},
        ]
    }
    race = {
        "resourceType": "CodeSystem",
        "url": "http://race",
        "concept": [{"code": "8867-4", "display": "No heart rate"}],
    }
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "m.json").write_text(json.dumps(module), "utf-8")
    (tmp_path / "v.json").write_text(json.dumps([coding, race]), "utf-8")
    with tarfile.open(tmp_path / "some.package-1.0.tgz", "w:gz") as package:
        package.add(tmp_path / "v.json", "package/v.json")
    monkeypatch.setattr(verify, "TARGET", tmp_path / "found.yaml")
    verify.main([str(tmp_path / "some.package-1.0.tgz"), str(tmp_path / "modules")])
    made = yaml.safe_load((tmp_path / "found.yaml").read_text("utf-8"))
    assert made["loinc"]["found"] == {
        "1988-5": {"as": made["loinc"]["found"]["1988-5"]["as"], "names": ["(no name)"], "by": ["modules"]},
        "8302-2": {"as": "Body height", "names": ["Height"], "by": ["some.package"]},
    }
    assert list(made["snomed"]["found"]) == ["3457005"]
    assert "8867-4" in made["loinc"]["not_found"]
    assert "'loinc': (2, 24)" in capsys.readouterr().out


def test_the_documentation_names_the_codes_that_could_not_be_looked_up():
    listed = yaml.safe_load((DEFINITIONS / "published-codes.yaml").read_text("utf-8"))
    page = (ROOT / "docs" / "profiles.md").read_text("utf-8")
    assert [code for one in listed.values() for code in one["not_found"] if f"`{code}`" not in page] == []


# Search parameters


def test_search_parameters_have_numbers_that_stay():
    found = {}
    for one in ours().definitions.values():
        if one["resourceType"] == "SearchParameter":
            (number,) = one["extension"]
            assert number["url"] == f"{STRUCTURE}search-parameter-number"
            found[one["id"]] = number["valueInteger"]
            assert expression.parse(one["expression"])
            assert one["base"][0] in types.RESOURCE_TYPES
    assert found == NUMBERS


@pytest.fixture
def installed():
    definitions.install(ROOT / "profiles")
    yield
    parameters.adopt(())
    extract.forget()


AREA = [
    {"extension": [{"url": f"{STRUCTURE}area-code", "valueCoding": {"system": f"{SYSTEM}area", "code": "519927115"}}]}
]
RELEASE = [{"url": "audience", "valueCode": "contracted"}, {"url": "from", "valueDateTime": "2025-12-20"}]
GROUP = {"coding": [{"system": f"{SYSTEM}population-group", "code": "elder"}]}
STATUS = {"coding": [{"system": f"{SYSTEM}contract-status", "code": "renewed"}]}


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "kind", "body", "found"),
    [
        ("coverage-period", "Coverage", {"period": {"start": "2026-01-01"}}, ("date", 1767196800000000)),
        ("task-due", "Task", {"restriction": {"period": {"start": "2026-01-01"}}}, ("date", 1767196800000000)),
        (
            "slot-release-audience",
            "Slot",
            {"extension": [{"url": f"{STRUCTURE}release", "extension": RELEASE}]},
            ("token", "contracted"),
        ),
        (
            "slot-release-from",
            "Slot",
            {"extension": [{"url": f"{STRUCTURE}release", "extension": RELEASE}]},
            ("date", 1766160000000000),
        ),
        (
            "careplan-population-group",
            "CarePlan",
            {"extension": [{"url": f"{STRUCTURE}population-group", "valueCodeableConcept": GROUP}]},
            ("token", "elder"),
        ),
        (
            "careplan-contract-status",
            "CarePlan",
            {"extension": [{"url": f"{STRUCTURE}contract-status", "valueCodeableConcept": STATUS}]},
            ("token", "renewed"),
        ),
        ("patient-area", "Patient", {"address": AREA}, ("token", "519927115")),
        ("organization-area", "Organization", {"address": AREA}, ("token", "519927115")),
    ],
)
def test_a_search_parameter_finds_what_it_is_for(name, kind, body, found):
    rows = getattr(extract.rows({"resourceType": kind, **body}, kind), found[0])
    (row,) = [one for one in rows if one[0] == NUMBERS[name]]
    assert found[1] in row


# Naming


def test_every_identifier_system_the_gateway_writes_has_a_name():
    systems = set()

    def walk(value):
        if isinstance(value, dict):
            if "value" in value and isinstance(value.get("system"), str) and "code" not in value:
                systems.add(value["system"])
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    walk([one for _, one in golden()])
    others = {"urn:dicom:uid", "urn:ietf:rfc:3986", "http://unitsofmeasure.org", "phone", "email"}
    assert {name for name in systems - others if ours().naming(name) is None} == set()


def test_every_national_number_of_the_mappings_has_a_name():
    naming = yaml.safe_load((ROOT / "mappings" / "base" / "naming.yaml").read_text("utf-8"))
    assert [name for name, uri in naming["national"].items() if ours().naming(uri) is None] == []


def test_no_definition_depends_on_the_base_of_institution_numbers():
    # base_url is an installation's own; addresses of definitions are ours and the same everywhere.
    for path in (ROOT / "profiles").rglob("*.json"):
        text = path.read_text("utf-8")
        assert f"{BASE}/id/" not in text and f"{BASE}/codes/" not in text, path.name
