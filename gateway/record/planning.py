"""The planning of one message: its drafts get their ids, are folded onto what is stored, and become versions."""

import hashlib
from typing import Protocol

from gateway.fhir import resource
from gateway.fhir.issues import Issue
from gateway.mapping.draft import Draft, Key, Merge
from gateway.record import ids
from gateway.record.fold import SNAPSHOTS, Body, fold, withdraws
from gateway.record.states import KeyReused, NewAlias, NewLink, Plan, Planned, Refused, State, Told, alias
from gateway.store.values import AliasKey


class Bench(Protocol):
    """What the planning of a message asks the workbench of its batch."""

    def known(self, space: str, key: AliasKey) -> State | None:
        """Return what a number names, if anything."""
        ...

    def look_up(self, space: str, key: AliasKey) -> None:
        """Ask the store for a number the prefetch could not foresee."""
        ...

    def state(self, resource_type: str, fid: str) -> State:
        """Return the state of a resource, new where the store has none."""
        ...

    def body(self, state: State) -> Body | None:
        """Return the current body without id and meta."""
        ...

    def mint(self, space: str, resource_type: str, key: Key) -> str:
        """Return a new id."""
        ...

    def micros(self, text: str) -> int:
        """Return a source time in microseconds, 0 where it has none."""
        ...

    def same_person(self, state: State, other: State) -> bool:
        """Say whether the patient a resource belongs to and another are one record, be it by merge."""
        ...


