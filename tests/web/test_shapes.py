"""Answers in the form a client asks for: XML, parts of resources, indented; and untouched where it asks for nothing."""

import json

import pytest

from gateway.conformance import structure
from gateway.store.values import NewVersion, Op
from gateway.web.rest import shapes
from tests.support import xml_reader
from tests.web.test_read import outcome
from tests.web.test_search import link

XML = "application/fhir+xml; charset=utf-8"
TAG = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


def keep(web, kind, fid, text):
    """Store a resource as it is."""
    with web.store.write() as tx:
        pid = tx.allocate(1)[0]
        moment = tx.moment(0)
        tx.put([NewVersion(pid, 1, kind, fid, Op.CREATE, text, bytes(16), "county", moment)])


def read_xml(answer, status=200):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == XML
    assert "content-encoding" in answer.headers or int(answer.headers["content-length"]) == len(answer.content)
    return xml_reader.read(answer.content)


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?_format=xml", {}),
        ("?_format=application/fhir%2Bxml", {}),
        ("?_format=application/fhir+xml", {"Accept": "application/json"}),
        ("?_format=text/xml", {}),
        ("", {"Accept": "application/fhir+xml"}),
        ("", {"Accept": "application/xml;q=0.8, application/json;q=0.7"}),
        ("", {"Accept": "application/fhir+xml; fhirVersion=4.0"}),
    ],
)
def test_a_resource_as_xml(web, query, headers):
    path = f"Patient/{web.patient}"
    answer = web.get(f"/fhir/{path}{query}", headers=headers)
    assert read_xml(answer) == web.fhir(path)
    assert answer.headers["etag"] == 'W/"1"'


