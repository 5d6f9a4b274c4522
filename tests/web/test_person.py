"""Person: rendered of linked Patients within the reader's scope, with the source of each value; clients' own beside it."""

import json

import pytest

from gateway.access.actor import Actor
from gateway.conformance import profiles, structure, validate
from gateway.identity.persons import Persons, Ways
from gateway.record.searching import Asked, Searches
from gateway.search.scope import Scope
from gateway.settings import shipped
from gateway.store.query import Reach
from gateway.store.values import NewLink
from tests.store.conftest import database_url, new_store  # noqa: F401  the stores on both databases
from tests.support.search_records import START_US, put
from tests.web.county import LOCAL, make
from tests.web.desk import Desk
from tests.web.test_read import outcome
from tests.web.test_search import link

RESIDENT = "urn:oid:2.16.156.10011.1.3"
ID = "519927195011120025"
EXTENSION = "https://yigong.example/fhir/StructureDefinition/"


def patient(fid, **given):
    return {"resourceType": "Patient", "id": fid, **given}


def number(value, system=RESIDENT):
    return {"system": system, "value": value}


COUNTY = patient(
    "county1",
    identifier=[number(ID), number("B1", "urn:county:mrn")],
    name=[{"text": "马秀英", "family": "马", "given": ["秀英"]}],
    gender="female",
    birthDate="1950-11-12",
    telecom=[{"system": "phone", "value": "10000000101"}, {"system": "phone", "value": "100****0101"}],
)
TOWN = patient(
    "town1",
    identifier=[number(ID), number("51992711520400001", "urn:oid:2.16.156.10011.1.2")],
    name=[{"text": "马秀英"}],
    gender="female",
    birthDate="1950-12-11",
    telecom=[{"system": "phone", "value": "10000000101"}],
    address=[{"text": "石桥乡岩口村一组3号"}],
)
VILLAGE = patient("village1", name=[{"text": "马秀*"}], gender="unknown", birthDate="1950")
OTHER = patient("other1", identifier=[number("B9", "urn:county:mrn")], name=[{"text": "李强"}], gender="male")


def join(store, one, other, kind="same", **evidence):
    with store.write() as tx:
        (made,) = tx.links_add([NewLink(kind, one, other, "active", START_US + 5_000_000, json.dumps(evidence))])
    return made


@pytest.fixture
def pids(store):
    """Records of one woman at three sites, linked in a chain, and of somebody else."""
    found = {}
    for body, site in ((COUNTY, "county"), (TOWN, "town"), (VILLAGE, "village"), (OTHER, "county")):
        (found[body["id"]],) = put(store, body, site=site)
    join(store, found["county1"], found["town1"], reasons=[{"code": "same-resident-id"}], grade="certain")
    join(store, found["town1"], found["village1"], decision="probable")
    return found


@pytest.fixture
def store(new_store):  # noqa: F811
    return new_store()


@pytest.fixture
def web(store, pids, tmp_path):
    return make(store, tmp_path)


def people(bundle, mode="match"):
    return [one["resource"]["id"] for one in bundle.get("entry", ()) if one["search"]["mode"] == mode]


def parts(element, name):
    """The extensions of ours on an element, each as part -> value."""
    found = [one for one in element.get("extension", ()) if one["url"] == EXTENSION + name]
    return [{part["url"]: next(value for key, value in part.items() if key != "url") for part in one["extension"]}
            for one in found]  # fmt: skip


def tellers(element):
    return [(one["patient"]["reference"], one["site"]["display"]) for one in parts(element, "told-by")]


def test_one_person_three_sites(web):
    body = web.fhir("Person/county1")
    assert structure.check(body) == []
    region = profiles.load(shipped("profiles"))
    assert [issue for issue in validate.validate(body, region) if issue.severity in ("error", "fatal")] == []
    assert body["active"] is True
    assert [(one["target"]["reference"], one["target"]["display"], one["assurance"]) for one in body["link"]] == [
        ("Patient/county1", "county", "level4"),
        ("Patient/town1", "town", "level4"),
        ("Patient/village1", "village", "level2"),
    ]
    assert [one["value"] for one in body["identifier"]] == [ID, "51992711520400001", "B1"]
    assert tellers(body["identifier"][0]) == [("Patient/town1", "town"), ("Patient/county1", "county")]
    assert tellers(body["identifier"][2]) == [("Patient/county1", "county")]
    assert "managingOrganization" not in body


