"""CDS Hooks as a clinic's system meets it: discovery, cards of order-select and order-sign, silence, refusals."""

import json
import re
import time
from pathlib import Path

import pytest

from gateway.access.actor import Actor
from gateway.hooks import Opinion
from gateway.search.scope import Scope
from gateway.store.engine import open_store
from gateway.store.identity import NewCase
from tests.store.conftest import database_url, new_store, store  # noqa: F401  the fixtures of the store's tests
from tests.support.recognised import (
    CENTRE,
    COUNTY,
    HOSPITAL,
    TOWNSHIP,
    endpoint,
    order,
    patient,
    report,
    study,
    told,
    value,
)
from tests.web.clinic import ENCOUNTER, SELECT, SIGN, asked, faults, served

ROOT = Path(__file__).resolve().parents[2]
RESIDENT = "51992719800512001"
EMERGENCY = {**ENCOUNTER, "class": {"code": "EMER"}}


def digit(seventeen):
    """The check digit of GB 11643."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(sign) * weight for sign, weight in zip(seventeen, weights, strict=True)) % 11]


NUMBER = RESIDENT + digit(RESIDENT)
CARD = {"system": "urn:oid:2.16.156.10011.1.3", "value": NUMBER}


def fill(store):  # noqa: F811
    """A record of five patients: p1 has potassium two days old, old glucose and a CT; of p2 it is not known if he is p1."""
    (mine,) = told(store, patient(identifier=[CARD], birthDate="1980-05-12", gender="male"))
    told(store, value("k1"), value("g1", "glucose", days=200), endpoint("s1"), study("s1"))
    told(store, report("r1", "ct-chest-plain", 5, imagingStudy=[{"reference": "ImagingStudy/s1"}]))
    told(store, {**EMERGENCY, "id": "e2", "subject": {"reference": "Patient/p1"}})
    (other, _) = told(store, patient("p2"), value("k2", "sodium", of="p2"), site=CENTRE)
    with store.write() as tx:
        tx.cases_add([NewCase(mine, other, 20.0, "[]", "m", 1)])
    told(store, patient("p3"), site=CENTRE)
    told(store, value("k3", of="p3"), site=COUNTY, sensitivity=1)
    told(store, patient("p4"), value("k4", of="p4", performer=[{"display": "<b>[x](javascript:y)</b>"}]))


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """The record in SQLite, shared by the tests, which only read."""
    made = open_store(f"sqlite:///{tmp_path_factory.mktemp('record')}/gateway.db")
    made.migrate()
    fill(made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def clinic(record, tmp_path_factory):
    """A clinic's system beside a gateway that knows of the shipped county."""
    with served(record, tmp_path_factory.mktemp("data")) as made:
        yield made


def draft(fid="d1", code="potassium", **more):
    return order(code, id=fid, **more)


def test_discovery_offers_both_hooks(clinic):
    services = clinic.discover()["services"]
    assert [(one["id"], one["hook"]) for one in services] == [(SELECT, "order-select"), (SIGN, "order-sign")]
    assert services[0]["prefetch"]["patient"] == "Patient/{{context.patientId}}"


def test_a_duplicate_order_gets_a_card_with_the_earlier_result(clinic):
    (card,) = clinic.cards(draft())
    assert card["indicator"] == "warning"
    assert card["summary"].startswith(HOSPITAL)
    assert "还剩5天" in card["summary"]
    for line in ("4.1 mmol/L", "Taken: 2026\\-11\\-18 10:00", "Age in days: 2", "Days left: 5", "answers this order"):
        assert line in card["detail"]
    assert card["source"]["topic"]["code"] == "mutual-recognition"
    assert [one["code"] for one in card["overrideReasons"]] == ["E1", "E2", "E3", "E4", "E5", "E6"]
    (suggestion,) = card["suggestions"]
    (action,) = suggestion["actions"]
    assert (action["type"], action["resourceId"]) == ("delete", "ServiceRequest/d1")


def test_the_links_lead_to_the_values(clinic):
    (card,) = clinic.cards(draft())
    (link,) = card["links"]
    assert link["url"] == f"{clinic.base}/fhir/Observation/k1"
    assert clinic.client.get(link["url"]).json()["valueQuantity"]["value"] == 4.1


def test_the_links_lead_to_images(clinic):
    (card,) = clinic.cards(draft(code="ct-chest-plain"))
    assert [one["url"].removeprefix(f"{clinic.base}/fhir/") for one in card["links"]] == [
        "DiagnosticReport/r1",
        "ImagingStudy/s1",
        "http://127.0.0.1/s1",
    ]


