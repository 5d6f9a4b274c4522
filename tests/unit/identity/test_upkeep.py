"""Upkeep: what is stored of identity is checked against itself, and evidence can be made anew beside the linker."""

import pytest

from gateway.identity import linker, upkeep
from gateway.identity.linker import AT, Linker
from gateway.store.identity import NewCase, NewEvidence
from gateway.store.values import NewLink
from tests.support.patients import MODEL, id_number, judge, keep, patient
from tests.unit.identity.test_linker import actions, free, links, run

ONE, OTHER = id_number(), id_number("19750101", 202)


def faults(store):
    return [f"{one.where}: {one.text}" for step in upkeep.check(store) for one in step.findings]


def renewed(store, **given):
    return list(upkeep.renew(store, **given))


@pytest.fixture
def linked(store):
    """A store with two linked records, one deleted, one of the test partition and one nobody looked at yet."""
    keep(store, "a", patient(number=ONE))
    keep(store, "b", patient(number=ONE), site="township")
    keep(store, "gone", patient())
    keep(store, "test", patient(number=ONE), test=True)
    run(store)
    keep(store, "gone", {}, deleted=True)
    run(store)
    keep(store, "new", patient(number=OTHER))
    return store


def change(store, *statements):
    with store.write() as tx:
        for statement in statements:
            assert tx.session.do(statement)


def test_a_sound_store(linked):
    assert faults(linked) == []
    assert renewed(linked)[-1].changed == 0
    assert run(linked) == 1


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE identity_evidence SET body='x' WHERE pid=1", "Patient/a: its evidence for linking is not"),
        ("DELETE FROM identity_evidence WHERE pid=2", "Patient/b: its evidence for linking is not"),
        ("DELETE FROM identity_block WHERE pid=1", "Patient/a: it is not found under the keys"),
        ("DELETE FROM identity_event", "link 1: no event tells who made it"),
        ("UPDATE link SET to_pid=4", "link 1: its records are not two Patients of one partition"),
        ("UPDATE link SET to_pid=99", "link 1: one of its records is not there"),
        ("DELETE FROM identity_evidence WHERE pid=2", "link 1: one of its records has no evidence"),
    ],
)
def test_damage_is_found_and_made_good_where_it_can_be(linked, statement, told):
    change(linked, statement)
    assert any(told in found for found in faults(linked)), faults(linked)
    if told.startswith("Patient"):
        assert renewed(linked)[-1].changed == 1
        assert run(linked) > 0
        assert faults(linked) == []
        assert links(linked, 1) == {(1, 2): "linker"}


def test_a_deleted_record_with_evidence_is_found_and_given_to_the_linker(linked):
    with linked.write() as tx:
        tx.evidence_put([NewEvidence(3, b"d", b"x", {5})])
    assert faults(linked) == ["Patient/gone: it is deleted and still has evidence for linking; run gateway reindex"]
    assert renewed(linked)[-1].changed == 1
    run(linked)
    assert faults(linked) == []


def test_records_linked_though_a_person_called_them_different_are_found(linked):
    with linked.write() as tx:
        tx.cases_add([NewCase(1, 2, 1.0, "{}", MODEL, 1, "different", 5, "Dr Li")])
    assert faults(linked) == ["case 1: its two records are linked, though a person called them different"]
    with linked.write() as tx:
        tx.links_add([NewLink("replaced-by", 1, 2, "active", 1)])
    assert faults(linked) == []  # the site said so afterwards, by a merge


def test_evidence_of_an_older_version_is_told_once_and_made_anew(linked, monkeypatch):
    assert upkeep.due(linked) == ""
    monkeypatch.setattr(upkeep, "VERSION", 99)
    monkeypatch.setattr(linker, "VERSION", 99)
    assert "older version" in upkeep.due(linked)
    assert faults(linked) == [f"identity: {upkeep.due(linked)}"]
    assert renewed(linked)[-1].changed == 3
    assert upkeep.due(linked) == ""
    run(linked)
    assert (faults(linked), actions(linked, 1)) == ([], ["linked"])


def test_making_anew_goes_on_where_it_was_stopped_and_makes_the_linker_look_again(store, monkeypatch):
    monkeypatch.setattr(upkeep, "_PAGE", 2)
    pids = [keep(store, f"p{n}", patient(number=id_number(serial=101 + 2 * n))) for n in range(5)]
    one = Linker(store, judge, MODEL)
    one.step(free)
    change(store, f"DELETE FROM identity_block WHERE pid={pids[0]}", f"DELETE FROM identity_block WHERE pid={pids[4]}")
    first = upkeep.renew(store)
    assert next(first).done == pids[1]
    first.close()
    assert "run gateway reindex" in upkeep.due(store)
    steps = renewed(store)
    assert ([step.done for step in steps], steps[-1].changed) == ([pids[3], pids[4]], 2)
    with store.read() as tx:
        assert tx.cursor(AT) < tx.changes_since(0, 1)[0].seq
    keep(store, "last", patient())
    assert one.step(free) == 6
    assert faults(store) == []


def test_damaged_evidence_does_not_stop_the_others(linked, caplog):
    with linked.write() as tx:
        tx.evidence_put([NewEvidence(1, b"d", b"x", tx.blocks_of([1])[1])])
    third = keep(linked, "c", patient(number=ONE), site="village")
    assert run(linked) == 2
    assert "The evidence of Patient 1 cannot be read; run gateway reindex" in caplog.text
    assert links(linked, third) == {(2, third): "linker"}
    renewed(linked)
    run(linked)
    assert links(linked, third).keys() == {(1, third), (2, third)}


def test_a_damaged_patient_does_not_stop_the_others(linked, caplog):
    change(linked, "UPDATE version SET body='x' WHERE vid >> 24 = 1")
    with linked.write() as tx:
        tx.identity_take_turn()
        tx.cursor_set(AT, 0)
    assert run(linked) == 6
    assert "Patient 1 is left as it is" in caplog.text
    assert links(linked, 1) == {(1, 2): "linker"}
