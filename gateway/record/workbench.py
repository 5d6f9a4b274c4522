"""The workbench of one batch: asks the store once for what is stored, and moves it on message by message."""

from collections.abc import Collection
from typing import Any

from gateway.fhir import resource, temporal
from gateway.mapping.draft import Key, Mapped, Renumber, Split
from gateway.record import ids
from gateway.record.fold import SNAPSHOTS, Body
from gateway.record.planning import Planning
from gateway.record.states import NewLink, Plan, State, Told, alias
from gateway.store.engine import ReadTx
from gateway.store.glances import Glances
from gateway.store.values import AliasKey

_LINKED = 64


class Workbench:
    """Aliases, heads and bodies of one batch, moved on message by message in inbox order."""

    def __init__(self, reader: ReadTx | Glances, secret: bytes, zone: str) -> None:
        self._reader = reader
        self._secret = secret
        self._zone = zone
        self._aliases: dict[tuple[str, AliasKey], State] = {}
        self._states: dict[tuple[str, str], State] = {}
        self._merged: list[NewLink] = []
        self._ended: set[tuple[int, int]] = set()

    def prefetch(self, told: list[Told]) -> None:
        """Ask the store once for every number, head and body the batch will need."""
        for space in dict.fromkeys(entry.space for entry in told):
            mine = [entry.mapped for entry in told if entry.space == space]
            self._find_aliases(space, list(dict.fromkeys(key for mapped in mine for key in _keys(mapped))))
        self._find_children(told)
        self._load_bodies(told)

    def plan(self, told: Told) -> Plan:
        """Name, fold and compare one message's drafts; raises KeyReused or Refused and then changes nothing."""
        return Planning(self, told).plan()

    def known(self, space: str, key: AliasKey) -> State | None:
        """Return what a number names, if anything."""
        return self._aliases.get((space, key))

    def look_up(self, space: str, key: AliasKey) -> None:
        """Ask the store for a number the prefetch could not foresee."""
        if (space, key) not in self._aliases:
            self._find_aliases(space, [key])

    def state(self, resource_type: str, fid: str) -> State:
        """Return the state of a resource, new where the store has none."""
        found = self._states.get((resource_type, fid))
        return found if found is not None else State(resource_type, fid)

    def adopt(self, plan: Plan) -> None:
        """Let the next message see what this one changed."""
        for state, ver, body, _, digest, _, source_us in plan.versions:
            state.ver, state.body, state.digest = ver, body, digest
            state.source_us = max(source_us, state.source_us)
            state.edited = state.deleted = False
            self._states[(state.type, state.fid)] = state
        for space, key, state, _ in plan.aliases:
            self._aliases[(space, key)] = state
        self._merged.extend(plan.links)
        for join in plan.ended:
            self._ended.add((join.retired.pid, join.survivor.pid))
            self._merged = [one for one in self._merged if one[:2] != join[:2]]

    def mint(self, space: str, resource_type: str, key: Key) -> str:
        """Return a new id for a key that names nothing yet."""
        return ids.mint(self._secret, space, resource_type, key)

    def micros(self, text: str) -> int:
        """Return a source time in microseconds, 0 where it has none."""
        return temporal.bounds(text, self._zone)[0] if text else 0

    def same_person(self, state: State, other: State) -> bool:
        """Say whether the patient a resource belongs to and another are one record, be it by merge."""
        group = self._group(other)
        if state.patient is not None and state.patient in group:
            return True
        pid = state.patient.pid if state.patient else state.patient_pid
        pids = {one.pid for one in group if one.pid}
        return pid in pids or bool(pid and pids & linked(self._reader, pid, self._ended))

    def numbers(self, space: str, state: State) -> list[AliasKey]:
        """Return every number of a site that names a record, as the store and this batch have it."""
        stored = [key for site, key in self._reader.aliases_of(state.pid) if site == space] if state.pid else []
        for key in stored:
            self.look_up(space, key)
        here = [key for (site, key), one in self._aliases.items() if site == space and one is state]
        return list(dict.fromkeys([*stored, *here]))

    def joins(self, state: State) -> list[NewLink]:
        """Return the merges that hold into a record, oldest first."""
        links = self._reader.links([state.pid], kind="replaced-by") if state.pid else []
        found = [link for link in links if link.to_pid == state.pid and (link.from_pid, link.to_pid) not in self._ended]
        heads = self._reader.heads_by_pid([link.from_pid for link in found])
        self._find_heads([(head.type, head.fid) for head in heads.values()])
        ends = {pid: self._states[head.type, head.fid] for pid, head in heads.items()}
        joins = [NewLink(ends[link.from_pid], state, link.evidence) for link in found if link.from_pid in ends]
        return joins + [join for join in self._merged if join.survivor is state]

    def _group(self, patient: State) -> list[State]:
        """Return the records this batch has joined with a patient, itself first."""
        group = [patient]
        for one in group:
            for pair in self._merged:
                group += [end for end in pair[:2] if one in pair and end not in group]
        return group

    def body(self, state: State) -> Body | None:
        """Return the current body without id and meta, loading it where the prefetch could not foresee it."""
        if state.body is None and state.ver and not state.deleted:
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
                edited=not head.item_id,
                deleted=head.deleted,
            )

    def _find_children(self, told: list[Told]) -> None:
        """Find the children of known parents, and theirs, however deep they are nested."""
        names = []
        for entry in told:
            fids = self._stored_fids(entry)
            waiting = [draft for draft in entry.mapped.drafts if not draft.keys]
            while ready := [draft for draft in waiting if draft.parent in fids]:
                fids.update((draft.name, ids.child(fids[draft.parent], draft.child)) for draft in ready)
                names += [(draft.type, fids[draft.name]) for draft in ready]
                waiting = [draft for draft in waiting if draft.name not in fids]
        self._find_heads(names)

    def _stored_fids(self, entry: Told) -> dict[str, str]:
        """Return the ids of the message's drafts that a known number names."""
        found = {}
        for draft in entry.mapped.drafts:
            hits = (self._aliases.get((entry.space, alias(draft.type, key))) for key in draft.keys)
            state = next((hit for hit in hits if hit is not None), None)
            if state is not None:
                found[draft.name] = state.fid
        return found

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


def linked(reader: ReadTx | Glances, pid: int, ended: Collection[tuple[int, int]] = ()) -> set[int]:
    """Return the pids joined with a record by merges that hold, less those just `ended`; 64 at most."""
    found, new = {pid}, {pid}
    while new and len(found) < _LINKED:
        pairs = {(link.from_pid, link.to_pid) for link in reader.links(new, kind="replaced-by")}
        ends = {end for pair in pairs.difference(ended) for end in pair}
        new = ends - found
        found |= new
    return found


def _keys(mapped: Mapped) -> list[AliasKey]:
    keys = [alias(draft.type, key) for draft in mapped.drafts for key in draft.keys]
    keys += [alias("Patient", key) for merge in mapped.merges for key in merge.retired]
    for statement in mapped.said:
        if not isinstance(statement, Split):
            former = statement.former if isinstance(statement, Renumber) else statement.origin
            keys += [alias("Patient", key) for key in former]
    return keys


def _bare(body: dict[str, Any]) -> Body:
    return {name: value for name, value in body.items() if name not in ("id", "meta")}
