"""The outbox: every change of the record once, in commit order, for publishing and resumable export."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

from gateway.store.dialect import Row, Session
from gateway.store.names import Interning
from gateway.store.tx import Tx
from gateway.store.type_ids import TYPE_ID, type_name
from gateway.store.values import Change, Op

OFFSET = "change.offset"
_SEQ_BITS = 20
_SELECT = (
    "SELECT c.seq, r.pid, r.type_id, c.vid & 16777215, v.op, r.site_id, v.updated_us, r.test"
    " FROM change c JOIN version v ON v.vid = c.vid JOIN resource r ON r.pid = c.vid >> 24"
)
_CURSOR = "SELECT coalesce((SELECT value FROM cursor WHERE name=?), 0)"
_TURN = f"SELECT number + ({_CURSOR}), moment, fresh FROM take_turn()"  # noqa: S608  constants
_MOMENT = "SELECT v.updated_us FROM change c JOIN version v ON v.vid = c.vid"
_LAST = "SELECT c.seq, v.updated_us FROM change c JOIN version v ON v.vid = c.vid ORDER BY c.seq DESC LIMIT 1"


class Turn(NamedTuple):
    """A write transaction's place among all: its first change number, and the moment its versions bear.

    `fresh` says that it was taken before the transaction wrote or locked anything; else moments may not rise.
    """

    seq: int
    moment_us: int
    fresh: bool


class OutboxReads(Tx):
    """Questions about changes."""

    def changes_since(self, seq: int, limit: int, kind: str = "") -> list[Change]:
        """Return changes after a number, in commit order; none can appear later behind the last one returned.

        `kind` asks for the changes of one resource type only.
        """
        also, values = ("c.type_id=? AND ", (TYPE_ID[kind],)) if kind else ("", ())
        rows = self.session.run(
            f"{_SELECT} WHERE {also}c.seq > ? AND c.seq < ? ORDER BY c.seq LIMIT ?",
            (*values, seq, watermark(self.session), limit),
        )
        return [_change(row, self.names) for row in rows]

    def changes_behind(self, seq: int, kind: str, most: int) -> tuple[int, int]:
        """Return how many changes of a type, `most` at most, come after a number, and the moment of the first (0)."""
        where = "WHERE c.type_id=? AND c.seq > ?"
        found = self.session.one(f"{_MOMENT} {where} ORDER BY c.seq LIMIT 1", (TYPE_ID[kind], seq))
        if found is None:
            return 0, 0
        counted = f"SELECT count(*) FROM (SELECT 1 FROM change c {where} LIMIT ?) AS behind"  # noqa: S608  constants
        return int(self.session.value(counted, (TYPE_ID[kind], seq, most))), int(found[0])

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


def take_turn(session: Session, wanted_us: int) -> Turn:
    """Return the turn of a write transaction, after those of all that a reader may have seen.

    SQLite has one writer: the next number, and `wanted_us` unless that is past. PostgreSQL has many, and they commit in
    any order: numbers begin with the transaction id, so that everything below the oldest running transaction is
    complete, and moments rise with them where the turn is taken first (docs/decisions/0008).
    """
    if session.name == "sqlite":
        seq, last_us = session.one(_LAST) or (0, 0)
        return Turn(seq + 1, max(wanted_us, last_us + 1), fresh=True)
    number, moment_us, fresh = session.run(_TURN, (OFFSET,))[0]
    return Turn(int(number) << _SEQ_BITS, int(moment_us), fresh)


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
    _, last_us = session.one(_LAST) or (0, 1)
    session.run("SELECT setval('turn_moment', greatest(?::bigint, last_value)) FROM turn_moment", (last_us,))
    last = int(session.value("SELECT coalesce(max(seq), 0) FROM change"))
    behind = (last >> _SEQ_BITS) - (take_turn(session, 0).seq >> _SEQ_BITS)
    if behind > 0:
        offset = int(session.value(_CURSOR, (OFFSET,))) + behind
        session.upsert("cursor", ("name",), ("value",), [(OFFSET, offset)])


def _change(row: Row, names: Interning) -> Change:
    seq, pid, type_id, ver, op, site_id, updated_us, test = row
    return Change(seq, pid, type_name(type_id), ver, Op(op), names.name("site", site_id), updated_us, bool(test))
