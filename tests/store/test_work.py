"""Items: one effect each, what holds what back, and counts an operator can trust."""

import random

import pytest

from gateway.errors import Category, GatewayError
from gateway.store.failures import Conflict
from gateway.store.values import State, WorkFilter, WorkRow, item_id
from tests.store.make import work


def put(store, *rows):
    with store.write() as tx:
        tx.work_put(rows)
    return [row.item_id for row in rows]


def test_keeps_every_column(store):
    row = WorkRow(
        item_id(5, 3), "lis", "county", 255, "p\0", State.PARKED, 11, "unmapped", True, 2, 12, 13, 14, "C", "ORU",
        "R01", 15, 16, 17, 18, 19, '[{"code":"x"}]', True,
    )  # fmt: skip
    put(store, row)
    assert store.work.show(row.item_id) == row._replace(patient_key="p\ufffd", before=State.PARKED)


def test_an_unknown_item_is_said_to_be_unknown(store):
    with pytest.raises(GatewayError, match="no item 77") as caught:
        store.work.show(77)
    assert caught.value.category == Category.NOT_FOUND


def test_no_item_takes_effect_twice(store):
    put(store, work(1, State.APPLIED))
    with pytest.raises(Conflict):
        put(store, work(1, State.APPLIED))
    with pytest.raises(Conflict):
        put(store, work(1, State.APPLIED, before=State.QUEUED))
    assert store.work.counts() == {("county-his", State.APPLIED): 1}


def test_a_transition_expects_the_state_it_saw(store):
    (number,) = put(store, work(1))
    seen = store.work.show(number)
    put(store, seen._replace(state=State.APPLIED, applied_us=9))
    with pytest.raises(Conflict):
        put(store, seen._replace(state=State.PARKED))
    assert store.work.show(number).state == State.APPLIED


def test_counts_follow_every_move(store):
    rolls, model = random.Random(5), {}
    for number in range(1, 60):
        row = work(number, rolls.choice(list(State)), feed=rolls.choice(["his", "lis"]), patient_key=f"p{number % 7}")
        put(store, row)
        model[row.item_id] = row
        chosen = rolls.sample(sorted(model), min(len(model), 3))
        act = rolls.choice([store.work.retry, store.work.replay, lambda ids: store.work.discard(ids, "no")])
        act(chosen)
    counts = {}
    for row in store.work.list(WorkFilter(limit=1000)):
        counts[row.feed, row.state] = counts.get((row.feed, row.state), 0) + 1
    assert store.work.counts() == counts


def test_claims_in_inbox_order_of_the_lanes_asked(store):
    put(store, *[work(n, lane=n % 3, patient_key=f"p{n}") for n in (5, 3, 1, 2, 4)])
    assert [row.item_id for row in store.work.claim([0, 1], 10, 1)] == [item_id(n, 0) for n in (1, 3, 4)]
    assert len(store.work.claim([0, 1, 2], 2, 1)) == 2
    assert store.work.claim([], 10, 1) == []


def test_a_waiting_retry_holds_its_patient_only(store):
    put(store, work(1, State.RETRY, next_us=50), work(2), work(3, patient_key="p2"))
    assert [row.patient_key for row in store.work.claim([7], 10, 49)] == ["p2"]
    assert [row.patient_key for row in store.work.claim([7], 10, 50)] == ["p1", "p1", "p2"]


def test_many_waiting_items_do_not_hide_a_ready_one(store):
    put(store, *[work(n, State.RETRY, next_us=50, patient_key="") for n in range(1, 40)], work(99, patient_key=""))
    assert [row.item_id for row in store.work.claim([7], 1, 49)] == [item_id(99, 0)]


def test_blocked_tells_the_first_that_holds_back(store):
    rows = [
        work(1, State.PARKED, patient_key="passes"),
        work(2, State.PARKED, patient_key="holds", holding=True),
        work(3, State.HELD, patient_key="holds"),
        work(4, State.APPLIED, patient_key="done"),
        work(5, State.QUEUED, patient_key="waits"),
    ]
    put(store, *rows)
    with store.read() as tx:
        found = tx.blocked(["passes", "holds", "done", "waits", "", "new"])
    assert found == {"holds": item_id(2, 0), "waits": item_id(5, 0)}


def test_retry_park_hold_and_release(store):
    parked, held, later, other = put(
        store,
        work(1, State.PARKED, holding=True),
        work(2, State.HELD),
        work(3),
        work(4, State.APPLIED),
    )
    assert store.work.hold([later, other], "behind 1") == [later]
    assert store.work.release("p1") == []
    assert store.work.retry([parked, other]) == [parked]
    assert store.work.release("p1") == [held, later]
    assert {row.state for row in store.work.claim([7], 10, 1)} == {State.QUEUED}
    assert store.work.park([later], "poison") == [later]
    assert store.work.show(later).reason == "poison"
    assert store.work.replay([other, 99]) == [other]
    assert store.work.show(other).reason == "replay"


def test_discarding_lets_go_what_was_held_back(store):
    blocker, first, second, third = put(
        store,
        work(1, State.PARKED, holding=True),
        work(2, State.HELD),
        work(3, State.PARKED, holding=True),
        work(4, State.HELD),
    )
    assert store.work.discard([blocker], "wrong sender") == [blocker]
    states = [store.work.show(number).state for number in (blocker, first, second, third)]
    assert states == [State.DISCARDED, State.QUEUED, State.PARKED, State.HELD]
    assert store.work.replay([blocker]) == []


def test_lists_newest_first_by_any_filter(store):
    put(
        store,
        work(1, State.PARKED, reason="unmapped", control_id="A"),
        work(2, State.PARKED, reason="invalid", feed="lis", patient_key="p2"),
        work(3, State.APPLIED),
    )

    def listed(**wanted):
        return [row.item_id >> 20 for row in store.work.list(WorkFilter(**wanted))]

    assert listed() == [3, 2, 1]
    assert listed(limit=2) == [3, 2]
    assert listed(before_id=item_id(2, 0)) == [1]
    assert listed(states=(State.PARKED,)) == [2, 1]
    assert listed(states=(State.PARKED, State.APPLIED), feed="county-his") == [3, 1]
    assert listed(reason="invalid") == listed(patient_key="p2") == listed(feed="lis") == [2]
    assert listed(control_id="A") == [1]
    assert listed(feed="never seen") == []


def test_reasons_and_the_oldest_waiting(store):
    put(store, work(1, State.PARKED, reason="unmapped"), work(2, State.PARKED, reason="unmapped"), work(3), work(4))
    assert store.work.reasons()["county-his", State.PARKED, "unmapped"] == 2
    assert store.work.oldest() == {State.QUEUED: 1_000_003, State.PARKED: 1_000_001}