@pytest.mark.parametrize(
    "accept",
    [
        "application/json, application/fhir+xml;q=0.9",
        "application/fhir+xml;q=0, */*",
        "*/*",
        "",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    ],
)
def test_json_where_that_is_wanted_more_and_for_browsers(web, accept):
    answer = web.get(f"/fhir/Patient/{web.patient}", headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"


@pytest.mark.parametrize(
    ("query", "accept", "where"),
    [
        ("_format=ttl", "*/*", "_format"),
        ("_format=html", "*/*", "_format"),
        ("_format=xml; fhirVersion=5.0", "*/*", "fhirVersion"),
        ("", "application/fhir+turtle", "Accept"),
        ("", "application/fhir+xml; fhirVersion=3.0", "fhirVersion"),
        ("", "text/html", "Accept"),
    ],
)
def test_other_formats_are_not_offered(web, query, accept, where):
    answer = web.get(f"/fhir/Patient/{web.patient}?{query}", headers={"Accept": accept})
    assert outcome(answer, 406)["expression"] == [where]


@pytest.mark.parametrize("place", ["Observation?_count=2", "Patient/gone/_history", "Observation/_history?_count=2"])
def test_bundles_as_xml(web, place):
    bundle = web.fhir(place)
    sign = "&" if "?" in place else "?"
    read = read_xml(web.get(f"/fhir/{place}{sign}_format=xml"))
    assert read["entry"] == bundle["entry"]
    assert structure.check(read) == []
    following = link(read, "next")
    assert not following or read_xml(web.get(following))["entry"]


def test_metadata_and_a_version_as_xml(web):
    assert read_xml(web.get("/fhir/metadata?_format=xml&_elements=status"))["fhirVersion"] == "4.0.1"
    path = f"Observation/{web.results[0]}/_history/1"
    assert read_xml(web.get(f"/fhir/{path}?_format=xml")) == web.fhir(path)


def test_indented_in_either_format(web):
    path = f"/fhir/Patient/{web.patient}?_pretty=true"
    assert web.get(path).text.startswith('{\n  "resourceType"')
    assert web.get(f"{path}&_format=xml").text.splitlines()[1] == '<Patient xmlns="http://hl7.org/fhir">'


@pytest.mark.parametrize(
    ("path", "status"), [("Patient/none", 404), ("Foo?x=1", 404), ("Patient?colour=red", 400), ("Patient/gone", 410)]
)
def test_faults_in_the_format_asked_for(web, path, status):
    sign = "&" if "?" in path else "?"
    told = read_xml(web.get(f"/fhir/{path}{sign}_format=xml"), status)
    assert told == web.get(f"/fhir/{path}", headers={"Accept": "application/json"}).json()
    assert read_xml(web.get(f"/fhir/{path}", headers={"Accept": "application/fhir+xml"}), status) == told
    indented = web.get(f"/fhir/{path}{sign}_pretty=true")
    assert indented.text.startswith("{\n")


def test_a_fault_that_quotes_what_xml_cannot_carry(web):
    told = read_xml(web.get("/fhir/Patient?_count=%01&_format=xml"), 400)
    assert "\ufffd" in told["issue"][0]["details"]["text"] or "x01" in told["issue"][0]["details"]["text"]


@pytest.mark.parametrize(
    ("fid", "text", "where"),
    [
        ("odd", b'{"resourceType":"Basic","id":"odd","code":{"text":"a\\u0001b"}}', "Basic.code.text"),
        (
            "div",
            b'{"resourceType":"Basic","id":"div","text":{"status":"generated","div":"<div><p></div>"}}',
            "Basic.text.div",
        ),
    ],
)
def test_what_xml_cannot_carry_is_refused_with_its_place(web, fid, text, where):
    keep(web, "Basic", fid, text)
    told = read_xml(web.get(f"/fhir/Basic/{fid}?_format=xml"), 406)
    assert told["issue"][0]["expression"] == [where]
    assert "_format=json" in told["issue"][0]["details"]["text"]
    assert web.get(f"/fhir/Basic/{fid}").content == text


def test_elements_of_a_resource_keep_their_digits(web):
    text = (
        b'{"resourceType":"Observation","id":"digits","meta":{"versionId":"1"},"status":"final","code":{"text":"K"},'
        b'"valueQuantity":{"value":5.10},"note":[{"text":"x"}],"component":[{"valueQuantity":{"value":1e2}}]}'
    )
    keep(web, "Observation", "digits", text)
    answer = web.get("/fhir/Observation/digits?_elements=value,component")
    assert b'"value":5.10}' in answer.content
    assert b'"value":1e2}' in answer.content
    assert set(answer.json()) == {"resourceType", "id", "meta", "status", "code", "valueQuantity", "component"}
    assert answer.json()["meta"] == {"versionId": "1", "tag": [TAG]}
    both = read_xml(web.get("/fhir/Observation/digits?_elements=value&_format=xml"))
    assert str(both["valueQuantity"]["value"]) == "5.10"


@pytest.mark.parametrize(
    ("summary", "kept"),
    [
        ("true", {"identifier", "name", "gender", "birthDate"}),
        ("text", set()),
        ("data", {"identifier", "name", "gender", "birthDate"}),
    ],
)
def test_summaries(web, summary, kept):
    body = web.fhir(f"Patient/{web.patient}?_summary={summary}")
    assert set(body) - {"resourceType", "id", "meta"} == kept
    assert body["meta"]["tag"] == [TAG]
    assert body["meta"]["versionId"] == "1"


def test_every_match_of_a_search_and_of_a_history(web):
    found = web.fhir("Observation?_elements=status&_count=3&_include=Observation:subject")
    matches = [one["resource"] for one in found["entry"] if one["search"]["mode"] == "match"]
    assert [set(one) for one in matches] == [{"resourceType", "id", "meta", "status", "code"}] * 3
    assert all(one["meta"]["tag"] == [TAG] for one in matches)
    (included,) = [one["resource"] for one in found["entry"] if one["search"]["mode"] == "include"]
    assert included == web.fhir(f"Patient/{web.patient}")
    assert "tag" in web.fhir(link(found, "next"))["entry"][0]["resource"]["meta"]
    everybody = web.fhir("Observation?_summary=true&_count=4&_include=Observation:subject")
    assert {one["search"]["mode"] for one in everybody["entry"]} == {"match", "include"}
    assert all(one["resource"]["meta"]["tag"] == [TAG] for one in everybody["entry"])
    past = web.fhir("Patient/_history?_summary=text")
    assert all("name" not in one["resource"] for one in past["entry"] if "resource" in one)


def test_a_bundle_that_was_stored_is_a_resource_like_any_other(web):
    text = b'{"resourceType":"Bundle","id":"kept","type":"collection","entry":[{"resource":{"resourceType":"Basic"}}]}'
    keep(web, "Bundle", "kept", text)
    body = web.fhir("Bundle/kept?_elements=total")
    assert body == {"resourceType": "Bundle", "id": "kept", "meta": {"tag": [TAG]}, "type": "collection"}


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("_summary=short", "_summary"),
        ("_elements=colour", "_elements"),
        ("_elements=name&_summary=true", "_elements"),
        ("_pretty=maybe", "_pretty"),
    ],
)
@pytest.mark.parametrize("place", ["Patient", "Patient/{}", "Patient/{}/_history", "metadata"])
def test_what_cannot_be_is_refused(web, place, query, where):
    answer = web.get(f"/fhir/{place.format(web.patient)}?{query}")
    assert outcome(answer, 400)["expression"] == [where]


def test_nothing_asked_is_nothing_done(web):
    assert shapes.look((), {}) is shapes.PLAIN
    assert shapes.look((("identifier", "1"),), {"accept": "application/fhir+json"}) is shapes.PLAIN
    assert shapes.look((("_summary", "false"), ("_pretty", "false")), {}) is shapes.PLAIN
    answer = shapes.Answer(200, b"as it is")
    assert shapes.shaped(answer, shapes.PLAIN) is answer
    stored = web.get(f"/fhir/Patient/{web.patient}")
    assert stored.content == json.dumps(stored.json(), ensure_ascii=False, separators=(",", ":")).encode()


def test_parts_inside_a_batch(web):
    entries = [
        {"request": {"method": "GET", "url": f"Patient/{web.patient}?_elements=name"}},
        {"request": {"method": "GET", "url": f"Patient/{web.patient}"}},
    ]
    answer = web.ask("POST", "/fhir", json={"resourceType": "Bundle", "type": "batch", "entry": entries})
    part, whole = [entry["resource"] for entry in answer.json()["entry"]]
    assert (set(part), "tag" in whole["meta"]) == ({"resourceType", "id", "meta", "name"}, False)
