"""Value sets: R4's, ours by every form of compose, and code files a site installed."""

import pytest

from gateway.conformance.terminology import NoCodes, Terminology
from tests.unit.conformance.region import BASE, code_system, region, value_set

SYSTEM = f"{BASE}/CodeSystem/c"
TREE = code_system(
    "c",
    {"code": "animal", "concept": [{"code": "bird", "concept": [{"code": "sparrow"}]}, {"code": "cat"}]},
    {"code": "stone", "property": [{"code": "parent", "valueCode": "thing"}]},
)


class Installed:
    """A code file with one chain of codes."""

    def installed(self, system):
        return system == "urn:icd"

    def above(self, system, code):
        return {"A01.0": ("A01", "A00-A09"), "A01": ("A00-A09",)}.get(code)


def holds(code, *include, system=SYSTEM, exclude=(), codes=None):
    terms = Terminology(region(TREE, value_set("v", *include, exclude=exclude)), codes or NoCodes())
    return terms.holds(f"{BASE}/ValueSet/v|1", system, code)


def kept(op, value, name="concept"):
    return {"system": SYSTEM, "filter": [{"property": name, "op": op, "value": value}]}


@pytest.mark.parametrize(
    ("code", "include", "wanted"),
    [
        ("sparrow", {"system": SYSTEM}, True),
        ("dog", {"system": SYSTEM}, False),
        ("cat", {"system": SYSTEM, "concept": [{"code": "cat"}]}, True),
        ("bird", {"system": SYSTEM, "concept": [{"code": "cat"}]}, False),
        ("sparrow", kept("is-a", "bird"), True),
        ("bird", kept("is-a", "bird"), True),
        ("cat", kept("is-a", "bird"), False),
        ("bird", kept("descendent-of", "bird"), False),
        ("sparrow", kept("descendent-of", "animal"), True),
        ("cat", kept("is-not-a", "bird"), True),
        ("cat", kept("=", "cat", "code"), True),
        ("cat", kept("in", "dog, cat"), True),
        ("cat", kept("not-in", "dog, cat"), False),
        ("cat", kept("regex", "c.t"), True),
        ("stone", kept("=", "thing", "parent"), True),
        ("cat", kept("=", "thing", "parent"), False),
        ("cat", kept("=", "small", "size"), None),
        ("cat", {"valueSet": [f"{BASE}/ValueSet/none"]}, None),
    ],
)
def test_a_value_set_of_ours(code, include, wanted):
    assert holds(code, include) is wanted


def test_codes_of_another_system_are_not_of_it():
    assert holds("cat", {"system": SYSTEM}, system="urn:other") is False
    assert holds("cat", {"system": SYSTEM}, system="") is True


def test_a_system_that_is_not_at_hand_cannot_be_judged():
    assert holds("x", {"system": "urn:unknown"}, system="urn:unknown") is None


def test_what_is_excluded_is_not_of_it():
    assert holds("cat", {"system": SYSTEM}, exclude=[{"system": SYSTEM, "concept": [{"code": "cat"}]}]) is False
    assert holds("bird", {"system": SYSTEM}, exclude=[{"system": SYSTEM, "concept": [{"code": "cat"}]}]) is True
    assert holds("bird", {"system": SYSTEM}, exclude=[{"valueSet": ["urn:none"]}]) is None


def test_code_files_that_are_installed_are_asked():
    below = {"system": "urn:icd", "filter": [{"property": "concept", "op": "is-a", "value": "A00-A09"}]}
    assert holds("A01.0", below, system="urn:icd", codes=Installed()) is True
    assert holds("Z99", below, system="urn:icd", codes=Installed()) is False
    assert holds("A01.0", below, system="urn:icd") is None


def test_r4s_own_value_sets_and_systems():
    terms = Terminology(region(), NoCodes())
    gender = "http://hl7.org/fhir/ValueSet/administrative-gender"
    assert terms.holds(gender, "", "male") is True
    assert terms.holds(gender, "http://hl7.org/fhir/administrative-gender", "m") is False
    assert terms.holds("http://hl7.org/fhir/ValueSet/mimetypes", "", "text/plain") is None
    system = "http://hl7.org/fhir/administrative-gender"
    assert holds("male", {"system": system}, system=system) is True
    assert holds("x", {"system": system}, system=system) is None


def test_value_sets_that_contain_each_other_end():
    circle = value_set("v", {"valueSet": [f"{BASE}/ValueSet/v"]})
    assert Terminology(region(circle), NoCodes()).holds(f"{BASE}/ValueSet/v", SYSTEM, "x") is None


def test_people_are_told_a_name():
    terms = Terminology(region(value_set("colours")), NoCodes())
    assert terms.title(f"{BASE}/ValueSet/colours") == "Colours"
    assert terms.title("http://hl7.org/fhir/ValueSet/languages|4.0.1") == "languages"
