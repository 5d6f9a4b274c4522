"""Profiles that produced resources bear: each holds by the full judge, and those that hold are borne."""

import json
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from gateway import settings
from gateway.conformance import profiles, rules, validate
from gateway.conformance.claims import claims
from gateway.fhir.issues import has_errors
from tests.unit.conformance.region import BASE, code_system, extension, region, structure, url, value_set

ROOT = Path(__file__).parents[3]
MARK = {"keyword": [{"system": rules.CLAIMED[0], "code": rules.CLAIMED[1]}]}
_PLACE = re.compile(r'("(?:reference|url)": "[A-Z][A-Za-z]+/)([^"]+)"')


@pytest.fixture(scope="module")
def shipped():
    return profiles.load(settings.shipped("profiles"))


def produced():
    """What the golden pairs say the gateway makes, names of drafts in references read as ids."""
    for path in sorted((ROOT / "mappings").rglob("samples/*.json")):
        text = _PLACE.sub(lambda found: found[1] + re.sub("[^A-Za-z0-9.-]", "-", found[2]) + '"', path.read_text())
        yield from resources(json.loads(text, parse_float=Decimal))


def resources(node):
    """The resources in a golden file, whose drafts stand in lists, or by row."""
    if isinstance(node, dict) and "resourceType" in node:
        yield node
    elif isinstance(node, dict | list):
        for below in node.values() if isinstance(node, dict) else node:
            yield from resources(below)


def test_what_is_claimed_is_what_holds(shipped):
    seen = Counter()
    for one in produced():
        borne = claims(one, shipped)
        for profile in rules.everything(shipped):
            if profile.claimed and profile.type == one["resourceType"]:
                right = not has_errors(validate.validate(one, shipped, [profile.url]))
                assert (profile.url in borne) == right, (profile.url, one)
                seen[profile.url, right] += 1
    assert sum(number for (_, right), number in seen.items() if right) > 100
    assert sum(number for (_, right), number in seen.items() if not right) > 10


def test_observations_have_no_such_profile(shipped):
    assert not [one.url for one in rules.everything(shipped) if one.claimed and one.type == "Observation"]


@pytest.fixture
def agree():
    """Ask the quick test and the full judge, who must not contradict each other; return the quick answer."""

    def ask(resource, definitions):
        held = region(*definitions)
        borne = claims(resource, held)
        for name in borne:
            assert not has_errors(validate.validate(resource, held, [name]))
        return bool(borne)

    return ask


def person(**given):
    return {"resourceType": "Patient", "name": [{"text": "王"}], **given}


RULE = {"key": "p-1", "severity": "error", "human": "x", "expression": "name.exists()"}
SLICED = {"slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}}
DOCTOR = [{"code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Practitioner"]}]


@pytest.mark.parametrize(
    ("elements", "right", "wrong"),
    [
        ([("Patient.name", {"min": 1, "max": "1"})], {}, {"name": [{"text": "a"}, {"text": "b"}]}),
        ([("Patient.gender", {"fixedCode": "male"})], {"gender": "male"}, {"gender": "female"}),
        ([("Patient.name", {"patternHumanName": {"text": "王"}})], {}, {"name": [{"text": "李"}]}),
        ([("Patient.name.family", {"max": "0"})], {}, {"name": [{"text": "王", "family": "王"}]}),
        (
            [("Patient.deceased[x]", {"type": [{"code": "boolean"}]})],
            {"deceasedBoolean": True},
            {"deceasedDateTime": "2026"},
        ),
        (
            [("Patient.generalPractitioner", {"type": DOCTOR})],
            {"generalPractitioner": [{"reference": "Practitioner/1"}]},
            {"generalPractitioner": [{"reference": "Organization/1"}]},
        ),
        (
            [
                ("Patient.identifier", SLICED),
                ("Patient.identifier:n", {"max": "1"}),
                ("Patient.identifier:n.system", {"min": 1, "fixedUri": "urn:n"}),
                ("Patient.identifier:n.value", {"min": 1}),
            ],
            {"identifier": [{"system": "urn:n", "value": "1"}, {"system": "urn:m"}]},
            {"identifier": [{"system": "urn:n"}]},
        ),
        ([("Patient", {"constraint": [RULE]})], {}, {"name": []}),
        ([("Patient.name", {"constraint": [RULE | {"expression": "text = %resource.name.text"}]})], {}, {"name": [{"text": "a"}, {"text": "b"}]}),
        ([], {"telecom": [{"system": "phone", "value": "1"}]}, {"telecom": [{"value": "1"}]}),
        ([], {"address": [{"period": {"start": "2020"}}]}, {"address": [{"period": {"start": "2021", "end": "2020"}}]}),
        ([], {"contact": [{"name": {"text": "x"}}]}, {"contact": [{"gender": "male"}]}),
        ([], {"extension": [{"url": url("held"), "valueString": "x"}]}, {"extension": [{"url": url("held"), "valueInteger": 1}]}),
        ([], {"extension": [{"url": "https://elsewhere.example/x", "valueString": "x"}]}, {"extension": [{"url": url("none"), "valueString": "x"}]}),
        ([], {"_birthDate": {"extension": [{"url": "urn:x", "valueString": "x"}]}}, {"text": {"status": "empty", "div": "x"}}),
        ([("Patient.birthDate", {"min": 1})], {"_birthDate": {"extension": [{"url": "urn:x", "valueString": "x"}]}}, {}),
    ],
)  # fmt: skip
def test_quick_and_full_judge_agree(agree, elements, right, wrong):
    definitions = [structure("p", "Patient", *elements, **MARK), extension("held")]
    assert agree(person(**right), definitions)
    assert not agree(person(**wrong), definitions)


