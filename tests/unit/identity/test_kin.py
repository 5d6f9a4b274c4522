"""A number that is a parent's, and the mother a Patient names (china.md section 5.2 cases 11 and 12)."""

import pytest

from gateway.identity import kin
from tests.support.residents import resident_id

MOTHER = resident_id("19950305", 4)
FATHER = resident_id("19930305", 3)


@pytest.mark.parametrize(("number", "birth", "sex", "newborn", "flags", "mother"), [
    ("", "2026-01-12", "male", True, (), ""),
    (MOTHER, "1995-03-05", "female", False, (), ""),
    (MOTHER, "1995", "", False, (), ""),
    (MOTHER, "", "", False, (), ""),
    (MOTHER, "1995-05-03", "female", False, ("conflicting-birth",), ""),
    (MOTHER, "1996", "female", False, ("conflicting-birth",), ""),
    (MOTHER, "1995-03-05", "male", False, ("conflicting-sex",), ""),
    (MOTHER, "1999-01-01", "male", False, ("borrowed-id",), ""),  # neither birth nor sex is its own
    (MOTHER, "2026-01-12", "female", False, ("borrowed-id",), MOTHER),
    (MOTHER, "2026-01-12", "male", True, ("borrowed-id",), MOTHER),
    (MOTHER, "", "", True, ("borrowed-id",), MOTHER),
    (FATHER, "2026-01-12", "male", True, ("borrowed-id",), ""),
    (MOTHER, "1960-01-12", "female", False, ("borrowed-id",), ""),  # a daughter's is not a mother's
    (resident_id("20260112", 4), "2026-01-12", "female", True, (), ""),  # the newborn has a number of its own
])  # fmt: skip
def test_whose_number_it_is(number, birth, sex, newborn, flags, mother):
    assert kin.doubts(number, birth, sex, newborn=newborn) == (flags, mother)


@pytest.mark.parametrize("relationship", [
    [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}]}], [{"text": "母亲"}],
    [{"coding": [{"code": "C"}]}, {"coding": [{"code": "x"}, {"code": "52"}]}],
])  # fmt: skip
def test_the_mother_is_a_contact(relationship):
    body = {"contact": [{"name": {"text": "王立軍"}, "relationship": [{"text": "父亲"}]},
                        {"name": {"text": "陈 玘"}, "relationship": relationship}]}  # fmt: skip
    assert kin.mother(body) == "陈玘"


def test_the_mothers_maiden_name():
    url = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName"
    assert kin.mother({"extension": [{"url": "x"}, {"url": url, "valueString": "陳玘"}]}) == "陈玘"
    assert kin.mother({"extension": [{"url": url, "valueString": 3}]}) == ""


@pytest.mark.parametrize("body", [{}, {"contact": None, "extension": "x"}, {"contact": [3, {}, {"relationship": [{"coding": 3}, 4]}]},
                                  {"contact": [{"relationship": [{"text": "母亲"}], "name": "不详"}]},
                                  {"contact": [{"relationship": [{"text": "母亲"}], "name": {"text": "不详"}}]}])  # fmt: skip
def test_nobody_is_named(body):
    assert kin.mother(body) == ""
