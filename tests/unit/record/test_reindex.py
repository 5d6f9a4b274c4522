"""Making the index anew: whatever was lost or wrong is right again, beside writers, and from where it stopped."""

import threading

import pytest

from gateway.record import fsck, reindex
from gateway.store import index
from gateway.store.index_tables import COLUMNS
from tests.unit.record.make import START_US, observation, patient, plans, tell, told

ZONE = "Asia/Shanghai"
KINDS = tuple(COLUMNS)


@pytest.fixture
def record(store):
    plans(store, *(told(patient(gender="male"), observation(), number=number) for number in (1, 2)))
    return store


def run(store, *sql):
    with store.databases["record"].write() as session:
        for statement in sql:
            session.do(statement)


def rows(store):
    with store.read() as tx:
        held = index.stored(tx, *range(1, tx.last_pid() + 1))
    return {kind: sorted(found) for kind, found in held.items()}


def renewed(store, **asked):
    return list(reindex.reindex(store, ZONE, **asked))


def test_lost_rows_are_there_again(record):
    before = rows(record)
    run(record, *(f"DELETE FROM search_{kind}" for kind in KINDS))
    (*_, last) = renewed(record)
    assert rows(record) == before
    assert last.changed == sum(len(found) for found in before.values())
    assert (last.done, last.total, last.findings) == (last.total, last.total, [])


def test_rows_no_text_speaks_of_are_taken_away(record):
    before = rows(record)
    run(record, "UPDATE search_token SET code=code+1", "UPDATE search_date SET low=low-1")
    assert rows(record) != before
    renewed(record)
    assert rows(record) == before


def test_a_right_index_is_left_as_it_is(record):
    renewed(record)
    assert [step.changed for step in renewed(record)] == [0]


def test_lost_clinical_rows_alone_are_noticed(record):
    before = rows(record)
    run(record, "DELETE FROM search_clinical")
    (*_, last) = renewed(record)
    assert (rows(record), last.changed) == (before, len(before["clinical"]))


def test_what_was_stopped_goes_on_where_it_was(record, monkeypatch):
    monkeypatch.setattr(reindex, "_PAGE", 1)
    run(record, "DELETE FROM search_token")
    first = next(reindex.reindex(record, ZONE))
    assert "stopped before its end" in reindex.due(record)
    run(record, "DELETE FROM search_token")
    rest = renewed(record)
    assert [step.done for step in rest] == list(range(first.done + 1, first.total + 1))
    assert rest[-1].changed > first.changed
    assert reindex.due(record) == ""
    assert [step.done for step in renewed(record, anew=True)] == list(range(1, first.total + 1))


def test_one_that_cannot_be_read_keeps_its_rows_and_is_named(record):
    before = rows(record)
    first = "x'01ffff'" if record.is_sqlite else "'\\x01ffff'"
    run(record, f"UPDATE version SET body={first} WHERE vid >> 24 = 1")
    (*_, last) = renewed(record)
    assert [finding.where for finding in last.findings] == ["resource 1"]
    assert "keeps its old search rows" in last.findings[0].text
    assert rows(record) == before


def test_writers_go_on_meanwhile_and_the_index_ends_right(record, monkeypatch):
    monkeypatch.setattr(reindex, "_PAGE", 1)
    stop = threading.Event()

    def write():
        number = 3
        while not stop.is_set():
            tell(record, patient(gender=("female", "other")[number % 2]), at_us=START_US + number, number=number)
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(5):
            renewed(record, anew=True)
    finally:
        stop.set()
        writer.join()
    assert [f for p in fsck.check(record) for f in p.findings if "search rows" in f.text] == []


def test_a_change_of_parameters_is_told(store, monkeypatch):
    reindex.begin(store)
    assert reindex.due(store) == ""
    monkeypatch.setattr(reindex, "fingerprint", lambda: 7)
    assert "search parameters have changed" in reindex.due(store)
    renewed(store)
    assert reindex.due(store) == ""


def test_a_store_from_before_fingerprints_is_not_nagged_about(record):
    assert reindex.due(record) == ""
    reindex.begin(record)
    assert reindex.due(record) == ""
