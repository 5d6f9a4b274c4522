"""What a client of FHIR REST may do to one resource, and what becomes of it."""

import json

import pytest

from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError
from gateway.fhir.issues import Invalid, Issue
from gateway.record import provenance
from gateway.record.editing import Edit, Editor
from gateway.search.request import parse
from gateway.search.scope import Scope
from gateway.store import index, query
from gateway.store.failures import Conflict
from gateway.store.values import Op
from tests.unit.record.clients import (
    COUNTY,
    TOWN,
    WARD,
    body,
    by_number,
    create,
    delete,
    editor,
    mostly_sqlite,  # noqa: F401  the fixture of this file
    one,
    person,
    put,
    text,
    update,
)
from tests.unit.record.make import ZONE


def refused(store, edit, actor=COUNTY, **rules):
    """Return the failure of an edit, which must have changed nothing."""
    with store.read() as tx:
        before = tx.last_change()
    with pytest.raises(GatewayError) as raised:
        one(store, edit, actor, **rules)
    with store.read() as tx:
        assert tx.last_change() == before
    assert raised.value.text
    return raised.value


def found(store, kind, **asked):
    """Return the ids a search finds."""
    pairs = [(name.replace("__", ":"), value) for name, value in asked.items()]
    with store.read() as tx:
        return [hit.fid for hit in query.run(tx, parse(kind, pairs, ZONE), Scope(sites=None)).matches]


# Create and update.


def test_a_created_resource_is_the_clients_text_with_id_and_meta(store):
    sent = b'{"resourceType":"Observation", "status" : "final","code":{"text":"\\u8840"},\n "valueQuantity":{"value":1.50e2,"unit":"mg"}}'
    done = one(store, create("Observation", sent))
    assert (done.created, done.changed, done.stored.ver, done.stored.op) == (True, True, 1, Op.CREATE)
    assert done.stored.body.endswith(
        b'"status":"final","code":{"text":"\\u8840"},"valueQuantity":{"value":1.50e2,"unit":"mg"}}'
    )
    read = body(done)
    assert read["id"] == done.stored.fid
    assert read["meta"]["versionId"] == "1"
    assert found(store, "Observation", status="final") == [done.stored.fid]


def test_the_server_names_what_is_created_whatever_id_the_body_has(store):
    first = one(store, create("Patient", text("Patient", id="mine")))
    second = one(store, create("Patient", text("Patient", id="mine")))
    assert len({"mine", first.stored.fid, second.stored.fid}) == 3
    assert len(first.stored.fid) == 26


def test_an_update_under_a_new_id_creates(store):
    done = put(store, "given-1.a", active=True)
    assert (done.created, done.stored.fid, done.stored.ver) == (True, "given-1.a", 1)
    again = put(store, "given-1.a", active=False)
    assert (again.created, again.changed, again.stored.ver, again.stored.op) == (False, True, 2, Op.UPDATE)
    assert found(store, "Patient", active="false") == ["given-1.a"]
    assert found(store, "Patient", active="true") == []


def test_meta_of_the_client_stays_and_is_found(store):
    tag = {"system": "urn:t", "code": "x"}
    done = put(store, "a", meta={"tag": [tag], "source": "urn:me", "versionId": "77"})
    assert body(done)["meta"] == {
        "versionId": "1",
        "lastUpdated": body(done)["meta"]["lastUpdated"],
        "tag": [tag],
        "source": "urn:me",
    }
    assert found(store, "Patient", _tag="urn:t|x") == ["a"]


def test_an_update_that_says_the_same_makes_no_version(store):
    first = put(store, "a", name=[{"text": "王"}], active=True)
    sent = (
        b'{"active" : true,\n"id":"a", "meta":{"versionId":"1"}, "name":[{"text":"\\u738b"}],"resourceType":"Patient"}'
    )
    same = one(store, update("Patient", "a", sent))
    assert (same.changed, same.created, same.stored) == (False, False, first.stored)
    assert len(store.resources.history("Patient", "a", COUNTY.scope)) == 1


