"""Lanes: shared fairly, taken over when an owner is silent, and shut to whoever lost them."""

import pytest

from gateway.store.failures import Fenced
from gateway.store.values import State
from tests.store.make import work


def test_one_worker_gets_all_and_shares_with_a_newcomer(store):
    assert len(store.lanes.lease("a")) == 256
    assert store.lanes.lease("b") == {}
    kept = store.lanes.lease("a")
    taken = store.lanes.lease("b")
    assert (len(kept), len(taken)) == (128, 128)
    assert not set(kept) & set(taken)
    assert {owner for owner, _ in store.lanes.owners().values()} == {"a", "b"}


def test_a_silent_worker_leaves_its_share(store):
    store.lanes.lease("a", count=8)
    store.lanes.lease("b", count=8)
    assert len(store.lanes.lease("a", count=8)) == 4
    assert len(store.lanes.lease("a", ttl_s=0, count=8)) == 8


def test_renewing_keeps_the_epoch_and_moving_raises_it(store):
    first = store.lanes.lease("a", count=4)
    assert store.lanes.lease("a", count=4) == first
    assert store.lanes.lease("b", ttl_s=0, count=4) == {lane: epoch + 1 for lane, epoch in first.items()}


def test_released_lanes_are_free_at_once(store):
    store.lanes.lease("a", count=4)
    store.lanes.release("a")
    assert len(store.lanes.lease("b", count=4)) == 4


def test_the_loser_of_a_lane_can_write_nothing(store):
    mine = store.lanes.lease("a", count=4)
    with store.write() as tx:
        tx.fence("a", mine)
        tx.fence("a", {})
        tx.work_put([work(1, State.APPLIED)])
    store.lanes.lease("b", ttl_s=0, count=4)
    with pytest.raises(Fenced), store.write() as tx:
        tx.work_put([work(2, State.APPLIED)])
        tx.fence("a", {1: mine[1]})
    assert sum(store.work.counts().values()) == 1


def test_returning_after_a_loss_does_not_revive_the_old_epoch(store):
    old = store.lanes.lease("a", count=2)
    store.lanes.lease("b", ttl_s=0, count=2)
    new = store.lanes.lease("a", ttl_s=0, count=2)
    with pytest.raises(Fenced), store.write() as tx:
        tx.fence("a", old)
    with store.write() as tx:
        tx.fence("a", new)


def test_a_single_post_has_one_holder(store):
    epoch = store.lanes.take(-1, "a")
    assert epoch == 1
    assert store.lanes.take(-1, "a") == 1
    assert store.lanes.take(-1, "b") is None
    assert store.lanes.take(-1, "b", ttl_s=0) == 2
    assert store.lanes.take(-2, "a") == 1


def test_a_heartbeat_from_before_a_reboot_does_not_hold_a_lane(store):
    store.lanes.take(-1, "a")
    with store.write() as tx:
        tx.session.do("UPDATE lane SET heartbeat_us = heartbeat_us + 3600000000")
    assert store.lanes.take(-1, "b") == 2


def test_a_single_lane_given_back_is_free_at_once_and_no_other(store):
    first, second = store.lanes.take(-1, "a"), store.lanes.take(-2, "a")
    store.lanes.drop(-2, "b")
    assert store.lanes.take(-2, "b") is None
    store.lanes.drop(-2, "a")
    assert store.lanes.take(-2, "b") == second + 1
    assert store.lanes.take(-1, "a") == first
