"""$everything of a person and of an encounter: all of it, once each, within the scope, in parts of bounded size."""

import json

import pytest

from gateway.access.actor import Actor
from gateway.conformance import structure
from gateway.record import everything
from gateway.record.everything import Asked, Everything
from gateway.search.scope import Scope
from gateway.store import belongings
from gateway.store.belongings import Filter
from gateway.store.values import NewLink
from tests.store.conftest import database_url, new_store  # noqa: F401  the stores on both databases
from tests.support.search_records import put
from tests.web.county import make
from tests.web.test_read import outcome
from tests.web.test_search import link

DOCTOR = {"reference": "Practitioner/doctor"}


def about(kind, fid, patient="p1", **given):
    return {"resourceType": kind, "id": fid, "subject": {"reference": f"Patient/{patient}"}, **given}


def result(fid, day, patient="p1", **given):
    return about("Observation", fid, patient, status="final", code={"text": "K"}, effectiveDateTime=day, **given)


def seed(store):
    """Two linked patients of one person, another one, and what belongs to each."""
    put(
        store,
        {"resourceType": "Organization", "id": "ward", "partOf": {"reference": "Organization/hospital"}},
        {"resourceType": "Practitioner", "id": "doctor"},
        {"resourceType": "Practitioner", "id": "stranger"},
        result("early", "2020-05-01"),  # before its patient was told of
    )
    pids = put(store, *({"resourceType": "Patient", "id": fid} for fid in ("p1", "p2", "p9")))
    put(
        store,
        about("Encounter", "e1", status="finished", period={"start": "2026-03-01", "end": "2026-03-03"})
        | {"class": {"code": "IMP"}, "serviceProvider": {"reference": "Organization/ward"}},
        result("r1", "2026-03-02", encounter={"reference": "Encounter/e1"}, performer=[DOCTOR]),
        result("r2", "2026-03-09", "p2", performer=[DOCTOR]),
        result("r9", "2026-03-02", "p9", performer=[{"reference": "Practitioner/stranger"}]),
        about("Condition", "c1", code={"text": "x"}),
        {"resourceType": "Organization", "id": "hospital"},
        {"resourceType": "Coverage", "id": "v1", "status": "active", "beneficiary": {"reference": "Patient/p1"}}
        | {"payor": [{"display": "county"}]},
    )
    with store.write() as tx:
        tx.links_add([NewLink("same-person", pids[0], pids[1], "active", 1)])
    return pids


@pytest.fixture
def web(new_store, tmp_path):  # noqa: F811
    store = new_store()
    seed(store)
    return make(store, tmp_path)


def names(bundle, mode=""):
    found = [one for one in bundle.get("entry", []) if mode in ("", one["search"]["mode"])]
    return [one["fullUrl"].partition("/fhir/")[2] for one in found]


def told(web, path):
    """All of an operation's answer, page by page: the names in order."""
    seen, address = [], path
    while address:
        bundle = web.fhir(address)
        assert structure.check(bundle) == []
        seen += names(bundle)
        address = link(bundle, "next")
    return seen


MINE = [
    "Observation/early",
    "Patient/p1",
    "Patient/p2",
    "Encounter/e1",
    "Observation/r1",
    "Observation/r2",
    "Condition/c1",
    "Coverage/v1",
]
OTHERS = ["Organization/ward", "Practitioner/doctor", "Organization/hospital"]


def test_all_of_a_person_and_what_it_refers_to_once_each(web):
    for fid in ("p1", "p2"):
        bundle = web.fhir(f"Patient/{fid}/$everything")
        assert (names(bundle, "match"), names(bundle, "include")) == (MINE, OTHERS)
        assert not link(bundle, "next")
    for count in (1, 2, 3, 8, 9, 11, 50):
        assert told(web, f"Patient/p1/$everything?_count={count}") == MINE + OTHERS


PARTS = [
    ("_type=Observation", ["Observation/early", "Observation/r1", "Observation/r2"]),
    ("_type=Condition,Practitioner", ["Condition/c1", "Practitioner/doctor"]),
    ("_type=Patient", ["Patient/p1", "Patient/p2"]),
    ("_type=Slot", []),
    ("start=2026-03-03", [each for each in MINE if each not in ("Observation/early", "Observation/r1")] + OTHERS),
    ("start=2026-03-01&end=2026-03-02", [each for each in MINE if each[-2:] not in ("ly", "r2")] + OTHERS),
    ("end=2020-12-31", ["Observation/early", "Patient/p1", "Patient/p2", "Condition/c1", "Coverage/v1"]),
    ("_since=2027", []),
    ("_since=2026-01-01T00:00:00.000005Z", MINE[1:] + OTHERS),
]


def test_only_a_part_is_asked_for(web):
    for query, left in PARTS:
        assert told(web, f"Patient/p1/$everything?{query}") == left, query
        assert told(web, f"Patient/p1/$everything?{query}&_count=2") == left, query


