"""The planning of one message: its drafts get their ids, are folded onto what is stored, and become versions."""

from collections.abc import Iterable

from gateway.fhir.issues import Issue
from gateway.mapping.draft import Draft, Key
from gateway.record import claims, ids
from gateway.record.fold import SNAPSHOTS, Body, fold, withdraws
from gateway.record.joining import Joining
from gateway.record.states import KeyReused, NewAlias, Plan, Planned, Refused, State, alias, content
from gateway.store.values import AliasKey


class Planning(Joining):
    """The planning of one message: drafts by name, and what they change."""

    _owners: dict[str, State | None]

    def plan(self) -> Plan:
        """Return what the message changes; raises KeyReused or Refused."""
        drafts = self._told.mapped.drafts
        if self._told.mapped.said:
            self._identities()
        for draft in drafts:
            if draft.keys:
                self._named[draft.name] = self._by_keys(draft, draft.keys)
        for draft in drafts:
            if draft.guard and draft.keys:
                self._check(draft)
        self._name_children([draft for draft in drafts if not draft.keys])
        by_name = {draft.name: draft for draft in drafts}
        self._owners = {draft.name: self._whose(draft, by_name) for draft in drafts}
        for draft in drafts:
            for place, name in draft.links:
                place["reference"] = self._target(draft, name).reference
            for place, name in draft.attached:
                place["url"] = self._named[name].reference
        for draft in drafts:
            self._change(draft)
        self._claims(draft for draft in drafts if draft.claim and draft.patient in self._named)
        self._plan.contents.extend(draft.content for draft in drafts if draft.content is not None)
        self._joins()
        for number, planned in self._changes.items():
            planned.state.patient = self._patients.get(number, planned.state.patient)
        self._plan.versions.extend(self._changes.values())
        return self._plan

    def _target(self, draft: Draft, name: str) -> State:
        """Return what a reference leads to: that to its patient to the record it is filed with."""
        owner = self._owners[draft.name] if name == draft.patient else None
        return owner or self._named[name]

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
        if draft.name in self._moving:
            self._check_move(self._moving[draft.name], draft)
            return
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

    def _claims(self, drafts: Iterable[Draft]) -> None:
        """Tell when a patient has two of what there should be one of at a time; the first goes on holding the claim."""
        for draft in drafts:
            owner = self._owners[draft.name] or self._named[draft.patient]
            state, key = self._named[draft.name], claims.key(draft, owner)
            self._bench.look_up(self._told.space, key)
            held = self._known(key)
            if held is None:
                self._point(key, state, moved=False)
            elif held is not state:
                self._contest(draft, key, held)

    def _contest(self, draft: Draft, key: AliasKey, held: State) -> None:
        current, body = self._body_now(held) or {}, self._body_now(self._named[draft.name]) or draft.body
        if not claims.at_once(current, body):
            self._point(key, self._named[draft.name], moved=True)
        elif claims.holder(current) != claims.holder(body):
            self._plan.issues.append(claims.told(draft, held, current, body))

    def _forget(self, draft: Draft) -> None:
        """Take back that the draft's numbers name what they were found with."""
        keys = {alias(draft.type, key) for key in draft.keys}
        self._plan.aliases[:] = [one for one in self._plan.aliases if one.key not in keys]
        for key in keys:
            self._mine.pop(key, None)

    def _difference(self, draft: Draft, state: State) -> str:
        patient = self._named.get(draft.guard.get("patient", ""))
        if patient is not None and not self._bench.stays(state) and self._other_person(state, patient):
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
            elif hit is not state and not (draft.type == "Patient" and self._one(hit, state)):
                self._plan.issues.append(_two_records(draft, key, state, hit))
        return state

    def _change(self, draft: Draft) -> None:
        state = self._named[draft.name]
        before = self._changes.get(id(state))
        source_us = self._bench.micros(draft.source_time) or self._told.source_us
        older = source_us < state.source_us
        if state.edited and not before and self._overruled(draft, state, older=older):
            return
        current = before.body if before else self._current(draft, state, older=older)
        body = fold(current, draft, older=older)
        if draft.name in self._moving:
            body = self._moved(body, draft)
        if draft.type == "Patient":
            body = self._marked(state, body)
        if current is not None and (body is current or body == current):
            return
        text, digest = content(body)
        if digest == state.digest:
            self._changes.pop(id(state), None)
            return
        newest = max(source_us, state.source_us)
        self._changes[id(state)] = Planned(state, state.ver + 1, body, text, digest, draft.mode, newest)
        self._patients[id(state)] = self._owners[draft.name] or state.patient

    def _overruled(self, draft: Draft, state: State, *, older: bool) -> bool:
        """Say whether a client's later change or deletion stands against what a message says; a withdrawal outranks."""
        withdrawn = withdraws(draft.body)
        if not (state.deleted and withdrawn) and (withdrawn or not older):
            return False
        what = "deleted" if state.deleted else "changed"
        self._inform(f"{state.reference} was {what} by a client since; it stays so", draft.name)
        return True

    def _current(self, draft: Draft, state: State, *, older: bool) -> Body | None:
        """Return the stored body; a snapshot that simply replaces it does without."""
        plain = draft.type in SNAPSHOTS and draft.mode == "replace" and not draft.guard and not withdraws(draft.body)
        return None if plain and not older and state.body is None else self._bench.body(state)


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
