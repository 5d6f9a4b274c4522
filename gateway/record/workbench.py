"""The workbench of one batch: names drafts, folds them onto what is stored, and plans the versions to write."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.errors import GatewayError
from gateway.fhir import resource, temporal
from gateway.fhir.issues import Issue
from gateway.mapping.draft import Draft, Key, Mapped, Merge
from gateway.record import ids
from gateway.record.fold import SNAPSHOTS, Body, fold
from gateway.store.engine import ReadTx
from gateway.store.values import AliasKey

_LINKED = 64


class KeyReused(GatewayError):
    """A known number came with another person, specimen or day; it is parked, never an update (R2)."""


class Refused(GatewayError):
    """A statement about identities that cannot be true, such as a merge into itself."""


@dataclass(slots=True, eq=False)
class State:
    """One resource as the batch sees it; `pid` is 0 until it is stored, `body` None until it is needed."""

    type: str
    fid: str
    pid: int = 0
    ver: int = 0
    digest: bytes = b""
    source_us: int = 0
    item_id: int = 0
    patient: "State | None" = None
    patient_pid: int = 0
    body: Body | None = None

    @property
    def reference(self) -> str:
        """Return the literal reference `Type/id`."""
        return f"{self.type}/{self.fid}"


class Planned(NamedTuple):
    """One version to write; `content` is its canonical text without id and meta, `digest` that text's."""

    state: State
    ver: int
    body: Body
    content: bytes
    digest: bytes
    mode: str
    source_us: int


class NewAlias(NamedTuple):
    """A number that from now on names `state`; `moved` where it named another record before."""

    site: str
    key: AliasKey
    state: State
    moved: bool = False


class NewLink(NamedTuple):
    """A merge: the retired record is replaced by the survivor."""

    retired: State
    survivor: State


@dataclass(slots=True, eq=False)
class Plan:
    """Everything one message changes."""

    versions: list[Planned] = field(default_factory=list)
    aliases: list[NewAlias] = field(default_factory=list)
    links: list[NewLink] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Told:
    """One message's drafts with what places them: alias space (site), default source time, inbox id."""

    space: str
    mapped: Mapped
    source_us: int
    item_id: int


class Workbench:
    """Aliases, heads and bodies of one batch, moved on message by message in inbox order."""

    def __init__(self, reader: ReadTx, secret: bytes, zone: str) -> None:
        self._reader = reader
        self._secret = secret
        self._zone = zone
        self._aliases: dict[tuple[str, AliasKey], State] = {}
        self._states: dict[tuple[str, str], State] = {}

    def prefetch(self, told: list[Told]) -> None:
        """Ask the store once for every number, head and body the batch will need."""
        for space in dict.fromkeys(entry.space for entry in told):
            mine = [entry.mapped for entry in told if entry.space == space]
            self._find_aliases(space, list(dict.fromkeys(key for mapped in mine for key in _keys(mapped))))
        self._find_children(told)
        self._load_bodies(told)

    def plan(self, told: Told) -> Plan:
        """Name, fold and compare one message's drafts; raises KeyReused or Refused and then changes nothing."""
        return _Message(self, told).plan()

    def known(self, space: str, key: AliasKey) -> State | None:
        """Return what a number names, if anything."""
        return self._aliases.get((space, key))

    def state(self, resource_type: str, fid: str) -> State:
        """Return the state of a resource, new where the store has none."""
        found = self._states.get((resource_type, fid))
        return found if found is not None else State(resource_type, fid)

    def adopt(self, plan: Plan) -> None:
        """Let the next message see what this one changed."""
        for state, ver, body, _, digest, _, source_us in plan.versions:
            state.ver, state.body, state.digest = ver, body, digest
            state.source_us = max(source_us, state.source_us)
            self._states[(state.type, state.fid)] = state
        for space, key, state, _ in plan.aliases:
            self._aliases[(space, key)] = state

    def mint(self, space: str, resource_type: str, key: Key) -> str:
        """Return a new id for a key that names nothing yet."""
        return ids.mint(self._secret, space, resource_type, key)

    def micros(self, text: str) -> int:
        """Return a source time in microseconds, 0 where it has none."""
        return temporal.bounds(text, self._zone)[0] if text else 0

    def same_person(self, pid: int, other: State) -> bool:
        """Say whether a stored patient and another are one record by merge."""
        return pid == other.pid or (other.pid != 0 and other.pid in linked(self._reader, pid))

    def body(self, state: State) -> Body | None:
        """Return the current body without id and meta, loading it where the prefetch could not foresee it."""
        if state.body is None and state.ver:
            texts = self._reader.bodies([(state.pid, state.ver)])
            state.body = _bare(resource.loads(texts[(state.pid, state.ver)]))
        return state.body

    def _find_aliases(self, space: str, keys: list[AliasKey]) -> None:
        found = self._reader.aliases(space, keys)
        self._find_heads(list(dict.fromkeys((key[0], fid) for key, (_, fid) in found.items())))
        for key, (_, fid) in found.items():
            self._aliases[(space, key)] = self._states[(key[0], fid)]

    def _find_heads(self, names: list[tuple[str, str]]) -> None:
        wanted = [name for name in names if name not in self._states]
        for (resource_type, fid), head in self._reader.heads(wanted).items():
            self._states[(resource_type, fid)] = State(
                resource_type,
                fid,
                pid=head.pid,
                ver=head.ver,
                digest=head.digest,
                source_us=head.source_us or 0,
                item_id=head.item_id or 0,
                patient_pid=head.patient_pid or 0,
            )

    def _find_children(self, told: list[Told]) -> None:
        names = []
        for entry in told:
            parents = {draft.name: draft for draft in entry.mapped.drafts if draft.keys}
            for draft in entry.mapped.drafts:
                stored = self._stored_parent(entry.space, parents.get(draft.parent))
                if stored is not None:
                    names.append((draft.type, ids.child(stored.fid, draft.child)))
        self._find_heads(names)

    def _stored_parent(self, space: str, parent: Draft | None) -> State | None:
        if parent is None:
            return None
        hits = (self._aliases.get((space, _alias(parent.type, key))) for key in parent.keys)
        return next((state for state in hits if state is not None), None)

    def _load_bodies(self, told: list[Told]) -> None:
        folded = {draft.type for entry in told for draft in entry.mapped.drafts if draft.type not in SNAPSHOTS} | {
            draft.type for entry in told for draft in entry.mapped.drafts if draft.guard
        }
        wanted = {
            (state.pid, state.ver): state
            for state in self._states.values()
            if state.body is None and state.ver and state.type in folded
        }
        for version, text in self._reader.bodies(list(wanted)).items():
            wanted[version].body = _bare(resource.loads(text))


