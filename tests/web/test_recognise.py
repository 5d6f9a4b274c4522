"""Patient/$recognise over HTTP: what is advised on orders, within the reader's scope, with a trail, whatever is sent."""

import json

import pytest

from gateway import settings, wiring
from gateway.community.recognition.operation import Recognise
from gateway.community.recognition.service import Recognition
from gateway.conformance import structure
from gateway.mapping.feeds import FeedBook
from gateway.record.repository import Repository
from gateway.store.engine import open_store
from gateway.web.app import Parts, create
from tests.store.conftest import database_url, new_store  # noqa: F401  the stores on both databases
from tests.support.recognised import (
    COUNTY,
    LAB,
    NOW,
    PICTURES,
    TOWNSHIP,
    endpoint,
    order,
    patient,
    report,
    rules,
    study,
    told,
    value,
)
from tests.support.recognition import known
from tests.web.county import Web, make
from tests.web.desk import issue

FHIR = {b"content-type": b"application/fhir+json"}


@pytest.fixture
def store(new_store):  # noqa: F811
    return new_store()


@pytest.fixture
def web(store, tmp_path):
    return offering(store, tmp_path)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """An application on SQLite with one patient and nothing else, for questions that come to nothing."""
    folder = tmp_path_factory.mktemp("desk")
    opened = open_store(f"sqlite:///{folder}/gateway.db")
    opened.migrate()
    told(opened, patient())
    yield offering(opened, folder)
    opened.close()


def offering(store, folder):
    """The application with the operation, as the wiring hands it over."""
    chosen = settings.load(None, {}, data=str(folder), insecure_local=True)
    service = Recognition(store, known(), rules().assurance, chosen.zone)
    offered = (Recognise(service, Repository(store, chosen.zone, 5.0)).operation,)
    parts = Parts(chosen, store, FeedBook([], insecure_local=True), None, b"k" * 32, offered)
    return Web(create(parts), store, folder)


def said(refusal, status):
    return issue(refusal, status)["details"]["text"]


def given(*orders, **more):
    parameters = [{"name": "order", "resource": one} for one in orders]
    kinds = {"organisation": "String", "occurrence": "DateTime", "emergency": "Boolean", "circumstance": "Code"}
    named = {name.replace("_", "-"): one for name, one in ({"organisation": TOWNSHIP} | more).items()}
    parameters += [{"name": name, f"value{kinds.get(name, 'Code')}": one} for name, one in named.items()]
    return {"resourceType": "Parameters", "parameter": parameters}


def ask(web, body, fid="p1", headers=FHIR):
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return web.ask("POST", f"/fhir/Patient/{fid}/$recognise", headers=headers, content=sent)


def answer(web, body, fid="p1"):
    """Return what is said of each order."""
    found = ask(web, body, fid)
    assert found.status_code == 200, found.text
    assert structure.check(found.json()) == []
    assert named(found.json()["parameter"], "complete") == [True]
    return [one["part"] for one in found.json()["parameter"] if one["name"] == "order"]


def named(parts, name):
    """Return the values of parts of a name."""
    return [next((one[key] for key in one if key.startswith("value")), one.get("part")) for one in parts
            if one["name"] == name]  # fmt: skip


def test_a_result_of_another_house_answers_an_order(web, store):
    tube = {"resourceType": "Specimen", "id": "t1", "type": {"text": "血清"}}
    mine = value("k1", method={"text": "ISE"}, specimen={"reference": "Specimen/t1"})
    mine["code"]["extension"] = [
        {"url": "https://yigong.example/fhir/StructureDefinition/recognition-mark", "valueString": "★"}
    ]
    told(store, patient(), tube, mine, report("r1", result=[{"reference": "Observation/k1"}]))
    (best,) = answer(web, given(order()))
    assert named(best, "recognised") == [True]
    assert named(best, "code") == ["RECOGNISED"]
    assert "青禾县人民医院2天前的钾可以互认" in named(best, "text-zh")[0]
    assert "5 are left" in named(best, "text-en")[0]
    assert named(best, "item")[0]["code"] == "potassium"
    (result,) = named(best, "result")
    assert named(result, "report") == [{"reference": "DiagnosticReport/r1"}]
    assert named(result, "value") == [{"reference": "Observation/k1"}]
    assert named(result, "source") == ["青禾县人民医院"]
    assert (named(result, "mark"), named(result, "shown")) == (["★"], ["4.1 mmol/L"])
    assert (named(result, "age-days"), named(result, "days-left")) == ([2], [5])
    assert named(result, "price") == [{"value": 6.00, "currency": "CNY"}]


def test_every_order_has_its_own_answer(web, store):
    told(store, patient(), value("k1", days=8), value("a1", "hba1c", 45, unit="%"))
    every = answer(web, given(order("hba1c"), order(), order("calcium"), order("unheard-of"), order(status="revoked")))
    assert [named(one, "code") for one in every] == [
        ["RECOGNISED"], ["EXPIRED"], ["nothing-found"], ["order-unmapped"], ["not-an-order"],
    ]  # fmt: skip
    assert named(every[1], "text-en") == ["The result is 8 days old; the window is 7 days."]


def test_pictures_have_links(web, store):
    done = report("x1", "CT0103", 5, system=PICTURES, imagingStudy=[{"reference": "ImagingStudy/s1"}])
    told(store, patient(), endpoint("s1"), study("s1"), done)
    (best,) = answer(web, given(order("CT0102", PICTURES)))
    assert named(best, "detail") == ["covered"]
    (result,) = named(best, "result")
    assert named(result, "study") == [{"reference": "ImagingStudy/s1"}]
    assert named(result, "image") == ["http://127.0.0.1/s1"]


