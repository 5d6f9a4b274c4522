"""Stage 5: what the line decided, written with the state of its items in one transaction (promise K5)."""

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway import clock, failpoints
from gateway.fhir.issues import Issue
from gateway.pipeline.line import Batch, Held
from gateway.pipeline.parse import patients
from gateway.pipeline.values import Drafted, Failed, Identified, Item, Parked, Reason
from gateway.record import write
from gateway.record.write import Effect, Making, Origin
from gateway.store.engine import Store, WriteTx
from gateway.store.values import State, WorkRow

LANES = 256
PICKER = -1
FILES = -2
LINKER = -3
_ISSUES_KEPT = 50


def lane_of(site: str, patient_keys: Sequence[str]) -> int:
    """Return the lane of a message: a stable hash of its site and its patient's first number (decision 12)."""
    return zlib.crc32((patient_keys[0] if patient_keys else site).encode()) % LANES


def home(item: Item, patient_keys: Sequence[str]) -> int:
    """Return the lane whose holder applies an item."""
    if item.of_file and not patient_keys:
        return lane_of_key(item.feed.name, item.event, item.control_id)
    return lane_of(item.feed.site, patient_keys)


def lane_of_key(feed: str, event: str, key: str) -> int:
    """Return the lane of a row that names nobody: such rows are spread by their own key."""
    return zlib.crc32(f"{feed}|{event}|{key}".encode()) % LANES


@dataclass(frozen=True, slots=True)
class Lease:
    """The lanes a worker holds, each with its epoch; a worker that lost one cannot write for it any more.

    The lane PICKER is that of the one worker that picks up arrivals and moves their cursor, FILES that of the one
    that takes files, LINKER that of the one that links who is the same person. Rows of files wait in lanes numbered
    LANES higher, which go with the lanes of messages.
    """

    owner: str
    lanes: Mapping[int, int]

    def fence(self, tx: WriteTx, lanes: Iterable[int], cursor: int) -> None:
        """Raise Fenced unless these lanes, and with a cursor the picker's, are still this worker's."""
        wanted = {lane % LANES if lane >= 0 else lane for lane in lanes} | ({PICKER} if cursor else set())
        tx.fence(self.owner, {lane: self.lanes.get(lane, 0) for lane in wanted})


def commit(store: Store, batch: Batch, mapping_id: int, cursor: int, lease: Lease, making: Making) -> None:
    """Write a batch; raises Conflict when another writer was first, and then nothing of it is kept."""
    now_us = clock.now_us()
    effects = [_effect(entry, mapping_id, now_us, making) for entry in batch.checked]
    rows = [
        *(applied_row(entry.drafted, entry.plan.issues, mapping_id, now_us) for entry in batch.checked),
        *(parked_row(entry) for entry in batch.parked),
        *(retry_row(entry) for entry in batch.failed),
    ]
    waiting = [queued_row(entry.item, entry.patient_keys) for entry in batch.elsewhere]
    waiting += map(held_row, batch.held)
    done: list[Identified | Parked | Failed] = [*batch.checked, *batch.parked, *batch.failed]
    write.keep(store, effects)
    with store.write() as tx:
        tx.moment(now_us)
        lease.fence(tx, {row.lane for row in rows} | {row.lane for row in waiting if row.before is not None}, cursor)
        write.write(tx, effects, rows + waiting, now_us)
        failpoints.hit("fp6")
        if cursor:
            tx.cursor_set("arrivals", cursor)
        tx.work_release_all({entry.item.waited for entry in done if entry.item.waited})
    failpoints.hit("fp7")


def queue(store: Store, items: Sequence[Item], cursor: int, lease: Lease) -> None:
    """Give items a row to wait in, and note how far the inbox has been picked up."""
    with store.write() as tx:
        lease.fence(tx, (), cursor)
        tx.work_put([queued_row(item, patients(item)) for item in items])
        if cursor:
            tx.cursor_set("arrivals", cursor)


def applied_row(drafted: Drafted, issues: Iterable[Issue], mapping_id: int, now_us: int) -> WorkRow:
    """Return the row of an applied item, with how many of its fields found a place."""
    found = (*drafted.parsed.issues, *drafted.mapped.issues, *issues)
    return _row(drafted.item, drafted.parsed.patient_keys, State.APPLIED, found)._replace(
        applied_us=now_us,
        mapping_id=mapping_id,
        populated=drafted.mapped.populated,
        mapped=drafted.mapped.mapped,
    )


def parked_row(entry: Parked) -> WorkRow:
    """Return the row of a parked item: its reason is a queue of its own."""
    row = _row(entry.item, entry.patient_keys, State.PARKED, entry.issues)
    return row._replace(reason=str(entry.reason), holding=entry.item.feed.hold and bool(entry.patient_keys))


def held_row(held: Held) -> WorkRow:
    """Return the row of an item that waits for another of its patient; it stands under the key it waits for."""
    issue = Issue("information", "business-rule", "waits for an earlier message of the same patient")
    row = _row(held.parsed.item, held.parsed.patient_keys, State.HELD, (issue,))
    return row._replace(reason="held", patient_key=held.key, attempts=held.parsed.item.attempts)


def retry_row(entry: Failed) -> WorkRow:
    """Return the row of an item whose definitions failed and that is tried again later."""
    row = _row(entry.item, patients(entry.item), State.RETRY, entry.issues)
    return row._replace(reason=str(Reason.POISON), next_us=entry.next_us)


def queued_row(item: Item, keys: Sequence[str]) -> WorkRow:
    """Return the row of an item that waits for the worker of its lane."""
    return _row(item, keys, State.QUEUED, ())._replace(attempts=0)


def _effect(entry: Identified, mapping_id: int, now_us: int, making: Making) -> Effect:
    item = entry.item
    origin = Origin(item.feed.site, item.feed.name, item.item_id, mapping_id, item.test)
    return write.prepare(entry.plan, origin, now_us, making)


def _row(item: Item, keys: Sequence[str], state: State, issues: Iterable[Issue]) -> WorkRow:
    kind, _, event = item.event.partition("^")
    return WorkRow(
        item_id=item.item_id,
        feed=item.feed.name,
        site=item.feed.site,
        lane=home(item, keys) + (LANES if item.of_file else 0),
        patient_key=keys[0] if keys else "",
        state=state,
        received_us=item.received_us,
        attempts=item.attempts + 1,
        offset=item.offset,
        length=item.length,
        control_id=item.control_id,
        type=kind,
        event=event,
        issues=issues_text(issues),
        test=item.test,
        before=item.before,
        applied_us=item.applied_us,
    )


def issues_text(issues: Iterable[Issue]) -> str:
    """Return issues as the JSON text a row keeps, the first fifty."""
    kept = [[one.severity, one.code, one.text, one.where] for one in issues][:_ISSUES_KEPT]
    return json.dumps(kept, ensure_ascii=False) if kept else "[]"
