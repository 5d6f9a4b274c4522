"""The outbox: every change of the record once, in commit order, for publishing and resumable export."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from gateway.store.dialect import Row, Session
from gateway.store.names import Interning
from gateway.store.tx import Tx
from gateway.store.type_ids import type_name
from gateway.store.values import Change, Op

OFFSET = "change.offset"
_SEQ_BITS = 20
_SELECT = (
    "SELECT c.seq, r.pid, r.type_id, c.vid & 16777215, v.op, r.site_id, v.updated_us, r.test"
    " FROM change c JOIN version v ON v.vid = c.vid JOIN resource r ON r.pid = c.vid >> 24"
)
_CURSOR = "SELECT coalesce((SELECT value FROM cursor WHERE name=?), 0)"


class OutboxReads(Tx):
    """Questions about changes."""

    def changes_since(self, seq: int, limit: int) -> list[Change]:
        """Return changes after a number, in commit order; none can appear later behind the last one returned."""
        rows = self.session.run(
            f"{_SELECT} WHERE c.seq > ? AND c.seq < ? ORDER BY c.seq LIMIT ?", (seq, watermark(self.session), limit)
        )
        return [_change(row, self.names) for row in rows]

    def last_change(self) -> int:
        """Return the number of the newest change a reader may see, 0 without any."""
        sql = "SELECT coalesce(max(seq), 0) FROM change WHERE seq < ?"
        return int(self.session.value(sql, (watermark(self.session),)))


class Outbox:
    """The doors for publishing."""

    def __init__(self, read: Callable[[], AbstractContextManager[OutboxReads]]) -> None:
        self._read = read

    def since(self, seq: int, limit: int) -> list[Change]:
        """Return changes after a number, in commit order, never skipping one."""
        with self._read() as tx:
            return tx.changes_since(seq, limit)

    def last(self) -> int:
        """Return the number of the newest change."""
        with self._read() as tx:
            return tx.last_change()


def first_seq(session: Session) -> int:
    """Return the first change number of this write transaction.

    SQLite has one writer: the next number. PostgreSQL has many, and they commit in any order: numbers begin with
    the transaction id, so that everything below the oldest running transaction is complete.
    """
    if session.name == "sqlite":
        return int(session.value("SELECT coalesce(max(seq), 0) FROM change")) + 1
    xid = session.value(f"SELECT pg_current_xact_id()::text::bigint + ({_CURSOR})", (OFFSET,))
    return int(xid) << _SEQ_BITS


def watermark(session: Session) -> int:
    """Return the number below which no change can still appear."""
    if session.name == "sqlite":
        return 1 << 62
    xid = session.value(f"SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + ({_CURSOR})", (OFFSET,))
    return int(xid) << _SEQ_BITS


def keep_rising(session: Session) -> None:
    """After a restore into a new PostgreSQL cluster, whose transaction ids begin low, let numbers go on rising."""
    if session.name == "sqlite":
        return
    last = int(session.value("SELECT coalesce(max(seq), 0) FROM change"))
    behind = (last >> _SEQ_BITS) - (first_seq(session) >> _SEQ_BITS)
    if behind > 0:
        offset = int(session.value(_CURSOR, (OFFSET,))) + behind
        session.upsert("cursor", ("name",), ("value",), [(OFFSET, offset)])


def _change(row: Row, names: Interning) -> Change:
    seq, pid, type_id, ver, op, site_id, updated_us, test = row
    return Change(seq, pid, type_name(type_id), ver, Op(op), names.name("site", site_id), updated_us, bool(test))
