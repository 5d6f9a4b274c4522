"""The audit trail: committed before it is believed, never changed, and able to prove it."""

import pytest

from gateway.errors import Transient
from gateway.store import audit
from gateway.store.values import AuditRow

READ = AuditRow(100, "dr-li", "read", "ok", "Patient", "a", "Patient/a", "TREAT", '{"ip":"127.0.0.1"}')


def test_a_row_is_there_when_its_future_is_done(store):
    store.audit.write(READ).result(5)
    store.audit.record([READ._replace(at_us=200, type="", fid="\0"), READ._replace(patient="Patient/b")])
    rows = store.audit.rows()
    assert [number for number, _ in rows] == [3, 2, 1]
    assert rows[2][1] == READ
    assert (rows[1][1].type, rows[1][1].fid) == ("", "\ufffd")
    assert [number for number, _ in store.audit.rows(patient="Patient/a")] == [2, 1]
    assert store.audit.rows(before_id=2, limit=5) == rows[2:]


def test_many_rows_share_commits_and_keep_their_order(store):
    waiting = [store.audit.write(READ._replace(at_us=n)) for n in range(1200)]
    for done in waiting:
        done.result(10)
    assert [row.at_us for _, row in store.audit.rows(limit=2000)] == list(range(1199, -1, -1))


def test_closing_finishes_what_is_waiting(new_store):
    store = new_store()
    waiting = [store.audit.write(READ) for _ in range(20)]
    store.audit.close()
    assert all(done.result(0) is None for done in waiting)
    with pytest.raises(Transient):
        store.audit.write(READ)
    assert len(new_store().audit.rows()) == 20


def test_says_so_when_it_cannot_write(store, monkeypatch):
    def fails(rows):
        raise OSError("no disk")

    monkeypatch.setattr(store.audit, "_commit", fails)
    with pytest.raises(Transient, match="no disk"):
        store.audit.record([READ])
    monkeypatch.undo()
    store.audit.record([READ])
    assert len(store.audit.rows()) == 1


def test_says_so_when_it_cannot_keep_up(store, monkeypatch):
    monkeypatch.setattr(store.audit, "_ensure_thread", lambda: None)
    with pytest.raises(Transient, match="in time"):
        store.audit.record([READ], timeout_s=0.01)
    monkeypatch.setattr(store.audit._queue, "maxsize", 1)
    with pytest.raises(Transient, match="keep up"):
        store.audit.record([READ])
    monkeypatch.undo()


def test_rows_cannot_be_changed(store):
    store.audit.record([READ])
    with pytest.raises(Exception, match="never changed"), store.databases["audit"].write() as session:
        session.do("UPDATE audit SET actor='someone'")


def tamper(store, statement):
    with store.databases["audit"].write() as session:
        if session.name == "sqlite":
            session.do("DROP TRIGGER audit_unchanged")
        else:
            session.do("DROP TRIGGER audit_unchanged ON audit")
        session.do(statement)


def test_seals_chain_and_verify(store, monkeypatch):
    monkeypatch.setattr(audit, "_PAGE", 2)
    store.audit.record([READ._replace(at_us=at) for at in (1, 2, 3, 11, 12, 21)])
    assert store.audit.seal(10, 50) == 3
    assert store.audit.seal(20, 60) == 2
    assert store.audit.seal(20, 70) == 0
    assert store.audit.verify() == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE audit SET actor='x' WHERE id=1", ["Audit row 1 was changed"]),
        ("UPDATE audit SET actor='x' WHERE id=5", ["Audit row 5 was changed"]),
        ("DELETE FROM audit WHERE id=2", ["Seal 1: rows 1 to 3"]),
        ("UPDATE seal SET digest=previous WHERE id=1", ["Seal 1: rows", "Seal 2 does not follow"]),
    ],
)
def test_tampering_is_found(store, statement, found):
    store.audit.record([READ._replace(at_us=at) for at in (1, 2, 3, 11, 12)])
    store.audit.seal(10, 50)
    store.audit.seal(12, 60)
    tamper(store, statement)
    wrong = store.audit.verify()
    assert len(wrong) == len(found)
    assert all(line.startswith(start) for line, start in zip(wrong, found, strict=True))
