"""Batch and transaction over HTTP: answers in their places, failures that name their entry, all or none."""

import base64
import json

import pytest

from tests.web.desk import PATCH, entry, issue, opened, patient, responses, result

UUID = "urn:uuid:0f1d1c0e-0000-4000-8000-00000000000"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("bundle")) as made:
        yield made


def patch(*operations):
    data = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"resourceType": "Binary", "contentType": PATCH, "data": data}


def count(desk, query="Patient"):
    return desk.web.fhir(f"{query}{'&' if '?' in query else '?'}_summary=count")["total"]


def test_each_entry_of_a_batch_stands_alone(desk):
    made = desk.create(patient("b1"))
    place = f"Patient/{made['id']}"
    answer = desk.bundle(
        "batch",
        entry("GET", place),
        entry("POST", "Patient", patient("b2")),
        entry("POST", "Patient", patient("x", gender="frob")),
        entry("PUT", place, {**made, "gender": "male"}, ifMatch='W/"1"'),
        entry("PUT", place, {**made, "gender": "female"}, ifMatch='W/"1"'),
        entry("PATCH", place, patch({"op": "add", "path": "/active", "value": True})),
        entry("GET", f"/{place}/_history/2?_pretty=true"),
        entry("GET", place, ifNoneMatch='W/"3"'),
        entry("GET", place, ifModifiedSince="2099-01-01T00:00:00Z"),
        entry("GET", "Patient?identifier=urn:test:card|b2"),
        entry("DELETE", place),
        entry("GET", place),
        entry("POST", "Patient", patient("b2"), ifNoneExist="identifier=urn:test:card|b2"),
        entry("GET", "http://127.0.0.1:8000/fhir/metadata"),
        entry("HEAD", "Patient?_count=1"),
    )
    told = responses(answer)
    statuses = [one["status"][:3] for one in told]
    assert statuses == [
        "200",
        "201",
        "422",
        "200",
        "412",
        "200",
        "200",
        "304",
        "304",
        "200",
        "204",
        "410",
        "200",
        "200",
        "200",
    ]
    entries = answer.json()["entry"]
    assert entries[0]["resource"] == made
    assert told[0]["lastModified"][:4] == told[1]["lastModified"][:4] == "2026"
    assert told[1]["location"].startswith("Patient/")
    assert told[2]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[2].resource.gender"]
    assert told[4]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[4]"]
    assert entries[6]["resource"]["gender"] == "male"
    assert entries[9]["resource"]["type"] == "searchset"
    assert told[11]["etag"] == 'W/"4"'
    assert "resource" not in entries[1]
    assert "resource" not in entries[14]


@pytest.mark.parametrize(
    ("asked", "status", "where"),
    [
        ({"fullUrl": "urn:x"}, "400", "Bundle.entry[0]"),
        (entry("GET", "Patient?frob=1"), "400", "Bundle.entry[0].request.url"),
        (entry("GET", "Patient?name=%ff"), "400", "Bundle.entry[0]"),
        (entry("GET", "Foo/1"), "404", "Bundle.entry[0]"),
        (entry("GET", ""), "400", "Bundle.entry[0].request.url"),
        (entry("POST", "", {"resourceType": "Bundle", "type": "batch"}), "400", "Bundle.entry[0].request.url"),
        (entry("GET", "http://other.example/fhir/Patient/1"), "400", "Bundle.entry[0].request.url"),
        (entry("GET", "urn:uuid:1"), "400", "Bundle.entry[0].request.url"),
        (entry("GET", "Patient/%ff"), "400", "Bundle.entry[0].request.url"),
        (entry("PUT", "Patient/a", patient(id="a"), ifMatch="1"), "400", "Bundle.entry[0].request.ifMatch"),
        (entry("PUT", "Patient/a", patient(id="a"), ifNoneMatch="1"), "400", "Bundle.entry[0].request.ifNoneMatch"),
        (entry("POST", "Patient", patient(), ifNoneExist=" "), "400", "Bundle.entry[0].request.ifNoneExist"),
        (entry("POST", "Patient"), "400", "Bundle.entry[0]"),
        (entry("POST", "Patient/_search"), "400", "Bundle.entry[0].request.method"),
        (entry("PATCH", "Patient/a", {"resourceType": "Parameters"}), "415", "Bundle.entry[0].resource"),
        (entry("PATCH", "Patient/a", {**patch(), "data": "!"}), "400", "Bundle.entry[0].resource.data"),
        (entry("PATCH", "Patient/a", {**patch(), "data": "e30="}), "400", "Bundle.entry[0].resource"),
        (entry("DELETE", "Patient"), "400", "Bundle.entry[0].request.url"),
        (entry("PUT", "metadata", patient()), "405", "Bundle.entry[0]"),
    ],
)
def test_what_an_entry_cannot_ask(desk, asked, status, where):
    alone = desk.bundle("batch", asked)
    if alone.status_code == 422:  # the Bundle's own frame is at fault
        assert issue(alone, 422)["expression"][0].startswith("Bundle.entry[0]")
        return
    (told,) = responses(alone)
    assert told["status"].startswith(status)
    assert told["outcome"]["issue"][0]["expression"][0].startswith(where)
    whole = desk.bundle("transaction", asked)
    assert issue(whole, int(status))["expression"][0].startswith(where)


