"""Searching: pages, totals, links that work behind proxies and tell nothing, and words for what is refused."""

import pytest

from gateway.conformance import structure
from tests.web.county import make
from tests.web.test_read import outcome

CODE = "code=http://loinc.org|2823-3"


def ids(bundle, mode="match"):
    return [entry["resource"]["id"] for entry in bundle.get("entry", ()) if entry["search"]["mode"] == mode]


def link(bundle, relation):
    return next((entry["url"] for entry in bundle["link"] if entry["relation"] == relation), "")


def test_a_search_gives_a_searchset_newest_first(web):
    bundle = web.fhir(f"Observation?{CODE}&_count=50")
    assert structure.check(bundle) == []
    assert bundle["type"] == "searchset"
    assert ids(bundle) == [web.results[n] for n in (6, 4, 2, 0)]
    assert bundle["entry"][0]["fullUrl"] == f"http://127.0.0.1:8000/fhir/Observation/{web.results[6]}"
    assert "total" not in bundle
    assert bundle["id"]


def test_pages_neither_repeat_nor_skip_and_links_tell_nothing(web):
    seen, address = [], f"Observation?patient=Patient/{web.patient}"
    while address:
        bundle = web.fhir(address)
        seen += ids(bundle)
        address = link(bundle, "next")
        assert web.patient not in address
    assert seen == web.results[::-1]


def test_a_form_search_finds_the_same_and_keeps_its_values_out_of_links(web):
    answer = web.ask("POST", "/fhir/Observation/_search", data={"patient": f"Patient/{web.patient}", "_count": "2"})
    bundle = answer.json()
    assert len(ids(bundle)) == 2
    assert link(bundle, "self") == "http://127.0.0.1:8000/fhir/Observation"
    assert len(ids(web.fhir(link(bundle, "next")))) == 2
    assert web.get(f"/fhir/Observation/_search?{CODE}").status_code == 200


@pytest.mark.parametrize("query", ["_summary=count", "_count=0", "_summary=count&_count=5", "_count=5&_summary=count"])
def test_a_count_alone(web, query):
    bundle = web.fhir(f"Observation?{CODE}&{query}")
    assert (bundle["total"], ids(bundle)) == (4, [])
    assert structure.check(bundle) == []


def test_the_total_when_asked_for(web):
    assert web.fhir(f"Observation?{CODE}&_total=accurate&_count=1")["total"] == 4
    assert "total" not in web.fhir(f"Observation?{CODE}&_total=none")


def test_the_page_size_is_the_settings(web):
    assert len(ids(web.fhir("Observation"))) == 3
    small = make(web.store, web.data, max_page_size=4, page_size=1)
    assert len(ids(small.fhir("Observation?_count=1000"))) == 4
    assert len(ids(small.fhir("Observation?_summary=false"))) == 1


def test_an_include_is_marked_as_such(web):
    bundle = web.fhir(f"Observation?{CODE}&_include=Observation:subject")
    assert (len(ids(bundle)), ids(bundle, "include")) == (3, [web.patient])


def test_a_page_link_keeps_how_the_answer_looks(web):
    bundle = web.fhir("Observation?_pretty=true&_format=json")
    assert "_pretty=true" in link(bundle, "next")
    assert web.get(link(bundle, "next")).text.startswith("{\n")