class Planning:
    """The planning of one message: drafts by name, and what they change."""

    def __init__(self, bench: Bench, told: Told) -> None:
        self._bench = bench
        self._told = told
        self._named: dict[str, State] = {}
        self._mine: dict[AliasKey, State] = {}
        self._fresh: dict[tuple[str, str], State] = {}
        self._changes: dict[int, Planned] = {}
        self._patients: dict[int, State | None] = {}
        self._plan = Plan()

    def plan(self) -> Plan:
        """Return what the message changes; raises KeyReused or Refused."""
        drafts = self._told.mapped.drafts
        for draft in drafts:
            if draft.keys:
                self._named[draft.name] = self._by_keys(draft, draft.keys)
        for draft in drafts:
            if draft.guard and draft.keys:
                self._check(draft)
        self._name_children([draft for draft in drafts if not draft.keys])
        for draft in drafts:
            for place, name in draft.links:
                place["reference"] = self._named[name].reference
            for place, name in draft.attached:
                place["url"] = self._named[name].reference
        for draft in drafts:
            self._change(draft)
        for merge in self._told.mapped.merges:
            self._merge(merge)
        for number, planned in self._changes.items():
            planned.state.patient = self._patients.get(number, planned.state.patient)
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

    def _check(self, draft: Draft) -> None:
        """Park a number that is known with another person, specimen or day; or set it apart where the feed says so."""
        state = self._named[draft.name]
        difference = self._difference(draft, state) if state.ver else ""
        if not difference:
            return
        patient = self._named.get(draft.guard.get("patient", ""))
        if not self._told.separate or patient is None:
            raise KeyReused(_reused(draft, difference), where=draft.name)
        self._forget(draft)
        apart = tuple(key._replace(day=f"{key.day}@{patient.fid}") for key in draft.keys)
        for key in apart:
            self._bench.look_up(self._told.space, alias(draft.type, key))
        self._named[draft.name] = self._by_keys(draft, apart)
        self._plan.issues.append(_apart(draft, difference))

    def _forget(self, draft: Draft) -> None:
        """Take back that the draft's numbers name what they were found with."""
        keys = {alias(draft.type, key) for key in draft.keys}
        self._plan.aliases[:] = [one for one in self._plan.aliases if one.key not in keys]
        for key in keys:
            self._mine.pop(key, None)

    def _difference(self, draft: Draft, state: State) -> str:
        patient = self._named.get(draft.guard.get("patient", ""))
        if patient is not None and self._other_person(state, patient):
            return "another person"
        current = self._bench.body(state) or {}
        said, stored = draft.guard.get("day", "").replace("-", "")[:8], _day(current)
        if not said.startswith(stored) and not stored.startswith(said):
            return f"another day ({said} instead of {stored})"
        return "another resident ID" if _other_number(draft, current) else ""

    def _by_keys(self, draft: Draft, named: tuple[Key, ...]) -> State:
        keys = [alias(draft.type, key) for key in named]
        hits = [self._known(key) for key in keys]
        state = next((hit for hit in hits if hit is not None), None)
        if state is None:
            state = self._state(draft.type, self._bench.mint(self._told.space, draft.type, named[0]))
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
        before = self._changes.get(id(state))
        source_us = self._bench.micros(draft.source_time) or self._told.source_us
        older = not before and source_us < state.source_us
        current = before.body if before else self._current(draft, state, older=older)
        body = fold(current, draft, older=older)
        if current is not None and (body is current or body == current):
            return
        content, digest = _content(body)
        if digest == state.digest:
            self._changes.pop(id(state), None)
            return
        newest = max(source_us, state.source_us)
        self._changes[id(state)] = Planned(state, state.ver + 1, body, content, digest, draft.mode, newest)
        self._patients[id(state)] = self._named.get(draft.patient) or state.patient
        if draft.content is not None:
            self._plan.contents.append(draft.content)

    def _current(self, draft: Draft, state: State, *, older: bool) -> Body | None:
        """Return the stored body; a snapshot that simply replaces it does without."""
        plain = draft.type in SNAPSHOTS and draft.mode == "replace" and not draft.guard and not withdraws(draft.body)
        return None if plain and not older and state.body is None else self._bench.body(state)

    def _other_person(self, state: State, patient: State) -> bool:
        known = state.patient is not None or bool(state.patient_pid)
        return known and not self._bench.same_person(state, patient)

    def _merge(self, merge: Merge) -> None:
        survivor = self._named[merge.survivor]
        for key in merge.retired:
            known_as = alias("Patient", key)
            retired = self._known(known_as)
            if retired is survivor:
                self._one_already(merge, key)
                continue
            if retired is not None:
                self._retire(retired, survivor)
            self._mine[known_as] = survivor
            self._plan.aliases.append(NewAlias(self._told.space, known_as, survivor, moved=retired is not None))

    def _one_already(self, merge: Merge, key: Key) -> None:
        """Refuse a merge of a number into itself; a merge that was told before changes nothing."""
        if any(key in draft.keys for draft in self._told.mapped.drafts if draft.name == merge.survivor):
            raise Refused(_self_merge(key), where=merge.where)
        text = f"record {key.value} is one with {self._named[merge.survivor].reference} already; nothing was changed"
        self._plan.issues.append(Issue("information", "informational", text, merge.where))

    def _retire(self, retired: State, survivor: State) -> None:
        body = dict(self._bench.body(retired) or {"resourceType": "Patient"})
        body["active"] = False
        body["link"] = [{"other": {"reference": survivor.reference}, "type": "replaced-by"}]
        newest = max(self._told.source_us, retired.source_us)
        planned = Planned(retired, retired.ver + 1, body, *_content(body), "advance", newest)
        self._changes[id(retired)] = planned
        self._plan.links.append(NewLink(retired, survivor))


def _content(body: Body) -> tuple[bytes, bytes]:
    text = resource.dumps(body)
    return text, hashlib.blake2b(text, digest_size=16).digest()


def _day(body: Body) -> str:
    collected = body.get("collection", {}).get("collectedDateTime", "")
    period = body.get("effectivePeriod", {}).get("start", "")
    return str(body.get("effectiveDateTime") or period or collected).replace("-", "")[:8]


def _other_number(draft: Draft, current: Body) -> bool:
    """Say whether the record holds another number than the guard's in the same national series."""
    said = set(draft.guard.values())
    systems = {entry.get("system") for entry in draft.body.get("identifier", ()) if entry.get("value") in said}
    held = {entry.get("value") for entry in current.get("identifier", ()) if entry.get("system") in systems}
    return bool(systems) and bool(held) and held.isdisjoint(said)


def _apart(draft: Draft, difference: str) -> Issue:
    text = f"{draft.type} number {draft.keys[0].value} is already known with {difference}; it was kept apart by person"
    return Issue("warning", "duplicate", text, draft.name)


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