def test_a_transaction_resolves_its_references(desk):
    answer = desk.bundle(
        "transaction",
        entry("POST", "Observation", result(f"{UUID}1"), f"{UUID}2"),
        entry("GET", "Patient?identifier=urn:test:card|t1"),
        entry("POST", "Patient", patient("t1"), f"{UUID}1"),
        entry("GET", "Observation?patient.identifier=urn:test:card|t1"),
    )
    told = responses(answer)
    assert answer.json()["type"] == "transaction-response"
    assert [one["status"] for one in told] == ["201 Created", "200 OK", "201 Created", "200 OK"]
    stored = desk.ask("GET", "/" + told[0]["location"]).json()
    assert stored["subject"]["reference"] == told[2]["location"].partition("/_history")[0]
    entries = answer.json()["entry"]
    assert len(entries[1]["resource"]["entry"]) == 1, "reads see what the transaction wrote"


def test_a_transaction_is_all_or_nothing(desk):
    before = count(desk)
    bad = [entry("POST", "Patient", patient("t2")), entry("POST", "Patient", patient("t3", gender="frob"))]
    assert issue(desk.bundle("transaction", *bad), 422)["expression"] == ["Bundle.entry[1].resource.gender"]
    late = [entry("POST", "Patient", patient("t2")), entry("PUT", "Patient/no", patient(id="no"), ifMatch='W/"4"')]
    assert issue(desk.bundle("transaction", *late), 412)["expression"] == ["Bundle.entry[1]"]
    twice = [entry("PUT", "Patient/tw", patient(f"{n}", id="tw")) for n in range(2)]
    assert desk.bundle("transaction", *twice).status_code == 400
    assert count(desk) == before


def test_a_read_that_finds_nothing(desk):
    alone = desk.bundle("transaction", entry("GET", "Patient/none"), entry("GET", "metadata"))
    assert issue(alone, 404)["expression"] == ["Bundle.entry[0]"]
    beside = desk.bundle("transaction", entry("POST", "Patient", patient("t4")), entry("GET", "Patient/none"))
    assert [one["status"][:3] for one in responses(beside)] == ["201", "404"], "what is written stands"
    before = count(desk)
    wrong = desk.bundle("transaction", entry("POST", "Patient", patient("t5")), entry("GET", "Patient?frob=1"))
    assert issue(wrong, 400)["expression"] == ["Bundle.entry[1].request.url"]
    assert count(desk) == before, "what cannot be asked at all stops the writes"


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_what_a_client_prefers_of_a_bundle(desk, kind):
    asked = [entry("PUT", "Patient/pre", patient("pre", id="pre")), entry("DELETE", "Patient/gone-not-there")]
    full = desk.bundle(kind, *asked, prefer="return=representation")
    assert full.json()["entry"][0]["resource"]["id"] == "pre"
    told = desk.bundle(kind, *asked, prefer="return=OperationOutcome")
    assert "stays as it is" in responses(told)[0]["outcome"]["issue"][0]["diagnostics"]
    assert responses(told)[1]["status"] == "200 OK"
    assert "resource" not in told.json()["entry"][0]
    assert "outcome" not in responses(desk.bundle(kind, *asked))[0]


def test_lenient_searches_of_a_batch(desk):
    strict = responses(desk.bundle("batch", entry("GET", "Patient?frob=1")))
    lenient = responses(desk.bundle("batch", entry("GET", "Patient?frob=1"), prefer="handling=lenient"))
    assert [one["status"][:3] for one in (*strict, *lenient)] == ["400", "200"]


