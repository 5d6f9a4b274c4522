"""The outbox: each change once, in an order no reader can fall behind of."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.store import outbox
from gateway.store.values import Op
from tests.store.make import create, version


def test_tells_each_change_in_order(store):
    (pid,) = create(store, "a", test=True)
    with store.write() as tx:
        tx.put([version(pid, "a", 2, op=Op.DELETE, body=None, site="county", test=True)])
    made, gone = store.outbox.since(0, 10)
    assert (made.pid, made.type, made.ver, made.op, made.test) == (pid, "Patient", 1, Op.CREATE, True)
    assert (gone.ver, gone.op, gone.site, gone.updated_us) == (2, Op.DELETE, "county", 1_000_002)
    assert store.outbox.since(made.seq, 10) == [gone]
    assert store.outbox.since(gone.seq, 10) == []
    assert store.outbox.last() == gone.seq


def test_heads_and_versions_carry_the_same_number(store):
    pids = create(store, "a", "b", "c")
    changes = {change.pid: change.seq for change in store.outbox.since(0, 10)}
    with store.read() as tx:
        assert {pid: head.seq for pid, head in tx.heads_by_pid(pids).items()} == changes
        assert {pid: one.seq for pid, one in tx.current(pids).items()} == changes
    assert [changes[pid] for pid in pids] == sorted(changes.values())


def test_a_slow_writer_is_never_overtaken(new_store):
    """PostgreSQL: the writer that began first commits last; its changes must still be read."""
    one, two = new_store(), new_store()
    if one.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    create(one, "before")
    begin = one.outbox.last()
    begun, finish = threading.Event(), threading.Event()

    def slow():
        with one.write() as tx:
            tx.put([version(tx.allocate(1)[0], "slow")])
            begun.set()
            assert finish.wait(5)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(slow)
        assert begun.wait(5)
        create(two, "quick")
        assert two.outbox.since(begin, 10) == []
        assert two.outbox.last() == begin
        finish.set()
        running.result(5)
    assert len(two.outbox.since(begin, 10)) == 2


def test_a_reader_among_parallel_writers_misses_nothing(new_store):
    stores = [new_store() for _ in range(3)]
    reader, seen, done = new_store(), [], threading.Event()

    def write(number):
        for n in range(15):
            create(stores[number], f"{number}-{n}-a", f"{number}-{n}-b")

    def follow():
        last = 0
        while True:
            stopping = done.is_set()
            changes = reader.outbox.since(last, 7)
            seen.extend(change.seq for change in changes)
            last = seen[-1] if seen else 0
            if stopping and not changes:
                return

    with ThreadPoolExecutor(4) as pool:
        following = pool.submit(follow)
        list(pool.map(write, range(3)))
        done.set()
        following.result(20)
    assert len(seen) == 90
    assert seen == sorted(set(seen))


def test_numbers_rise_after_a_restore_into_a_new_cluster(store):
    """A new PostgreSQL cluster counts its transactions from the beginning again."""
    if store.is_sqlite:
        pytest.skip("SQLite counts changes, not transactions")
    create(store, "before")
    far = store.outbox.last() + (1 << 40)
    with store.write() as tx:
        tx.session.do("UPDATE change SET seq=?", (far,))
    store.migrate()
    create(store, "after")
    old, new = store.outbox.since(0, 10)
    assert (old.seq, new.seq > far) == (far, True)
    with store.write() as tx:
        offset = tx.cursor(outbox.OFFSET)
        outbox.keep_rising(tx.session)
        assert tx.cursor(outbox.OFFSET) == offset
