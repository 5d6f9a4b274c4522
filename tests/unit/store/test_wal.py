"""The writer lock is fair, and the log's length is what SQLite says it is."""

import sqlite3
import threading

from gateway.store.wal import FairLock, wal_bytes


def test_serves_in_order_of_arrival():
    lock, served, threads = FairLock(), [], []
    assert lock.acquire()

    def queue(number):
        with lock:
            served.append(number)

    for number in range(8):
        threads.append(threading.Thread(target=queue, args=(number,)))
        threads[-1].start()
        while len(lock._waiting) <= number:
            pass
    lock.release()
    for thread in threads:
        thread.join()
    assert served == list(range(8))
    assert lock.acquire(0)


def test_who_gives_up_waiting_leaves_no_gap():
    lock = FairLock()
    lock.acquire()
    assert not lock.acquire(0.001)
    lock.release()
    assert lock.acquire(0)
    lock.release()


def test_a_lock_handed_over_while_giving_up_is_ours():
    lock = FairLock()
    assert lock._gave_up(threading.Lock()) is False


def test_the_log_is_as_long_as_its_live_frames(tmp_path):
    path = tmp_path / "x.db"
    assert wal_bytes(path) == 0
    one = sqlite3.connect(path, isolation_level=None)
    one.execute("PRAGMA journal_mode=WAL")
    one.execute("PRAGMA wal_autocheckpoint=0")
    one.execute("CREATE TABLE t (x)")
    for number in range(50):
        one.execute("INSERT INTO t VALUES (zeroblob(?))", (number * 200,))
        log = one.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1] if number == 49 else 0
    assert wal_bytes(path) == 32 + log * (24 + 4096) == (tmp_path / "x.db-wal").stat().st_size
    one.execute("PRAGMA wal_checkpoint(RESTART)")
    one.execute("INSERT INTO t VALUES (1)")
    frames = one.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1]
    assert 0 < frames < log
    assert wal_bytes(path) == 32 + frames * (24 + 4096)
    one.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert wal_bytes(path) == 0
    one.close()