def test_of_an_encounter(web):
    bundle = web.fhir("Encounter/e1/$everything")
    assert names(bundle, "match") == ["Encounter/e1", "Observation/r1"]
    assert sorted(names(bundle, "include")) == sorted([*OTHERS, "Patient/p1"])


def test_a_long_one_is_streamed_in_parts(web, monkeypatch):
    monkeypatch.setattr("gateway.web.rest.everything._STREAM", 3)
    monkeypatch.setattr(belongings, "_LOOK", 2)
    monkeypatch.setattr(everything, "_PART", 2)
    answer = web.get("/fhir/Patient/p1/$everything")
    assert "content-length" not in answer.headers
    assert names(answer.json()) == MINE + OTHERS
    assert structure.check(answer.json()) == []


def test_every_patient_told_of_is_in_the_audit_trail(web):
    pids = {fid: str(pid) for (_, fid), pid in _pids(web).items()}
    web.fhir("Patient/p1/$everything?_type=Slot")
    rows = [row for _, row in web.store.audit.rows(limit=2)]
    assert {(row.action, row.type, row.fid, row.patient) for row in rows} == {
        ("everything", "Patient", "p1", pids["p1"]),
        ("everything", "Patient", "p1", pids["p2"]),
    }
    outcome(web.get("/fhir/Patient/none/$everything"), 404)
    assert web.store.audit.rows(limit=1)[0][1].outcome == "not-found"


def _pids(web):
    with web.store.read() as tx:
        return belongings.pids_of(tx, [("Patient", "p1"), ("Patient", "p2"), ("Patient", "none")])


def test_a_scope_sees_its_own_part(web):
    put(web.store, {"resourceType": "Practitioner", "id": "far"}, site="h2")
    put(web.store, result("r5", "2026-01-01", performer=[DOCTOR]), site="h2")
    put(web.store, result("r6", "2026-01-01", performer=[{"reference": "Practitioner/far"}]))
    put(web.store, result("r7", "2026-01-01"), sensitivity=2)
    doors = Everything(web.store, 10)

    def seen(scope, fid="p1"):
        parts = doors.parts(Actor("me", "TREAT", scope, ""), Asked("Patient", fid, Filter(), 3))
        return {f"{hit.type}/{hit.fid}" for part in parts for hit in (*part.belongings, *part.referred)}

    whole = {*MINE, *OTHERS, "Observation/r6"}
    assert seen(Scope(None)) == whole | {"Observation/r5", "Observation/r7", "Practitioner/far"}
    assert seen(Scope(frozenset({"h1"}), hidden=2)) == whole
    for scope in (Scope(frozenset({"h2"})), Scope(frozenset()), Scope(None, test=True)):
        with pytest.raises(Exception, match="there is no Patient/p1 that you may see"):
            seen(scope)


def test_parts_and_xml_are_told_in_pages(web):
    bundle = web.fhir("Patient/p1/$everything?_summary=true")
    assert len(bundle["entry"]) == 3
    assert all("tag" in one["resource"]["meta"] for one in bundle["entry"])
    assert (
        web.get("/fhir/Patient/p1/$everything?_format=xml").headers["content-type"].startswith("application/fhir+xml")
    )
    assert told(web, "Patient/p1/$everything?_summary=true") == MINE + OTHERS
    assert web.ask("HEAD", "/fhir/Patient/p1/$everything").status_code == 200


REFUSED = [
    ("Patient/p1/$everything?start=soon", 400, "start"),
    ("Patient/p1/$everything?end=2026&end=2027", 400, "end"),
    ("Patient/p1/$everything?_type=Foo", 400, "_type"),
    ("Patient/p1/$everything?_count=0", 400, "_count"),
    ("Patient/p1/$everything?colour=red", 400, "colour"),
    ("Patient/p1/$everything?_page=x", 400, "_page"),
    ("Observation/r1/$everything", 404, None),
    ("Patient/none/$everything", 404, None),
    ("Patient/a b/$everything", 404, "id"),
    ("Patient/$everything", 404, None),
]


def test_what_cannot_be_is_refused(web):
    for path, status, where in REFUSED:
        issue = outcome(web.get(f"/fhir/{path}"), status)
        assert issue.get("expression") == ([where] if where else None)


def test_a_page_link_is_good_for_its_own_place_alone(web):
    url = link(web.fhir("Patient/p1/$everything?_count=1"), "next")
    assert outcome(web.get(url.replace("/p1/", "/p9/")), 400)["expression"] == ["_page"]
    assert outcome(web.get(f"{url}&_type=Patient"), 400)["expression"] == ["_type"]
    assert json.dumps(names(web.fhir(url))) == json.dumps(MINE[1:2])


def test_operations_that_are_to_come_say_what_serves_until_then(web):
    hints = {"Patient/$everything": "/Patient/ID", "$export": "_history", "Patient/$match": "identifier"}
    for path, hint in {**hints, "Patient/p1/$summary": "$everything"}.items():
        assert hint in outcome(web.get(f"/fhir/{path}"), 404)["diagnostics"]
