import threading

import pytest

from gateway.errors import Transient
from gateway.listeners.outcomes import Outcome, Wait, Watcher, of_store
from gateway.store.engine import open_store
from gateway.store.values import State, WorkRow, item_id


class Told:
    def __init__(self):
        self.event = threading.Event()
        self.found = None

    def __call__(self, found):
        self.found = dict(found)
        self.event.set()


def watch(ask):
    watcher = Watcher(ask)
    watcher.start()
    return watcher


def test_tells_when_all_messages_have_ended():
    answers = [[], [Outcome(1, 0, "AA")], [Outcome(1, 1, "AE", "bad date")]]
    told = Told()
    watcher = watch(lambda arrivals: answers.pop(0) if answers else [])
    watcher.add(Wait({(1, 0), (1, 1)}, float("inf"), told))
    assert told.event.wait(5)
    assert {key: outcome.code for key, outcome in told.found.items()} == {(1, 0): "AA", (1, 1): "AE"}
    watcher.stop(5)


def test_out_of_time_tells_what_is_known():
    told = Told()
    watcher = watch(lambda arrivals: [Outcome(1, 0, "AA")])
    watcher.add(Wait({(1, 0), (2, 0)}, 0.0, told))
    assert told.event.wait(5)
    assert set(told.found) == {(1, 0)}
    watcher.stop(5)


def test_stopping_tells_everyone():
    told = Told()
    watcher = watch(lambda arrivals: [])
    watcher.add(Wait({(1, 0)}, float("inf"), told))
    watcher.stop(5)
    assert told.event.is_set()
    assert told.found == {}


def test_a_store_that_fails_is_asked_again(caplog):
    calls = []

    def ask(arrivals):
        calls.append(list(arrivals))
        if len(calls) == 1:
            raise Transient("busy")
        return [Outcome(7, 0, "AA")]

    told = Told()
    watcher = watch(ask)
    watcher.add(Wait({(7, 0)}, float("inf"), told))
    assert told.event.wait(5)
    assert calls[:2] == [[(7, 0)], [(7, 0)]]
    assert "busy" in caplog.text
    watcher.stop(5)


def test_one_who_cannot_be_told_does_not_stop_the_others(caplog):
    def bad(found):
        raise RuntimeError("gone")

    told = Told()
    watcher = watch(lambda arrivals: [Outcome(1, 0, "AA")])
    watcher.add(Wait({(1, 0)}, float("inf"), bad))
    watcher.add(Wait({(1, 0)}, float("inf"), told))
    assert told.event.wait(5)
    assert "could not be told" in caplog.text
    watcher.stop(5)


def test_nobody_waiting_asks_nothing():
    calls = []
    watcher = watch(lambda arrivals: calls.append(arrivals) or [])
    watcher.stop(5)
    assert calls == []


@pytest.mark.parametrize(
    ("state", "reason", "issues", "expected"),
    [
        (State.QUEUED, "", "[]", None),
        (State.HELD, "", "[]", None),
        (State.APPLIED, "", "[]", ("AA", "")),
        (State.PARKED, "invalid", '[{"text": "PID-7 is no date"}]', ("AE", "invalid: PID-7 is no date")),
        (State.PARKED, "unmapped", "[]", ("AE", "unmapped")),
        (State.PARKED, "unmapped", "not json", ("AE", "unmapped")),
        (State.PARKED, "unmapped", '["text"]', ("AE", "unmapped")),
        (State.PARKED, "refused", "[]", ("AR", "refused")),
        (State.DISCARDED, "a test", "[]", ("AR", "Discarded by a person: a test")),
    ],
)
def test_the_state_of_an_item_is_its_outcome(tmp_path, state, reason, issues, expected):
    store = open_store(f"sqlite:///{tmp_path}/gateway.db", tmp_path)
    store.migrate()
    row = WorkRow(item_id(3, 1), "his", "county", 0, "", state, 1, reason, issues=issues)
    with store.write() as tx:
        tx.work_put([row])
    found = of_store(store)([(3, 0), (3, 1)])
    store.close()
    assert found == ([] if expected is None else [Outcome(3, 1, *expected)])