def test_required_codes_are_looked_up(agree):
    rule = {"binding": {"strength": "required", "valueSet": f"{BASE}/ValueSet/v"}}
    colours = [value_set("v", {"system": f"{BASE}/CodeSystem/c"}), code_system("c", {"code": "red"})]
    definitions = [structure("p", "Patient", ("Patient.maritalStatus", rule), **MARK), *colours]
    coding = {"system": f"{BASE}/CodeSystem/c", "code": "red"}
    assert agree(person(maritalStatus={"coding": [coding]}), definitions)
    assert not agree(person(maritalStatus={"coding": [coding | {"code": "blue"}]}), definitions)
    assert not agree(person(maritalStatus={"text": "red"}), definitions)
    plain = {"binding": {"strength": "required", "valueSet": "http://hl7.org/fhir/ValueSet/administrative-gender"}}
    assert agree(person(gender="male"), [structure("p", "Patient", ("Patient.gender", plain), **MARK)])


def test_a_profile_on_another_needs_both(agree):
    lower = structure("lower", "Patient", ("Patient.birthDate", {"min": 1}))
    upper = structure("upper", "Patient", ("Patient.name", {"min": 1}), baseDefinition=url("lower"), **MARK)
    assert agree(person(birthDate="2020"), [lower, upper])
    assert not agree(person(), [lower, upper])
    assert not agree(person(birthDate="2020"), [structure("x", "Patient", baseDefinition="urn:none", **MARK)])


def test_a_profile_of_a_type_is_part_of_it(agree):
    named = structure("named", "HumanName", ("HumanName.text", {"min": 1}), kind="complex-type")
    rule = {"type": [{"code": "HumanName", "profile": [url("named")]}]}
    definitions = [structure("p", "Patient", ("Patient.name", rule), **MARK), named]
    assert agree(person(), definitions)
    assert not agree(person(name=[{"family": "王"}]), definitions)


@pytest.mark.parametrize(
    "slicing",
    [
        {"discriminator": [{"type": "value", "path": "system"}], "rules": "openAtEnd"},
        {"discriminator": [{"type": "value", "path": "system"}], "rules": "open", "ordered": True},
        {"discriminator": [{"type": "exists", "path": "period"}], "rules": "open"},
    ],
)
def test_what_has_no_quick_form_is_not_claimed(agree, slicing):
    part = ("Patient.identifier:n", {"patternIdentifier": {"system": "urn:n"}})
    definitions = [structure("p", "Patient", ("Patient.identifier", {"slicing": slicing}), part, **MARK)]
    assert not agree(person(identifier=[{"system": "urn:n"}]), definitions)


def test_a_closed_list_takes_its_slices_only(agree):
    slicing = {"discriminator": [{"type": "pattern", "path": "$this"}], "rules": "closed"}
    part = ("Patient.identifier:n", {"patternIdentifier": {"system": "urn:n"}})
    definitions = [structure("p", "Patient", ("Patient.identifier", {"slicing": slicing}), part, **MARK)]
    assert agree(person(identifier=[{"system": "urn:n", "value": "1"}]), definitions)
    assert not agree(person(identifier=[{"system": "urn:m", "value": "1"}]), definitions)


def test_answers_are_forgotten_before_they_fill_the_memory(agree, monkeypatch):
    monkeypatch.setattr("gateway.conformance.quick._REMEMBERED", 2)
    definitions = [structure("p", "Patient", ("Patient.birthDate", {"min": 1}), **MARK)]
    held = region(*definitions)
    assert [len(claims(person(birthDate=f"20{n:02}"), held)) for n in range(10)] == [1] * 10


def test_an_expression_that_cannot_be_read_is_never_claimed(agree):
    rule = RULE | {"expression": "name.exists("}
    assert not agree(person(), [structure("p", "Patient", ("Patient", {"constraint": [rule]}), **MARK)])