class _Message:
    """The planning of one message: drafts by name, and what they change."""

    def __init__(self, bench: Workbench, told: Told) -> None:
        self._bench = bench
        self._told = told
        self._named: dict[str, State] = {}
        self._mine: dict[AliasKey, State] = {}
        self._fresh: dict[tuple[str, str], State] = {}
        self._changes: dict[int, Planned] = {}
        self._plan = Plan()

    def plan(self) -> Plan:
        drafts = self._told.mapped.drafts
        for draft in drafts:
            if draft.keys:
                self._named[draft.name] = self._by_keys(draft)
        self._name_children([draft for draft in drafts if not draft.keys])
        for draft in drafts:
            for place, name in draft.links:
                place["reference"] = self._named[name].reference
        for draft in drafts:
            self._change(draft)
        for merge in self._told.mapped.merges:
            self._merge(merge)
        self._plan.versions.extend(self._changes.values())
        return self._plan

    def _name_children(self, drafts: list[Draft]) -> None:
        """Name children after their parents, however deep they are nested."""
        waiting = drafts
        while waiting:
            later = [draft for draft in waiting if draft.parent not in self._named]
            if len(later) == len(waiting):
                names = ", ".join(draft.name for draft in later)
                raise Refused(f"{names} has neither a number nor a parent to be named after")
            for draft in waiting:
                if draft.parent in self._named:
                    fid = ids.child(self._named[draft.parent].fid, draft.child)
                    self._named[draft.name] = self._state(draft.type, fid)
            waiting = later

    def _by_keys(self, draft: Draft) -> State:
        keys = [_alias(draft.type, key) for key in draft.keys]
        hits = [self._known(key) for key in keys]
        state = next((hit for hit in hits if hit is not None), None)
        if state is None:
            state = self._state(draft.type, self._bench.mint(self._told.space, draft.type, draft.keys[0]))
        for key, hit in zip(keys, hits, strict=True):
            if hit is None:
                self._mine[key] = state
                self._plan.aliases.append(NewAlias(self._told.space, key, state))
            elif hit is not state:
                self._plan.issues.append(_two_records(draft, key, state, hit))
        return state

    def _known(self, key: AliasKey) -> State | None:
        return self._mine.get(key) or self._bench.known(self._told.space, key)

    def _state(self, resource_type: str, fid: str) -> State:
        name = (resource_type, fid)
        if name not in self._fresh:
            self._fresh[name] = self._bench.state(resource_type, fid)
        return self._fresh[name]

    def _change(self, draft: Draft) -> None:
        state = self._named[draft.name]
        patient = self._named.get(draft.patient)
        before = self._changes.get(id(state))
        current = before.body if before else self._current(draft, state)
        self._guard(draft, state, current)
        source_us = self._bench.micros(draft.source_time) or self._told.source_us
        body = fold(current, draft, older=not before and source_us < state.source_us)
        if current is not None and (body is current or body == current):
            return
        content, digest = _content(body)
        if digest == state.digest:
            self._changes.pop(id(state), None)
            return
        state.patient = patient or state.patient
        self._changes[id(state)] = Planned(state, state.ver + 1, body, content, digest, draft.mode, source_us)

    def _current(self, draft: Draft, state: State) -> Body | None:
        if draft.type in SNAPSHOTS and state.body is None and not draft.guard and draft.mode == "replace":
            return None
        return self._bench.body(state)

    def _guard(self, draft: Draft, state: State, current: Body | None) -> None:
        if not draft.guard or not state.ver:
            return
        patient = self._named.get(draft.guard.get("patient", ""))
        if patient is not None and self._other_person(state, patient):
            raise KeyReused(_reused(draft, "another person"), where=draft.name)
        said, stored = draft.guard.get("day", ""), _day(current or {})
        if said and stored and said.replace("-", "")[:8] != stored:
            raise KeyReused(_reused(draft, f"another day ({said} instead of {stored})"), where=draft.name)

    def _other_person(self, state: State, patient: State) -> bool:
        if state.patient is not None:
            return state.patient is not patient
        return bool(state.patient_pid) and not self._bench.same_person(state.patient_pid, patient)

    def _merge(self, merge: Merge) -> None:
        survivor = self._named[merge.survivor]
        for key in merge.retired:
            alias = _alias("Patient", key)
            retired = self._known(alias)
            if retired is survivor:
                raise Refused(_self_merge(key), where=merge.where)
            if retired is not None:
                self._retire(retired, survivor)
            self._mine[alias] = survivor
            self._plan.aliases.append(NewAlias(self._told.space, alias, survivor, moved=retired is not None))

    def _retire(self, retired: State, survivor: State) -> None:
        body = dict(self._bench.body(retired) or {"resourceType": "Patient"})
        body["active"] = False
        body["link"] = [{"other": {"reference": survivor.reference}, "type": "replaced-by"}]
        planned = Planned(retired, retired.ver + 1, body, *_content(body), "advance", self._told.source_us)
        self._changes[id(retired)] = planned
        self._plan.links.append(NewLink(retired, survivor))


