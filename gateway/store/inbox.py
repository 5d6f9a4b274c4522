"""The inbox: every byte received, once, before anything is read from it; and the log of what was refused."""

from collections.abc import Sequence
from typing import Any

from gateway import clock, failpoints
from gateway.store.dialect import Kind, Row, Session
from gateway.store.ports import Database
from gateway.store.values import TABLE, Arrival, NewArrival, NewReject, Receipt, Reject, clean

_COLUMNS = (
    "id",
    "feed",
    "site",
    "received_us",
    "digest",
    "control_id",
    "type",
    "event",
    "peer",
    "listener",
    "charset",
    "envelope",
    "size",
    "answer",
    "test",
    "body",
)
_REJECT = ("id", "received_us", "listener", "peer", "reason", "seen", "size", "head")
_SELECT = f"SELECT {','.join(_COLUMNS)} FROM arrival"  # noqa: S608  constants
_SAME = "SELECT control_id, digest, feed, id, answer, received_us FROM arrival"
_SAME_KEY: tuple[tuple[str, Kind], ...] = (("control_id", "text"), ("digest", "bytes"), ("feed", "text"))
_AGAIN, _AFTER_AGAIN = " #", " $"  # behind a file's name, where the same bytes came again after others
_LOCK = 2  # ids are handed out and committed in one order, so a reader by id skips nothing
HEAD_BYTES = 4096
BATCH_BYTES = 16 << 20  # a worker holds some copies of each message


_Same = tuple[str, bytes, str]


