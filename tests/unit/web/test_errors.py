"""Failures as HTTP: every category has a status, and its sentence reaches the client as valid FHIR."""

import json

import pytest

from gateway.conformance import structure
from gateway.errors import Category, GatewayError, Transient
from gateway.fhir.issues import Invalid, Issue
from gateway.web import errors


@pytest.mark.parametrize("category", Category)
def test_every_category_has_a_status_and_a_valid_outcome(category):
    fault = GatewayError("a sentence", where="Patient.name", category=category)
    assert 400 <= errors.status(fault) < 600
    body = json.loads(errors.outcome(fault))
    assert structure.check(body) == []
    assert body["issue"][0]["expression"] == ["Patient.name"]


def test_a_busy_server_says_when_to_come_back():
    assert int(errors.headers(Transient("x"))["retry-after"]) > 0
    assert errors.headers(GatewayError("x")) == {}


def test_a_fault_of_http_has_its_own_status_and_headers():
    fault = errors.HttpFault("x", 405, "not-supported", headers={"allow": "GET"})
    assert (errors.status(fault), errors.headers(fault)) == (405, {"allow": "GET"})


def test_half_characters_a_client_sent_do_not_break_the_answer():
    assert json.loads(errors.outcome(GatewayError("a \ud800 b")))["issue"][0]["details"]["text"] == "a ? b"


def test_invalid_content_is_told_with_each_of_its_findings():
    issues = [
        Issue("warning", "value", "odd", "Patient.name"),
        Issue("error", "code-invalid", "wr\ud800ng", "Patient.gender"),
    ]
    fault = Invalid(issues)
    assert (errors.status(fault), fault.text, fault.where) == (422, "wr\ud800ng", "Patient.gender")
    told = json.loads(errors.outcome(fault))["issue"]
    assert [(one["severity"], one["details"]["text"]) for one in told] == [("warning", "odd"), ("error", "wr?ng")]
    assert told[1]["expression"] == ["Patient.gender"]
