"""Short ways to tell the record something, as the pipeline does."""

import copy
from typing import Any

from gateway.mapping.draft import Draft, Key, Mapped, Merge
from gateway.record import write
from gateway.record.states import Plan, Told
from gateway.record.workbench import Workbench
from gateway.record.write import Origin
from gateway.store.engine import Store
from gateway.store.values import item_id

SECRET = b"s" * 32
ZONE = "Asia/Shanghai"
DAY_US = 86_400_000_000
START_US = 1_767_225_600_000_000  # 2026-01-01


def key(value: str, system: str = "urn:county:mrn", day: str = "") -> Key:
    """Return a business key."""
    return Key(system, value, day)


def draft(
    called: str = "patient", type_of: str = "Patient", /, *, keys: Any = (), mode: Any = "replace", **given: Any
) -> Draft:
    """Return a draft; words that are no field of a draft become elements of its body."""
    fields = {
        word: given.pop(word)
        for word in ("parent", "child", "links", "patient", "source_time", "guard", "clear")
        if word in given
    }
    body = {"resourceType": type_of, **{word.rstrip("_"): value for word, value in given.items()}}
    keys = (key(keys),) if isinstance(keys, str) else tuple(keys)
    return Draft(name=called, type=type_of, body=body, mode=mode, keys=keys, **fields)


def patient(number: str = "P1", **given: Any) -> Draft:
    """Return a draft of a Patient with a hospital number."""
    return draft(keys=number, identifier=[{"system": "urn:county:mrn", "value": number}], **given)


def observation(number: str = "R1", name: str = "observation", **given: Any) -> Draft:
    """Return a draft of a result of the draft `patient`."""
    subject: dict[str, Any] = {}
    values = {"status": "final", "code": {"text": "K"}, "subject": subject, "patient": "patient"} | given
    return draft(name, "Observation", keys=[key(number, "urn:county:report")], links=[(subject, "patient")], **values)


def told(
    *drafts: Draft,
    merges: list[Merge] | None = None,
    number: int = 1,
    at_us: int = START_US,
    site: str = "county",
    separate: bool = False,
) -> Told:
    """Return what one message says; the drafts are copied, since naming writes into them."""
    return Told(site, Mapped(copy.deepcopy(list(drafts)), merges or []), at_us, item_id(number, 0), separate)


def plans(store: Store, *messages: Told) -> list[Plan]:
    """Plan and write messages as one batch."""
    made = []
    with store.read() as tx:
        bench = Workbench(tx, SECRET, ZONE)
        bench.prefetch(list(messages))
        for message in messages:
            plan = bench.plan(message)
            bench.adopt(plan)
            made.append(plan)
    effects = [
        write.prepare(plan, Origin(message.space, f"{message.space}-his", message.item_id, None), message.source_us)
        for plan, message in zip(made, messages, strict=True)
    ]
    with store.write() as tx:
        write.write(tx, effects, [], messages[-1].source_us)
    return made


def tell(store: Store, *drafts: Draft, **given: Any) -> Plan:
    """Plan and write one message."""
    return plans(store, told(*drafts, **given))[0]
