"""Bundles: right R4 around untouched resource bytes."""

import json

from gateway.conformance import structure
from gateway.fhir import bundle

PATIENT = b'{"resourceType":"Patient","id":"p1", "active":  true}'
ODD = b'{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":72.50}}'


def test_a_searchset_holds_the_stored_bytes():
    text = bundle.build(
        "searchset",
        [
            bundle.Entry(PATIENT, "https://yigong.example/fhir/Patient/p1", "match"),
            bundle.Entry(ODD, "https://yigong.example/fhir/Observation/o", "include", score=0.5),
        ],
        id="b1",
        timestamp="2026-03-01T00:00:00.000Z",
        total=1,
        links=[("self", 'https://yigong.example/fhir/Patient?name="王"'), ("next", "https://yigong.example/x")],
    )
    assert PATIENT in text
    assert ODD in text
    read = json.loads(text)
    assert structure.check(read) == []
    assert list(read) == ["resourceType", "id", "type", "timestamp", "total", "link", "entry"]
    assert read["link"][0]["url"].endswith('name="王"')
    assert read["entry"][1]["search"] == {"mode": "include", "score": 0.5}


def test_an_empty_searchset_has_no_empty_lists():
    text = bundle.build("searchset", [], total=0)
    assert text == b'{"resourceType":"Bundle","type":"searchset","total":0}'
    assert structure.is_valid(json.loads(text))


def test_history_tells_requests_and_responses():
    entries = [
        bundle.Entry(
            full_url="https://yigong.example/fhir/Patient/p1",
            method="DELETE",
            url="Patient/p1",
            status="204",
            etag=bundle.etag(3),
            last_modified="2026-03-01T00:00:00.000Z",
        ),
        bundle.Entry(PATIENT, "https://yigong.example/fhir/Patient/p1", method="PUT", url="Patient/p1", status="200"),
    ]
    read = json.loads(bundle.build("history", entries, total=2))
    assert structure.check(read) == []
    assert read["entry"][0]["response"]["etag"] == 'W/"3"'
    assert "resource" not in read["entry"][0]


def test_a_response_carries_its_outcome():
    outcome = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"required"}]}'
    text = bundle.build("batch-response", [bundle.Entry(status="400", outcome=outcome, location="Patient/p1")])
    read = json.loads(text)
    assert structure.check(read) == []
    assert read["entry"][0]["response"]["outcome"]["issue"][0]["code"] == "required"


def test_a_bundle_can_be_sent_piece_by_piece():
    entries = [bundle.Entry(PATIENT, f"urn:{number}") for number in range(3)]
    pieces = list(bundle.stream("collection", iter(entries)))
    assert len(pieces) == 5
    assert b"".join(pieces) == bundle.build("collection", entries)
