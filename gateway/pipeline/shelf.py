"""The shelf: table files a worker has read lately, so that no file is read again for each batch of its rows."""

import json
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future
from threading import Thread

from gateway.errors import Category, GatewayError
from gateway.mapping.catalog import Catalog
from gateway.mapping.feeds import Feed, FeedBook
from gateway.mapping.tables.reading import TableFile
from gateway.mapping.tables.records import Record
from gateway.pipeline import inbox, limits
from gateway.pipeline.inbox import Picked
from gateway.pipeline.values import Item
from gateway.store.engine import Store
from gateway.store.values import FILE_INDEX, TABLE, Arrival, WorkRow, arrival_of

CELLS = 3_000_000  # of all files on the shelf, or one file
LARGE = 2 << 20  # bytes; messages must not wait while so much is read
FILE_SECONDS = 120.0  # of processor time to read one file


Entry = TableFile | GatewayError


class Lost(GatewayError):
    """Retention removed the bytes of the file."""

    category = Category.GONE


class Unfit(GatewayError):
    """Reading the file failed in a way no file should bring about: too long, too much memory, or a fault of ours."""


class Shelf:
    """Reads each file once, and keeps the last few; a file that cannot be read is remembered with its fault."""

    def __init__(self, store: Store, catalog: Catalog, cells: int = CELLS) -> None:
        self._store = store
        self._catalog = catalog
        self._most = cells
        self._files: OrderedDict[int, Entry] = OrderedDict()
        self._reading: dict[int, Future[Entry]] = {}

    def ready(self, arrival: int, feed: str, *, now: bool = False) -> bool:
        """Say whether a file can be had at once; a large one is read by a thread beside the messages, unless `now`."""
        if arrival in self._files:
            return True
        promise = self._reading.get(arrival)
        if promise is not None and promise.done():
            self._keep(arrival, self._reading.pop(arrival).result())
        elif promise is None and not self._reading:
            self._begin(arrival, feed, now=now)
        return arrival in self._files

    def file(self, arrival: int, feed: str) -> TableFile:
        """Return a file as read; raises NotATable, Lost, or GatewayError where the feed reads no tables."""
        found = self._files.get(arrival)
        if found is None:
            with limits.processor_time(FILE_SECONDS):
                found = self._read(self._store.inbox.arrival(arrival), feed)
            self._keep(arrival, found)
        self._files.move_to_end(arrival)
        if isinstance(found, GatewayError):
            raise found
        return found

    def forget(self, arrival: int) -> None:
        """Read a file anew when it is next asked for."""
        self._files.pop(arrival, None)

    def again(self, rows: Sequence[WorkRow], book: FeedBook) -> Picked:
        """Return the items of rows that wait: messages cut from their arrivals, records from their files."""
        others = [row for row in rows if row.type != TABLE]
        arrivals = self._store.inbox.arrivals(sorted({arrival_of(row.item_id) for row in others})) if others else {}
        picked = inbox.again(others, arrivals, book)
        for row in rows:
            if row.type == TABLE:
                self._put(picked, row, book.get(row.feed))
        return picked

    def _put(self, picked: Picked, row: WorkRow, feed: Feed | None) -> None:
        picked.rows[row.item_id] = row
        if row.item_id & FILE_INDEX == FILE_INDEX:
            picked.reopened.append(row)
            return
        try:
            record = self._record(row) if feed is not None else None
            (picked.items if feed is not None else picked.orphans).append(_item(row, feed, record))
        except Lost:
            picked.orphans.append(_item(row, feed, None, lost=True))

    def _record(self, row: WorkRow) -> Record | None:
        """Return the record an item was made from; where definitions count anew, the one with its key."""
        try:
            records: list[Record] = self.file(arrival_of(row.item_id), row.feed).records
        except Lost:
            raise
        except GatewayError:
            return None
        number = row.item_id & FILE_INDEX
        if number < len(records) and records[number].line == row.offset:
            return records[number]
        return next((record for record in records if record.line == row.offset), None)

    def _begin(self, arrival: int, feed: str, *, now: bool) -> None:
        stored = self._store.inbox.arrival(arrival)
        if now or stored is None or stored.size < LARGE:
            with limits.processor_time(FILE_SECONDS):
                self._keep(arrival, self._read(stored, feed))
            return
        promise = self._reading[arrival] = Future[Entry]()
        read = self._read
        Thread(target=lambda: promise.set_result(read(stored, feed)), name=f"file {arrival}", daemon=True).start()

    def _read(self, stored: Arrival | None, feed: str) -> Entry:
        if stored is None or stored.body is None:
            return Lost("its raw bytes are past retention, so it cannot be read again; digest, size and date are kept")
        try:
            return self._catalog.tables(feed).read(stored.body, name_of(stored.envelope))
        except GatewayError as fault:
            return fault
        except (Exception, limits.Overtime) as fault:
            return Unfit(f"reading the file failed with {type(fault).__name__}: {fault}")

    def _keep(self, arrival: int, entry: Entry) -> None:
        room = self._most - _size(entry)
        while self._files and sum(map(_size, self._files.values())) > room:
            self._files.popitem(last=False)
        self._files[arrival] = entry


def name_of(envelope: str) -> str:
    """Return the name of a file as its door noted it, '' where it had none."""
    return str(json.loads(envelope).get("file", ""))


def _size(entry: Entry) -> int:
    if isinstance(entry, GatewayError) or not entry.records:
        return 1
    return len(entry.records) * entry.records[0].layout.width


def _item(row: WorkRow, feed: Feed | None, record: Record | None, *, lost: bool = False) -> Item:
    return Item(
        item_id=row.item_id,
        feed=feed if feed is not None else Feed(name=row.feed, site=row.site),
        raw=b"",
        received_us=row.received_us,
        control_id=row.control_id,
        event=f"{row.type}^{row.event}",
        test=row.test,
        attempts=row.attempts,
        offset=row.offset,
        length=row.length,
        before=row.state,
        replay=row.reason == "replay" and row.applied_us is not None,
        applied_us=row.applied_us,
        waited=row.patient_key,
        of_file=True,
        record=record,
        lost=lost,
    )