def test_each_value_says_who_told_it_and_why_it_stands(web):
    body = web.fhir("Person/county1")
    assert body["birthDate"] == "1950-11-12"
    told = parts(body["_birthDate"], "told-by")
    assert [(one["patient"]["reference"], one.get("because")) for one in told] == [
        ("Patient/county1", "verified"),
        ("Patient/village1", None),
    ]
    (otherwise,) = parts(body["_birthDate"], "told-otherwise")
    assert (otherwise["value"], otherwise["patient"]["reference"]) == ("1950-12-11", "Patient/town1")
    assert tellers(body["_gender"]) == [("Patient/town1", "town"), ("Patient/county1", "county")]
    (name,) = body["name"]
    assert tellers(name) == [("Patient/town1", "town"), ("Patient/county1", "county")]
    assert parts(name, "told-otherwise") == []
    assert [one["value"] for one in body["telecom"]] == ["10000000101"]
    assert tellers(body["address"][0]) == [("Patient/town1", "town")]


def test_under_another_records_id_it_names_the_standing_one(web):
    for fid in ("town1", "village1"):
        body = web.fhir(f"Person/{fid}")
        assert structure.check(body) == []
        assert (body["active"], body["link"]) == (
            False,
            [{"target": {"reference": "Person/county1", "type": "Person"}}],
        )
        assert "identifier" not in body


def test_somebody_without_links_is_a_person_of_one(web):
    body = web.fhir("Person/other1")
    assert [one["target"]["reference"] for one in body["link"]] == ["Patient/other1"]
    assert parts(body["name"][0], "told-by")[0]["because"] == "only"


def test_a_record_that_was_merged_away_leaves_the_word_to_the_one_that_stands(web, store):
    (retired,) = put(store, patient("old1", name=[{"text": "李四"}], active=False), site="county")
    (kept,) = put(store, patient("new1", name=[{"text": "李思"}]), site="county")
    join(store, retired, kept, "replaced-by")
    body = web.fhir("Person/old1")
    assert (body["active"], body["name"][0]["text"]) == (True, "李思")
    assert parts(body["name"][0], "told-by")[0]["because"] == "in-use"
    assert parts(body["name"][0], "told-otherwise")[0]["value"] == "李四"
    assert [one["assurance"] for one in body["link"]] == ["level4", "level4"]
    assert web.fhir("Person/new1")["link"][0]["target"]["reference"] == "Person/old1"


SEARCHES = [
    ("_id=county1", ["county1"]),
    ("_id=town1", ["town1"]),
    ("patient=village1", ["county1"]),
    ("patient=Patient/town1", ["county1"]),
    (f"patient={LOCAL}/fhir/Patient/town1", ["county1"]),
    ("link=Patient/county1,Patient/other1", ["other1", "county1"]),
    ("link:Patient=village1", ["county1"]),
    ("link=Practitioner/x", []),
    ("patient=http://elsewhere.example/Patient/town1", []),
    (f"identifier={RESIDENT}|{ID}", ["county1"]),
    (f"patient.identifier={RESIDENT}|{ID}", ["county1"]),
    ("link:Patient.name=李", ["other1"]),
    ("name=马秀", ["county1"]),
    ("name=马秀&birthdate=1950-12-11", ["county1"]),
    ("gender=male", ["other1"]),
    ("identifier=nobody", []),
    ("organization=Organization/x", []),
    ("identifier=B1&organization=Organization/x", []),
    ("_tag=x", []),
]


def test_found_by_what_any_of_the_records_says(web):
    for query, wanted in SEARCHES:
        bundle = web.fhir(f"Person?{query}")
        assert structure.check(bundle) == []
        assert people(bundle) == wanted, query
    form = web.ask("POST", "/fhir/Person/_search", data={"identifier": f"{RESIDENT}|{ID}"}).json()
    assert people(form) == ["county1"]
    assert ID not in json.dumps(form["link"])
    assert form["entry"][0]["fullUrl"] == f"{LOCAL}/fhir/Person/county1"
    assert people(web.fhir("Person")) == []


def test_totals_pages_and_includes(web):
    assert web.fhir("Person?gender=female,male&_total=accurate")["total"] == 2
    assert "total" not in web.fhir("Person?gender=female,male&_count=1&_total=accurate")
    found, address = [], "Person?gender=female,male,unknown&_count=1"
    while address:
        bundle = web.fhir(address)
        found += people(bundle)
        address = link(bundle, "next")
    assert found == ["other1", "county1"]
    bundle = web.fhir("Person?patient=village1&_include=Person:link&_summary=true")
    assert people(bundle, "include") == ["county1", "town1", "village1"]
    assert people(web.fhir("Person?patient=village1&_include=Person:organization"), "include") == []


