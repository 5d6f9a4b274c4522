"""Requests of CDS Hooks, good and odd: read, or refused with a sentence, whatever stands in them."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.access.actor import Actor
from gateway.community.recognition.consulting import Consultant
from gateway.errors import GatewayError
from gateway.hooks import Consultation
from gateway.search.scope import Scope
from gateway.web.cds.request import SELECT, SIGN, parse
from tests.support.recognised import order
from tests.unit.community.recognition.test_consulting import Knowing
from tests.web.clinic import asked

WHOLE = asked(order(id="d1"), order(id="d2"), hook=SELECT, fhirServer="https://clinic.example/fhir/")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "reference", "code"]), inner),
    max_leaves=4,
)


def places(value, path=()):
    """Every place inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*path, key)
        yield from places(one, (*path, key))


def changed(path, value):
    whole = copy.deepcopy(WHOLE)
    at = whole
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return whole


class Deaf(Knowing):
    """A service that finds nothing."""

    @staticmethod
    def advise(asked_, _):
        assert asked_.orders
        return []


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(places(WHOLE), key=repr)), JSON)
def test_whatever_stands_in_a_request_is_read_or_refused(path, value):
    try:
        found = parse(json.dumps(changed(path, value)).encode(), SELECT)
    except GatewayError as fault:
        assert len(fault.text) > 10
        return
    kinds = (("encounter", "Encounter"), ("user", "PractitionerRole"))
    sent = [found.sent(*kind) for kind in kinds]
    actor = Actor("dr", "TREAT", Scope(None))
    assert Consultant(Deaf()).consult(Consultation(actor, "p1", found.drafts, *sent), 1.0) == []


def test_references_with_their_type_are_ids_too():
    whole = asked(order(id="d1"), context={"patientId": "Patient/p1", "encounterId": "Encounter/e1"})
    found = parse(json.dumps(whole).encode(), SIGN)
    assert (found.patient, found.encounter, len(found.drafts)) == ("p1", "e1", 1)


@pytest.mark.parametrize(
    ("reference", "taken"),
    [
        ("Patient/p1", True),
        ("https://clinic.example/fhir/Patient/p1/_history/2", True),
        ("Patient/p2", False),
        ("https://clinic.example/fhir/Patient/p2", False),
        ("Group/p2", True),
        ("#contained", True),
    ],
)
def test_drafts_of_another_patient_are_left_out(reference, taken):
    whole = asked(order(id="d1", subject={"reference": reference}))
    assert bool(parse(json.dumps(whole).encode(), SIGN).drafts) is taken