@pytest.mark.parametrize(
    ("query", "where", "code"),
    [
        ("foo=1", "foo", "invalid"),
        ("_has:Observation:patient:code=1", "_has", "not-supported"),
        ("_count=-1", "_count", "invalid"),
        ("_total=many", "_total", "invalid"),
        ("birthdate=notadate", "birthdate", "invalid"),
        ("_page=nonsense", "_page", "invalid"),
        ("_sort=nothing", "nothing", "invalid"),
        ("name=a%00b", "name", "invalid"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_its_place(web, query, where, code):
    issue = outcome(web.get(f"/fhir/Patient?{query}"), 400)
    assert (issue["code"], issue["expression"]) == (code, [where])
    assert issue["diagnostics"]


def test_a_page_link_is_of_its_type_and_of_this_installation(web):
    token = link(web.fhir("Observation"), "next").partition("_page=")[2]
    assert "belongs to Observation" in outcome(web.get(f"/fhir/Patient?_page={token}"), 400)["diagnostics"]
    assert outcome(web.get(f"/fhir/Observation?_page={token[:-3]}AAA"), 400)


@pytest.mark.parametrize(("path", "status"), [("Foo", 404), ("Foo?x=1", 404), ("patient", 404)])
def test_types_that_are_none(web, path, status):
    assert outcome(web.get(f"/fhir/{path}"), status)["code"] == "not-found"


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"X-Forwarded-Host": "gw.example", "X-Forwarded-Proto": "https"}, "https://gw.example"),
        ({"X-Forwarded-Host": "gw.example:8443, inner", "X-Forwarded-Proto": "https"}, "https://gw.example:8443"),
        ({"X-Forwarded-Host": "gw.example", "X-Forwarded-Port": "8080"}, "http://gw.example:8080"),
        ({"X-Forwarded-Host": "gw.example", "X-Forwarded-Port": "80"}, "http://gw.example"),
        ({"X-Forwarded-Host": "gw.example", "X-Forwarded-Port": "many"}, "http://gw.example"),
        ({"X-Forwarded-Prefix": "/health/"}, "http://127.0.0.1:8000/health"),
        ({"X-Forwarded-Prefix": "/a b"}, "http://127.0.0.1:8000"),
        ({"Forwarded": 'for=127.0.0.1;host="gw.example:444";proto=https, host=inner'}, "https://gw.example:444"),
        ({"Forwarded": "proto=https", "X-Forwarded-Host": "gw.example"}, "https://gw.example"),
        ({"X-Forwarded-Host": 'evil"><script>', "X-Forwarded-Proto": "javascript"}, "http://127.0.0.1:8000"),
        ({"Host": "localhost:9"}, "http://localhost:9"),
        ({"Host": "[::1]:9"}, "http://[::1]:9"),
    ],
)
def test_links_begin_where_the_client_came_in(web, headers, base):
    bundle = web.fhir("Observation", headers=headers)
    assert link(bundle, "next").startswith(f"{base}/fhir/Observation?_page=")
    assert bundle["entry"][0]["fullUrl"].startswith(f"{base}/fhir/Observation/")


def test_a_configured_address_wins(web):
    fixed = make(web.store, web.data, public_url="https://health.example/r4/")
    bundle = fixed.fhir("Observation", headers={"X-Forwarded-Host": "other.example"})
    assert link(bundle, "self") == "https://health.example/r4/Observation"


@pytest.mark.parametrize(
    ("query", "accept", "status"),
    [
        ("", "application/fhir+json", 200),
        ("", "application/fhir+xml", 406),
        ("", "application/fhir+xml, */*;q=0.1", 200),
        ("", "application/json;q=0", 406),
        ("", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 200),
        ("", "application/fhir+json; fhirVersion=5.0", 406),
        ("", "application/fhir+json; fhirVersion=4.0", 200),
        ("_format=json", "application/fhir+xml", 200),
        ("_format=application/fhir+json", "*/*", 200),
        ("_format=application/fhir%2Bjson", "*/*", 200),
        ("_format=xml", "application/json", 406),
        ("_format=ttl", "*/*", 406),
    ],
)
def test_only_json_of_r4_is_offered(web, query, accept, status):
    assert web.get(f"/fhir/Patient?{query}", headers={"Accept": accept}).status_code == status


def test_a_form_is_read_with_care(web):
    path = "/fhir/Patient/_search"
    assert outcome(web.ask("POST", path, content=b"{}", headers={"Content-Type": "application/json"}), 415)
    assert outcome(web.ask("POST", path), 415)
    form = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert web.ask("POST", path, content="name=测试".encode(), headers=form).json()["entry"]
    assert outcome(web.ask("POST", path, content=b"name=%ff%fe", headers=form), 400)
    assert outcome(web.ask("POST", path, content=b"name=\xff\xfe", headers=form), 400)
    assert outcome(web.ask("POST", path, content=b"name=" + b"x" * 70000, headers=form), 413)["code"] == "too-long"
    assert "200 parameters" in outcome(web.get("/fhir/Patient?" + "_id=a&" * 300), 400)["diagnostics"]
