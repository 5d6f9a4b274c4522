"""Searching: pages, totals, links that work behind proxies and tell nothing, and words for what is refused."""

import pytest

from gateway.conformance import structure
from tests.web.county import LOCAL, make
from tests.web.test_read import outcome

LENIENT = {"Prefer": "handling=lenient"}
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
    assert web.patient not in str(bundle["link"])
    following = web.fhir(link(bundle, "next"))
    assert ids(following) == web.results[5:3:-1]
    assert ids(web.fhir(link(bundle, "first"))) == ids(web.fhir(link(following, "first"))) == ids(bundle)
    assert link(following, "self") == link(bundle, "next")
    assert web.get(f"/fhir/Observation/_search?{CODE}").status_code == 200


@pytest.mark.parametrize("query", ["_summary=count", "_count=0", "_summary=count&_count=5", "_count=5&_summary=count"])
def test_a_count_alone(web, query):
    bundle = web.fhir(f"Observation?{CODE}&{query}")
    assert (bundle["total"], ids(bundle)) == (4, [])
    assert structure.check(bundle) == []


def test_the_total_when_asked_for(web):
    assert web.fhir(f"Observation?{CODE}&_total=accurate&_count=1")["total"] == 4
    assert "total" not in web.fhir(f"Observation?{CODE}&_total=none")


def test_an_estimate_says_where_counting_stopped(web):
    assert web.fhir(f"Observation?{CODE}&_total=estimate")["total"] == 4
    few = make(web.store, web.data, estimate_limit=2).fhir(f"Observation?{CODE}&_total=estimate")
    assert structure.check(few) == []
    assert few["total"] == 2
    assert "more than 2 matches" in few["entry"][-1]["resource"]["issue"][0]["diagnostics"]


def test_the_page_size_is_the_settings(web):
    assert len(ids(web.fhir("Observation"))) == 3
    small = make(web.store, web.data, max_page_size=4, page_size=1)
    assert len(ids(small.fhir("Observation?_count=1000"))) == 4
    assert len(ids(small.fhir("Observation?_summary=false"))) == 1


def test_an_include_is_marked_as_such(web):
    bundle = web.fhir(f"Observation?{CODE}&_include=Observation:subject")
    assert (len(ids(bundle)), ids(bundle, "include")) == (3, [web.patient])


def test_includes_that_are_too_many_are_cut_and_that_is_said(web):
    asked = f"Patient?_id={web.patient}&_revinclude=Observation:subject"
    assert ids(web.fhir(asked), "include") == web.results[::-1]
    cut = make(web.store, web.data, include_limit=3).fhir(asked)
    assert structure.check(cut) == []
    assert ids(cut, "include") == web.results[:4:-1]
    issue = cut["entry"][-1]["resource"]["issue"][0]
    assert cut["entry"][-1]["search"]["mode"] == "outcome"
    assert (issue["severity"], issue["code"]) == ("warning", "incomplete")
    assert "Only 3 resources were included" in issue["diagnostics"]


