"""Attachments leave their resources by size, wherever they stand, and nothing else is touched."""

import base64
import copy

from gateway.mapping.draft import Draft, Mapped
from gateway.record import attachments

LARGE = b"%PDF-1.4" + b"x" * 300
REFERENCE = {"display": "somebody"}


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def draft(name="report", kind="DiagnosticReport", **body) -> Draft:
    return Draft(name, kind, {"resourceType": kind, **body}, "replace", patient="patient")


def detached(*drafts: Draft, inline: int = 100) -> Mapped:
    mapped = Mapped(list(drafts))
    attachments.detach(mapped, inline)
    return mapped


def test_finds_attachments_wherever_they_stand():
    reference = dict(REFERENCE)
    told = draft(
        presentedForm=[{"contentType": "application/pdf", "data": text(LARGE)}, {"url": "http://pacs.example/1"}],
        extension=[{"url": "x", "valueAttachment": {"data": text(LARGE[::-1]), "title": "given"}}],
        subject=reference,
        code={"coding": [{"display": "胸片"}]},
    )
    mapped = detached(told)
    form, pointer = told.body["presentedForm"]
    assert (form["url"], form["size"], form["title"], "data" in form) == ("", len(LARGE), "胸片", False)
    assert pointer == {"url": "http://pacs.example/1"}
    other = told.body["extension"][0]["valueAttachment"]
    assert (other["title"], other["contentType"]) == ("given", "application/octet-stream")
    assert told.body["subject"] is reference, "references are known by identity"
    first, second = mapped.drafts[1:]
    assert [(place is form or place is other, name) for place, name in told.attached] == [
        (True, first.name),
        (True, second.name),
    ]
    assert (first.type, first.parent, first.patient, first.content.size) == ("Binary", "report", "patient", len(LARGE))
    assert attachments.pointer(first.body) == (first.content.digest, len(LARGE))


def test_the_same_content_twice_in_a_resource_is_one_binary():
    told = draft(presentedForm=[{"data": text(LARGE)}, {"data": text(LARGE)}])
    assert len(detached(told).drafts) == 2
    assert len(told.attached) == 2


def test_a_photo_of_a_patient_belongs_to_that_patient():
    told = draft("patient", "Patient", photo=[{"data": text(LARGE)}])
    told.patient = ""
    assert detached(told).drafts[1].patient == "patient"


def test_what_is_no_attachment_stays_as_it_is():
    sampled = {"origin": {"value": 0}, "period": 1, "dimensions": 1, "data": "1 2 3 " * 100}
    told = draft(kind="Observation", valueSampledData=sampled, note=[{"text": "x"}], code={"text": "c"})
    before = copy.deepcopy(told.body)
    mapped = detached(told, draft(presentedForm=[{"data": "not base64!" * 30}]))
    assert told.body == before
    assert told.body["valueSampledData"] is sampled
    assert len(mapped.drafts) == 2


def test_small_content_stays_and_learns_its_type():
    told = draft(presentedForm=[{"data": text(b"%PDF-1.4")}, {"data": text(b"words"), "contentType": "text/plain"}])
    mapped = detached(told)
    assert told.body["presentedForm"][0]["contentType"] == "application/pdf"
    assert told.body["presentedForm"][1] == {"data": text(b"words"), "contentType": "text/plain"}
    assert (mapped.drafts, mapped.issues) == ([told], [])


def test_only_messages_that_may_hold_an_attachment_are_looked_at():
    assert attachments.likely(b"OBX|1|ED|x", 8192)
    assert attachments.likely(b"x" * 5000, 8192)
    assert not attachments.likely(b"OBX|1|NM|x", 8192)


def test_a_binary_that_holds_its_data_itself_points_nowhere():
    assert attachments.pointer({"resourceType": "Binary", "contentType": "a/b", "data": "AAAA"}) is None
    other = {"_data": {"extension": [{"url": "urn:else", "valueString": "x"}]}}
    assert attachments.pointer(other) is None
