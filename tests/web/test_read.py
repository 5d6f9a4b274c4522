"""Reading, versions and history as a clinic's system does it."""

import json

import pytest

from gateway.conformance import structure
from tests.web.county import HISTORY


def outcome(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    body = answer.json()
    assert structure.check(body) == []
    return body["issue"][0]


def test_read_returns_the_stored_bytes_with_their_version(web):
    answer = web.get(f"/fhir/Observation/{web.results[0]}")
    assert answer.status_code == 200
    assert answer.headers["etag"] == f'W/"{HISTORY}"'
    assert answer.headers["last-modified"] == "Mon, 05 Jan 2026 00:00:00 GMT"
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["valueQuantity"] == {"value": 4}
    assert answer.json()["meta"]["versionId"] == str(HISTORY)


def test_head_says_the_same_without_the_body(web):
    path = f"/fhir/Patient/{web.patient}"
    head, full = web.ask("HEAD", path), web.get(path)
    assert head.content == b""
    names = ("etag", "last-modified", "content-length", "content-type")
    assert [head.headers[name] for name in names] == [full.headers[name] for name in names]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-None-Match": 'W/"4"'}, 304),
        ({"If-None-Match": '"4"'}, 304),
        ({"If-None-Match": 'W/"1", W/"4"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": 'W/"44"'}, 200),
        ({"If-None-Match": "nonsense"}, 200),
        ({"If-Modified-Since": "Mon, 05 Jan 2026 00:00:00 GMT"}, 304),
        ({"If-Modified-Since": "Sun, 04 Jan 2026 23:59:59 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"If-Modified-Since": "Mon, 05 Jan 2026 00:00:00 -0000"}, 200),
        ({"If-None-Match": 'W/"1"', "If-Modified-Since": "Mon, 05 Jan 2026 00:00:00 GMT"}, 200),
    ],
)
def test_a_client_that_has_it_is_told_so(web, headers, status):
    answer = web.get(f"/fhir/Observation/{web.results[0]}", headers=headers)
    assert answer.status_code == status
    assert answer.headers["etag"] == 'W/"4"'
    assert bool(answer.content) == (status == 200)


def test_vread_returns_the_version_asked_for(web):
    first = web.fhir(f"Observation/{web.results[0]}/_history/1")
    assert (first["valueQuantity"], first["meta"]["versionId"]) == ({"value": 0}, "1")


@pytest.mark.parametrize("version", ["0", "5", "x", "-1", "99999999", "²", "16777217", "33554433"])
def test_there_is_no_other_version(web, version):
    issue = outcome(web.get(f"/fhir/Observation/{web.results[0]}/_history/{version}"), 404)
    assert issue["code"] == "not-found"


def test_no_version_number_reaches_into_another_resource(web):
    for kind, fid in (("Patient", web.patient), *(("Observation", fid) for fid in web.results)):
        for number in (1 << 24, (1 << 24) + 1, (1 << 24) + 2, (1 << 25) + 1, 3 * (1 << 24) + 1):
            assert web.get(f"/fhir/{kind}/{fid}/_history/{number}").status_code == 404


def test_what_was_deleted_is_gone_but_its_past_is_not(web):
    assert outcome(web.get("/fhir/Patient/gone"), 410)["code"] == "deleted"
    assert outcome(web.get("/fhir/Patient/gone/_history/2"), 410)["code"] == "deleted"
    assert web.fhir("Patient/gone/_history/1")["id"] == "gone"
    newest, oldest = web.fhir("Patient/gone/_history")["entry"]
    assert "resource" not in newest
    assert newest["request"] == {"method": "DELETE", "url": "Patient/gone"}
    assert newest["response"]["status"] == "204 No Content"
    assert oldest["response"]["status"] == "201 Created"


@pytest.mark.parametrize(
    "path",
    ["Patient/none", "patient/x", "Foo/x", "Patient/a b", f"Patient/{'x' * 65}", "Patient/a%00b", "Patient/病人"],
)
def test_what_is_not_there_is_not_found(web, path):
    assert outcome(web.get(f"/fhir/{path}"), 404)["code"] == "not-found"


def test_people_may_ask_for_indented_json(web):
    text = web.get(f"/fhir/Observation/{web.results[0]}?_pretty=true").text
    assert text.startswith('{\n  "resourceType"')
    assert json.loads(text) == web.fhir(f"Observation/{web.results[0]}?_pretty=false")
    assert outcome(web.get(f"/fhir/Patient/{web.patient}?_pretty=maybe"), 400)["expression"] == ["_pretty"]


@pytest.mark.parametrize("query", ["_elements=colour", "_summary=count", "_summary=short", "identifier=1"])
def test_read_refuses_what_it_would_ignore(web, query):
    assert outcome(web.get(f"/fhir/Patient/{web.patient}?{query}"), 400)["expression"] == [query.partition("=")[0]]
    assert web.get(f"/fhir/Patient/{web.patient}?_summary=false").status_code == 200
