"""The straight line, in one page: parse, map, identify, validate; each stage takes and returns lists.

Nothing here writes: a batch can be run again from the raw bytes at any time. `pipeline.commit` writes the
result in one transaction. A stage parks what it cannot carry on, with a reason; what belongs behind a
parked message of the same patient is held (architecture section 3, promise K6).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.mapping.catalog import Catalog
from gateway.pipeline.holding import Holding
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
    first = blocked(keys, {parsed.item.item_id for parsed in here})
    held = _held(here, Holding(first), batch)
    mapped = map_all([parsed for parsed in here if parsed.item.item_id not in held], catalog)
    found: list[Drafted | Parked] = [*mapped.passed, *mapped.parked]
    outcomes = {entry.item.item_id: entry for entry in found}
    while True:
        identified = identify(list(_in_order(here, outcomes)), bench(), Holding(first))
        checked = validate(identified.passed)
        # A workbench has seen what a message parked by `validate` would have changed: start again without it.
        invalid = _apart(checked.parked)
        if not invalid:
            break
        outcomes.update((entry.item.item_id, entry) for entry in invalid)
    behind = identified.held
    batch.held.extend(Held(parsed, behind[parsed.item.item_id]) for parsed in here if parsed.item.item_id in behind)
    batch.parked.extend(identified.parked)
    batch.checked = checked.passed
    return batch


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


def _held(here: list[Parsed], holding: Holding, batch: Batch) -> set[int]:
    """Hold what waits for an earlier item outside the batch; return those items."""
    held = [Held(parsed, waits) for parsed in here if (waits := holding.waits(parsed))]
    batch.held.extend(held)
    return {entry.parsed.item.item_id for entry in held}


def _in_order(here: Iterable[Parsed], outcomes: Mapping[int, Drafted | Parked]) -> Iterator[Drafted | Parked]:
    """Yield what became of each message so far, in inbox order."""
    return (outcomes[parsed.item.item_id] for parsed in here if parsed.item.item_id in outcomes)


def _apart(parked: Iterable[Parked]) -> list[Parked]:
    """Return those that share no patient with an earlier one, whose effect they may only have inherited."""
    seen: set[str] = set()
    found = []
    for entry in parked:
        if seen.isdisjoint(entry.patient_keys):
            found.append(entry)
        seen.update(entry.patient_keys)
    return found