REFUSED = [
    ("Person?name=x&_sort=name", "_sort"),
    ("Person?name=x&_revinclude=Provenance:target", "_revinclude"),
    ("Person?name=x&_summary=count", "_summary"),
    ("Person?identifier=x&_count=0", "_summary"),
    ("Person?colour=red", "colour"),
    ("Person?patient.colour=red", "colour"),
    ("Person?identifier=", "identifier"),
    ("Person/county1?colour=red", "colour"),
]


def test_what_cannot_be_asked_is_said(web):
    for path, where in REFUSED:
        assert outcome(web.get(f"/fhir/{path}"), 400)["expression"] == [where], path
    for path in ("Person/none", "Person/a%20b", "Person/county1/_history", "Person/county1/_history/1"):
        assert outcome(web.get(f"/fhir/{path}"), 404), path
    lenient = web.fhir("Person?colour=red&gender=male", headers={"prefer": "handling=lenient"})
    assert people(lenient) == ["other1"]


def test_it_is_nowhere_else(web):
    assert {one["resource"]["resourceType"] for one in web.fhir("_history")["entry"]} == {"Patient"}
    assert web.fhir("Patient?_total=accurate")["total"] == 4
    assert web.fhir("Person/_history").get("entry", []) == []
    assert people(web.fhir("?_type=Person&_lastUpdated=ge2000")) == []


def test_unchanged_needs_no_body_and_unlinking_restores(web, store, pids):
    first = web.get("/fhir/Person/county1")
    tag = first.headers["etag"]
    assert web.get("/fhir/Person/county1", headers={"if-none-match": tag}).status_code == 304
    before = web.get("/fhir/Person/other1").content
    made = join(store, pids["county1"], pids["other1"], decision="possible", actor="dr")
    joined = web.get("/fhir/Person/county1", headers={"if-none-match": tag})
    assert (joined.status_code, len(joined.json()["link"])) == (200, 4)
    assert [one["assurance"] for one in joined.json()["link"]][-1] == "level4"
    with store.write() as tx:
        tx.links_end([made], START_US + 9_000_000)
    assert web.get("/fhir/Person/county1").content == first.content
    assert web.get("/fhir/Person/other1").content == before


def test_every_record_told_of_is_in_the_audit_trail(web, pids):
    web.fhir("Person/county1")
    mine = {str(pids[fid]) for fid in ("county1", "town1", "village1")}
    rows = [row for _, row in web.store.audit.rows(limit=3)]
    assert {(row.action, row.type, row.fid, row.patient) for row in rows} == {
        ("read", "Person", "county1", pid) for pid in mine
    }
    web.fhir(f"Person?identifier={RESIDENT}|{ID}")
    rows = [row for _, row in web.store.audit.rows(limit=3)]
    assert {(row.action, row.type, row.patient) for row in rows} == {("search", "Person", pid) for pid in mine}
    assert ID not in json.dumps([row.detail for row in rows])
    web.fhir("Person?identifier=nobody")
    assert web.store.audit.rows(limit=1)[0][1].patient == ""


# --- scopes -------------------------------------------------------------------------------------------------------


def seen(web, scope, fid):
    """What a reader reads under an id: the records' ids of the standing Person, or where it stands, or nothing."""
    shown = web.persons.read(Actor("me", "TREAT", scope), fid)
    body = json.loads(shown.body) if shown else {}
    return [one["target"]["reference"] for one in body.get("link", [])], json.dumps(body)


@pytest.fixture
def persons(web):
    reach, zone = Reach(), "Asia/Shanghai"
    ways = Ways(shipped("profiles") / "identity" / "survivorship.yaml", zone, reach, 10)
    web.persons = Persons(web.store, Searches(web.store, zone, 10, reach), ways)
    return web