def test_where_matches_came_from_can_be_included(web):
    bundle = web.fhir(f"Observation?{CODE}&_count=2&_revinclude=Provenance:target&_include=Observation:subject")
    assert structure.check(bundle) == []
    told = [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Provenance"]
    wanted = [f"Observation/{fid}" for fid in ids(bundle)]
    assert [entry["resource"]["target"][0]["reference"].partition("/_history")[0] for entry in told] == wanted
    assert {entry["search"]["mode"] for entry in told} == {"include"}
    assert web.fhir(told[0]["fullUrl"]) == told[0]["resource"]
    cut = make(web.store, web.data, include_limit=1).fhir(f"Observation?{CODE}&_revinclude=Provenance:target")
    assert len(ids(cut, "include")) == 1
    assert "Only 1 resources" in cut["entry"][-1]["resource"]["issue"][0]["diagnostics"]


def test_includes_are_masked_like_matches(web):
    bundle = web.fhir(f"Observation?{CODE}&_elements=status&_include=Observation:subject&colour=red", headers=LENIENT)
    assert structure.check(bundle) == []
    match, outcome_ = bundle["entry"][0]["resource"], bundle["entry"][-1]["resource"]
    assert "valueQuantity" not in match
    assert match["meta"]["tag"][-1]["code"] == "SUBSETTED"
    assert outcome_["issue"][0]["diagnostics"]


def test_sorted_pages_neither_repeat_nor_skip(web):
    seen, address = [], f"Observation?patient={web.patient}&_sort=status,-date&_count=2"
    while address:
        bundle = web.fhir(address)
        seen += ids(bundle)
        address = link(bundle, "next")
    assert seen == web.results[::-1]


def test_a_lenient_client_is_told_what_was_ignored(web):
    bundle = web.fhir(f"Observation?{CODE}&colour=red&_count=2", headers=LENIENT)
    assert structure.check(bundle) == []
    assert ids(bundle) == [web.results[n] for n in (6, 4)]
    assert ids(web.fhir(link(bundle, "next"))) == [web.results[n] for n in (2, 0)]
    assert "colour" not in link(bundle, "self")
    issue = bundle["entry"][-1]["resource"]["issue"][0]
    assert (issue["code"], "colour" in issue["diagnostics"]) == ("not-supported", True)
    assert outcome(web.get(f"/fhir/Observation?{CODE}&colour=red", headers={"Prefer": "handling=strict"}), 400)


# --- compartments, several types ----------------------------------------------------------------------------------


def test_a_compartment_is_searched_like_a_type(web):
    assert ids(web.fhir(f"Patient/{web.patient}/Observation?{CODE}")) == [web.results[n] for n in (6, 4, 2)]
    bundle = web.fhir(f"Patient/{web.patient}/Observation?_count=5")
    assert link(bundle, "next").startswith(f"{LOCAL}/fhir/Patient/{web.patient}/Observation?_page=")
    assert ids(bundle) + ids(web.fhir(link(bundle, "next"))) == web.results[::-1]
    assert ids(web.fhir("Patient/nobody/Observation")) == []


@pytest.mark.parametrize("place", ["*", "_search"])
def test_a_whole_compartment_holds_its_owner(web, place):
    found = ids(web.fhir(f"Patient/{web.patient}/{place}?_count=50"))
    assert set(found) >= {*web.results, web.patient}
    assert web.patient in ids(web.fhir(f"Patient/{web.patient}/{place}?_type=Patient"))
    assert web.fhir(f"Patient/{web.patient}/{place}?_summary=count")["total"] == len(found)


def test_forms_search_compartments_and_types_too(web):
    form = {"code": "http://loinc.org|2823-3"}
    answer = web.ask("POST", f"/fhir/Patient/{web.patient}/Observation/_search", data=form).json()
    assert ids(answer) == [web.results[n] for n in (6, 4, 2)]
    answer = web.ask("POST", "/fhir/_search", data={"_type": "Patient", "_id": web.patient}).json()
    assert ids(answer) == [web.patient]
    assert link(answer, "self") == f"{LOCAL}/fhir"
    answer = web.ask("POST", f"/fhir/Patient/{web.patient}/_search", data={"_type": "Observation"}).json()
    assert len(ids(answer)) == 3


def test_several_types_are_paged_in_one_order(web):
    seen, address = [], "?_type=Patient,Observation&_sort=-_lastUpdated&_count=4"
    while address:
        bundle = web.fhir(address)
        assert structure.check(bundle) == []
        seen += [entry["fullUrl"] for entry in bundle["entry"]]
        address = link(bundle, "next")
    total = web.fhir("?_type=Patient,Observation&_summary=count")["total"]
    assert len(seen) == len(set(seen)) == total == web.fhir("_search?_summary=count&_type=Observation,Patient")["total"]


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("*", 404, "stands for types within a compartment"),
        ("*?_id=1", 404, "name them by _type"),
        ("Patient/x/Organization", 404, "no Organization in the compartment of a Patient"),
        ("Patient/x/Foo", 404, "Foo is not a resource type"),
        ("Organization/x/Observation", 404, "Organization has no compartment"),
        ("Foo/x/Observation", 404, "Foo has no compartment"),
        ("Patient/a%20b/Observation", 404, "an id is"),
        ("Patient/x/*?_type=Foo", 400, "no resource type 'Foo'"),
        ("?_type=Patient,Observation&birthdate=2000", 400, "of each of Patient, Observation"),
        ("?patient=1", 400, "of each of all 146 types"),
    ],
)
def test_what_no_compartment_and_no_common_parameter_is(web, path, status, text):
    assert text in outcome(web.get(f"/fhir/{path}" if path[0] != "?" else f"/fhir{path}"), status)["diagnostics"]


def test_a_page_link_keeps_how_the_answer_looks(web):
    bundle = web.fhir("Observation?_pretty=true&_format=json&_elements=status")
    assert "_pretty=true" in link(bundle, "next")
    assert "_elements=status" in link(bundle, "next")
    assert web.get(link(bundle, "next")).text.startswith("{\n")


@pytest.mark.parametrize(
    ("query", "where", "code"),
    [
        ("foo=1", "foo", "invalid"),
        ("_text=x", "_text", "not-supported"),
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
    assert "belongs to /Observation" in outcome(web.get(f"/fhir/Patient?_page={token}"), 400)["diagnostics"]
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
        ("", "application/fhir+xml", 200),
        ("", "application/fhir+xml, */*;q=0.1", 200),
        ("", "application/json;q=0", 406),
        ("", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 200),
        ("", "application/fhir+json; fhirVersion=5.0", 406),
        ("", "application/fhir+json; fhirVersion=4.0", 200),
        ("_format=json", "application/fhir+xml", 200),
        ("_format=application/fhir+json", "*/*", 200),
        ("_format=application/fhir%2Bjson", "*/*", 200),
        ("_format=xml", "application/json", 200),
        ("_format=ttl", "*/*", 406),
    ],
)
def test_only_formats_of_r4_are_offered(web, query, accept, status):
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
