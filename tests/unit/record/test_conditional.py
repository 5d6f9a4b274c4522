"""Conditions of a write: none, one and several matches, within what the actor may see (R4 http.html#ccreate and on)."""

import pytest

from gateway.errors import Category
from gateway.record import conditional
from gateway.record.editing import Edit
from tests.unit.record.clients import (
    COUNTY,
    NUMBER,
    TOWN,
    WARD,
    body,
    by_number,
    create,
    delete,
    mostly_sqlite,  # noqa: F401  the fixture of this file
    one,
    person,
    put,
    text,
    update,
)
from tests.unit.record.test_editing import found, refused

ACTIVE = {"op": "add", "path": "/active", "value": True}


def found_update(sent, number="1"):
    return Edit("update", "Patient", text=sent, criteria=by_number(number))


@pytest.fixture
def two(store):
    """A store with two Patients of the number 2, and one of the number 1."""
    first = one(store, create("Patient", person("1")))
    for _ in range(2):
        one(store, create("Patient", person("2")))
    return store, first.stored.fid


def test_create(two):
    store, fid = two
    none = one(store, create("Patient", person("3"), criteria=by_number("3")))
    assert (none.created, none.changed) == (True, True)
    first = one(store, create("Patient", person("1", active=True), criteria=by_number("1")))
    assert (first.created, first.changed, first.stored.fid, first.stored.ver) == (False, False, fid, 1)
    assert refused(store, create("Patient", person("2"), criteria=by_number("2"))).category is Category.PRECONDITION


def test_update(two):
    store, fid = two
    none = one(store, found_update(person("3"), "3"))
    assert (none.created, none.stored.ver) == (True, 1)
    first = one(store, found_update(person("1", active=True)))
    assert (first.created, first.changed, first.stored.fid, first.stored.ver) == (False, True, fid, 2)
    assert one(store, found_update(person("1", active=True))).changed is False
    assert refused(store, found_update(person("2"), "2")).category is Category.PRECONDITION


def test_update_with_an_id_in_the_body(two):
    store, fid = two
    assert one(store, found_update(person("1", id=fid, active=True))).stored.ver == 2
    assert refused(store, found_update(person("1", id="other"))).category is Category.INVALID
    given = one(store, found_update(person("3", id="given"), "3"))
    assert (given.created, given.stored.fid) == (True, "given")
    taken = refused(store, found_update(person("4", id="given"), "4"))
    assert taken.category is Category.CONFLICT
    one(store, delete("Patient", "given"))
    assert one(store, found_update(person("4", id="given"), "4")).created


def test_patch(two):
    store, fid = two
    first = one(store, Edit("patch", "Patient", patch=(ACTIVE,), criteria=by_number("1")))
    assert (first.stored.fid, body(first)["active"]) == (fid, True)
    nothing = Edit("patch", "Patient", patch=(ACTIVE,), criteria=by_number("3"))
    assert refused(store, nothing).category is Category.NOT_FOUND
    many = Edit("patch", "Patient", patch=(ACTIVE,), criteria=by_number("2"))
    assert refused(store, many).category is Category.PRECONDITION


def test_delete(two):
    store, fid = two
    nothing = one(store, delete("Patient", criteria=by_number("3")))
    assert (nothing.stored, nothing.changed) == (None, False)
    first = one(store, delete("Patient", criteria=by_number("1")))
    assert (first.stored.fid, first.stored.deleted, first.changed) == (fid, True, True)
    assert refused(store, delete("Patient", criteria=by_number("2"))).category is Category.PRECONDITION
    assert one(store, delete("Patient", criteria=by_number("2")), deletes_at_once=2).changed
    assert found(store, "Patient", identifier="2") == []


def test_if_match_holds_for_what_a_condition_finds(two):
    store, _ = two
    edit = Edit("update", "Patient", text=person("1", active=True), criteria=by_number("1"), if_match=7)
    assert refused(store, edit).category is Category.PRECONDITION
    assert refused(store, delete("Patient", criteria=by_number("3"), if_match=1)).category is Category.PRECONDITION


def test_a_condition_that_names_nothing_or_is_none_is_refused(store):
    for criteria, category in (
        ((), Category.PRECONDITION),
        ((("_count", "1"),), Category.PRECONDITION),
        ((("nosuch", "1"),), Category.INVALID),
        ((("birthdate", "soon"),), Category.INVALID),
    ):
        assert refused(store, delete("Patient", criteria=criteria)).category is category