def linked(reader: ReadTx, pid: int) -> set[int]:
    """Return the pids joined with a record by merges that hold, itself included, 64 at most."""
    found, new = {pid}, {pid}
    while new and len(found) < _LINKED:
        ends = {end for link in reader.links(new) for end in (link.from_pid, link.to_pid)}
        new = ends - found
        found |= new
    return found


def _content(body: Body) -> tuple[bytes, bytes]:
    text = resource.dumps(body)
    return text, hashlib.blake2b(text, digest_size=16).digest()


def _keys(mapped: Mapped) -> list[AliasKey]:
    keys = [_alias(draft.type, key) for draft in mapped.drafts for key in draft.keys]
    return keys + [_alias("Patient", key) for merge in mapped.merges for key in merge.retired]


def _alias(resource_type: str, key: Key) -> AliasKey:
    return AliasKey(resource_type, key.system, key.value, key.day)


def _bare(body: dict[str, Any]) -> Body:
    return {name: value for name, value in body.items() if name not in ("id", "meta")}


def _day(body: Body) -> str:
    collected = body.get("collection", {}).get("collectedDateTime", "")
    period = body.get("effectivePeriod", {}).get("start", "")
    return str(body.get("effectiveDateTime") or period or collected).replace("-", "")[:8]


def _reused(draft: Draft, difference: str) -> str:
    number = draft.keys[0].value if draft.keys else draft.child
    return (
        f"{draft.type} number {number} is already known with {difference}; "
        "the sender reuses numbers: declare the key with its day in the feed's mapping, then replay"
    )


def _two_records(draft: Draft, key: AliasKey, kept: State, other: State) -> Issue:
    text = f"number {key[2]} names {other.reference}, another number of the same message names {kept.reference}"
    return Issue("warning", "conflict", f"{text}; the first was taken, the two were not joined", draft.name)


def _self_merge(key: Key) -> str:
    return f"record {key.value} cannot be merged into itself; nothing was changed"