def test_a_scope_sees_its_own_person(persons):
    county, village = Scope(frozenset({"county"})), Scope(frozenset({"village"}))
    found, text = seen(persons, county, "county1")
    assert found == ["Patient/county1"]
    assert "town" not in text and "1950-12-11" not in text and "51992711520400001" not in text
    assert seen(persons, village, "village1")[0] == ["Patient/village1"]
    assert seen(persons, village, "county1")[0] == []
    both = Scope(frozenset({"county", "village"}))
    assert seen(persons, both, "county1")[0] == ["Patient/county1"]  # the town's record, which joins them, is hidden
    assert seen(persons, both, "village1")[0] == ["Patient/village1"]
    assert seen(persons, Scope(frozenset({"town", "village"})), "village1")[0] == ["Person/town1"]
    assert seen(persons, Scope(None, test=True), "county1")[0] == []
    assert seen(persons, Scope(frozenset()), "county1")[0] == []


def test_searches_keep_to_the_scope_too(persons):
    def found(scope, *pairs):
        asked = Asked("Person", (*pairs, ("_total", "accurate")))
        page = persons.persons.page(Actor("me", "TREAT", scope), asked, LOCAL)
        return [hit.fid for hit in page.matches], page.total

    assert found(Scope(frozenset({"town"})), ("identifier", f"{RESIDENT}|{ID}")) == (["town1"], 1)
    assert found(Scope(frozenset({"town"})), ("identifier", "B1")) == ([], 0)
    assert found(Scope(frozenset({"town"})), ("patient", "county1")) == ([], 0)
    assert found(Scope(frozenset({"county", "town"})), ("patient", "town1")) == (["county1"], 1)
    assert found(Scope(frozenset()), ("gender", "female")) == ([], 0)


def test_hidden_labels_deleted_and_inactive_records(store, tmp_path, persons):
    (secret,) = put(store, patient("secret1", name=[{"text": "马秀英"}]), site="county", sensitivity=2)
    (base,) = put(store, patient("base1", meta={"security": [{"code": "R"}]}, active=False), site="county")
    join(store, base, secret)
    assert seen(persons, Scope(None, hidden=2), "base1")[0] == ["Patient/base1"]
    assert seen(persons, Scope(None, hidden=2), "secret1")[0] == []
    assert seen(persons, Scope(None), "base1")[0] == ["Person/secret1"]
    body = persons.fhir("Person/secret1")
    assert (body["active"], body["meta"]["security"]) == (True, [{"code": "R"}])
    desk = Desk(persons)
    assert desk.ask("DELETE", "/Patient/secret1").status_code == 204
    assert outcome(persons.get("/fhir/Person/secret1"), 404)
    assert persons.fhir("Person/base1")["active"] is False


# --- clients' own -------------------------------------------------------------------------------------------------


def test_clients_own_persons_are_stored_as_before(web):
    desk = Desk(web)
    own = desk.create(
        {
            "resourceType": "Person",
            "identifier": [number("B1", "urn:county:mrn")],
            "name": [{"text": "马秀英"}],
            "link": [{"target": {"reference": "Patient/county1"}}],
        }
    )
    assert web.fhir(f"Person/{own['id']}") == own
    assert people(web.fhir("Person?identifier=urn:county:mrn|B1")) == ["county1", own["id"]]
    assert web.fhir("Person?identifier=urn:county:mrn|B1&_total=accurate")["total"] == 2
    assert people(web.fhir("Person?patient=county1")) == ["county1", own["id"]]
    assert people(web.fhir("Person")) == [own["id"]]
    assert people(web.fhir(f"Person?_id={own['id']}")) == [own["id"]]
    assert desk.ask("PUT", f"/Person/{own['id']}", {**own, "gender": "female"}).status_code == 200
    assert web.fhir(f"Person/{own['id']}/_history")["total"] == 2
    assert desk.ask("DELETE", f"/Person/{own['id']}").status_code == 204
    assert outcome(web.get(f"/fhir/Person/{own['id']}"), 410)


def test_the_id_of_a_patient_is_spoken_for(web):
    desk = Desk(web)
    body = {"resourceType": "Person", "id": "county1"}
    assert "put together from Patient/county1" in outcome(desk.ask("PUT", "/Person/county1", body), 409)["diagnostics"]
    entry = {"resource": body, "request": {"method": "PUT", "url": "Person/county1"}}
    assert desk.bundle("transaction", entry).status_code == 409
    assert desk.ask("PUT", "/Person/mine1", {**body, "id": "mine1"}).status_code == 201
    (two,) = put(web.store, patient("late1"), sensitivity=0)
    assert two and web.fhir("Person/late1")["link"][0]["target"]["reference"] == "Patient/late1"