def test_stored_orders_and_bare_codes_do(web, store):
    stored = order("K", LAB, id="o1", status="active")
    told(store, patient(), value("k1"), stored)
    asked = given()
    asked["parameter"] += [
        {"name": "order", "valueReference": {"reference": "ServiceRequest/o1"}},
        {"name": "order", "valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]}},
        {"name": "order", "valueCoding": {"system": LAB, "code": "K"}},
    ]
    asked["parameter"].append({"name": "occurrence", "valueDateTime": NOW})
    every = answer(web, asked)
    assert [named(one, "code") for one in every] == [["RECOGNISED"]] * 3
    assert named(every[0], "reference") == ["ServiceRequest/o1"]


def test_circumstances_and_emergencies(web, store):
    told(store, patient(), value("h1", "hbsag", 10, valueQuantity=None, valueString="阴性"), value("k1"))
    (surgery,) = answer(web, given(order("hbsag"), circumstance="surgery"))
    assert named(surgery, "code") == ["E3"]
    (urgent,) = answer(web, given(order(), emergency=True))
    assert (named(urgent, "code"), named(urgent, "show")) == (["EXPIRED"], ["information"])
    (inside,) = answer(web, given(order(occurrenceDateTime="2026-11-18T12:00:00+08:00"), emergency=True))
    assert named(inside, "code") == ["E4"]
    (stays,) = answer(web, given(order(), patient_class="inpatient"))
    assert named(stays, "code") == ["EXPIRED"]


def test_the_question_is_in_the_trail(web, store):
    told(store, patient(), value("k1"))
    answer(web, given(order()))
    assert ask(web, given(order(subject={})), "nobody").status_code == 404
    rows = [row for _, row in store.audit.rows() if row.action == "recognise"]
    assert [(row.outcome, row.type, row.fid, row.actor) for row in rows] == [
        ("not-found", "Patient", "nobody", "insecure-local"),
        ("success", "Patient", "p1", "insecure-local"),
    ]
    assert rows[1].patient
    assert "potassium" not in str(rows)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "JSON"),
        ({"resourceType": "Bundle"}, 400, "Parameters"),
        ({"resourceType": "Parameters", "parameter": [7]}, 400, "Parameters"),
        (given(), 400, "1 to 50"),
        (given(*[order()] * 51), 400, "1 to 50"),
        (given(patient()), 400, "ServiceRequest"),
        (given(order(subject={"reference": "Patient/p2"})), 422, "Patient/p2"),
        (given(order(), emergency="yes"), 400, "valueBoolean"),
        (given(order(), occurrence="soon"), 400, "valueDateTime"),
        (given(order(), patient_class="day-case"), 400, "patient-class"),
        (given(order(), circumstance=""), 400, "valueCode"),
        (given(order(), colour="red"), 400, "colour"),
        ({"resourceType": "Parameters", "parameter": [{"name": "order", "valueReference": {"reference": "x"}}]},
         400, "ServiceRequest/ID"),
        ({"resourceType": "Parameters", "parameter": [{"name": "order", "valueReference":
         {"reference": "ServiceRequest/none"}}]}, 404, "that you may see"),
        ({"resourceType": "Parameters", "parameter": [{"name": "order"}]}, 400, "an order is"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(desk, body, status, words):
    assert words in said(ask(desk, body), status)


def test_it_is_of_patients_and_takes_json(desk):
    assert "is of Patient" in said(desk.ask("POST", "/fhir/Group/p1/$recognise", headers=FHIR, content=b"{}"), 404)
    assert "takes Parameters" in said(ask(desk, b"<a/>", headers={b"content-type": b"text/plain"}), 415)
    assert "that you may see" in said(ask(desk, given(order(subject={})), "nobody"), 404)


def test_it_is_told_where_operations_are(desk):
    told_of = {one["type"]: one for one in desk.fhir("metadata")["rest"][0]["resource"]}
    (mine,) = [one for one in told_of["Patient"]["operation"] if one["name"] == "recognise"]
    assert mine["definition"] == "https://yigong.example/fhir/OperationDefinition/Patient-recognise"
    assert "recognise" not in [one["name"] for one in told_of["Group"].get("operation", [])]
    assert "/fhir/Patient/{id}/$recognise" in desk.get("/openapi.json").json()["paths"]


def test_a_server_without_the_service_says_so(desk, tmp_path):
    assert "not offered" in said(ask(make(desk.store, tmp_path), given(order())), 404)


def test_the_wiring_hands_it_over_with_a_countys_own_knowledge(desk, tmp_path):
    (tmp_path / "recognition").mkdir()
    ours = "source: test\napproved: {by: 张某某, on: 2026-11-20}\nwindows:\n  - {class: electrolyte, days: 9, replaces: true}\n"
    (tmp_path / "recognition" / "ours.yaml").write_text(ours, "utf-8")
    chosen = settings.load(None, {}, data=str(desk.data), insecure_local=True)
    plain = wiring.Gateway(chosen, None, desk.store)
    assert [(one.name, one.kind) for one in plain.operations()] == [("$recognise", "Patient")]
    theirs = wiring.recognition(
        desk.store, settings.load(None, {}, data=str(desk.data), insecure_local=True, profiles=str(tmp_path))
    )
    window = theirs.knowledge.policy.window(known().catalogue.item("potassium"), "outpatient", 3)
    assert window.days == 9
    theirs.close()


def test_sites_without_a_house_are_recognised_by_nobody(web, store):
    told(store, patient(), value("k1"), site="generic")
    (best,) = answer(web, given(order()))
    assert (named(best, "code"), named(best, "detail")) == (["NOT_LISTED"], ["issuer-unknown"])
    assert COUNTY not in str(best)