def test_a_number_with_other_digits_is_another_number(store):
    def sent(value):
        told = (
            b'{"resourceType":"Observation","id":"a","status":"final","code":{"text":"k"},"valueQuantity":{"value":%b}}'
        )
        return update("Observation", "a", told % value)

    for ver, value in enumerate((b"72.5", b"72.50", b"1", b"1.0", b"1e2", b"1E2", b"100", b"0.1", b"0.10"), start=1):
        done = one(store, sent(value))
        assert (done.changed, done.stored.ver) == (True, ver)
        assert b'"value":%b}' % value in done.stored.body
        assert one(store, sent(value)).changed is False


WRONG = [
    (create("Patient", b"{"), Category.INVALID),
    (create("Patient", b"[]"), Category.INVALID),
    (create("Patient", b'{"resourceType":"Patient","resourceType":"Patient"}'), Category.INVALID),
    (create("Patient", text("Observation")), Category.INVALID),
    (create("Patient", b'{"a":1}'), Category.INVALID),
    (create("Foo", text("Foo")), Category.NOT_FOUND),
    (update("Patient", "a", text("Patient")), Category.INVALID),
    (update("Patient", "a", text("Patient", id="b")), Category.INVALID),
    (update("Patient", "a", text("Patient", id=["a"])), Category.INVALID),
    (update("Patient", "a b", text("Patient", id="a b")), Category.INVALID),
    (update("Patient", "x" * 65, text("Patient", id="x" * 65)), Category.INVALID),
    (Edit("update", "Patient", text=text("Patient")), Category.INVALID),
    (Edit("update", "Patient", text=text("Patient", id=7), criteria=by_number()), Category.INVALID),
    (Edit("delete", "Patient"), Category.INVALID),
    (Edit("patch", "Patient", "a"), Category.NOT_FOUND),
    (update("Patient", "a", text("Patient", id="a"), if_match=1), Category.PRECONDITION),
    (delete("Patient", "a", if_match=1), Category.PRECONDITION),
    (create("Patient", text("Patient", meta="x")), Category.UNPROCESSABLE),
    (create("Patient", text("Patient", id=7)), Category.UNPROCESSABLE),
    (create("Patient", text("Patient", gender="x")), Category.UNPROCESSABLE),
]


def test_what_cannot_be_taken_is_refused_in_words(store):
    for edit, category in WRONG:
        assert refused(store, edit).category is category, edit


def test_every_finding_against_a_resource_is_told(store):
    fault = refused(store, create("Patient", text("Patient", gender="x", birthDate="yesterday")))
    assert isinstance(fault, Invalid)
    assert {issue.where for issue in fault.issues} == {"Patient.gender", "Patient.birthDate"}


def test_warnings_do_not_stop_a_write(store):
    desk = Editor(store, ZONE, lambda _: [Issue("warning", "value", "odd", "Patient")])
    assert desk.apply(COUNTY, [create("Patient", text("Patient"))])[0].created


def test_an_update_from_a_partial_read_is_refused(store):
    put(store, "a", active=True)
    tag = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
    fault = refused(store, update("Patient", "a", text("Patient", id="a", meta={"tag": [tag]})))
    assert fault.category is Category.UNPROCESSABLE
    assert "read the whole resource" in fault.text


def test_if_match_lets_only_the_version_it_names_be_changed(store):
    put(store, "a", active=True)
    assert put(store, "a", active=False, if_match=1).stored.ver == 2
    fault = refused(store, update("Patient", "a", text("Patient", id="a"), if_match=1))
    assert (fault.category, "version 2" in fault.text) == (Category.PRECONDITION, True)
    assert refused(store, delete("Patient", "a", if_match=1)).category is Category.PRECONDITION
    assert put(store, "a", active=False, if_match=2).changed is False


def test_what_must_not_exist_yet_is_refused_where_it_does(store):
    assert put(store, "a", active=True, if_match=0).created
    assert refused(store, update("Patient", "a", text("Patient", id="a"), if_match=0)).category is Category.PRECONDITION


# Patch.


def patch(*operations, **given):
    return Edit("patch", "Patient", "a", patch=operations, **given)


def test_a_patch_changes_what_it_names_and_keeps_digits(store):
    sent = (
        b'{"resourceType":"Observation","id":"a","status":"final","code":{"text":"k"},"valueQuantity":{"value":7.50}}'
    )
    one(store, update("Observation", "a", sent))
    operation = {"op": "replace", "path": "/status", "value": "amended"}
    done = one(store, Edit("patch", "Observation", "a", patch=(operation,)))
    assert done.stored.body.endswith(b'"status":"amended","code":{"text":"k"},"valueQuantity":{"value":7.50}}')
    assert (done.stored.ver, done.created, done.changed) == (2, False, True)
    assert one(store, Edit("patch", "Observation", "a", patch=(operation,))).changed is False


