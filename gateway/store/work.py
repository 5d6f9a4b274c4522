"""Items at work: what became of each message, what waits for a person, what holds what back."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from gateway.errors import Category, GatewayError
from gateway.store.dialect import Kind, Row
from gateway.store.failures import Conflict
from gateway.store.lanes import LANES
from gateway.store.names import Interning
from gateway.store.tx import Tx
from gateway.store.values import State, WorkFilter, WorkRow, clean

_COLUMNS = (
    "item_id",
    "feed_id",
    "site_id",
    "lane",
    "patient_key",
    "state",
    "received_us",
    "reason",
    "holding",
    "attempts",
    "next_us",
    "offset",
    "length",
    "control_id",
    "type",
    "event",
    "source_us",
    "applied_us",
    "mapping_id",
    "populated",
    "mapped",
    "issues",
    "test",
)
_QUOTED = ",".join('"offset"' if name == "offset" else name for name in _COLUMNS)
_SELECT = f"SELECT {_QUOTED} FROM work"  # noqa: S608  constants
_UPDATE = f"UPDATE work SET {_QUOTED.replace(',', '=?,')}=? WHERE item_id=? AND state=?"  # noqa: S608  constants
_ITEM: tuple[tuple[str, Kind], ...] = (("item_id", "int"),)
_KEY: tuple[tuple[str, Kind], ...] = (("patient_key", "text"),)
_TALLY = (
    "INSERT INTO tally (feed_id, state, slot, n) VALUES (?,?,?,?)"
    " ON CONFLICT (feed_id, state, slot) DO UPDATE SET n = tally.n + excluded.n"
)
_NOT_BEHIND_A_RETRY = (
    "(patient_key = '' OR NOT EXISTS (SELECT 1 FROM work b WHERE b.patient_key = w.patient_key AND b.state < 10"
    " AND b.state = 1 AND b.next_us > ? AND b.item_id < w.item_id))"
)
_BLOCKS = "state < 10 AND (state <> 2 OR holding = 1)"
CLAIM_BYTES = 16 << 20  # a worker holds some copies of each message
_OPEN = (State.QUEUED, State.RETRY, State.PARKED, State.HELD)


class WorkReads(Tx):
    """Questions about items."""

    def work_rows(self, item_ids: Iterable[int]) -> dict[int, WorkRow]:
        """Return items by id; unknown ones are left out."""
        rows = self.session.keyed(_SELECT, _ITEM, [(item,) for item in item_ids])
        return {row[0]: _work_row(row, self.names) for row in rows}

    def work_list(self, wanted: WorkFilter) -> list[WorkRow]:
        """Return items newest first."""
        conditions, params = self._conditions(wanted)
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        rows = self.session.run(f"{_SELECT}{where} ORDER BY item_id DESC LIMIT ?", (*params, wanted.limit))
        return [_work_row(row, self.names) for row in rows]

    def blocked(self, patient_keys: Iterable[str], besides: Collection[int] = ()) -> dict[str, int]:
        """Return, of these patient keys, those with an item that holds later ones back, and its id (the first).

        `besides` are items the caller has in hand itself.
        """
        rows = self.session.keyed(
            "SELECT patient_key, item_id FROM work",
            _KEY,
            {(clean(key),) for key in patient_keys if key},
            _BLOCKS,
        )
        first: dict[str, int] = {}
        for key, item in rows:
            if item not in besides:
                first[key] = min(item, first.get(key, item))
        return first

    def ready(self, lanes: Sequence[int], limit: int, now_us: int, *, of_files: bool = False) -> list[WorkRow]:
        """Return items of these lanes that may be applied now, in inbox order: messages, or rows of files.

        An item that waits for its retry holds back the later ones of its patient key.
        """
        if not lanes:
            return []
        marks = ",".join("?" * len(lanes))
        part = f"lane >= {LANES}" if of_files else f"lane < {LANES}"  # each has an index of its own
        first = LANES if of_files else 0
        rows = self.session.run(
            f"{_SELECT} w WHERE state < 2 AND {part} AND lane IN ({marks}) AND next_us <= ? AND {_NOT_BEHIND_A_RETRY}"
            " ORDER BY item_id LIMIT ?",
            (*(first + lane for lane in lanes), now_us, now_us, limit),
        )
        return [_work_row(row, self.names) for row in rows]

    def work_counts(self) -> dict[tuple[str, State], int]:
        """Return how many items each feed has in each state."""
        rows = self.session.run("SELECT feed_id, state, sum(n) FROM tally GROUP BY feed_id, state")
        return {(self.names.name("feed", feed), State(state)): int(n) for feed, state, n in rows if n}

    def work_reasons(self) -> dict[tuple[str, State, str], int]:
        """Return how many open items each feed has by state and reason."""
        rows = self.session.run(
            "SELECT feed_id, state, reason, count(*) FROM work WHERE state < 10 GROUP BY feed_id, state, reason"
        )
        return {(self.names.name("feed", feed), State(state), reason): n for feed, state, reason, n in rows}

    def work_oldest(self) -> dict[State, int]:
        """Return when the oldest item of each open state was received."""
        rows = self.session.run(
            "SELECT state, min(received_us) FROM work WHERE state < 10 GROUP BY state ORDER BY state"
        )
        return {State(state): int(received) for state, received in rows}

    def _conditions(self, wanted: WorkFilter) -> tuple[list[str], list[Any]]:
        conditions: list[str] = []
        params: list[Any] = []
        if wanted.states:
            conditions.append(f"state IN ({','.join(str(int(state)) for state in wanted.states)})")
            if all(state in _OPEN for state in wanted.states):
                conditions.append("state < 10")  # lets the partial index serve
        for column, value in (
            ("feed_id", wanted.feed and (self.names.find("feed", wanted.feed) or -1)),
            ("reason", wanted.reason),
            ("patient_key", clean(wanted.patient_key)),
            ("control_id", clean(wanted.control_id)),
        ):
            if value:
                conditions.append(f"{column}=?")
                params.append(value)
        if wanted.before_id:
            conditions.append("item_id < ?")
            params.append(wanted.before_id)
        return conditions, params


class WorkWrites(WorkReads):
    """Changes of items; counters move in the same transaction."""

    slot: int = 0

    def work_put(self, rows: Sequence[WorkRow]) -> None:
        """Write items; one whose state is not what its writer saw (`before`) is a Conflict."""
        if not rows:
            return
        plain = [(row, self._values(row)) for row in rows]
        self.session.insert("work", _COLUMNS, [values for row, values in plain if row.before is None])
        known = [(*values, row.item_id, int(row.before)) for row, values in plain if row.before is not None]
        if self.session.many(_UPDATE, known) != len(known):
            raise Conflict("Another worker changed one of these items first. Read again and retry.")
        self._count([(values[1], row.before, row.state) for row, values in plain])

    def work_move(
        self, item_ids: Sequence[int], allowed: Sequence[State], to: State, *, reason: str = "", next_us: int = 0
    ) -> list[int]:
        """Move the items that are in an `allowed` state to another; return their ids."""
        moving = [row for row in self.work_rows(item_ids).values() if row.state in allowed]
        self.work_put(
            [row._replace(state=to, reason=reason or row.reason, next_us=next_us, before=row.state) for row in moving]
        )
        return [row.item_id for row in moving]

    def work_release_all(self, patient_keys: Iterable[str]) -> list[int]:
        """Queue what is held behind any of these patient keys; return the items. One question for all of them."""
        keys = {(clean(key),) for key in patient_keys}
        held = self.session.keyed("SELECT DISTINCT patient_key FROM work", _KEY, keys, "state < 10 AND state = 3")
        return [item for (key,) in sorted(set(held)) for item in self.work_release(key)]

    def work_release(self, patient_key: str) -> list[int]:
        """Queue the items held behind a patient key, up to the next one that still holds; return their ids."""
        rows = self.session.run(f"{_SELECT} WHERE patient_key=? AND state < 10 ORDER BY item_id", (clean(patient_key),))
        free = []
        for row in (_work_row(row, self.names) for row in rows):
            if row.state == State.PARKED and row.holding:
                break
            if row.state == State.HELD:
                free.append(row)
        self.work_put([row._replace(state=State.QUEUED, reason="", next_us=0, before=row.state) for row in free])
        return [row.item_id for row in free]

    def _values(self, row: WorkRow) -> tuple[Any, ...]:
        number = self.names.number
        item_id, feed, site, lane, key, state, received, reason, holding, attempts, next_us, offset, length = row[:13]
        return (
            item_id,
            number("feed", feed),
            number("site", site),
            lane,
            clean(key),
            int(state),
            received,
            clean(reason),
            int(holding),
            min(attempts, 32767),
            next_us,
            offset,
            length,
            clean(row.control_id),
            clean(row.type),
            clean(row.event),
            row.source_us,
            row.applied_us,
            row.mapping_id,
            row.populated,
            row.mapped,
            clean(row.issues),
            int(row.test),
        )

    def _count(self, moves: Iterable[tuple[int, State | None, State]]) -> None:
        deltas: dict[tuple[int, int], int] = {}
        for feed_id, before, after in moves:
            deltas[feed_id, int(after)] = deltas.get((feed_id, int(after)), 0) + 1
            if before is not None:
                deltas[feed_id, int(before)] = deltas.get((feed_id, int(before)), 0) - 1
        rows = [(feed_id, state, self.slot, n) for (feed_id, state), n in sorted(deltas.items()) if n]
        self.session.many(_TALLY, rows)


class Work:
    """The doors for the console and the command line: each call is a transaction of its own."""

    def __init__(
        self,
        write: Callable[[], AbstractContextManager[WorkWrites]],
        read: Callable[[], AbstractContextManager[WorkReads]],
    ) -> None:
        self._write = write
        self._read = read

    def show(self, item_id: int) -> WorkRow:
        """Return one item; raises GatewayError (not found)."""
        with self._read() as tx:
            row = tx.work_rows([item_id]).get(item_id)
        if row is None:
            raise GatewayError(f"There is no item {item_id}.", category=Category.NOT_FOUND)
        return row

    def list(self, wanted: WorkFilter) -> Sequence[WorkRow]:
        """Return items newest first."""
        with self._read() as tx:
            return tx.work_list(wanted)

    def claim(self, lanes: Sequence[int], limit: int, now_us: int, *, of_files: bool = False) -> Sequence[WorkRow]:
        """Return items of these lanes that may be applied now, of CLAIM_BYTES in all or one.

        Nothing is written, lanes belong to one worker.

        Rows of files wait beside the messages, in lanes numbered LANES higher, and are asked for by themselves.
        """
        with self._read() as tx:
            return _within(tx.ready(lanes, limit, now_us, of_files=of_files), CLAIM_BYTES)

    def counts(self) -> dict[tuple[str, State], int]:
        """Return how many items each feed has in each state."""
        with self._read() as tx:
            return tx.work_counts()

    def reasons(self) -> dict[tuple[str, State, str], int]:
        """Return how many open items each feed has by state and reason."""
        with self._read() as tx:
            return tx.work_reasons()

    def oldest(self) -> dict[State, int]:
        """Return when the oldest item of each open state was received, in microseconds since 1970."""
        with self._read() as tx:
            return tx.work_oldest()

    def retry(self, item_ids: Sequence[int]) -> Sequence[int]:
        """Queue parked, held or waiting items again; return those it applied to."""
        with self._write() as tx:
            return tx.work_move(item_ids, (State.PARKED, State.HELD, State.RETRY), State.QUEUED)

    def replay(self, item_ids: Sequence[int]) -> Sequence[int]:
        """Queue items again whatever became of them, discarded ones excepted; return those it applied to."""
        states = (State.PARKED, State.HELD, State.RETRY, State.APPLIED)
        with self._write() as tx:
            return tx.work_move(item_ids, states, State.QUEUED, reason="replay")

    def discard(self, item_ids: Sequence[int], reason: str) -> Sequence[int]:
        """Give open items up for a reason, and let go what they held back; return those it applied to."""
        with self._write() as tx:
            done = tx.work_move(item_ids, _OPEN, State.DISCARDED, reason=reason)
            for key in {row.patient_key for row in tx.work_rows(done).values() if row.patient_key}:
                tx.work_release(key)
        return done

    def park(self, item_ids: Sequence[int], reason: str) -> Sequence[int]:
        """Set waiting items aside for a person; return those it applied to."""
        with self._write() as tx:
            return tx.work_move(item_ids, (State.QUEUED, State.RETRY, State.HELD), State.PARKED, reason=reason)

    def hold(self, item_ids: Sequence[int], reason: str) -> Sequence[int]:
        """Let waiting items wait behind their patient key; return those it applied to."""
        with self._write() as tx:
            return tx.work_move(item_ids, (State.QUEUED, State.RETRY), State.HELD, reason=reason)

    def release(self, patient_key: str) -> Sequence[int]:
        """Queue what is held behind a patient key; return the items."""
        with self._write() as tx:
            return tx.work_release(patient_key)


def _within(rows: Sequence[WorkRow], most: int) -> Sequence[WorkRow]:
    total = 0
    for number, row in enumerate(rows):
        total += row.length
        if number and total > most:
            return rows[:number]
    return rows


def _work_row(row: Row, names: Interning) -> WorkRow:
    columns: list[Any] = [*row, State(row[5])]  # the state seen is what the next writer expects (`before`)
    columns[1], columns[2] = names.name("feed", row[1]), names.name("site", row[2])
    columns[5], columns[8], columns[22] = State(row[5]), bool(row[8]), bool(row[22])
    return WorkRow._make(columns)
