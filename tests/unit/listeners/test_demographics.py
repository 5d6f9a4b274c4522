"""Between PID and Patient, in both directions."""

import pytest

from gateway.formats.hl7v2_query import Address, BadQuery, Number, Wanted
from gateway.listeners import demographics

PATIENT = {
    "identifier": [
        {"system": "urn:oid:2.16.156.10011.1.3", "value": "11010519491231002X"},
        {"value": "P1", "assigner": {"display": "QH"}, "type": {"coding": [{"code": "LocalID"}]}},
        {"system": "x"},
    ],
    "name": [{"text": "张三", "use": "official"}, {"family": "ZHANG", "given": ["San", "B"], "use": "old"}],
    "telecom": [
        {"system": "phone", "value": "10012345678"},
        {"system": "phone", "value": "10087654321", "use": "work"},
        {"system": "email", "value": "a@b.example"},
    ],
    "address": [{"text": "whole"}, {"line": ["l1", "l2"], "city": "c", "district": "d"}],
    "birthDate": "1949-12",
    "gender": "female",
    "deceasedDateTime": "2026-01-01",
}


def test_a_patient_as_pid_tells_it():
    person = demographics.person(PATIENT)
    assert person.numbers == (
        Number("11010519491231002X", oid="2.16.156.10011.1.3"),
        Number("P1", "QH", type="LocalID"),
    )
    assert person.names == (("张三", "", "L"), ("ZHANG", "San B", ""))
    assert (person.home_phones, person.work_phones) == (("10012345678",), ("10087654321",))
    assert person.addresses == (Address("whole"), Address("l1 l2", "c", district="d"))
    assert (person.birth, person.sex, person.resident_id, person.dead) == ("194912", "F", "11010519491231002X", True)


def test_an_empty_patient_tells_nothing():
    assert demographics.person({"resourceType": "Patient"}) == demographics.Person()


@pytest.mark.parametrize(
    ("wanted", "pairs"),
    [
        ([Wanted(3, 1, "a|b,c")], [("identifier", "a\\|b\\,c")]),
        ([Wanted(5, 1, "张"), Wanted(5, 2, "三")], [("name:exact", "张三")]),
        ([Wanted(5, 1, "张*")], [("name", "张")]),
        ([Wanted(5, 1, "ZHANG"), Wanted(5, 2, "San")], [("family:exact", "ZHANG"), ("given:exact", "San")]),
        ([Wanted(5, 1, "ZH*")], [("family", "ZH")]),
        ([Wanted(7, 1, "1980")], [("birthdate", "1980")]),
        ([Wanted(7, 1, "19800102030405")], [("birthdate", "1980-01-02")]),
        ([Wanted(8, 1, "f")], [("gender", "female")]),
        ([Wanted(11, 5, "519927")], [("address-postalcode", "519927")]),
        ([Wanted(14, 12, "1")], [("phone", "1")]),
    ],
)
def test_what_is_wanted_as_a_search(wanted, pairs):
    assert demographics.pairs(wanted) == pairs


@pytest.mark.parametrize("wanted", [Wanted(5, 1, "*"), Wanted(3, 5, "T"), Wanted(11, 2, "x"), Wanted(30, 1, "Y")])
def test_what_cannot_be_searched_by_is_refused(wanted):
    with pytest.raises(BadQuery):
        demographics.pairs([wanted])


@pytest.mark.parametrize(
    ("wanted", "agrees"),
    [
        ([Wanted(3, 1, "P1")], True),
        ([Wanted(3, 1, "P1"), Wanted(3, 4, "QH")], True),
        ([Wanted(3, 1, "P1"), Wanted(3, 4, "XX")], False),
        ([Wanted(3, 1, "P1"), Wanted(3, 5, "Other")], False),
        ([Wanted(3, 1, "11010519491231002X"), Wanted(3, 4, "2.16.156.10011.1.3")], True),
        ([Wanted(3, 1, "11010519491231002X"), Wanted(3, 5, "IdentifyNO")], True),
        ([Wanted(5, 1, "张三")], True),
    ],
)
def test_an_authority_rules_out_only_what_is_known_to_differ(wanted, agrees):
    assert demographics.agrees(wanted, PATIENT) is agrees