def test_a_patch_may_not_make_another_resource_or_a_wrong_one(store):
    put(store, "a", active=True)
    for operation in (
        {"op": "replace", "path": "/id", "value": "b"},
        {"op": "remove", "path": "/resourceType"},
        {"op": "replace", "path": "/active", "value": "yes"},
        {"op": "test", "path": "/active", "value": False},
    ):
        assert refused(store, patch(operation)).category is Category.UNPROCESSABLE


def test_a_patch_names_its_version_and_finds_what_is_there(store):
    put(store, "a", active=True)
    operation = {"op": "remove", "path": "/active"}
    assert refused(store, patch(operation, if_match=2)).category is Category.PRECONDITION
    assert refused(store, Edit("patch", "Patient", "b", patch=(operation,))).category is Category.NOT_FOUND
    one(store, delete("Patient", "a"))
    assert refused(store, patch(operation)).category is Category.GONE


# Delete.


def test_a_deleted_resource_keeps_its_history_and_can_come_back(store):
    put(store, "a", active=True)
    gone = one(store, delete("Patient", "a"))
    assert (gone.changed, gone.stored.ver, gone.stored.op, gone.stored.body) == (True, 2, Op.DELETE, b"")
    assert found(store, "Patient", active="true") == []
    with store.read() as tx:
        assert not any(index.stored(tx, gone.stored.pid).values())
    again = one(store, delete("Patient", "a"))
    assert (again.changed, again.stored.ver) == (False, 2)
    back = put(store, "a", active=True)
    assert (back.created, back.stored.ver, back.stored.op) == (True, 3, Op.CREATE)
    assert found(store, "Patient", active="true") == ["a"]
    history = store.resources.history("Patient", "a", COUNTY.scope)
    assert [(each.ver, each.op) for each in history] == [(3, Op.CREATE), (2, Op.DELETE), (1, Op.CREATE)]


def test_a_delete_of_what_never_was_changes_nothing(store):
    done = one(store, delete("Patient", "never"))
    assert (done.stored, done.changed) == (None, False)


# Who may write what.


def test_new_resources_belong_to_the_site_of_who_writes_them_and_stay_there(store):
    put(store, "a", TOWN, active=True)
    done = put(store, "a", COUNTY, active=False)
    assert done.stored.site == "township"
    assert store.resources.read("Patient", "a", Scope(sites=frozenset({"county"}))) is None


def test_what_an_actor_may_not_see_is_not_there_for_it(store):
    put(store, "a", TOWN, active=True)
    update_ = update("Patient", "a", text("Patient", id="a"))
    assert refused(store, update_, WARD).category is Category.CONFLICT
    assert refused(store, patch({"op": "remove", "path": "/active"}), WARD).category is Category.NOT_FOUND
    assert one(store, delete("Patient", "a"), WARD) == (delete("Patient", "a"), None, False, False)
    assert store.resources.read("Patient", "a", TOWN.scope).ver == 1


def test_the_test_partition_is_a_record_of_its_own(store):
    tester = Actor("tester", "TREAT", Scope(sites=None, test=True), "county")
    done = one(store, create("Patient", person("1")), tester)
    assert done.stored.test
    assert one(store, create("Patient", person("1"), criteria=by_number("1"))).created
    assert not one(store, create("Patient", person("1"), criteria=by_number("1")), tester).created


def test_who_belongs_to_no_site_may_not_write(store):
    assert refused(store, create("Patient", text("Patient")), Actor("x", "", Scope(None))).category is Category.REFUSED


