"""Rows of exports: what was told last, what is missing, and how far a file was taken, on both databases."""

import pytest

from gateway.errors import Category, GatewayError
from gateway.store.failures import Conflict
from gateway.store.rows import FileReport, FileState, RowState
from gateway.store.values import State
from tests.store.make import work


def states(*keys, digest=b"d" * 16, item=7):
    return [RowState(key, digest, item, line) for line, key in enumerate(keys, 2)]


def put(store, new=(), changed=(), table="residents", feed="township"):
    with store.write() as tx:
        tx.rows_put(feed, table, new, changed)


def ask(store, name, *given, **named):
    with store.read() as tx:
        return getattr(tx, name)(*given, **named)


def test_a_row_is_known_by_feed_table_and_key(store):
    put(store, states("A", "档案1", "C"))
    put(store, states("A"), table="contracts")
    found = ask(store, "row_states", "township", "residents", ["A", "C", "Z"])
    assert found == {"A": RowState("A", b"d" * 16, 7, 2), "C": RowState("C", b"d" * 16, 7, 4)}
    assert ask(store, "row_states", "another", "residents", ["A"]) == {}
    assert ask(store, "row_states", "township", "contracts", []) == {}


def test_a_changed_row_is_there_again_whatever_it_was(store):
    put(store, states("A", "B"))
    with store.write() as tx:
        tx.rows_mark("township", "residents", ["A", "B"], 99)
    put(store, changed=[RowState("A", b"e" * 16, 8, 5, "2026-10-01")])
    assert ask(store, "row_states", "township", "residents", "AB") == {
        "A": RowState("A", b"e" * 16, 8, 5, "2026-10-01", None),
        "B": RowState("B", b"d" * 16, 7, 3, "", 99),
    }
    assert [row.key for row in ask(store, "rows_missing", "township", "residents")] == ["B"]
    assert store.files.missing() == {("township", "residents"): 1}
    with store.write() as tx:
        tx.rows_mark("township", "residents", ["B"], None)
        tx.rows_forget("township", "residents", ["A"])
    assert store.files.missing() == {}
    assert [row.key for row in ask(store, "rows_after", "township", "residents")] == ["B"]


def test_rows_are_paged_in_the_order_of_their_keys(store):
    put(store, states(*"CABD"))
    pages = [
        [row.key for row in ask(store, "rows_after", "township", "residents", after, 2)] for after in ("", "B", "D")
    ]
    assert pages == [["A", "B"], ["C", "D"], []]


def test_a_file_is_opened_once_and_taken_step_by_step(store):
    first, second = (FileReport(n, "township", "centre", name=f"{n}.csv", received_us=n) for n in (4, 9))
    with store.write() as tx:
        tx.files_open([second, first])
        tx.files_open([first._replace(name="again.csv")])
    assert ask(store, "file_next") == first
    step = first._replace(table="residents", mode="full", taken=3, records=5, fresh=2, changed=1, facts='{"a":1}')
    with store.write() as tx:
        tx.file_put(step, 0)
    assert ask(store, "file_report", 4) == step
    with pytest.raises(Conflict), store.write() as tx:
        tx.file_put(step, 0)
    done = step._replace(state=FileState.DONE, taken=5, unchanged=2, done_us=50, confirmed=True)
    with store.write() as tx:
        tx.file_put(done, 3)
    assert ask(store, "file_next") == second
    assert ask(store, "file_last", "township", "residents", "full") == done
    assert ask(store, "file_last", "township", "residents", "delta") is None
    assert store.files.counts() == {("township", FileState.DONE): 1, ("township", FileState.WAITING): 1}
    assert store.files.rows()["township", "new"] == 2
    assert store.files.rows()["township", "unchanged"] == 2
    assert [report.arrival for report in store.files.list()] == [9, 4]
    assert store.files.list("township", limit=1, before=9) == [done]
    assert store.files.list("another") == []


def test_a_file_that_is_none_is_said_to_be_none(store):
    with pytest.raises(GatewayError, match="no file 5") as caught:
        store.files.show(5)
    assert caught.value.category == Category.NOT_FOUND
    with store.write() as tx:
        tx.files_open([FileReport(5, "township", "centre")])
    assert store.files.show(5).state == FileState.WAITING


def test_rows_of_files_wait_beside_the_messages(store):
    with store.write() as tx:
        tx.work_put([work(1, lane=7), work(2, lane=256 + 7), work(3, lane=256 + 8)])
    assert [row.lane for row in store.work.claim([7, 8], 10, 1)] == [7]
    assert [row.lane for row in store.work.claim([7], 10, 1, of_files=True)] == [256 + 7]
    assert store.work.claim([], 10, 1, of_files=True) == []


def test_many_keys_are_let_go_with_one_question(store):
    held = [work(n, State.HELD, patient_key=key) for n, key in enumerate("abcb", 1)]
    with store.write() as tx:
        tx.work_put([*held, work(9, State.QUEUED, patient_key="d")])
        assert tx.work_release_all(["b", "d", "nobody", "c"]) == [held[1].item_id, held[3].item_id, held[2].item_id]
        assert tx.work_release_all([]) == []
