"""The worker: takes items in inbox order, runs the line over them, writes what it decided."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gateway import clock, failpoints
from gateway.errors import Transient
from gateway.fhir.issues import Issue
from gateway.mapping.catalog import Catalog
from gateway.pipeline import inbox, limits, line
from gateway.pipeline.commit import LANES, commit
from gateway.pipeline.diary import Diary
from gateway.pipeline.inbox import Picked
from gateway.pipeline.line import Batch
from gateway.pipeline.replay import Replay
from gateway.pipeline.values import Failed, Item, Parked, Reason
from gateway.record.workbench import Workbench
from gateway.store.engine import Store
from gateway.store.failures import Conflict
from gateway.store.values import arrival_of

DEATHS = 3
CONTENT_FAILURES = 5
_BACKOFF = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
_IDLE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Tools:
    """What a worker works with; `secret` is the installation key that names new resources."""

    store: Store
    catalog: Catalog
    secret: bytes
    zone: str
    batch_size: int
    diary: Path


class Worker:
    """One worker of the store; it owns the lanes it was given."""

    def __init__(self, tools: Tools, lanes: range = range(LANES)) -> None:
        self._tools = tools
        self._lanes = lanes
        self._diary = Diary(tools.diary)
        self._mapping_id = tools.store.mapping_version(tools.catalog.version)
        self._cursor = tools.store.cursor("arrivals")
        self._replay = Replay(tools.store, tools.catalog, tools.secret, tools.zone, self._mapping_id)
        self.processed = 0

    def run(self, stop: threading.Event, beat: Callable[[int], None]) -> None:
        """Work until `stop` is set; a store that cannot answer is asked again, later and later."""
        failures, recovered = 0, False
        while not stop.is_set():
            try:
                if not recovered:
                    self.recover()
                    recovered = True
                done = self.step()
                failures = 0
            except Transient:
                stop.wait(_BACKOFF[min(failures, len(_BACKOFF) - 1)])
                failures, done = failures + 1, 0
            beat(self.processed)
            if not done:
                stop.wait(_IDLE_SECONDS)

    def step(self) -> int:
        """Take one batch, carry it down the line and write it; return how many items it had."""
        picked = self._pick()
        total = len(picked.items) + len(picked.orphans)
        if not total and not picked.last_arrival:
            return 0
        self._diary.open([item.item_id for item in picked.items])
        failpoints.hit("fp5")
        self._process(picked)
        self._diary.close()
        self.processed += total
        return total or 1

    def recover(self) -> None:
        """Finish what a worker that died had in hand, one by one, setting aside the item that kills workers."""
        for item_id, deaths in self._diary.left().items():
            for item in self._unfinished(item_id):
                if deaths >= DEATHS:
                    self._write(Batch(parked=[_killer(item, deaths)]), 0)
                else:
                    self._diary.open([item_id], deaths)
                    self._alone(item)
        self._diary.close()

    def _pick(self) -> Picked:
        tools = self._tools
        rows = tools.store.work.claim(self._lanes, tools.batch_size, clock.now_us())
        if rows:
            arrivals = tools.store.inbox.arrivals(sorted({arrival_of(row.item_id) for row in rows}))
            return inbox.again(rows, arrivals, tools.catalog)
        return inbox.fresh(tools.store.inbox.unpicked(self._cursor, tools.batch_size), tools.catalog)

    def _process(self, picked: Picked) -> None:
        orphans = [_orphan(item) for item in picked.orphans]
        try:
            self._together(picked.items, orphans, picked.last_arrival)
        except Conflict:
            self._one_by_one(picked, orphans)
        except (Transient, KeyboardInterrupt):
            raise
        except Exception:
            self._one_by_one(picked, orphans)
        self._cursor = max(self._cursor, picked.last_arrival)

    def _together(self, items: list[Item], orphans: list[Parked], cursor: int) -> None:
        with limits.processor_time():
            batch = self._line([item for item in items if not item.replay])
        batch.parked.extend(orphans)
        self._write(batch, cursor)
        for item in items:
            if item.replay:
                self._replay.run(item)

    def _one_by_one(self, picked: Picked, orphans: list[Parked]) -> None:
        for item in self._without_rows(picked.items):
            self._alone(item)
        rows = self._without_rows([entry.item for entry in orphans])
        parked = [entry for entry in orphans if entry.item in rows]
        self._write(Batch(parked=parked), picked.last_arrival)

    def _without_rows(self, items: list[Item]) -> list[Item]:
        """Leave out items somebody has already dealt with since they were picked."""
        with self._tools.store.read() as tx:
            known = tx.work_rows([item.item_id for item in items])
        return [
            item for item in items if (row := known.get(item.item_id)) is None or row.state == item.before
        ]

    def _alone(self, item: Item) -> None:
        try:
            self._together([item], [], 0)
        except Transient:
            raise
        except Exception as fault:
            self._write(_failed(item, fault), 0)

    def _line(self, items: list[Item]) -> Batch:
        with self._tools.store.read() as tx:
            return line.run(
                items, self._tools.catalog, lambda: self._bench(tx), lambda item, keys: _waits(tx, item, keys)
            )

    def _bench(self, tx: object) -> Workbench:
        return Workbench(tx, self._tools.secret, self._tools.zone)  # type: ignore[arg-type]  # its Reader protocol

    def _write(self, batch: Batch, cursor: int) -> None:
        commit(self._tools.store, batch, self._mapping_id, cursor, clock.now_us())

    def _unfinished(self, item_id: int) -> list[Item]:
        arrivals = self._tools.store.inbox.arrivals([arrival_of(item_id)])
        with self._tools.store.read() as tx:
            row = tx.work_rows([item_id]).get(item_id)
        if row is not None:
            picked = inbox.again([row] if row.state < row.state.PARKED else [], arrivals, self._tools.catalog)
        else:
            picked = inbox.fresh(arrivals.values(), self._tools.catalog)
        return [item for item in picked.items if item.item_id == item_id]


def _waits(tx: object, item: Item, keys: tuple[str, ...]) -> bool:
    first = tx.blocked(keys)  # type: ignore[attr-defined]  # the store's read transaction
    return any(blocker < item.item_id for blocker in first.values())


def _orphan(item: Item) -> Parked:
    text = f"there is no feed {item.feed.name} any more, or its bytes are past retention; restore the feed and retry"
    return Parked(item, Reason.UNKNOWN_FEED, (Issue("error", "not-found", text),))


def _killer(item: Item, deaths: int) -> Parked:
    text = f"{deaths} workers died while they had this message in hand; look at the feed's transforms, then retry"
    return Parked(item, Reason.POISON, (Issue("fatal", "exception", text),))


def _failed(item: Item, fault: Exception) -> Batch:
    """Try again with growing pauses; after five content failures set the item aside (K7)."""
    text = f"the definitions of feed {item.feed.name} failed: {type(fault).__name__}: {fault}"
    issue = Issue("fatal", "exception", text)
    if item.attempts + 1 >= CONTENT_FAILURES:
        return Batch(parked=[Parked(item, Reason.POISON, (issue,))])
    next_us = clock.now_us() + int(_BACKOFF[item.attempts] * 1_000_000)
    return Batch(failed=[Failed(replace(item), next_us, (issue,))])
