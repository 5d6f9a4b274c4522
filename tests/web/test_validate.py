"""$validate over HTTP: what clients are told of resources, profiles and their own mistakes."""

import json

import pytest

from tests.web.county import Web

RESIDENT = "https://yigong.example/fhir/StructureDefinition/resident"
JSON = {"content-type": "application/fhir+json"}


@pytest.fixture
def patient():
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": "11010519491231002X"}],
        "name": [{"text": "王小明", "family": "王", "given": ["小明"]}],
        "gender": "female",
        "birthDate": "1949-12-31",
    }


def asked(web: Web, path, body=None, status=200):
    if body is None:
        answer = web.get(f"/fhir/{path}")
    else:
        answer = web.ask("POST", f"/fhir/{path}", content=json.dumps(body), headers=JSON)
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    return answer.json()["issue"]


def errors(found):
    return [(one["code"], one.get("expression", [""])[0]) for one in found if one["severity"] == "error"]


def test_a_right_resource_is_told_so_in_words(web, patient):
    (one,) = asked(web, "Patient/$validate", patient)
    assert one["severity"] == "information"
    assert "FHIR R4" in one["details"]["text"]


def test_the_profile_named_in_the_query_is_applied(web, patient):
    patient["identifier"][0]["value"] = "110105194912310021"
    assert not errors(asked(web, "Patient/$validate", patient))
    found = asked(web, f"Patient/$validate?profile={RESIDENT}", patient)
    assert ("invariant", "Patient.identifier[0].value") in errors(found)
    assert any("居民" in one["details"]["text"] for one in found)


def test_parameters_carry_resource_mode_and_profile(web, patient):
    del patient["name"]
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "resource", "resource": patient},
            {"name": "mode", "valueCode": "profile"},
            {"name": "profile", "valueUri": RESIDENT},
        ],
    }
    assert errors(asked(web, "Patient/$validate", body)) == [("required", "Patient.name")]


def test_a_parameters_resource_of_its_own_is_judged_as_such(web):
    body = {"resourceType": "Parameters", "parameter": [{"name": "code"}]}
    assert errors(asked(web, "Parameters/$validate", body)) == [("invariant", "Parameters.parameter[0]")]


def test_base_invariants_are_judged(web):
    body = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "AMB"},
        "period": {"start": "2026-03-02", "end": "2026-03-01"},
    }
    assert errors(asked(web, "$validate", body)) == [("invariant", "Encounter.period")]


def test_a_stored_resource_is_judged_where_it_is(web):
    found = asked(web, f"Patient/{web.patient}/$validate")
    assert not errors(found)
    assert not errors(asked(web, f"Patient/{web.patient}/$validate?mode=delete", {"resourceType": "Parameters"}))
    asked(web, "Patient/none/$validate", status=404)


def test_type_and_id_must_be_those_of_the_address(web, patient):
    assert errors(asked(web, "Encounter/$validate", patient)) == [("structure", "Patient")]
    found = asked(web, f"Patient/{web.patient}/$validate?mode=update", patient | {"id": "other"})
    assert errors(found) == [("value", "Patient.id")]


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("Patient/$validate?mode=guess", 400, "create, update, delete, profile"),
        ("Patient/$validate?mode=profile", 400, "canonical"),
        ("Patient/$validate?mode=delete", 400, "/TYPE/ID/"),
        ("Patient/$validate?strange=1", 400, "strange"),
        ("Sparrow/$validate", 404, "Sparrow"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(web, patient, path, status, word):
    (one,) = asked(web, path, patient, status)
    assert word in one["details"]["text"]


def test_there_must_be_something_to_judge(web):
    (one,) = asked(web, "Patient/$validate", {"resourceType": "Parameters", "parameter": [{"name": "mode"}]}, 400)
    assert "no resource" in one["details"]["text"]
    many = "&".join(f"profile={RESIDENT}-{n}" for n in range(21))
    asked(web, f"Patient/$validate?{many}", {"resourceType": "Patient"}, 400)


def test_a_write_is_judged_by_the_profile_it_claims(web, patient):
    claimed = patient | {"meta": {"profile": [RESIDENT]}}
    del claimed["name"]
    found = web.ask("POST", "/fhir/Patient", content=json.dumps(claimed), headers=JSON)
    assert found.status_code == 422
    assert errors(found.json()["issue"]) == [("required", "Patient.name")]
    foreign = patient | {"meta": {"profile": ["https://elsewhere.example/p"]}}
    assert web.ask("POST", "/fhir/Patient", content=json.dumps(foreign), headers=JSON).status_code == 201


def test_the_capability_statement_and_the_document_of_routes_name_the_operation(web):
    (rest,) = web.fhir("metadata")["rest"]
    patient = next(one for one in rest["resource"] if one["type"] == "Patient")
    assert "validate" in {one["name"] for one in rest["operation"]} & {one["name"] for one in patient["operation"]}
    paths = web.get("/openapi.json").json()["paths"]
    assert {"/fhir/$validate", "/fhir/Patient/$validate"} <= paths.keys()
    assert paths["/fhir/Patient/{id}/$validate"].keys() >= {"get", "post"}
