"""Candidates: who shares a block, within what a reader may see, and what is decided of each, the likeliest first."""

from dataclasses import replace

from gateway.identity import candidates
from gateway.identity.evidence import of_patient
from gateway.search.scope import Scope
from tests.support.patients import id_number, judge, keep, patient
from tests.unit.identity.test_linker import run

ONE, OTHER = id_number(), id_number("19750101", 202)
PHONE = "10013579246"
ALL = Scope(sites=None)
SOUGHT = of_patient(patient(number=ONE, phone=PHONE), "desk")


def filled(store):
    """Return the pids of the same person, a doubtful one, another one with the telephone, a stranger, a deleted one."""
    pids = [
        keep(store, "same", patient(number=ONE)),
        keep(store, "doubt", patient("张卫", phone=PHONE), site="township"),
        keep(store, "apart", patient(number=OTHER, phone=PHONE), site="village"),
        keep(store, "stranger", patient("李娜", number=id_number("19990909", 33))),
        keep(store, "gone", patient(number=ONE)),
    ]
    run(store)
    keep(store, "gone", {}, deleted=True)
    return pids


def found(store, scope=ALL, sought=SOUGHT):
    with store.read() as tx:
        return [pid for pid, _ in candidates.find(tx, sought, scope)]


def test_who_shares_a_block_is_found_as_far_as_a_reader_sees(store):
    same, doubt, apart, _, _ = filled(store)
    assert found(store) == [same, doubt, apart]
    assert found(store, Scope(sites=frozenset({"township"}))) == [doubt]
    assert found(store, Scope(sites=None, test=True)) == []
    assert found(store, sought=of_patient({}, "desk")) == []


def test_test_records_are_found_in_their_partition_only(store):
    there = keep(store, "t", patient(number=ONE), test=True)
    run(store)
    assert found(store) == []
    assert found(store, replace(ALL, test=True)) == [there]


def test_what_is_decided_of_each_comes_likeliest_first(store):
    same, doubt, apart, _, _ = filled(store)
    with store.read() as tx:
        told = candidates.match(tx, SOUGHT, ALL, judge)
    assert [(pid, decision.verdict) for pid, decision in told.found] == [
        (same, "same"), (doubt, "review"), (apart, "contradicted"),
    ]  # fmt: skip
    assert told.cut == ()


def test_a_block_too_many_share_is_told(store):
    for n in range(5):
        keep(store, f"p{n}", patient("张卫", phone=PHONE))
    run(store)
    with store.read() as tx:
        told = candidates.match(tx, SOUGHT, ALL, judge, most=3)
    assert (len(told.found), len(told.cut)) == (3, 1)
