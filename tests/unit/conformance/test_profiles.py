"""Our own definitions: right R4, unique, and found by OID and URI."""

import json

import pytest

from gateway.conformance import profiles, structure
from gateway.errors import Category, GatewayError
from gateway.fhir import resource
from gateway.settings import shipped

SHIPPED = sorted(path for path in shipped("profiles").rglob("*.json"))


@pytest.fixture(scope="module")
def ours():
    return profiles.load(shipped("profiles"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_shipped_definition_is_right(path):
    definition = resource.loads(path.read_bytes())
    assert structure.check(definition) == []
    assert definition["id"] == path.stem
    for concept in definition.get("concept", ()):
        assert concept["display"]
    assert definition.get("count", 0) == len(definition.get("concept", ()))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("2.16.156.10011.1.3", "resident-id"),
        ("urn:oid:2.16.156.10011.1.3", "resident-id"),
        ("urn:oid:2.16.156.10011.1.11", "outpatient-number"),
        ("https://yigong.example/fhir/id/county-hospital/outpatient-number", "institution-number"),
        ("https://health.example/r4/codes/county-hospital/ward", "institution-codes"),
        ("https://health.example/r4/id/township/柳溪镇中心卫生院/outpatient", "institution-number"),
        ("https://health.example/r4/CodeSystem/county-hospital/lab-item", "institution-codes"),
        ("https://yigong.example/fhir/NamingSystem/insured-person", "insured-person"),
    ],
)
def test_a_naming_system_is_found(ours, name, found):
    assert ours.naming(name).id == found


@pytest.mark.parametrize("name", ["2.16.156.10011.1.999", "urn:oid:1", "https://x/id/a/b/c/d", "x", ""])
def test_an_unknown_name_is_none(ours, name):
    assert ours.naming(name) is None


def test_what_a_naming_system_says(ours):
    resident = ours.namings["resident-id"]
    assert (resident.uri, resident.oid) == ("urn:oid:2.16.156.10011.1.3", "2.16.156.10011.1.3")
    assert (resident.title, resident.kind) == ("居民身份证号", "identifier")


def test_codes_have_displays(ours):
    assert ours.display("urn:oid:2.16.156.10011.2.3.3.4", "1") == "男性"
    assert ours.display("urn:oid:2.16.156.10011.2.3.1.250", "1") == "阴性"
    assert ours.display("urn:oid:2.16.156.10011.2.3.3.4", "3") is None
    assert ours.display("urn:unknown", "1") is None
    assert len(ours.canonical["urn:oid:2.16.156.10011.2.3.3.3"]["concept"]) == 56


def test_value_sets_use_known_code_systems(ours):
    for definition in ours.definitions.values():
        for include in definition.get("compose", {}).get("include", ()):
            assert ours.naming(include["system"]) or include["system"] in ours.canonical


def write(folder, **files):
    (folder / "naming").mkdir(exist_ok=True)
    for name, value in files.items():
        text = value if isinstance(value, str) else json.dumps(value)
        (folder / "naming" / f"{name}.json").write_text(text, encoding="utf-8")


def naming(name, *uniques):
    return {
        "resourceType": "NamingSystem",
        "id": name,
        "name": name,
        "status": "active",
        "kind": "identifier",
        "date": "2026",
        "uniqueId": [{"type": kind, "value": value} for kind, value in uniques],
    }


def test_the_version_changes_with_any_file(tmp_path):
    write(tmp_path, a=naming("a", ("uri", "urn:a")))
    first = profiles.load(tmp_path)
    write(tmp_path, a=naming("a", ("uri", "urn:b")))
    second = profiles.load(tmp_path)
    assert first.version != second.version
    assert (second.naming("urn:a"), second.naming("urn:b").title) == (None, "a")


def test_all_faults_are_told_and_nothing_is_taken(tmp_path):
    write(tmp_path, good=naming("good", ("uri", "urn:good")), broken="{", twice='{"a":1,"a":2}')
    write(
        tmp_path,
        wrong={"resourceType": "NamingSystem", "id": "x"},
        nameless=naming("n", ("uri", "urn:n")) | {"id": "n"},
    )
    with pytest.raises(GatewayError) as caught:
        profiles.load(tmp_path)
    for part in ("naming/broken.json: The text", "naming/twice.json: object with", "NamingSystem.uniqueId"):
        assert part in caught.value.text
    assert "good.json" not in caught.value.text


def test_names_are_unique(tmp_path):
    same = ("oid", "1.2.3")
    write(tmp_path, a=naming("a", ("uri", "urn:a"), same), b=naming("b", ("uri", "urn:a"), same), c=naming("a", same))
    with pytest.raises(GatewayError) as caught:
        profiles.load(tmp_path)
    for part in ("urn:a is defined twice", "1.2.3 names another", "NamingSystem/a is defined twice"):
        assert part in caught.value.text


def test_a_definition_needs_an_id(tmp_path):
    nameless = naming("a", ("uri", "urn:a"))
    del nameless["id"]
    write(tmp_path, a=nameless)
    with pytest.raises(GatewayError, match="it has no id"):
        profiles.load(tmp_path)


def test_many_faults_are_cut(tmp_path):
    write(tmp_path, **{f"f{number}": "{" for number in range(30)})
    with pytest.raises(GatewayError, match="… and 10 more"):
        profiles.load(tmp_path)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(GatewayError) as caught:
        profiles.load(tmp_path / "none")
    assert caught.value.category is Category.NOT_FOUND
