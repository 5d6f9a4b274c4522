"""Who is who: merges, unlinks and moves change links and numbers, never clinical resources (decision 8)."""

import json
from collections.abc import Iterable
from typing import Any, Protocol

from gateway.fhir.issues import Issue
from gateway.mapping.draft import Draft, Key, Merge, Move, Renumber, Split
from gateway.record.fold import Body
from gateway.record.states import NewAlias, NewLink, Plan, Planned, Refused, State, Told, alias, content
from gateway.store.values import AliasKey

MOVED_FROM = "https://yigong.example/fhir/StructureDefinition/moved-from"
_OWNED = ("subject", "patient", "beneficiary")


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

    def numbers(self, space: str, state: State) -> list[AliasKey]:
        """Return every number of a site that names a record."""
        ...

    def joins(self, state: State) -> list[NewLink]:
        """Return the merges that hold into a record, oldest first."""
        ...


class Joining:
    """What one message says of who is who; `Planning` adds what it says of everything else."""

    def __init__(self, bench: Bench, told: Told) -> None:
        self._bench = bench
        self._told = told
        self._named: dict[str, State] = {}
        self._mine: dict[AliasKey, State] = {}
        self._fresh: dict[tuple[str, str], State] = {}
        self._changes: dict[int, Planned] = {}
        self._patients: dict[int, State | None] = {}
        self._moving: dict[str, Move] = {}
        self._plan = Plan()

    def _identities(self) -> None:
        """Apply what decides whom the numbers of this message name; before they are looked up."""
        drafts = {draft.name: draft for draft in self._told.mapped.drafts}
        for statement in self._told.mapped.said:
            if isinstance(statement, Split):
                self._split(statement, drafts[statement.kept], drafts[statement.other])
            elif isinstance(statement, Renumber):
                self._renumber(statement, drafts[statement.survivor])
            else:
                self._moving.update(
                    {one.name: statement for one in drafts.values() if _visit(one) and one.patient == statement.to}
                )

    def _known(self, key: AliasKey) -> State | None:
        return self._mine.get(key) or self._bench.known(self._told.space, key)

    def _state(self, resource_type: str, fid: str) -> State:
        name = (resource_type, fid)
        if name not in self._fresh:
            self._fresh[name] = self._bench.state(resource_type, fid)
        return self._fresh[name]

    def _other_person(self, state: State, patient: State) -> bool:
        known = state.patient is not None or bool(state.patient_pid)
        return known and not self._bench.same_person(state, patient)

    def _point(self, key: AliasKey, state: State, *, moved: bool) -> None:
        self._mine[key] = state
        self._plan.aliases.append(NewAlias(self._told.space, key, state, moved=moved))

    def _inform(self, text: str, where: str, severity: Any = "information") -> None:
        code: Any = "informational" if severity == "information" else "business-rule"
        self._plan.issues.append(Issue(severity, code, text, where))

    # Merge: the retired record stays, inactive; its numbers lead to the survivor.

    def _merge(self, merge: Merge) -> None:
        survivor = self._named[merge.survivor]
        for key in merge.retired:
            known_as = alias("Patient", key)
            held = self._known(known_as)
            if held is None:
                self._point(known_as, survivor, moved=False)
            elif held is not survivor:
                self._retire(held, survivor, merge.where)
            elif known_as not in self._moved_now():
                self._one_already(merge, key)

    def _moved_now(self) -> set[AliasKey]:
        return {one.key for one in self._plan.aliases if one.moved}

    def _one_already(self, merge: Merge, key: Key) -> None:
        """Refuse a merge of a number into itself, or in a circle; one that was told before changes nothing."""
        keys = {one for draft in self._told.mapped.drafts if draft.name == merge.survivor for one in draft.keys}
        if key in keys:
            raise Refused(f"record {key.value} cannot be merged into itself; nothing was changed", where=merge.where)
        survivor = self._named[merge.survivor]
        for join in self._bench.joins(survivor):
            gone = _numbers(join)
            circular = [one for one in keys if alias("Patient", one) in gone]
            if circular and alias("Patient", key) not in gone:
                raise Refused(_circle(key, circular[0], survivor), where=merge.where)
        self._inform(f"record {key.value} is one with {survivor.reference} already; nothing was changed", merge.where)

    def _retire(self, retired: State, survivor: State, where: str) -> None:
        """Let a record be replaced, and every number that names it lead to the survivor."""
        body = dict(self._body_now(retired) or {"resourceType": "Patient"})
        stored = self._bench.numbers(self._told.space, retired)
        numbers = [key for key in dict.fromkeys([*stored, *self._mine]) if self._known(key) is retired]
        evidence = {
            "numbers": [list(key) for key in numbers],
            "before": {name: body[name] for name in ("active", "link") if name in body},
            "where": where,
        }
        body["active"] = False
        body["link"] = [{"other": {"reference": survivor.reference}, "type": "replaced-by"}]
        self._rewrite(retired, body)
        for key in numbers:
            self._point(key, survivor, moved=True)
        self._plan.links.append(NewLink(retired, survivor, json.dumps(evidence, ensure_ascii=False)))

    def _body_now(self, state: State) -> Body | None:
        planned = self._changes.get(id(state))
        return planned.body if planned else self._bench.body(state)

    def _rewrite(self, state: State, body: Body) -> None:
        newest = max(self._told.source_us, state.source_us)
        self._changes[id(state)] = Planned(state, state.ver + 1, body, *content(body), "advance", newest)

    # Unlink: the link ends, the record that was retired stands again, and has its numbers back.

    def _split(self, split: Split, kept: Draft, other: Draft) -> None:
        if set(kept.keys) & set(other.keys):
            raise Refused(f"record {other.keys[0].value} cannot be unlinked from itself", where=split.where)
        one, two = self._held(kept.keys), self._held(other.keys)
        if one is None or one is not two:
            self._inform(f"{_value(kept)} and {_value(other)} are two records already", split.where)
            return
        for draft in (other, kept):
            join = self._join_of(one, draft)
            if join is not None:
                self._stand_again(one, join, split)
                return
        fresh = self._state("Patient", self._bench.mint(self._told.space, "Patient", other.keys[0]))
        self._give_back(one, [alias("Patient", key) for key in other.keys], fresh, split)

    def _held(self, keys: Iterable[Key]) -> State | None:
        hits = (self._known(alias("Patient", key)) for key in keys)
        return next((hit for hit in hits if hit is not None), None)

    def _join_of(self, state: State, draft: Draft) -> NewLink | None:
        """Return the merge that made the numbers of a draft lead to a record, the first of them."""
        keys = {alias("Patient", key) for key in draft.keys}
        waiting, seen = [state], [state]
        found: list[NewLink] = []
        for one in waiting:
            joins = self._bench.joins(one)
            found += [join for join in joins if not keys.isdisjoint(_numbers(join))]
            more = [join.retired for join in joins if join.retired not in seen]
            waiting += more
            seen += more
        return found[-1] if found else None

    def _stand_again(self, holder: State, join: NewLink, split: Split) -> None:
        """End a merge; the retired record is as active, and linked, as it was before."""
        before = json.loads(join.evidence).get("before", {})
        body = dict(self._body_now(join.retired) or {"resourceType": "Patient"})
        for name in ("active", "link"):
            body.pop(name, None)
        self._rewrite(join.retired, body | before)
        self._give_back(holder, list(_numbers(join)), join.retired, split)
        self._plan.ended.append(join)

    def _give_back(self, holder: State, numbers: list[AliasKey], owner: State, split: Split) -> None:
        """Let numbers name another record again, and take them out of the one they had led to."""
        for key in numbers:
            self._bench.look_up(self._told.space, key)
        back = [key for key in numbers if self._known(key) is holder]
        for key in back:
            self._point(key, owner, moved=True)
        gone = {(key.system, key.value) for key in back}
        body = self._body_now(holder) or {"resourceType": "Patient"}
        entries = body.get("identifier", [])
        kept = [entry for entry in entries if (entry.get("system"), entry.get("value")) not in gone]
        if len(kept) < len(entries):
            self._rewrite(holder, {**body, "identifier": kept})
        text = f"{owner.reference} stands by itself; what was filed under its numbers in the meantime stays with"
        self._inform(f"{text} {holder.reference} until a person has looked at it", split.where, "warning")

    # Renumber: the same record under another number. Move: a visit that belongs to somebody else.

    def _renumber(self, statement: Renumber, draft: Draft) -> None:
        former = set(statement.former)
        fresh = [key for key in draft.keys if key not in former]
        entries = [(entry.get("system"), entry.get("value")) for entry in draft.body.get("identifier", ())]
        if not fresh or any(entries.count((key.system, key.value)) > 1 for key in former):
            raise Refused(f"number {_value(draft)} cannot be changed into itself", where=statement.where)
        old, new = self._held(former), self._held(fresh)
        if old is not None and new is not None and old is not new:
            text = f"number {fresh[0].value} names {new.reference} already, {statement.former[0].value} {old.reference}"
            raise Refused(
                f"{text}; two records are joined by a merge (A40), not by a change of number", where=statement.where
            )

    def _check_move(self, move: Move, draft: Draft) -> None:
        """Refuse to take a visit from anybody but the patient the message names as the wrong one."""
        state, target = self._named[draft.name], self._named[move.to]
        origin = self._held(move.origin)
        if origin is target:
            raise Refused(f"visit {_value(draft)} cannot be moved to the record it is taken from", where=move.where)
        if not state.ver or not self._other_person(state, target):
            del self._moving[draft.name]
        elif origin is None or self._other_person(state, origin):
            text = f"visit {_value(draft)} belongs to neither of the two patients named"
            raise Refused(f"{text}; nothing was moved", where=move.where)

    def _moved(self, body: Body, draft: Draft) -> Body:
        """Return a visit as the other patient's, with whose it was; what was done in it is left for a person."""
        move = self._moving[draft.name]
        owner: Body = next((body[name] for name in _OWNED if name in body), {})
        mark = {"url": MOVED_FROM, "valueReference": {"reference": owner.get("reference", "")}}
        self._inform(
            f"visit {_value(draft)} was moved from {owner.get('reference')} to {self._named[move.to].reference};"
            " its results and orders stay where they are until a person has looked at them",
            move.where,
            "warning",
        )
        owned = {name: draft.body[name] for name in _OWNED if name in draft.body}
        return {**body, **owned, "extension": [*body.get("extension", ()), mark]}


def _visit(draft: Draft) -> bool:
    return draft.type == "Encounter" and bool(draft.keys)


def _value(draft: Draft) -> str:
    return draft.keys[0].value if draft.keys else draft.name


def _numbers(join: NewLink) -> dict[AliasKey, None]:
    """Return the numbers a merge moved, in order."""
    return dict.fromkeys(AliasKey(*key) for key in json.loads(join.evidence).get("numbers", ()))


def _circle(key: Key, other: Key, survivor: State) -> str:
    text = f"record {other.value} was merged into {survivor.reference}, which {key.value} names"
    return f"{text}; the other way round would be a circle: unlink the two (A37) first"
