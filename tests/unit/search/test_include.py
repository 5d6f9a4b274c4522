"""Includes as values: what may be followed, what is refused with a sentence, and the literal references of a resource."""

import pytest

from gateway.errors import GatewayError
from gateway.search import parameters
from gateway.search.include import Include, Literal, literals, parse, pointing, references

SUBJECT = parameters.for_type("Observation")["subject"]
PATIENT = parameters.for_type("Observation")["patient"]


@pytest.mark.parametrize(
    ("name", "modifier", "value", "wanted"),
    [
        ("_include", "", "Observation:subject", Include("Observation", SUBJECT)),
        ("_include", "", "Observation:patient:Patient", Include("Observation", PATIENT, "Patient")),
        ("_include", "", "*", Include("", None)),
        ("_include", "", "Observation:*", Include("Observation", None)),
        (
            "_include",
            "iterate",
            "Patient:link",
            Include("Patient", parameters.for_type("Patient")["link"], iterate=True),
        ),
        ("_include", "recurse", "*", Include("", None, iterate=True)),
        ("_revinclude", "", "Observation:subject", Include("Observation", SUBJECT, reverse=True)),
        ("_revinclude", "iterate", "*", Include("", None, reverse=True, iterate=True)),
    ],
)
def test_instructions(name, modifier, value, wanted):
    assert parse(name, modifier, value, ("Observation",)) == wanted


@pytest.mark.parametrize(
    ("name", "modifier", "value", "text"),
    [
        (
            "_include",
            "",
            "Observation:code",
            "names no reference parameter of Observation. Usable: .*Observation:subject",
        ),
        ("_include", "", "Observation", "names no reference parameter"),
        ("_include", "", "", "no resource type ''"),
        ("_include", "", "Observation:subject:Nobody", "no resource type 'Nobody'"),
        ("_include", "", "Patient:link", "begins at Patient, .* Begin at Observation, or write _include:iterate"),
        ("_include", "not", "Observation:subject", "takes the modifier :iterate, not :not"),
        ("_revinclude", "", "AuditEvent:entity", "AuditEvent is made up for each answer .* ask /AuditEvent"),
        ("_revinclude", "", "Nobody:x", "_revinclude=Nobody:x: R4 has no resource type"),
        ("_revinclude", "", "Binary:x", "Usable: none"),
    ],
)
def test_refusals_say_what_is_usable(name, modifier, value, text):
    with pytest.raises(GatewayError, match=text) as caught:
        parse(name, modifier, value, ("Observation",))
    assert caught.value.where == name


def test_wildcards_follow_every_parameter_with_references_of_its_own():
    names = {each.name for each in references("Observation")}
    assert {"subject", "performer", "encounter", "derived-from"} <= names
    assert "patient" not in names
    assert "subject" in {each.name for each in pointing("Observation", "Patient")}
    assert "encounter" not in {each.name for each in pointing("Observation", "Patient")}


def test_literal_references_keep_their_version():
    body = {
        "resourceType": "Observation",
        "subject": {"reference": "Patient/1/_history/3"},
        "performer": [{"reference": "Practitioner/x"}, {"reference": "#contained"}, {"display": "nobody"}],
        "derivedFrom": [{"reference": "https://elsewhere.example/Observation/1"}, {"reference": "Nobody/1"}],
    }
    found = {Literal("Practitioner", "x", None), Literal("Patient", "1", 3)}
    assert set(literals(body, references("Observation"))) == found
    assert list(literals(body, [PATIENT])) == [Literal("Patient", "1", 3)]
    body["subject"] = {"reference": "Group/1"}
    assert list(literals(body, [PATIENT])) == []
