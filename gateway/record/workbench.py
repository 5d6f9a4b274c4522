"""The workbench of one batch: asks the store once for what is stored, and moves it on message by message."""

from typing import Any

from gateway.fhir import resource, temporal
from gateway.mapping.draft import Key, Mapped, Move, Renumber
from gateway.record import ids
from gateway.record.fold import SNAPSHOTS, Body
from gateway.record.planning import Planning
from gateway.record.states import NewLink, Plan, State, Told, alias
from gateway.store.engine import ReadTx
from gateway.store.glances import Glances
from gateway.store.values import AliasKey


class Workbench:
    """Aliases, heads and bodies of one batch, moved on message by message in inbox order."""

    decides = True
    """Whether merges and unlinks take effect."""

    def __init__(self, reader: ReadTx | Glances, secret: bytes, zone: str) -> None:
        self._reader = reader
        self._secret = secret
        self._zone = zone
        self._aliases: dict[tuple[str, AliasKey], State] = {}
        self._states: dict[tuple[str, str], State] = {}
        self._people: dict[int, State] = {}
        self._replacing: dict[str, NewLink | None] = {}

    def prefetch(self, told: list[Told]) -> None:
        """Ask the store once for every number, head and body the batch will need."""
        for space in dict.fromkeys(entry.space for entry in told):
            mine = [entry.mapped for entry in told if entry.space == space]
            self._find_aliases(space, list(dict.fromkeys(key for mapped in mine for key in _keys(mapped))))
        self._find_children(told)
        self._load_bodies(told)
        self._find_merges(list(self._people.values()))

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

    def look_for(self, resource_type: str, fid: str) -> None:
        """Ask the store for a resource that no number led to."""
        self._find_heads([(resource_type, fid)])

    def adopt(self, plan: Plan) -> None:
        """Let the next message see what this one changed."""
        for state, ver, body, _, digest, _, source_us in plan.versions:
            state.ver, state.body, state.digest = ver, body, digest
            state.source_us = max(source_us, state.source_us)
            state.edited = state.deleted = False
            self._states[(state.type, state.fid)] = state
        for space, key, state, _ in plan.aliases:
            self._aliases[(space, key)] = state
        self._replacing.update((join.retired.fid, None) for join in plan.ended)
        self._replacing.update((join.retired.fid, join) for join in plan.links if join.kind == "replaced-by")

    def mint(self, space: str, resource_type: str, key: Key) -> str:
        """Return a new id for a key that names nothing yet."""
        return ids.mint(self._secret, space, resource_type, key)

    def micros(self, text: str) -> int:
        """Return a source time in microseconds, 0 where it has none."""
        return temporal.bounds(text, self._zone)[0] if text else 0

    def replaced(self, patient: State) -> NewLink | None:
        """Return the merge by which a record is replaced by another, if it is."""
        if patient.fid not in self._replacing:
            self._find_merges([patient])
        return self._replacing[patient.fid]

    def owner(self, state: State) -> State | None:
        """Return the patient a resource is filed with, if any."""
        if state.patient is not None or not state.patient_pid:
            return state.patient
        if state.patient_pid not in self._people:
            self._find_people([state.patient_pid])
        return self._people.get(state.patient_pid)

    def stays(self, state: State) -> bool:
        """Say whether a resource stays with whom it is filed, whoever the message names now."""
        return False

    def body(self, state: State) -> Body | None:
        """Return the current body without id and meta, loading it where the prefetch could not foresee it."""
        if state.body is None and state.ver and not state.deleted:
            texts = self._reader.bodies([(state.pid, state.ver)])
            state.body = _bare(resource.loads(texts[(state.pid, state.ver)]))
        return state.body

    def _find_merges(self, patients: list[State]) -> None:
        """Ask by what these records are replaced; what follows them is asked for where it is met."""
        asked = {one.pid: one for one in patients if one.fid not in self._replacing}
        self._replacing.update((one.fid, None) for one in asked.values())
        found = self._reader.replaced([pid for pid in asked if pid])
        self._find_people([link.to_pid for link in found])
        for link in found:
            retired = asked[link.from_pid]
            self._replacing[retired.fid] = NewLink(retired, self._people[link.to_pid], link.evidence)

    def _find_people(self, pids: list[int]) -> None:
        heads = self._reader.heads_by_pid([pid for pid in pids if pid not in self._people])
        self._find_heads([(head.type, head.fid) for head in heads.values()])

    def _find_aliases(self, space: str, keys: list[AliasKey]) -> None:
        found = self._reader.aliases(space, keys)
        self._find_heads(list(dict.fromkeys((key[0], fid) for key, (_, fid) in found.items())))
        for key, (_, fid) in found.items():
            self._aliases[(space, key)] = self._states[(key[0], fid)]

    def _find_heads(self, names: list[tuple[str, str]]) -> None:
        wanted = [name for name in names if name not in self._states]
        for (resource_type, fid), head in self._reader.heads(wanted).items():
            state = self._states[(resource_type, fid)] = State(
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
            if resource_type == "Patient":
                self._people[head.pid] = state

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


def _keys(mapped: Mapped) -> list[AliasKey]:
    keys = [alias(draft.type, key) for draft in mapped.drafts for key in draft.keys]
    keys += [alias("Patient", key) for merge in mapped.merges for key in merge.retired]
    for statement in mapped.said:
        if isinstance(statement, Renumber | Move):
            former = statement.former if isinstance(statement, Renumber) else statement.origin
            keys += [alias("Patient", key) for key in former]
    return keys


def _bare(body: dict[str, Any]) -> Body:
    return {name: value for name, value in body.items() if name not in ("id", "meta")}