def test_each_draft_has_its_own_card_and_uuid(clinic):
    first, second = clinic.cards(draft("d1"), draft("d2"), draft("d3", code="calcium"))
    assert first["uuid"] != second["uuid"]
    assert [one["suggestions"][0]["actions"][0]["resourceId"] for one in (first, second)] == [
        "ServiceRequest/d1",
        "ServiceRequest/d2",
    ]


def test_order_select_looks_at_the_selections_only(clinic):
    both = [draft("d1"), draft("d2")]
    selected = {"selections": ["ServiceRequest/d2", "MedicationRequest/d1"]}
    (card,) = clinic.cards(*both, service=SELECT, context=selected)
    assert card["suggestions"][0]["actions"][0]["resourceId"] == "ServiceRequest/d2"
    assert clinic.cards(*both, service=SELECT, context={"selections": ["ServiceRequest/d9"]}) == []


def test_why_an_earlier_result_does_not_do_is_information(clinic):
    (card,) = clinic.cards(draft(code="glucose"))
    assert card["indicator"] == "info"
    assert "超过30天的时限" in card["summary"]
    assert not {"suggestions", "overrideReasons"} & card.keys()


def test_an_emergency_is_never_interrupted(clinic):
    (card,) = clinic.cards(draft(), prefetch={"encounter": EMERGENCY})
    assert card["indicator"] == "info"
    assert not {"suggestions", "overrideReasons"} & card.keys()


def test_the_encounter_may_be_our_own(clinic):
    """An encounter that is not sent along is read from the record."""
    (card,) = clinic.cards(draft(), prefetch=None, context={"encounterId": "e2"})
    assert card["indicator"] == "info"


def test_the_institution_may_come_with_the_user(clinic):
    role = {"resourceType": "PractitionerRole", "organization": {"display": TOWNSHIP}}
    (card,) = clinic.cards(draft(), prefetch={"user": role, "patient": None})
    assert card["indicator"] == "warning"


def test_nothing_is_said_where_nothing_is_known(clinic):
    assert clinic.cards(draft(code="calcium")) == []
    assert clinic.cards() == []
    assert clinic.cards({"resourceType": "MedicationRequest", "id": "m1", "status": "draft"}) == []
    assert clinic.cards(draft(), context={"patientId": "nobody"}) == []
    assert clinic.cards(draft(status="completed")) == []
    assert clinic.cards(draft(code="x")) == []


def test_a_draft_of_another_patient_is_left_alone(clinic):
    assert clinic.cards(draft(subject={"reference": "Patient/p2"})) == []


def test_of_a_result_of_perhaps_the_same_person_nothing_is_shown(clinic):
    """The question who it is comes first (gate G1)."""
    (card,) = clinic.cards(draft(code="sodium"))
    assert card["indicator"] == "info"
    assert "核实身份" in card["summary"]
    assert not {"links", "suggestions", "overrideReasons"} & card.keys()
    assert "4.1" not in card["detail"]


@pytest.mark.parametrize("scope", [Scope(frozenset({CENTRE})), Scope(None, hidden=1)], ids=["site", "label"])
def test_what_the_scope_hides_makes_no_card(clinic, monkeypatch, scope):
    """Access comes before every gate (R13): the patient is seen, the hidden result is not."""
    mine, at = draft(subject={"reference": "Patient/p3"}), {"context": {"patientId": "p3"}}
    assert len(clinic.cards(mine, **at)) == 1
    monkeypatch.setattr("gateway.web.cds.door.actor_of", lambda *_, **__: Actor("dr", "TREAT", scope))
    assert clinic.cards(mine, **at) == []


def test_a_patient_of_a_foreign_server_is_found_by_what_is_sent_of_it(clinic):
    sent = patient("77", identifier=[CARD], birthDate="1980-05-12", gender="male")
    about = {"fhirServer": "https://clinic.example/fhir", "context": {"patientId": "77"}}
    mine = draft(subject={"reference": "Patient/77"})
    (card,) = clinic.cards(mine, prefetch={"patient": sent, "encounter": ENCOUNTER}, **about)
    assert card["indicator"] == "warning"
    other = {**sent, "identifier": [{**CARD, "value": "11010519491231002X"}]}
    assert clinic.cards(mine, prefetch={"patient": other, "encounter": ENCOUNTER}, **about) == []
    assert clinic.cards(mine, **about) == []


def test_an_id_of_a_foreign_server_is_never_taken_for_ours(clinic):
    assert clinic.cards(draft(), fhirServer="https://clinic.example/fhir") == []
    (card,) = clinic.cards(draft(), fhirServer=f"{clinic.base}/fhir/")
    assert card["indicator"] == "warning"


def test_no_card_where_the_sent_patient_is_clearly_another(clinic):
    sent = patient("p1", name=[{"text": "王建国"}], birthDate="1949-12-31", gender="female")
    sent["identifier"] = [{**CARD, "value": "440524188001010014"}]
    assert clinic.cards(draft(), prefetch={"patient": sent, "encounter": ENCOUNTER}) == []


