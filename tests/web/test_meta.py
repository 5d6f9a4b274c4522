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


def labels(**given):
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": given}]}


def post(web, path, body):
    return web.ask("POST", f"/fhir/{path}", json=body, headers={"content-type": "application/fhir+json"})


def test_labels_are_added_and_taken(new_store, tmp_path):  # noqa: F811
    store = new_store()
    web = make(store, tmp_path)
    text = b'{"resourceType":"Basic","id":"a","meta":{"tag":[{"system":"urn:tags","code":"x"}]},"code":{"text":"c"}}'
    assert web.ask("PUT", "/fhir/Basic/a", content=text, headers={"content-type": "application/fhir+json"}).is_success
    answer = post(web, "Basic/a/$meta-add", labels(tag=[tag("x"), tag("y")], profile=["http://p/1"]))
    assert answer.status_code == 200, answer.text
    meta = answer.json()["parameter"][0]["valueMeta"]
    assert (meta["tag"], meta["profile"], meta["versionId"]) == ([tag("x"), tag("y")], ["http://p/1"], "2")
    again = post(web, "Basic/a/$meta-add", labels(tag=[tag("x")]))
    assert again.json()["parameter"][0]["valueMeta"]["versionId"] == "2"
    answer = post(web, "Basic/a/$meta-delete", labels(tag=[tag("x"), tag("none")], profile=["http://p/1"]))
    meta = answer.json()["parameter"][0]["valueMeta"]
    assert (meta["tag"], "profile" in meta, meta["versionId"]) == ([tag("y")], False, "3")
    assert web.fhir("Basic/a")["code"] == {"text": "c"}
    assert web.fhir("Basic?_tag=urn:tags|y")["entry"][0]["resource"]["id"] == "a"
    entry = {"request": {"method": "POST", "url": "Basic/a/$meta-add"}, "resource": labels(tag=[tag("z")])}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert post(web, "", bundle).status_code == 200
    assert tag("z") in web.fhir("Basic/a")["meta"]["tag"]


def test_labels_that_cannot_be(web):
    path = f"Patient/{web.patient}/$meta-add"
    for body in ({"resourceType": "Parameters"}, {"resourceType": "Basic"}, labels(tag="x"), {"parameter": 3}):
        assert outcome(post(web, path, body), 400)["expression"] == ["Parameters.parameter"]
    assert outcome(web.ask("POST", f"/fhir/{path}", content=b"x", headers={"content-type": "text/plain"}), 415)
    assert outcome(web.ask("POST", f"/fhir/{path}"), 415)
    assert outcome(post(web, "Patient/none/$meta-add", labels(tag=[tag("x")])), 404)
    assert outcome(post(web, "Binary/none/$meta-add", labels(tag=[tag("x")])), 400)
    assert outcome(post(web, path, labels(tag=[tag("x")])), 409)
    assert outcome(web.get(f"/fhir/{path}"), 405)