def test_the_patient_a_resource_is_about_is_known(store):
    patient = put(store, "p").stored.pid
    kinds = {
        "Observation": {"status": "final", "code": {"text": "k"}, "subject": {"reference": "Patient/p"}},
        "AllergyIntolerance": {"patient": {"reference": "Patient/p/_history/1"}},
        "Coverage": {"status": "active", "beneficiary": {"reference": "Patient/p"}, "payor": [{"display": "x"}]},
        "Binary": {"contentType": "text/plain", "securityContext": {"reference": "Patient/p"}},
        "Person": {"link": [{"target": {"reference": "Patient/p"}}]},
    }
    for kind, elements in kinds.items():
        assert one(store, create(kind, text(kind, **elements))).stored.patient_pid == patient, kind
    two = {"link": [{"target": {"reference": "Patient/p"}}, {"target": {"reference": "Patient/q"}}]}
    assert one(store, create("Person", text("Person", **two))).stored.patient_pid is None
    assert one(store, create("Organization", text("Organization", name="x"))).stored.patient_pid is None
    unknown = {"patient": {"reference": "Patient/nobody"}}
    assert one(store, create("AllergyIntolerance", text("AllergyIntolerance", **unknown))).stored.patient_pid is None


def test_a_client_cannot_name_content_that_was_never_its_own(store):
    pointer = {"extension": [{"url": "sha256", "valueString": "00" * 32}, {"url": "size", "valueUnsignedInt": 1}]}
    claimed = {"contentType": "text/plain", "_data": {"extension": [{"url": "urn:yigong:content", **pointer}]}}
    assert refused(store, create("Binary", text("Binary", **claimed))).category is Category.UNPROCESSABLE


def test_references_may_have_to_exist(store):
    about = {"status": "final", "code": {"text": "k"}, "subject": {"reference": "Patient/p"}}
    edit = create("Observation", text("Observation", **about))
    assert refused(store, edit, references_exist=True).category is Category.UNPROCESSABLE
    assert one(store, edit).created
    put(store, "p")
    assert one(store, edit, references_exist=True).created


# What is left behind: trail, provenance, outbox.


def test_the_trail_tells_every_write_and_every_refusal(store):
    put(store, "p")
    put(store, "p", active=True)
    refused(store, update("Patient", "p", text("Patient", id="p"), if_match=1))
    one(store, create("Patient", person("4"), criteria=by_number("4")))
    one(store, create("Patient", person("4"), criteria=by_number("4")))
    one(store, delete("Patient", "p"))
    rows = [row for _, row in store.audit.rows()][::-1]
    told = [(row.action, row.outcome, row.fid == "p") for row in rows]
    assert told == [
        ("update", "success", True),
        ("update", "success", True),
        ("update", "precondition", True),
        ("create", "success", False),
        ("read", "success", False),
        ("delete", "success", True),
    ]
    assert {(row.actor, row.purpose) for row in rows} == {("county-clinic", "TREAT")}
    assert json.loads(rows[3].detail) == {"parameters": ["identifier"]}
    assert [row.patient != "" for row in rows] == [True, True, False, True, True, True]


def test_provenance_names_the_client_and_its_site(store):
    done = put(store, "p")
    told = json.loads(provenance.render(done.stored, None, None).body)
    (agent,) = told["agent"]
    assert agent["type"]["coding"][0]["code"] == "author"
    assert agent["who"]["display"] == "county-clinic"
    assert agent["onBehalfOf"]["display"] == "county"
    assert told["reason"][0]["coding"][0]["code"] == "TREAT"
    assert "entity" not in told
    gone = one(store, delete("Patient", "p")).stored
    assert json.loads(provenance.render(gone, None, None).body)["activity"]["coding"][0]["code"] == "DELETE"


def test_every_change_is_in_the_outbox(store):
    put(store, "p")
    one(store, delete("Patient", "p"))
    put(store, "p")
    changes = store.outbox.since(0, 10)
    assert [(change.ver, change.op) for change in changes] == [(1, Op.CREATE), (2, Op.DELETE), (3, Op.CREATE)]


def test_a_race_lost_again_and_again_is_told_as_busy(store, monkeypatch):
    def lost(*_):
        raise Conflict("another was first")

    monkeypatch.setattr("gateway.record.attempt.Attempt.run", lost)
    monkeypatch.setattr("gateway.clock.sleep", lambda _: None)
    assert refused(store, create("Patient", text("Patient"))).category is Category.UNAVAILABLE


def test_a_search_that_takes_too_long_is_refused_before_it_holds_the_writers(store, monkeypatch):
    asked = []
    genuine = store.read
    monkeypatch.setattr(store, "read", lambda deadline_s=0.0: asked.append(deadline_s) or genuine(deadline_s))
    editor(store, search_seconds=3.0).apply(COUNTY, [create("Patient", person(), criteria=by_number())])
    assert asked == [3.0]