def test_an_empty_bundle(desk):
    for kind in ("batch", "transaction"):
        answer = desk.ask("POST", "", {"resourceType": "Bundle", "type": kind})
        assert answer.json()["type"] == f"{kind}-response"


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        (patient(), 400, "resourceType"),
        ({"resourceType": "Bundle", "type": "collection"}, 422, "Bundle.type"),
        ({"resourceType": "Bundle", "type": "frob"}, 422, "Bundle.type"),
        ({"resourceType": "Bundle"}, 422, "Bundle"),
        ({"resourceType": "Bundle", "type": "batch", "entry": {}}, 422, "Bundle.entry"),
        ({"resourceType": "Bundle", "type": "batch", "entry": [1]}, 422, "Bundle.entry[0]"),
        ({"resourceType": "Bundle", "type": "batch", "entry": [{"resource": 1}]}, 422, "Bundle.entry[0]"),
        ({"resourceType": "Bundle", "type": "batch", "entry": [entry("FROB", "x")]}, 422, "Bundle.entry[0].request"),
        (
            {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET"}}]},
            422,
            "Bundle.entry[0]",
        ),
        ({"resourceType": "Bundle", "type": "batch", "frob": 1}, 422, "Bundle"),
        (b"", 400, ""),
        (b"[1]", 400, ""),
    ],
)
def test_what_is_no_bundle_of_requests(desk, body, status, where):
    told = issue(desk.ask("POST", "", body), status)
    assert told.get("expression", [""])[0].startswith(where)


def test_bundles_have_limits_and_a_media_type(desk, tmp_path):
    assert issue(desk.ask("POST", "", b"{}", content_type="application/fhir+xml"), 415)
    assert issue(desk.ask("POST", "?x=1", {"resourceType": "Bundle", "type": "batch"}), 400)["expression"] == ["x"]
    with opened(tmp_path, max_bundle_entries=3) as small:
        three = [entry("GET", "metadata")] * 3
        assert small.bundle("batch", *three).status_code == 200
        over = issue(small.bundle("batch", *three, three[0]), 413)
        assert (over["code"], over["expression"]) == ("too-long", ["Bundle.entry"])


def test_reads_of_a_bundle_have_room_and_time(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with opened(tmp_path / "a", max_body_bytes=2000) as small:
        made = small.create(patient("room", contact=[{"name": {"text": "x" * 900}}]))
        asked = [entry("GET", f"Patient/{made['id']}")] * 12
        statuses = [one["status"][:3] for one in responses(small.bundle("batch", *asked))]
        assert (statuses[0], statuses[-1], set(statuses)) == ("200", "413", {"200", "413"})
        wrote = small.bundle("transaction", *asked, entry("POST", "Patient", patient("room2")))
        assert responses(wrote)[-2]["status"].startswith("413")
        binary = small.ask("POST", "/Binary", b"x" * 1900, content_type="text/plain").json()
        asked = [entry("GET", f"Binary/{binary['id']}")] * 4
        assert [one["status"][:3] for one in responses(small.bundle("batch", *asked))] == ["200", "200", "413", "413"]
    with opened(tmp_path / "b", bundle_timeout_s=1e-9) as hurried:
        (late,) = responses(hurried.bundle("batch", entry("POST", "Patient", patient())))
        assert late["status"] == "503 Service Unavailable"
        assert hurried.bundle("transaction", entry("POST", "Patient", patient())).status_code == 200


def test_a_binary_inside_a_bundle_is_a_resource(desk):
    made = desk.ask("POST", "/Binary", b"words", content_type="text/plain").json()
    answer = desk.bundle("batch", entry("GET", f"Binary/{made['id']}"))
    assert base64.b64decode(answer.json()["entry"][0]["resource"]["data"]) == b"words"


def test_a_bundle_may_be_stored_as_it_is(desk):
    body = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient()}]}
    made = desk.create(body)
    assert desk.ask("GET", f"/Bundle/{made['id']}").json()["entry"] == body["entry"]


def test_texts_in_a_bundle_are_kept_as_they_were_sent(desk):
    inner = (
        b'{"resourceType":"Observation" , "status":"final","code":{"text":"\\u94be"},"valueQuantity":{"value":5.10}}'
    )
    text = b'{"resourceType":"Bundle","type":"transaction","entry":[{"resource":%b,"request":{"method":"POST","url":"Observation"}}]}'
    (told,) = responses(desk.ask("POST", "", text % inner))
    stored = desk.ask("GET", "/" + told["location"]).content
    assert b'"code":{"text":"\\u94be"},"valueQuantity":{"value":5.10}' in stored
