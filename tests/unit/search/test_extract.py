"""Extraction: a resource's rows are what a person would look for it by."""

from decimal import Decimal

import pytest

from gateway.errors import GatewayError
from gateway.search import extract, parameters

OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "meta": {"profile": ["https://yigong.example/p"], "tag": [{"code": "t"}]},
    "identifier": [{"system": "s", "value": "LAB-1"}],
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "718-7"}, {"display": "no code"}], "text": "血红蛋白"},
    "subject": {"reference": "Patient/p/_history/2"},
    "effectiveDateTime": "2026-01-02T08:00:00+08:00",
    "valueQuantity": {"value": Decimal("5.40"), "unit": "克/升", "system": "http://unitsofmeasure.org", "code": "g/L"},
    "component": [
        {"code": {"coding": [{"code": "8480-6"}]}, "valueQuantity": {"value": 120, "code": "mm[Hg]"}},
        {"code": {"coding": [{"code": "8462-4"}]}, "valueQuantity": {"value": 80, "code": "mm[Hg]"}},
    ],
}


def named(kind: str, name: str, resource=OBSERVATION) -> list[tuple]:
    type_name = resource["resourceType"]
    param = parameters.for_type(type_name)[name].id
    return [row[1:] for row in getattr(extract.rows(resource, type_name), kind) if row[0] == param]


def test_a_laboratory_result():
    assert [row[1:3] for row in named("token", "code")] == [("http://loinc.org", "718-7")]
    assert [row[2:5] for row in named("token", "identifier")] == [("LAB-1", row_hash("s"), "LAB-1")]
    assert [row[2] for row in named("token", "status")] == ["final"]
    assert [row[2] for row in named("token", "_tag")] == ["t"]
    assert named("reference", "subject") == [("Patient", "p")]
    assert named("date", "date") == [(1767312000000000, 1767312001000000)]
    assert named("quantity", "value-quantity") == [
        (5.4, 5.4, "http://unitsofmeasure.org", "g/L"),
        (5.4, 5.4, "", "克/升"),
    ]
    assert named("uri", "_profile") == [("https://yigong.example/p",)]


def row_hash(system: str) -> int:
    from gateway.search.hashes import hash48

    return hash48(system)


def test_components_pair_their_own_code_and_value():
    pairs = named("composite", "component-code-value-quantity")
    assert [(first[2], second[0]) for first, second in pairs] == [("8480-6", 120.0), ("8462-4", 80.0)]


def test_parameters_that_are_others_rows_have_none():
    made = extract.rows(OBSERVATION, "Observation")
    ids = {row[0] for row in [*made.token, *made.reference, *made.quantity]}
    names = parameters.for_type("Observation")
    assert not ids & {names[name].id for name in ("combo-code", "patient", "combo-value-quantity", "_id")}


def test_equal_codings_share_one_row():
    first, second = (extract.rows(OBSERVATION, "Observation").token for _ in range(2))
    assert all(one is two for one, two in zip(first, second, strict=True) if one[5] is None)


def test_dates_without_a_zone_stand_where_the_caller_says():
    patient = {"resourceType": "Patient", "birthDate": "1990-01-01"}
    here, there = (extract.rows(patient, "Patient", zone).date[0] for zone in ("Asia/Shanghai", "UTC"))
    assert there[1] - here[1] == 8 * 3600 * 1_000_000


def test_a_deceased_flag_is_always_known():
    assert [row[2] for row in named("token", "deceased", {"resourceType": "Patient"})] == ["false"]


@pytest.mark.parametrize("broken", [{"code": "text"}, {"subject": 3}, {"valueQuantity": {"value": "x"}}, {"code": [3]}])
def test_what_is_not_fhir_is_refused_with_a_sentence(broken):
    with pytest.raises(GatewayError, match="Observation cannot be indexed"):
        extract.rows({"resourceType": "Observation", **broken}, "Observation")


def test_targets_follow_one_parameter():
    names = parameters.for_type("Observation")
    resource = {"subject": {"reference": "Group/g"}, "performer": [{"reference": "Organization/o"}]}
    assert [row[1:] for row in extract.targets(resource, names["subject"])] == [("Group", "g")]
    assert extract.targets(resource, names["patient"]) == []
    assert [row[1:] for row in extract.targets(resource, names["performer"])] == [("Organization", "o")]


def test_leaf_types_tell_texts_from_codes():
    patient = parameters.for_type("Patient")
    assert extract.leaf_types(patient["identifier"]) == {"Identifier"}
    assert extract.leaf_types(patient["phone"]) == {"ContactPoint"}
    assert extract.leaf_types(patient["gender"]) == {"code"}


@pytest.mark.parametrize("type_name", ["Patient", "Bundle", "MolecularSequence", "QuestionnaireResponse"])
def test_an_empty_resource_of_any_kind_has_no_more_than_flags(type_name):
    made = extract.rows({"resourceType": type_name}, type_name)
    assert all(row[3] == "false" for row in made.token)
    assert not (made.reference or made.date or made.string)
