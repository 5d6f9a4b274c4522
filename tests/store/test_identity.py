"""Evidence is found under its keys, cases wait for a person, events stay; on both databases."""

import pytest

from gateway.store.failures import Conflict
from gateway.store.identity import NewCase, NewEvent, NewEvidence
from gateway.store.values import NewLink
from tests.store.make import create


def put(store, *new):
    with store.write() as tx:
        tx.evidence_put([NewEvidence(pid, digest, body, keys) for pid, digest, body, keys in new])


def test_evidence_replaces_what_was_stored_and_moves_under_its_new_keys(store):
    put(store, (1, b"a", b"one", {5, -7}), (2, b"b", b"two", {-7, 9}))
    put(store, (2, b"c", b"three", {9, 11}), (3, b"d", b"four", {5}))
    with store.read() as tx:
        assert tx.evidence([1, 2, 3, 4]) == {1: b"one", 2: b"three", 3: b"four"}
        assert tx.evidence_digests([2, 4]) == {2: b"c"}
        assert tx.blocks_of([1, 2, 4]) == {1: {5, -7}, 2: {9, 11}}
        assert tx.block_members({5: 10, -7: 10, 9: 10, 11: 10, 12: 10}).found == {5: [1, 3], -7: [1], 9: [2], 11: [2]}


def test_many_at_once_and_nothing_at_all(store):
    put(store, *[(pid, b"d", b"x", {pid % 3, 100 + pid}) for pid in range(1, 40)])
    put(store)
    with store.read() as tx:
        assert tx.block_members({0: 100}).found == {0: list(range(3, 40, 3))}
        assert tx.block_members({}).found == {}
        assert tx.evidence([]) == {}


def test_a_key_with_more_than_asked_for_is_cut_and_says_so(store):
    put(store, *[(pid, b"d", b"x", {1, 2} if pid < 3 else {1}) for pid in range(1, 9)])
    with store.read() as tx:
        found, cut = tx.block_members({1: 3, 2: 3})
    assert (found, cut) == ({1: [1, 2, 3], 2: [1, 2]}, {1})


def test_dropped_evidence_is_found_no_more(store):
    put(store, (1, b"a", b"one", {5}), (2, b"b", b"two", {5}))
    with store.write() as tx:
        tx.evidence_drop([1, 7])
    with store.read() as tx:
        assert (tx.evidence([1, 2]), tx.block_members({5: 9}).found) == ({2: b"two"}, {5: [2]})


def test_a_pair_has_one_undecided_case_and_any_number_of_decided_ones(store):
    case = NewCase(1, 2, 12.5, "[]", "m1", 10)
    with store.write() as tx:
        (first,) = tx.cases_add([case])
    with pytest.raises(Conflict), store.write() as tx:
        tx.cases_add([case])
    with store.write() as tx:
        tx.case_decide(first, "different", "Dr Li", "seen both", 20)
        (second,) = tx.cases_add([case])
        tx.cases_judge([(first, 1.0, '["x"]', "m2"), (second, 13.5, '["y"]', "m2")])
        assert tx.cases_add([]) == []
    with store.read() as tx:
        held, waiting = tx.case(first), tx.case(second)
        assert (held.state, held.score, held.actor, held.note, held.decided_us) == (
            "different", 12.5, "Dr Li", "seen both", 20,
        )  # fmt: skip
        assert (waiting.score, waiting.reasons, waiting.model) == (13.5, '["y"]', "m2")
        assert [one.id for one in tx.cases_of([2])] == [first, second]
        assert [one.id for one in tx.case_list()] == [second]
        assert [one.id for one in tx.case_list(["different", "open"], limit=1, before=second)] == [first]
        assert tx.case_counts() == {"open": 1, "later": 0}
        assert [one.id for one in tx.called_different(0, 10)] == [first]
        assert tx.case(99) is None


def test_events_are_listed_and_never_changed(store):
    with store.write() as tx:
        tx.identity_events_add(
            [NewEvent(5, "linked", 1, 2, "linker", '{"score":9}', "m1"), NewEvent(6, "moved", 3, 1, "x")]
        )
        tx.identity_events_add([])
    with store.read() as tx:
        assert [(one.action, one.actor, one.model) for one in tx.identity_events([1])] == [
            ("linked", "linker", "m1"),
            ("moved", "x", ""),
        ]
        assert [one.action for one in tx.identity_events([2, 3], limit=1)] == ["moved"]
    with pytest.raises(Exception, match="never changed"), store.write() as tx:
        tx.session.do("UPDATE identity_event SET actor='nobody'")


def test_links_are_counted_by_kind_and_by_who_made_them(store):
    with store.write() as tx:
        ids = tx.links_add(
            [
                NewLink("same", 1, 2, "active", 1, made="linker"),
                NewLink("same", 1, 3, "active", 1, made="person"),
                NewLink("replaced-by", 4, 1, "active", 1),
            ]
        )
        assert [link.id for link in tx.links([1], kind="replaced-by")] == ids[2:]
        assert [link.made for link in tx.links([1])] == ["linker", "person", "message"]
        assert [link.id for link in tx.links_after(0, "same", 9)] == ids[:2]
        assert [link.id for link in tx.links_after(ids[0], "same", 1)] == [ids[1]]
        tx.links_end(ids[:1], 5)
        tx.links_end(ids[:1], 6)
        tx.links_end([], 6)
        tx.tally({"cut|name": 2, "cut|birth": 0})
    with store.read() as tx:
        assert tx.tallies("link|") == {"replaced-by|message": 1, "same|linker": 0, "same|person": 1}
        assert tx.tallies("cut|") == {"name": 2}


def test_who_saw_an_older_state_of_identity_is_told_to_look_again(new_store):
    one, two = new_store(), new_store()
    with one.write() as tx:
        assert tx.identity_take_turn() == 1
        assert tx.identity_turn() == 1
    with two.write() as tx:
        tx.identity_take_turn(1)
    with pytest.raises(Conflict), one.write() as tx:
        tx.identity_take_turn(1)


def test_changes_of_one_type_are_told_with_how_many_wait(store):
    create(store, "a", "b")
    create(store, "o", type="Observation")
    (last,) = create(store, "c")
    with store.read() as tx:
        changes = tx.changes_since(0, 10, "Patient")
        assert [change.type for change in changes] == ["Patient"] * 3
        assert changes[-1].pid == last
        assert tx.changes_since(changes[1].seq, 10, "Patient") == [changes[2]]
        assert tx.patients_after(0, 2) == [changes[0].pid, changes[1].pid]
        assert tx.patients_after(changes[1].pid, 9) == [last]
        assert tx.changes_behind(0, "Patient", 2)[0] == 2
        assert tx.changes_behind(changes[0].seq, "Patient", 9) == (2, changes[1].updated_us)
        assert tx.changes_behind(changes[-1].seq, "Patient", 9) == (0, 0)
