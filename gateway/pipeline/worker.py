"""The worker: takes items in inbox order, runs the line over them, writes what it decided."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway import clock, failpoints
from gateway.errors import Transient
from gateway.identity.linker import Linker
from gateway.mapping.catalog import Catalog
from gateway.pipeline import faults, inbox, limits, line
from gateway.pipeline.commit import FILES, LINKER, commit, queue
from gateway.pipeline.diary import Diary
from gateway.pipeline.files import Files, note_of
from gateway.pipeline.inbox import Picked
from gateway.pipeline.leases import Leases
from gateway.pipeline.line import Batch
from gateway.pipeline.parse import read
from gateway.pipeline.replay import Replay
from gateway.pipeline.shelf import Shelf
from gateway.pipeline.values import Item, Parked
from gateway.record.workbench import Workbench
from gateway.record.write import Claim, Making, unclaimed
from gateway.store.engine import Store
from gateway.store.failures import Conflict, Fenced
from gateway.store.glances import Glances
from gateway.store.values import State, WorkFilter, arrival_of

_IDLE_SECONDS = 0.02
_QUEUE_CHUNK = 1000
_HELD_SEEN = 1000
_PLANNED_ANEW = 2
_OVERTAKEN = 10
_ROWS = 4  # times the batch of messages: rows are small


@dataclass(frozen=True, slots=True)
class Tools:
    """What a worker works with; `secret` is the installation key that names new resources; no `linker`, no linking."""

    store: Store
    catalog: Catalog
    secret: bytes
    zone: str
    batch_size: int
    diary: Path
    owner: str
    claim: Claim = unclaimed
    linker: Linker | None = None


class Worker:
    """One worker of the store; it applies the items of the lanes it leased."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._diary = Diary(tools.diary)
        self._leases = Leases(tools.store, tools.owner, (FILES, LINKER) if tools.linker else (FILES,))
        with tools.store.write() as tx:
            self._mapping_id = tx.mapping_version(tools.catalog.version, "", clock.now_us())
        self._shelf = Shelf(tools.store, tools.catalog)
        self._files = Files(tools.store, tools.catalog, self._shelf)
        self._making = Making(tools.claim, tools.zone)
        self._replay = Replay(
            tools.store, tools.catalog, self._shelf, tools.secret, tools.zone, self._mapping_id, self._making
        )
        self._turns = deque((self._messages, self._rows, self._file, self._link))
        self._book = tools.catalog.book(insecure_local=True)
        self._cursor = 0
        self._suspects: dict[int, int] | None = None
        self._merges: set[int] = set()
        self._appetite = limits.Appetite(tools.batch_size)
        self.processed = 0

    def run(self, stop: threading.Event, beat: Callable[[int], None]) -> None:
        """Work until `stop` is set; a store that cannot answer is asked again, later and later."""
        failures = 0
        collector = limits.Collector()
        collector.start()
        while not stop.is_set():
            try:
                done = self.step()
                failures = 0
            except Transient:
                stop.wait(faults.pause(failures))
                failures, done = failures + 1, 0
            beat(self.processed)
            collector.between()
            if not done:
                stop.wait(_IDLE_SECONDS)
        collector.stop()
        self._leases.release()

    def step(self) -> int:
        """Take one batch, carry it down the line and write it; return how many items it had.

        Messages, rows of files, files and linking take turns, so that none waits for a great many of another kind.
        """
        self._renew()
        if self._suspects is None:
            self._suspects = self._diary.left()
        for _ in range(len(self._turns)):
            turn = self._turns[0]
            self._turns.rotate(-1)
            if done := turn():
                return done
        return 0

    def _messages(self) -> int:
        picked = self._pick()
        if picked.files:
            self._files.open(picked.files)
            if not picked.items and not picked.orphans:
                self._queue(picked)
                return len(picked.files)
        return self._taken(picked)

    def _rows(self) -> int:
        tools = self._tools
        limit = _ROWS * tools.batch_size
        rows = tools.store.work.claim(self._leases.lanes, limit, clock.now_us(), of_files=True)
        files = {arrival_of(row.item_id): row.feed for row in rows}
        ready = {arrival for arrival, feed in files.items() if self._shelf.ready(arrival, feed)}
        rows = [row for row in rows if arrival_of(row.item_id) in ready]
        if not rows:
            return 0
        picked = self._shelf.again(rows, self._book)
        return self._reopened(picked) + self._taken(picked)

    def _reopened(self, picked: Picked) -> int:
        if picked.reopened:
            with self._fenced():
                self._files.reopen(picked.reopened, self._leases.lease())
        return len(picked.reopened)

    def _file(self) -> int:
        report = self._files.next() if self._leases.takes_files else None
        if report is None:
            self._diary.beside([])
            return 0
        note, suspects = note_of(report), self._suspects or {}
        deaths = suspects.get(note, 0)
        if not deaths and not self._shelf.ready(report.arrival, report.feed):
            self._diary.beside([note])
            return 0
        self._diary.beside([])
        suspects.pop(note, 0)
        self._diary.open([note], deaths)
        with self._fenced():
            self._files.step(report, self._leases.lease(), deaths)
        self._diary.close()
        return 1

    def _link(self) -> int:
        """Link a page of Patients that changed; what a person decided meanwhile is looked at in the next turn."""
        linker, lease = self._tools.linker, self._leases.lease()
        if linker is None or not self._leases.links:
            return 0
        with self._fenced():
            try:
                return linker.step(lambda tx: lease.fence(tx, (LINKER,), 0))
            except Fenced:
                raise
            except Conflict:
                return 1
        return 0

    def _taken(self, picked: Picked) -> int:
        items = picked.items + picked.orphans
        if items:
            with self._fenced():
                self._take(picked, items)
        return len(items)

    @contextmanager
    def _fenced(self) -> Iterator[None]:
        try:
            yield
        except Fenced:  #  its lanes are another worker's now, and so are these items
            self._diary.close()
            self._renew(now=True)

    def _renew(self, *, now: bool = False) -> None:
        if self._leases.renew(now=now):
            with self._tools.store.read() as tx:
                self._cursor = tx.cursor("arrivals")
        if self._leases.renewed:
            self._free()

    def _free(self) -> None:
        """Let go what waits for an item that was done just while it was told to wait."""
        with self._tools.store.read() as tx:
            held = tx.work_list(WorkFilter([State.HELD], limit=_HELD_SEEN))
            first = tx.blocked({row.patient_key for row in held})
        for key in {row.patient_key for row in held if first.get(row.patient_key) == row.item_id}:
            self._tools.store.work.release(key)

    def _take(self, picked: Picked, items: list[Item]) -> None:
        if picked.last_arrival and len(items) > 4 * self._tools.batch_size:
            self._queue(picked)
            return
        self._diary.open([item.item_id for item in items])
        failpoints.hit("fp5")
        self._process(picked)
        self._diary.close()
        self.processed += len(items)

    def _pick(self) -> Picked:
        store, limit = self._tools.store, self._appetite.limit
        rows = store.work.claim(self._leases.lanes, limit, clock.now_us())
        if rows:
            self._appetite.took(len(rows))
            return self._shelf.again(rows, self._book)
        if not self._leases.picks or self._merging():
            return Picked()
        arrivals = store.inbox.unpicked(self._cursor, limit)
        self._appetite.took(len(arrivals))
        return inbox.fresh(arrivals, self._book)

    def _merging(self) -> bool:
        """Say whether another worker still has a merge to apply; until then nothing may overtake it."""
        if self._merges:
            with self._tools.store.read() as tx:
                rows = tx.work_rows(self._merges)
            self._merges = {number for number, row in rows.items() if row.state == State.QUEUED}
        return bool(self._merges)

    def _queue(self, picked: Picked) -> None:
        """Give every item a row to wait in: for other workers' lanes, or because one file holds very many."""
        items, lease = picked.items + picked.orphans, self._leases.lease()
        try:
            for start in range(0, len(items), _QUEUE_CHUNK):
                queue(self._tools.store, self._without_rows(items[start : start + _QUEUE_CHUNK]), 0, lease)
                failpoints.hit("fp9")
            queue(self._tools.store, [], picked.last_arrival, lease)
        except Conflict as fault:  #  another worker picks up arrivals now
            raise Fenced(fault.text) from fault
        self._cursor = picked.last_arrival

    def _process(self, picked: Picked) -> None:
        orphans = [faults.orphan(item) for item in picked.orphans]
        suspects = self._suspects or {}
        if any(item.item_id in suspects for item in picked.items):
            self._carefully(picked, orphans, suspects)
            self._cursor = max(self._cursor, picked.last_arrival)
            return
        try:
            self._again_if_overtaken(picked.items, orphans, picked.last_arrival)
        except (Transient, Fenced):
            raise
        except (Exception, limits.Overtime):  #  overtaken, or a site's definition raised: each item is tried alone
            self._one_by_one(picked, orphans)
        self._cursor = max(self._cursor, picked.last_arrival)

    def _again_if_overtaken(self, items: Sequence[Item], orphans: list[Parked], cursor: int) -> None:
        """Plan a batch anew when another worker was first, as with a doctor both had not seen before."""
        for _ in range(_PLANNED_ANEW):
            try:
                return self._together(items, orphans, cursor)
            except Fenced:
                raise
            except Conflict:
                continue
        return self._together(items, orphans, cursor)

    def _together(self, items: Sequence[Item], orphans: list[Parked], cursor: int) -> None:
        with limits.processor_time(self._appetite.seconds(len(items))):
            batch = self._line([item for item in items if not item.replay])
        for orphan in orphans:
            (batch.parked if self._leases.holds(orphan) else batch.elsewhere).append(orphan)
        self._write(batch, cursor)
        self._merges.update(entry.item.item_id for entry in batch.elsewhere if _binds(entry.item.raw))
        for item in items:
            if item.replay:
                self._replay.run(item)

    def _one_by_one(self, picked: Picked, orphans: list[Parked]) -> None:
        for item in picked.items:
            self._alone(item)
        self._finish(picked, orphans)

    def _finish(self, picked: Picked, orphans: list[Parked]) -> None:
        left = {item.item_id for item in self._without_rows([entry.item for entry in orphans])}
        self._together([], [entry for entry in orphans if entry.item.item_id in left], picked.last_arrival)

    def _alone(self, item: Item) -> None:
        """Try one item; what its definitions raise is its own fault, another writer's haste is nobody's."""
        for _ in range(_OVERTAKEN):
            if not self._without_rows([item]):
                return
            try:
                self._try(item)
            except Fenced:
                raise
            except Conflict:
                continue
            return
        raise Transient("Other workers were first time and again. Retry.")

    def _try(self, item: Item) -> None:
        try:
            self._together([item], [], 0)
        except (Transient, Conflict):
            raise
        except (Exception, limits.Overtime) as fault:
            self._write(faults.failed(item, fault, clock.now_us()), 0)

    def _line(self, items: list[Item]) -> Batch:
        glances = Glances(self._tools.store.read)
        return line.run(items, self._tools.catalog, lambda: self._bench(glances), glances.blocked, self._leases.holds)

    def _bench(self, glances: Glances) -> Workbench:
        return Workbench(glances, self._tools.secret, self._tools.zone)

    def _write(self, batch: Batch, cursor: int) -> None:
        commit(self._tools.store, batch, self._mapping_id, cursor, self._leases.lease(), self._making)

    def _without_rows(self, items: Sequence[Item]) -> list[Item]:
        """Leave out items somebody has already dealt with since they were picked."""
        with self._tools.store.read() as tx:
            known = tx.work_rows([item.item_id for item in items])
        return [item for item in items if (row := known.get(item.item_id)) is None or row.state == item.before]

    def _carefully(self, picked: Picked, orphans: list[Parked], suspects: dict[int, int]) -> None:
        """Take items one by one after a death, each noted by itself, and set aside the one that kills workers."""
        for item in picked.items:
            deaths = suspects.pop(item.item_id, 0)
            self._diary.open([item.item_id], deaths)
            if deaths < faults.DEATHS or not self._without_rows([item]):
                self._alone(item)
                continue
            # Whose message it is says its text; should reading that be what kills, it is not tried a second time.
            keys = read(item).patient_keys if deaths == faults.DEATHS else ()
            self._together([], [faults.killer(item, deaths, keys)], 0)
        self._finish(picked, orphans)


def _binds(raw: bytes) -> bool:
    """Say whether a message speaks of two patients (a merge, an unlink, swapped beds), who may be of two lanes."""
    return b"\rMRG" in raw or raw.count(b"\rPID") > 1