def test_texts_of_the_record_mean_nothing_in_markdown(clinic):
    (card,) = clinic.cards(draft(subject={"reference": "Patient/p4"}), context={"patientId": "p4"})
    assert "javascript" in card["detail"]
    assert "<b>" not in card["detail"]
    assert "](" not in card["detail"]


def test_the_question_stands_in_the_audit_trail(clinic):
    clinic.cards(draft())
    assert clinic.trail()[0] == ("recognise", "success", "Patient/p1")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"hook": "patient-view"}, "hook"),
        ({"hookInstance": "7"}, "hookInstance"),
        ({"hookInstance": None}, "hookInstance"),
        ({"context": {"patientId": 7}}, "context.patientId"),
        ({"context": {"userId": ""}}, "context.userId"),
        ({"context": {"draftOrders": []}}, "context.draftOrders"),
        ({"context": {"draftOrders": {"resourceType": "Bundle", "entry": {}}}}, "context.draftOrders.entry"),
        ({"context": {"draftOrders": {"resourceType": "Bundle", "entry": [7]}}}, "context.draftOrders.entry[0]"),
        ({"prefetch": [1]}, "prefetch"),
        ({"fhirAuthorization": {}}, "fhirServer"),
    ],
)
def test_a_malformed_request_is_refused_with_a_sentence(clinic, change, where):
    issue = clinic.refused(400, {name: one for name, one in asked(draft(), **change).items() if one is not None})
    assert issue["expression"] == [where] or where in issue["diagnostics"]


def test_other_bad_input_is_refused(clinic):
    assert "ends too early" in clinic.refused(400, b"{")["details"]["text"]
    clinic.refused(400, [])
    clinic.refused(400, {"hook": "order-sign", "hookInstance": asked()["hookInstance"], "context": 7})
    clinic.refused(400, {**asked(hook="order-select"), "context": {**asked()["context"], "selections": "d1"}}, SELECT)
    clinic.refused(413, b" " * (4 << 20) + b"{}")
    clinic.refused(400, b"no gzip", **{"content-encoding": "gzip"})
    clinic.refused(415, b"<a/>", **{"content-type": "text/xml"})
    assert SIGN in json.dumps(clinic.refused(404, asked(), "medication"))
    assert clinic.client.get(f"/cds-services/{SIGN}").status_code == 405


class Stubborn:
    """An adviser that fails or does not come back in time."""

    reasons = ()

    def __init__(self, fault=None):
        self.fault = fault

    def consult(self, asked_, seconds):
        if self.fault:
            raise self.fault
        time.sleep(0.2)
        return [Opinion("ServiceRequest/d1", "prompt", "RECOGNISED", "迟了", "late", "钾")]


def test_failures_inside_are_silence(record, tmp_path, caplog):
    with served(record, tmp_path, Stubborn(RuntimeError("马秀英 is secret"))) as clinic:
        assert clinic.cards(draft()) == []
    assert "RuntimeError at" in caplog.text
    assert "马秀英" not in caplog.text


def test_who_is_late_is_not_heard(record, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.web.cds.door.SECONDS", 0.05)
    with served(record, tmp_path, Stubborn()) as clinic:
        assert clinic.cards(draft()) == []


def test_nobody_else_is_let_in(clinic, record, tmp_path):
    assert clinic.client.get("/cds-services", headers={"origin": "https://evil.example"}).status_code == 403
    with served(record, tmp_path, Stubborn(), insecure_local=False) as closed:
        closed.refused(401, asked(draft()))
        assert closed.discover()["services"]


def test_the_openapi_document_tells_of_it(clinic):
    paths = clinic.client.get("/openapi.json").json()["paths"]
    assert "get" in paths["/cds-services"]
    assert "post" in paths["/cds-services/{id}"]


def test_the_request_of_the_documentation_is_answered(clinic):
    page = (ROOT / "docs" / "connect-a-clinic.md").read_text(encoding="utf-8")
    (body,) = re.findall(r"-d '(.+?)'\n```", page, re.DOTALL)
    assert faults("request", json.loads(body)) == []
    answer = clinic.client.post(f"/cds-services/{SIGN}", content=body.encode())
    assert answer.status_code == 200
    assert faults("response", answer.json()) == []


def test_both_databases_give_the_same_cards(store, clinic, tmp_path):  # noqa: F811
    fill(store)
    drafts = [draft(), draft("d2", "glucose"), draft("d3", "sodium"), draft("d4", "ct-chest-plain")]
    with served(store, tmp_path) as other:
        here, there = other.cards(*drafts), clinic.cards(*drafts)
    assert len(here) == 4
    assert [one["detail"] for one in here] == [one["detail"] for one in there]
