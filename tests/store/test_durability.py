"""What a positive answer promises: the rows survive kill -9, the settings are the safe ones, faults are told."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gateway.errors import Transient
from gateway.store import sqlite
from gateway.store.failures import Broken, TooSlow
from gateway.store.values import State
from tests.store.make import ALL, arrival, create, version, work

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("lines", [1, 40, 83])
def test_kill_9_keeps_every_acknowledged_row(new_store, database_url, lines):
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.writer", database_url], stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as process:
        told = [process.stdout.readline().split() for _ in range(lines)]
        os.kill(process.pid, signal.SIGKILL)
        told += [line.split() for line in process.stdout if line.endswith("\n") and len(line.split()) == 2]
    store = new_store()
    store.ping()
    stored = {int(number) for word, number in told if word == "stored"}
    assert stored <= set(store.inbox.arrivals(sorted(stored)))
    applied = {int(number) for word, number in told if word == "applied"}
    with store.read() as tx:
        assert applied <= set(tx.current(applied))
        heads = tx.heads_by_pid(range(1, 2000))
    # Effect and state are one: as many applied items as resources, each in the outbox.
    assert sum(store.work.counts().values()) == len(heads) == len(store.outbox.since(0, 10_000))
    (receipt,) = store.inbox.append([arrival("after the crash")])
    assert receipt.id > max(stored)


def test_commits_are_fsynced(store):
    with store.write() as tx:
        if store.is_sqlite:
            settings = {
                name: tx.session.value(f"PRAGMA {name}")
                for name in ("journal_mode", "synchronous", "wal_autocheckpoint", "page_size")
            }
            assert settings == {"journal_mode": "wal", "synchronous": 2, "wal_autocheckpoint": 0, "page_size": 4096}
        else:
            assert tx.session.value("SELECT current_setting('synchronous_commit')") == "on"


class Failing:
    """A connection whose next COMMIT fails as the disk would."""

    def __init__(self, connection, code):
        self._connection, self._code = connection, code

    def __getattr__(self, name):
        return getattr(self._connection, name)

    def execute(self, statement, params=()):
        if statement == "COMMIT":
            error = sqlite.sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = self._code
            raise error
        return self._connection.execute(statement, params)


@pytest.fixture
def file_store(tmp_path):
    store = sqlite_store(tmp_path)
    yield store
    store.close()


def sqlite_store(folder):
    from gateway.store.engine import open_store

    store = open_store(f"sqlite:///{folder}/gateway.db")
    store.migrate()
    return store


def test_after_a_failed_fsync_the_handle_is_never_used_again(file_store):
    inbox = file_store.databases["inbox"]
    file_store.inbox.append([arrival("before")])
    failed = inbox._writer
    inbox._writer = Failing(failed, sqlite.sqlite3.SQLITE_IOERR_FSYNC)
    with pytest.raises(Broken, match=r"inbox\.db"):
        file_store.inbox.append([arrival("lost", control_id="M2")])
    assert inbox._writer is None
    with pytest.raises(sqlite.sqlite3.ProgrammingError):
        failed.execute("SELECT 1")
    with inbox.read() as session:
        session.run("SELECT 1 FROM arrival")
        with pytest.raises(Transient, match="waiting for readers"):
            file_store.inbox.append([arrival("too early", control_id="M3")])
    assert [receipt.id for receipt in file_store.inbox.append([arrival("after", control_id="M4")])] == [2]
    assert [row.body for row in file_store.inbox.unpicked(0, 9)] == [b"before", b"after"]


def test_a_full_disk_stores_nothing_and_recovers(file_store):
    file_store.inbox.append([arrival("before")])
    writer = file_store.databases["inbox"]._writer
    pages = writer.execute("PRAGMA page_count").fetchone()[0]
    writer.execute(f"PRAGMA max_page_count={pages}")
    with pytest.raises(Transient, match="disk is full"):
        file_store.inbox.append([arrival(b"x" * 100_000, control_id="M2")])
    writer.execute("PRAGMA max_page_count=1000000")
    assert not file_store.inbox.append([arrival(b"x" * 100_000, control_id="M2")])[0].duplicate


def test_a_damaged_file_is_told(tmp_path):
    sqlite_store(tmp_path).close()
    (tmp_path / "gateway.db").write_bytes(b"not a database, but long enough to be read as one" * 200)
    from gateway.store.engine import open_store

    with pytest.raises(Broken, match=r"gateway\.db"):
        open_store(f"sqlite:///{tmp_path}/gateway.db")


def test_writers_of_two_processes_take_turns(new_store, monkeypatch):
    one, two = new_store(), new_store()
    monkeypatch.setattr(sqlite, "BUSY_S", 0.05)
    if not one.is_sqlite:
        pytest.skip("PostgreSQL writers do not wait for each other")
    with one.write() as tx:
        tx.cursor_set("x", 1)
        with pytest.raises(Transient, match="another process holds the write lock"):
            create(two, "b")
    create(two, "b")


def test_a_thread_that_waits_too_long_is_told(file_store, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_S", 0.01)
    with file_store.write() as tx:
        tx.cursor_set("x", 1)
        with pytest.raises(Transient, match="is busy"):
            create(file_store, "b")


def test_a_query_past_its_deadline_is_stopped(store):
    slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000000) SELECT max(i) FROM n"
    with pytest.raises(TooSlow), store.read(deadline_s=0.02) as tx:
        tx.session.run(slow)
    with store.read(deadline_s=5) as tx:
        assert tx.session.value("SELECT 1") == 1
    with store.read() as tx:
        assert tx.session.value("SELECT 2") == 2


def test_the_log_is_checkpointed_beside_the_writers(file_store, monkeypatch):
    monkeypatch.setattr(sqlite, "CHECKPOINT_BYTES", 200_000)
    monkeypatch.setattr(sqlite, "POLL_S", 0.001)
    database = file_store.databases["record"]
    stop = threading.Event()
    for number in range(400):
        create(file_store, f"f{number}", body=os.urandom(3000))
        if sqlite.wal_bytes(database.path) < 100_000 < database.path.stat().st_size:
            stop.set()
            break
        stop.wait(0.002)
    assert stop.is_set(), "the log was never begun anew"


def test_the_log_begins_anew_between_the_writers_and_readers_of_other_processes(file_store, new_store):
    other, stop = new_store(), threading.Event()

    def busy() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with other.read() as tx:
                tx.last_pid()
                stop.wait(0.002)
            with other.write() as tx:
                tx.cursor_set("x", number)
                stop.wait(0.004)
            stop.wait(0.004)

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for number in range(3):
            create(file_store, f"f{number}", body=os.urandom(3000))
            assert any(file_store.databases["record"].checkpoint() for _ in range(5))
    finally:
        stop.set()
        thread.join()


def test_a_reader_keeps_its_snapshot_and_delays_no_writer(file_store):
    create(file_store, "a")
    with file_store.read() as tx:
        assert len(tx.heads([("Patient", "a"), ("Patient", "b")])) == 1
        create(file_store, "b")
        assert len(tx.heads([("Patient", "a"), ("Patient", "b")])) == 1
        assert not file_store.databases["record"].checkpoint()
    file_store.checkpoint()
    assert file_store.databases["record"].checkpoint()


def test_a_server_that_dies_is_transient(new_store):
    store = new_store()
    if store.is_sqlite:
        pytest.skip("SQLite has no server")
    killer = new_store()
    with pytest.raises(Transient, match="PostgreSQL does not answer"), store.write() as tx:
        number = tx.session.value("SELECT pg_backend_pid()")
        with killer.read() as other:
            other.session.run("SELECT pg_terminate_backend(?::int)", (number,))
        tx.put([version(1, "a")])
    create(store, "a")
    assert store.resources.read("Patient", "a", ALL).ver == 1


def test_state_and_effect_are_undone_together(store):
    with pytest.raises(ValueError, match="half way"), store.write() as tx:
        tx.put([version(tx.allocate(1)[0], "a")])
        tx.work_put([work(1, State.APPLIED)])
        tx.cursor_set("picker", 1)
        raise ValueError("half way")
    assert store.outbox.since(0, 10) == []
    assert store.work.counts() == {}
    with store.read() as tx:
        assert tx.cursor("picker") == 0
