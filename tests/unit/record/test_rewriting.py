"""Only the strings that refer change; every other byte of a client's text stays."""

import json

import pytest

from gateway.errors import GatewayError
from gateway.record.rewriting import references, rewritten
from gateway.record.transaction import Links, Pointed, asked, condition, literals, may_ask

UUID = "urn:uuid:0b7c1f5e-90a6-4f2e-8f8e-0a6f3a1a5a01"


@pytest.fixture
def links():
    made = Links()
    made.add(UUID, Pointed("Patient", "p1", 1))
    made.add("urn:oid:1.2.3", Pointed("Organization", "o1", 0))
    made.add("http://old.example/fhir/Patient/9", Pointed("Patient", "p9", 3))
    made.found["Patient?identifier=1"] = "Patient/f1"
    return made


@pytest.mark.parametrize(
    ("reference", "becomes"),
    [
        (UUID, "Patient/p1"),
        (f"{UUID}#part", "Patient/p1#part"),
        (f"{UUID}/_history/7", "Patient/p1/_history/1"),
        ("urn:oid:1.2.3", "Organization/o1"),
        ("urn:oid:1.2.3/_history/7", "Organization/o1/_history/7"),
        ("http://old.example/fhir/Patient/9", "Patient/p9"),
        ("http://old.example/fhir/Patient/9/_history/2", "Patient/p9/_history/3"),
        ("Patient/9", "Patient/p9"),
        ("Patient/9/_history/1#x", "Patient/p9/_history/3#x"),
        ("Patient?identifier=1", "Patient/f1"),
        ("Patient?identifier=2", None),
        ("Patient/10", None),
        ("#contained", None),
        ("#", None),
        ("", None),
        ("http://old.example/fhir/Patient/99", None),
        ("urn:uuid:other", None),
    ],
)
def test_references_of_an_entry_under_the_same_base(links, reference, becomes):
    assert links.of("http://old.example/fhir/Observation/1").reference(reference) == becomes


def test_relative_references_stay_where_an_entry_has_another_base_or_none(links):
    for full_url in ("", "urn:uuid:2", "http://new.example/fhir/Observation/1"):
        assert links.of(full_url).reference("Patient/9") is None
        assert links.of(full_url).reference(UUID) == "Patient/p1"


def test_an_address_of_two_entries_is_refused(links):
    with pytest.raises(GatewayError, match="two entries"):
        links.add(UUID, Pointed("Patient", "p2", 1))


def test_every_other_byte_stays(links):
    text = (
        b'\xef\xbb\xbf{"resourceType" :"Observation",\r\n\t"subject": { "reference":"%b" , "display":"%b"},'
        b' "valueQuantity":{"value":1.500e2}, "note":[{"text":"\\u4e00 \\"reference\\":\\"%b\\" \\\\"}],'
        b'"identifier":[{"system":"urn:ietf:rfc:3986","value":"%b"}],"performer":[{"reference":"\\u0023a"}]}  \n'
    ) % ((UUID.encode(),) * 4)
    expected = text.replace(b'"reference":"%b"' % UUID.encode(), b'"reference":"Patient/p1"', 1)
    assert rewritten(text, links.of("")) == expected


def test_an_escaped_reference_is_the_same_reference(links):
    text = b'{"subject":{"r\\u0065ference":"urn:uuid:0b7c1f5e\\u002d90a6-4f2e-8f8e-0a6f3a1a5a01"}}'
    assert json.loads(rewritten(text, links.of(""))) == {"subject": {"reference": "Patient/p1"}}


def test_addresses_and_narrative_links_are_resolved_and_identities_are_not(links):
    told = {
        "url": UUID,
        "div": f'<div><a  href=\'{UUID}\'>a</a><img src="{UUID}#x"/><a href="http://x/y">{UUID}</a></div>',
        "content": [{"attachment": {"url": UUID}}],
        "extension": [{"url": "urn:e", "valueUri": UUID}, {"url": "urn:e", "valueString": UUID}],
        "instantiatesCanonical": [UUID],
        "identifier": [{"system": UUID, "value": UUID}],
    }
    assert json.loads(rewritten(json.dumps(told).encode(), links.of(""))) == {
        **told,
        "url": "Patient/p1",
        "div": f'<div><a  href=\'Patient/p1\'>a</a><img src="Patient/p1#x"/><a href="http://x/y">{UUID}</a></div>',
        "content": [{"attachment": {"url": "Patient/p1"}}],
        "extension": [{"url": "urn:e", "valueUri": "Patient/p1"}, {"url": "urn:e", "valueString": UUID}],
    }
    links.add("http://old.example/fhir/Binary/1", Pointed("Binary", "b1", 1))
    for address in ("http://old.example/fhir/Binary/1", "Binary/1"):
        sent = json.dumps({"url": address, "extension": [{"url": "http://old.example/fhir/Patient/9"}]}).encode()
        placed = rewritten(sent, links.of("http://old.example/fhir/DocumentReference/1"))
        assert json.loads(placed) == {"url": "Binary/b1", "extension": [{"url": "http://old.example/fhir/Patient/9"}]}
    kept = json.loads(rewritten(json.dumps(told).encode(), links.of(""), own=UUID))
    assert kept["url"] == UUID


def test_a_text_without_references_is_itself(links):
    text = b'{"resourceType":"Patient","name":[{"text":"x"}]}'
    assert rewritten(text, links.of("")) is text


def test_what_asks_is_found_among_references_only():
    body = {
        "subject": {"reference": "Patient?identifier=a|b"},
        "performer": [{"reference": "Patient?identifier=a|b"}, {"reference": "Group/1"}, {"reference": 7}],
        "contained": [{"resourceType": "Encounter", "serviceProvider": {"reference": "Organization?name=x"}}],
        "note": [{"text": "Patient?identifier=c"}],
        "basedOn": [{"reference": "Nothing?a=b"}],
    }
    assert asked(body) == ["Patient?identifier=a|b", "Organization?name=x"]
    assert condition("Patient?identifier=a|b") == ("Patient", "identifier=a|b")
    assert condition("Patient/1") is None
    assert next(references(body)) == "Patient?identifier=a|b"
    assert list(literals({"a": [{"reference": "Group/1#x"}, {"reference": "urn:x"}]})) == [("Group", "1")]


@pytest.mark.parametrize(
    ("text", "asks"), [(b'"Patient?a=b"', True), (b'"Patient\\u003fa=b"', True), (b'"why?"', False)]
)
def test_texts_that_may_ask(text, asks):
    assert may_ask(text) is asks
