"""$meta: what labels a resource bears, and which are in use, as far as a scope sees them."""

from gateway.access.actor import Actor
from gateway.conformance import structure
from gateway.record.labels import Labels
from gateway.search.scope import Scope
from tests.store.conftest import database_url, new_store  # noqa: F401  the stores on both databases
from tests.support.search_records import put
from tests.web.county import make
from tests.web.test_read import outcome


def tag(code, system="urn:tags"):
    return {"system": system, "code": code}


def labelled(fid, kind="Basic", **meta):
    return {"resourceType": kind, "id": fid, "meta": meta, **({"code": {"text": "x"}} if kind == "Basic" else {})}


def told(web, path):
    body = web.fhir(path)
    assert structure.check(body) == []
    (parameter,) = body["parameter"]
    assert parameter["name"] == "return"
    return parameter["valueMeta"]


def test_of_a_resource_of_a_type_and_of_all(new_store, tmp_path):  # noqa: F811
    store = new_store()
    put(
        store,
        labelled("a", tag=[tag("x"), tag("y")], profile=["http://p/1"], versionId="1"),
        labelled("b", tag=[tag("x"), tag("x", "urn:other")], security=[tag("R", "urn:conf")]),
        labelled("c", "Patient", tag=[tag("z"), {"code": "bare", "display": "words"}]),
        labelled("d", "Encounter"),
    )
    put(store, labelled("far", tag=[tag("far"), tag("x")]), site="h2")
    web = make(store, tmp_path)
    assert told(web, "Basic/a/$meta") == {"tag": [tag("x"), tag("y")], "profile": ["http://p/1"], "versionId": "1"}
    of_type = told(web, "Basic/$meta")
    assert of_type["profile"] == ["http://p/1"]
    assert of_type["security"] == [tag("R", "urn:conf")]
    assert of_type["tag"] == [tag("far"), tag("x", "urn:other"), tag("x"), tag("y")]
    assert {"code": "bare", "display": "words"} in told(web, "$meta")["tag"]
    assert len(told(web, "$meta")["tag"]) == 6
    assert "parameter" not in web.fhir("Encounter/$meta")
    near = Labels(store, 10).in_use(Actor("me", "TREAT", Scope(frozenset({"h1"})), ""), "Basic")
    assert tag("far") not in near["tag"]
    assert Labels(store, 10).in_use(Actor("me", "TREAT", Scope(frozenset()), ""), "") == {}


def test_what_cannot_be_is_refused(web):
    assert outcome(web.get("/fhir/Foo/$meta"), 404)
    assert outcome(web.get("/fhir/Patient/none/$meta"), 404)
    assert outcome(web.get("/fhir/Patient/gone/$meta"), 410)
    assert outcome(web.get("/fhir/$meta?colour=red"), 400)["expression"] == ["colour"]
    assert web.get("/fhir/metadata").json()["rest"][0]["operation"]
