"""The audit trail: append-only rows, committed in groups by a thread of their own, chained by daily seals."""

import hashlib
import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

import msgspec

from gateway.errors import GatewayError, Transient
from gateway.store.dialect import Row, Session
from gateway.store.ports import Database
from gateway.store.type_ids import TYPE_ID, type_name
from gateway.store.values import AuditRow, clean

_COLUMNS = (
    "id",
    "at_us",
    "actor",
    "action",
    "type_id",
    "fid",
    "patient",
    "purpose",
    "outcome",
    "detail",
    "digest",
)
_SEAL = ("id", "first_id", "last_id", "sealed_us", "previous", "digest")
_SELECT = f"SELECT {','.join(_COLUMNS)} FROM audit"  # noqa: S608  constants
_SELECT_SEAL = f"SELECT {','.join(_SEAL)} FROM seal"  # noqa: S608  constants
_LOCK = 5
_GROUP = 512
_WAITING = 20_000
_PAGE = 5000

_Entry = tuple[Sequence[AuditRow], "Future[None]"]


class Audit:
    """The doors of audit.db (schema audit)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: queue.Queue[_Entry | None] = queue.Queue(_WAITING)
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def write(self, row: AuditRow) -> "Future[None]":
        """Hand one row over; the Future is done when it is committed, or raises Transient when it cannot be."""
        return self.submit((row,))

    def submit(self, rows: Sequence[AuditRow]) -> "Future[None]":
        """Hand rows over together; the Future is done when all are committed."""
        done: Future[None] = Future()
        self._ensure_thread()
        try:
            self._queue.put_nowait((rows, done))
        except queue.Full:
            done.set_exception(Transient("The audit trail cannot keep up. Retry."))
        return done

    def record(self, rows: Sequence[AuditRow], timeout_s: float = 10.0) -> None:
        """Store rows and wait for the commit; raises Transient when they cannot be written."""
        try:
            self.submit(rows).result(timeout_s)
        except TimeoutError as error:
            raise Transient("The audit trail did not answer in time. Retry.") from error

    def rows(self, *, patient: str = "", before_id: int = 0, limit: int = 50) -> list[tuple[int, AuditRow]]:
        """Return (id, row) newest first, of one patient if named."""
        conditions, params = ["id < ?"], [before_id or 1 << 62]
        if patient:
            conditions.append("patient <> '' AND patient=?")
        sql = f"{_SELECT} WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?"
        with self._database.read() as session:
            found = session.run(sql, (*params, *((clean(patient),) if patient else ()), limit))
        return [(row[0], _audit_row(row)) for row in found]

    def seal(self, before_us: int, now_us: int) -> int:
        """Chain the rows up to the last one made before a moment (midnight); return how many were sealed."""
        with self._database.write() as session:
            session.lock(_LOCK)
            number, last, previous = _last_seal(session)
            until = session.value("SELECT coalesce(max(id), 0) FROM audit WHERE at_us < ?", (before_us,))
            if until <= last:
                return 0
            digest = hashlib.sha256(previous)
            for row in _between(session, last, until):
                digest.update(row[-1])
            row = (number + 1, last + 1, until, now_us, previous, digest.digest())
            session.insert("seal", _SEAL, [row])
        return int(until - last)

    def verify(self) -> list[str]:
        """Return what is wrong with the trail: rows changed or missing, seals that do not chain. Empty: nothing."""
        with self._database.read() as session:
            wrong = _check_seals(session)
            last_sealed = _last_seal(session)[1]
            return wrong + _check_rows(_between(session, last_sealed, 1 << 62))

    def close(self) -> None:
        """Commit what is waiting and stop the thread."""
        with self._start:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _ensure_thread(self) -> None:
        if self._thread is not None:
            return
        with self._start:
            if self._closed:
                raise Transient("The store is closed.")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="audit", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        going = True
        while going:
            entries, going = self._collect()
            try:
                self._commit([row for rows, _ in entries for row in rows])
            except Exception as error:
                _fail(entries, error)
            else:
                for _, done in entries:
                    done.set_result(None)

    def _collect(self) -> tuple[list[_Entry], bool]:
        entries: list[_Entry] = []
        entry = self._queue.get()
        while entry is not None:
            entries.append(entry)
            if len(entries) >= _GROUP:
                return entries, True
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                return entries, True
        return entries, False

    def _commit(self, rows: Sequence[AuditRow]) -> None:
        if not rows:
            return
        with self._database.write() as session:
            session.lock(_LOCK)  # one order of ids and commits, so that a seal leaves no row behind
            first = int(session.value("SELECT coalesce(max(id), 0) FROM audit")) + 1
            session.insert("audit", _COLUMNS, [_row(first + n, row) for n, row in enumerate(rows)])


def _fail(entries: Sequence[_Entry], error: Exception) -> None:
    failure = error if isinstance(error, GatewayError) else Transient(f"The audit trail cannot be written ({error}).")
    for _, done in entries:
        done.set_exception(failure)


def _row(number: int, row: AuditRow) -> Row:
    texts = map(clean, (row.fid, row.patient, row.purpose, row.outcome, row.detail))
    values = (number, row.at_us, clean(row.actor), clean(row.action), TYPE_ID.get(row.type), *texts)
    return (*values, _digest(values))


def _digest(values: Row) -> bytes:
    return hashlib.sha256(msgspec.json.encode(values)).digest()


def _audit_row(row: Row) -> AuditRow:
    _, at_us, actor, action, type_id, fid, patient, purpose, outcome, detail, _ = row
    return AuditRow(at_us, actor, action, outcome, type_name(type_id or 0), fid, patient, purpose, detail)


def _last_seal(session: Session) -> tuple[int, int, bytes]:
    row = session.one(f"{_SELECT_SEAL} ORDER BY id DESC LIMIT 1")
    return (int(row[0]), int(row[2]), bytes(row[5])) if row else (0, 0, b"")


def _between(session: Session, after: int, until: int) -> Iterator[Row]:
    """Yield audit rows by id, a page at a time, so that a year of them needs no memory."""
    while rows := session.run(f"{_SELECT} WHERE id > ? AND id <= ? ORDER BY id LIMIT ?", (after, until, _PAGE)):
        yield from rows
        after = rows[-1][0]


def _check_seals(session: Session) -> list[str]:
    wrong: list[str] = []
    previous = b""
    for number, first, last, _, before, sealed in session.run(f"{_SELECT_SEAL} ORDER BY id"):
        digest = hashlib.sha256(before)
        rows = list(_between(session, first - 1, last))
        for row in rows:
            digest.update(row[-1])
        if before != previous:
            wrong.append(f"Seal {number} does not follow the seal before it.")
        if digest.digest() != sealed:
            wrong.append(f"Seal {number}: rows {first} to {last} are not those that were sealed.")
        wrong += _check_rows(iter(rows))
        previous = sealed
    return wrong


def _check_rows(rows: Iterator[Row]) -> list[str]:
    return [f"Audit row {row[0]} was changed after it was written." for row in rows if _digest(row[:-1]) != row[-1]]