def test_what_the_actor_may_not_see_does_not_match(store):
    other = one(store, create("Patient", person("1")), TOWN)
    mine = one(store, create("Patient", person("1"), criteria=by_number("1")), WARD)
    assert mine.created
    assert one(store, found_update(person("1", active=True)), WARD).stored.fid == mine.stored.fid
    assert one(store, delete("Patient", criteria=by_number("1")), WARD).stored.fid == mine.stored.fid
    assert store.resources.read("Patient", other.stored.fid, TOWN.scope).ver == 1


def test_the_same_number_at_two_sites_is_two_patients(store):
    """Ruling R3: a condition with the number of one site touches the Patient of that site."""
    town = NUMBER.replace("county", "township")
    ours = one(store, create("Patient", person("1"), criteria=by_number("1")))
    theirs = one(store, create("Patient", person("1", town), criteria=by_number("1", town)), TOWN)
    assert ours.created
    assert theirs.created
    changed = one(
        store, Edit("update", "Patient", text=person("1", town, active=True), criteria=by_number("1", town)), TOWN
    )
    assert changed.stored.fid == theirs.stored.fid
    assert store.resources.read("Patient", ours.stored.fid, COUNTY.scope).ver == 1


def test_claims_of_what_is_gone_or_changed_block_nobody(store):
    first = one(store, create("Patient", person("1"), criteria=by_number("1")))
    one(store, delete("Patient", first.stored.fid))
    second = one(store, create("Patient", person("1"), criteria=by_number("1")))
    assert second.created
    one(store, update("Patient", second.stored.fid, person("2", id=second.stored.fid)))
    third = one(store, create("Patient", person("1"), criteria=by_number("1")))
    assert third.created
    assert not one(store, create("Patient", person("1"), criteria=by_number("1"))).created


def test_the_order_of_parameters_does_not_make_another_condition(store):
    pairs = (*by_number("1"), ("active", "true"))
    sent = person("1", active=True)
    edits = [create("Patient", sent, criteria=pairs), create("Patient", sent, criteria=pairs[::-1])]
    assert [one(store, edit).created for edit in edits] == [True, False]
    with store.read() as tx:
        assert tx.session.value("SELECT count(*) FROM claim") == 1


def test_a_reference_by_condition_becomes_the_one_it_finds(store):
    put(store, "o", kind="Organization", identifier=[{"system": "urn:o", "value": "甲 1"}])
    sent = text("Patient", managingOrganization={"reference": "Organization?identifier=urn:o|%E7%94%B2%201"})
    assert body(one(store, create("Patient", sent)))["managingOrganization"] == {"reference": "Organization/o"}
    nothing = text("Patient", managingOrganization={"reference": "Organization?identifier=urn:o|2"})
    assert refused(store, create("Patient", nothing)).category is Category.PRECONDITION
    put(store, "p", kind="Organization", identifier=[{"system": "urn:o", "value": "甲 1"}])
    assert refused(store, create("Patient", sent)).category is Category.PRECONDITION
    wrong = text("Patient", managingOrganization={"reference": "Organization?nosuch=2"})
    assert refused(store, create("Patient", wrong)).category is Category.INVALID


def test_what_a_condition_found_and_lost_again_is_searched_anew(store, monkeypatch):
    """On PostgreSQL another writer may delete a match between the search and the lock of its head."""
    put(store, "a", identifier=[{"system": NUMBER, "value": "1"}])
    one(store, delete("Patient", "a"))
    genuine, stale = conditional.matches, []

    def matches(tx, asked, scope):
        """Once outside the transaction and once inside, find what is deleted already."""
        stale.append("a")
        return ["a"] if len(stale) % 3 else genuine(tx, asked, scope)

    monkeypatch.setattr(conditional, "matches", matches)
    assert one(store, create("Patient", person("1"), criteria=by_number("1"))).created
    stale.clear()
    assert one(store, delete("Patient", criteria=by_number("1"))).changed


def test_a_query_that_is_not_text_is_refused(store):
    wrong = text("Patient", managingOrganization={"reference": "Organization?name=%FF"})
    assert refused(store, create("Patient", wrong)).category is Category.INVALID
