"""The straight line, in one page: parse, map, identify, validate; each stage takes and returns lists.

Nothing here writes: a batch can be run again from the raw bytes at any time. `pipeline.commit` writes the
result in one transaction. A stage parks what it cannot carry on, with a reason; what belongs behind a
parked message of the same patient is held (architecture section 3, promise K6).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.mapping.catalog import Catalog
from gateway.pipeline.identify import identify
from gateway.pipeline.map import map_all
from gateway.pipeline.parse import parse
from gateway.pipeline.validate import validate
from gateway.pipeline.values import Drafted, Failed, Identified, Item, Parked, Parsed
from gateway.record.workbench import Workbench

Blocked = Callable[[Iterable[str], Collection[int]], Mapping[str, int]]
Mine = Callable[[Parsed | Parked], bool]


class Held(NamedTuple):
    """A message that waits, and the patient key of the item it waits for; when that is done, the key is let go."""

    parsed: Parsed
    key: str


@dataclass(slots=True)
class Batch:
    """What became of the items of one batch: to be written, parked with a reason, held, or another worker's."""

    checked: list[Identified] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    elsewhere: list[Parsed | Parked] = field(default_factory=list)


def run(
    items: list[Item],
    catalog: Catalog,
    bench: Callable[[], Workbench],
    blocked: Blocked,
    mine: Mine,
) -> Batch:
    """Carry the items as far as they go.

    `blocked` tells the first open item of patient keys besides those in hand, `mine` whether this worker holds the
    lane of a message.
    """
    read = parse(items)
    batch = Batch(parked=[entry for entry in read.parked if mine(entry)])
    batch.elsewhere.extend(entry for entry in read.parked if not mine(entry))
    here = _deal(read.passed, mine, batch)
    keys = [key for parsed in here for key in (*parsed.patient_keys, parsed.item.waited)]
    batch.held.extend(_held(here, blocked(keys, {parsed.item.item_id for parsed in here})))
    behind = {held.parsed.item.item_id for held in batch.held}
    mapped = map_all([parsed for parsed in here if parsed.item.item_id not in behind], catalog)
    batch.parked.extend(mapped.parked)
    drafted = _in_order(mapped.passed, mapped.parked, batch)
    while True:
        identified = identify(drafted, bench())
        checked = validate(identified.passed)
        parked = identified.parked + checked.parked
        batch.parked.extend(parked)
        # A workbench has seen what a message parked by `validate` would have changed: start again without it.
        if not checked.parked and not _behind(identified.passed, parked):
            batch.checked = checked.passed
            return batch
        gone = {entry.item.item_id for entry in parked}
        drafted = _in_order([entry for entry in drafted if entry.item.item_id not in gone], parked, batch)


def _deal(passed: list[Parsed], mine: Mine, batch: Batch) -> list[Parsed]:
    """Return the messages of this worker's lanes; the others' get a row to wait in.

    A message that names patients of two lanes (a merge) binds them: what comes behind it in the other lane waits.
    """
    if all(map(mine, passed)):
        return passed
    here: list[Parsed] = []
    ahead: dict[str, str] = {}
    for parsed in passed:
        keys = parsed.patient_keys
        waits = next((ahead[key] for key in keys if ahead.get(key, keys[0]) != keys[0]), "")
        if waits:
            batch.held.append(Held(parsed, waits))
        elif mine(parsed):
            here.append(parsed)
            continue
        else:
            batch.elsewhere.append(parsed)
        for key in keys:
            ahead[key] = waits or keys[0]
    return here


def _held(here: list[Parsed], first: Mapping[str, int]) -> Iterator[Held]:
    """Yield what waits for an earlier item outside the batch, and what waits for those."""
    behind: dict[str, str] = {}
    for parsed in here:
        keys = [key for key in (*parsed.patient_keys, parsed.item.waited) if key]
        waits = next((key for key in keys if key in first and first[key] < parsed.item.item_id), "")
        waits = waits or next((behind[key] for key in keys if key in behind), "")
        if waits:
            yield Held(parsed, waits)
            behind.update(dict.fromkeys(keys, waits))


def _in_order(drafted: list[Drafted], parked: list[Parked], batch: Batch) -> list[Drafted]:
    """Move what waits behind a parked message of the same patient to the held ones."""
    held = _behind(drafted, parked)
    batch.held.extend(Held(entry.parsed, held[entry.item.item_id]) for entry in drafted if entry.item.item_id in held)
    return [entry for entry in drafted if entry.item.item_id not in held]


def _behind(passed: Iterable[Drafted | Identified], parked: list[Parked]) -> dict[int, str]:
    """Return the items that wait behind a parked one, each with the patient key of that."""
    blocking = [entry for entry in parked if entry.item.feed.hold and entry.patient_keys]
    if not blocking:
        return {}
    return {
        entry.item.item_id: block.patient_keys[0]
        for entry in passed
        for block in blocking
        if entry.item.item_id > block.item.item_id
        and entry.item.feed.site == block.item.feed.site
        and not set(_parsed(entry).patient_keys).isdisjoint(block.patient_keys)
    }


def _parsed(entry: Drafted | Identified) -> Parsed:
    return entry.parsed if isinstance(entry, Drafted) else entry.drafted.parsed