class Inbox:
    """The doors of inbox.db (schema inbox); a call that returns has committed and fsynced."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, arrivals: Sequence[NewArrival]) -> list[Receipt]:
        """Store a batch in one transaction; the same bytes again (feed, control id, digest) get the first receipt.

        A file of a table is the same again only while no other file of its name came in between: exports go back to
        what they said before. Raises Transient when nothing was stored: then answer nothing (K2).
        """
        if not arrivals:
            return []
        keys = [(clean(new.control_id), new.digest, clean(new.feed)) for new in arrivals]
        with self._database.write() as session:
            session.lock(_LOCK)
            known = _known(session, keys)
            keys = _returned(session, arrivals, keys, known)
            next_id = int(session.value("SELECT coalesce(max(id), 0) FROM arrival")) + 1
            receipts, rows = _number(arrivals, keys, known, next_id)
            session.insert("arrival", _COLUMNS, rows)
            failpoints.hit("fp2")
        return receipts

    def reject(self, rejects: Sequence[NewReject]) -> None:
        """Log what could not be accepted, with the first 4 KiB of each."""
        now = clock.now_us()
        with self._database.write() as session:
            session.lock(_LOCK)
            next_id = int(session.value("SELECT coalesce(max(id), 0) FROM reject")) + 1
            session.insert("reject", _REJECT, [_reject_row(new, next_id + n, now) for n, new in enumerate(rejects)])

    def rejects(self, before_id: int = 0, limit: int = 50) -> list[Reject]:
        """Return rejects newest first, `before_id` exclusive (0: from the newest)."""
        sql = f"SELECT {','.join(_REJECT)} FROM reject WHERE id < ? ORDER BY id DESC LIMIT ?"  # noqa: S608  constants
        with self._database.read() as session:
            return [Reject(*row) for row in session.run(sql, (before_id or 1 << 62, limit))]

    def raw(self, arrival_id: int) -> bytes | None:
        """Return the bytes as received; None where there are none (unknown, or retention is over)."""
        with self._database.read() as session:
            body = session.value("SELECT body FROM arrival WHERE id=?", (arrival_id,))
        return None if body is None else bytes(body)

    def arrival(self, arrival_id: int) -> Arrival | None:
        """Return one arrival with its bytes."""
        with self._database.read() as session:
            rows = session.run(f"{_SELECT} WHERE id=?", (arrival_id,))
        return _arrival(rows[0]) if rows else None

    def arrivals(self, arrival_ids: Sequence[int]) -> dict[int, Arrival]:
        """Return arrivals with their bytes, by id; unknown ones are left out."""
        with self._database.read() as session:
            rows = session.keyed(_SELECT, (("id", "int"),), [(number,) for number in arrival_ids])
        return {row[0]: _arrival(row) for row in rows}

    def unpicked(self, after_id: int, limit: int, max_bytes: int = BATCH_BYTES) -> list[Arrival]:
        """Return the arrivals after an id, in order, with their bytes: at most `limit`, and `max_bytes` (or one)."""
        with self._database.read() as session:
            sizes = session.run("SELECT id, size FROM arrival WHERE id > ? ORDER BY id LIMIT ?", (after_id, limit))
            last = _last_within(sizes, max_bytes)
            rows = session.run(f"{_SELECT} WHERE id > ? AND id <= ? ORDER BY id", (after_id, last)) if last else []
        return [_arrival(row) for row in rows]

    def answered(self, arrival_id: int, answer: str) -> None:
        """Record the answer given later (ack_when: applied), for the same answer to a duplicate."""
        with self._database.write() as session:
            session.do("UPDATE arrival SET answer=? WHERE id=?", (clean(answer), arrival_id))

    def last_id(self) -> int:
        """Return the id of the newest arrival, 0 without any."""
        with self._database.read() as session:
            return int(session.value("SELECT coalesce(max(id), 0) FROM arrival"))

    def counts(self) -> dict[str, int]:
        """Return how many arrivals and rejects there are."""
        with self._database.read() as session:
            # Ids have no gaps: they are handed out and committed under one lock, and rows are never deleted.
            return {
                "arrivals": int(session.value("SELECT coalesce(max(id), 0) FROM arrival")),
                "rejects": int(session.value("SELECT coalesce(max(id), 0) FROM reject")),
            }

    def prune(self, before_us: int, after_id: int = 0, limit: int = 1000) -> tuple[int, int]:
        """Forget raw bytes received before a moment, `limit` rows from `after_id`; digest, size and date stay.

        Returns how many were pruned and the id to go on from (the same id: done).
        """
        with self._database.write() as session:
            rows = session.run(
                "SELECT id FROM arrival WHERE id > ? AND received_us < ? ORDER BY id LIMIT ?",
                (after_id, before_us, limit),
            )
            session.many("UPDATE arrival SET body=NULL WHERE id=? AND body IS NOT NULL", rows)
        return len(rows), rows[-1][0] if rows else after_id


def _known(session: Session, keys: Sequence[_Same]) -> dict[_Same, Receipt]:
    rows = session.keyed(_SAME, _SAME_KEY, set(keys))
    return {
        (control, digest, feed): Receipt(number, True, answer, received)
        for control, digest, feed, number, answer, received in rows
    }


def _returned(
    session: Session,
    arrivals: Sequence[NewArrival],
    keys: Sequence[_Same],
    known: dict[_Same, Receipt],
) -> list[_Same]:
    """Return the keys, with a new one for each file that says again what another one of its name unsaid since."""
    newest: dict[tuple[str, str], _Same] = {}
    result = list(keys)
    for index, (new, key) in enumerate(zip(arrivals, keys, strict=True)):
        if new.type != TABLE:
            continue
        name = (key[2], key[0])
        last = newest.get(name) or _newest(session, *name, known)
        if last is not None and last[1] == key[1]:
            result[index] = last
        elif key in known or key in result[:index]:
            result[index] = (f"{key[0]}{_AGAIN}{clock.now_us()}.{index}", key[1], key[2])
        newest[name] = result[index]
    return result


def _newest(session: Session, feed: str, name: str, known: dict[_Same, Receipt]) -> _Same | None:
    """Return the key of the newest file of a name, and remember its receipt."""
    # The sums keep both databases from walking all arrivals backwards in search of the first of this name.
    number = session.value(
        "SELECT max(id + 0) FROM arrival"
        " WHERE (control_id=? AND feed=?) OR (control_id > ? AND control_id < ? AND feed=?)",
        (name, feed, name + _AGAIN, name + _AFTER_AGAIN, feed),
    )
    row = session.one(f"{_SAME} WHERE id=?", (number,)) if number else None
    if row is None:
        return None
    key = (row[0], bytes(row[1]), row[2])
    known[key] = Receipt(row[3], True, row[4], row[5])
    return key


def _number(
    arrivals: Sequence[NewArrival],
    keys: Sequence[_Same],
    known: dict[_Same, Receipt],
    next_id: int,
) -> tuple[list[Receipt], list[Row]]:
    receipts: list[Receipt] = []
    rows: list[Row] = []
    now = clock.now_us()
    for new, key in zip(arrivals, keys, strict=True):
        receipt = known.get(key)
        if receipt is None:
            receipt = Receipt(next_id + len(rows), False, clean(new.answer), new.received_us or now)
            known[key] = receipt._replace(duplicate=True)
            rows.append(_row(new, key, receipt))
        receipts.append(receipt)
    return receipts, rows


def _row(new: NewArrival, key: tuple[str, bytes, str], receipt: Receipt) -> Row:
    texts = (new.type, new.event, new.peer, new.listener, new.charset, new.envelope)
    return (
        receipt.id,
        key[2],
        clean(new.site),
        receipt.received_us,
        new.digest,
        key[0],
        *map(clean, texts),
        len(new.body),
        receipt.answer,
        int(new.test),
        new.body,
    )


def _arrival(row: Row) -> Arrival:
    return Arrival._make((*row[:14], bool(row[14]), row[15]))


def _reject_row(new: NewReject, number: int, now_us: int) -> Row:
    texts = map(clean, (new.listener, new.peer, new.reason, new.seen))
    return (number, now_us, *texts, new.size, new.head[:HEAD_BYTES])


def _last_within(sizes: Sequence[tuple[Any, ...]], max_bytes: int) -> int:
    total, last = 0, 0
    for number, size in sizes:
        total += size
        if last and total > max_bytes:
            break
        last = int(number)
    return last
