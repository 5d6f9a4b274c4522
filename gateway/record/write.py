"""From planned versions to one transaction of the store: texts, search rows, numbers, links."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.fhir import resource, temporal
from gateway.record import attachments, joined
from gateway.record.fold import Body
from gateway.record.indexing import searched
from gateway.record.states import NewAlias, Plan, Planned, State
from gateway.search import extract
from gateway.search.extract import ZONE, Rows
from gateway.search.kinds.date import Zone
from gateway.store import index
from gateway.store.engine import Store, WriteTx
from gateway.store.values import AliasKey, NewVersion, Op, Target, WorkRow

_HEAD = len(b'{"resourceType":"')

Claim = Callable[[Body], tuple[str, ...]]
"""Which of the region's profiles a mapped resource satisfies."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a plan comes from: it stands in every version as its provenance."""

    site: str
    feed: str
    item_id: int
    mapping_id: int | None
    test: bool = False


class Ready(NamedTuple):
    """One version with its text and search rows, made before the transaction opens."""

    planned: Planned
    origin: Origin
    text: bytes
    rows: Rows


class Effect(NamedTuple):
    """All that one message changes, ready to be written."""

    plan: Plan
    origin: Origin
    versions: list[Ready]


def keep(store: Store, effects: Iterable[Effect]) -> None:
    """Make the content that effects refer to durable; to be called before the transaction of `write` opens."""
    attachments.keep(store.blobs, (content for effect in effects for content in effect.plan.contents))


def unclaimed(_: Body) -> tuple[str, ...]:
    """Return no profiles."""
    return ()


@dataclass(frozen=True, slots=True)
class Making:
    """How plans become texts and rows: which profiles a resource satisfies, where dates without an offset stand."""

    claim: Claim = unclaimed
    zone: Zone = ZONE


def prepare(plan: Plan, origin: Origin, updated_us: int, making: Making = Making()) -> Effect:
    """Return the texts and search rows of a plan; pure, so it needs no lock."""
    moment = temporal.instant(updated_us)
    return Effect(plan, origin, [_ready(planned, origin, moment, making) for planned in plan.versions])


def write(tx: WriteTx, effects: Sequence[Effect], work: Sequence[WorkRow], updated_us: int) -> None:
    """Write effects and the states of their items in the open transaction; raises Conflict when overtaken.

    The versions bear the transaction's own moment, which is `updated_us` or a little later.
    """
    updated_us = tx.moment(updated_us)
    moment = temporal.instant(updated_us)
    ready = [version for effect in effects for version in effect.versions]
    _give_pids(tx, [version.planned.state for version in ready])
    tx.put([_version(version, updated_us, resource.restamp(version.text, moment)) for version in ready])
    index.replace(tx, _index_entries(ready), _known(effects))
    tx.attach(_attached(ready))
    for effect in effects:
        _aliases(tx, effect.plan.aliases)
        joined.of_message(tx, effect.plan, effect.origin.feed, effect.origin.item_id, updated_us)
    tx.work_put(work)


def _ready(planned: Planned, origin: Origin, moment: str, making: Making) -> Ready:
    state, profiles = planned.state, making.claim(planned.body)
    source = f"urn:yigong:feed:{origin.feed}#{origin.item_id}"
    text = stamp(planned.content, state.type, state.fid, planned.ver, moment, source, profiles)
    return Ready(planned, origin, text, extract.rows(searched(planned.body, profiles), state.type, making.zone))


def stamp(
    text: bytes, resource_type: str, fid: str, ver: int, moment: str, source: str, profiles: Sequence[str] = ()
) -> bytes:
    """Return canonical text of a mapped resource with id and meta after its type.

    `text` begins with the resourceType, as `fhir.resource.dumps` writes it, and has neither id nor meta.
    """
    end = _HEAD + len(resource_type) + 1
    borne = ',"profile":["' + '","'.join(profiles) + '"]' if profiles else ""
    stamped = f',"id":"{fid}","meta":{{"versionId":"{ver}","lastUpdated":"{moment}","source":"{source}"{borne}}}'
    return text[:end] + stamped.encode() + text[end:]


def _attached(ready: list[Ready]) -> Iterator[tuple[bytes, int, int]]:
    """Yield the content each Binary refers to, with its pid and version."""
    for version in ready:
        planned = version.planned
        place = attachments.pointer(planned.body) if planned.state.type == "Binary" else None
        if place is not None:
            yield place.digest, planned.state.pid, planned.ver


def _give_pids(tx: WriteTx, states: list[State]) -> None:
    new = list({id(state): state for state in states if not state.pid}.values())
    for state, pid in zip(new, tx.allocate(len(new)), strict=True):
        state.pid = pid


def _index_entries(ready: list[Ready]) -> list[index.Entry]:
    """Return the last rows of each resource, and whether the store has none of it yet."""
    last: dict[int, Ready] = {}
    new: set[int] = set()
    for version in ready:
        pid = version.planned.state.pid
        last[pid] = version
        if version.planned.ver == 1:
            new.add(pid)
    return [(pid, version.planned.state.type, version.rows, pid in new) for pid, version in last.items()]


def _known(effects: Sequence[Effect]) -> dict[tuple[str, str], int]:
    """Return the pids at hand, so that the index need not ask for them."""
    states = [planned.state for effect in effects for planned in effect.plan.versions]
    states += [state.patient for state in states if state.patient is not None]
    return {(state.type, state.fid): state.pid for state in states if state.pid}


def _version(version: Ready, updated_us: int, text: bytes) -> NewVersion:
    planned, origin = version.planned, version.origin
    state = planned.state
    return NewVersion(
        pid=state.pid,
        ver=planned.ver,
        type=state.type,
        fid=state.fid,
        op=Op.CREATE if planned.ver == 1 else Op.UPDATE,
        body=text,
        digest=planned.digest,
        site=origin.site,
        updated_us=updated_us,
        patient_pid=_patient_pid(state),
        source_us=planned.source_us,
        mode=planned.mode,
        item_id=origin.item_id,
        mapping_id=origin.mapping_id,
        test=origin.test,
    )


def _patient_pid(state: State) -> int | None:
    if state.type == "Patient":
        return state.pid
    if state.patient is not None:
        return state.patient.pid or None
    return state.patient_pid or None


def _aliases(tx: WriteTx, aliases: list[NewAlias]) -> None:
    new: dict[str, dict[AliasKey, Target]] = {}
    moved: dict[str, dict[AliasKey, Target]] = {}
    for space, key, state, was_known in aliases:
        target = (moved if was_known else new).setdefault(space, {})
        target[AliasKey(*key)] = Target(state.pid, state.fid)
    for space, entries in new.items():
        tx.add_aliases(space, entries)
    for space, entries in moved.items():
        tx.repoint_aliases(space, entries)
