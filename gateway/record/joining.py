"""Who is who: merges, unlinks and moves change links and numbers, never clinical resources (decision 8).

A number names for good the record it was given out for. A merge links that record to another and marks it inactive;
what is said of a person goes to the record of the number it is said under, what has a number of its own is filed with
the record at the end of the links, and stays with whom it was filed. So an unlink has nothing to give back.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.fhir.issues import Issue
from gateway.mapping.draft import Draft, Key, Merge, Move, Refusal, Renumber, Same, Split
from gateway.record.bench import Bench
from gateway.record.fold import Body
from gateway.record.marks import before, retired, standing
from gateway.record.states import Moved, NewAlias, NewLink, Plan, Planned, Refused, State, Told, alias, content
from gateway.store.values import AliasKey

MOVED_FROM = "https://yigong.example/fhir/StructureDefinition/moved-from"
OWNED = ("subject", "patient", "beneficiary")
"""Elements that say whose a resource is."""

_BY_A_PERSON = (
    "a number is to go to another patient with all that was filed under it; nothing was changed:"
    " a person has to look at both records, and the sender to tell what they are now (A08, A44)"
)


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
            if isinstance(statement, Split) and self._bench.decides:
                self._split(statement, drafts[statement.kept], drafts[statement.other])
            elif isinstance(statement, Renumber) and self._bench.decides:
                self._renumber(statement, drafts[statement.survivor])
            elif isinstance(statement, Refusal) and self._bench.decides:
                raise Refused(_BY_A_PERSON, where=statement.where)
            elif isinstance(statement, Move):
                self._moving.update(
                    {one.name: statement for one in drafts.values() if _visit(one) and one.patient == statement.to}
                )

    def _joins(self) -> None:
        """Apply what joins records; after everything else of the message is told."""
        for merge in self._told.mapped.merges:
            self._merge(merge)
        for statement in self._told.mapped.said:
            if isinstance(statement, Same) and self._bench.decides:
                self._same(statement)

    def _known(self, key: AliasKey) -> State | None:
        return self._mine.get(key) or self._bench.known(self._told.space, key)

    def _state(self, resource_type: str, fid: str) -> State:
        name = (resource_type, fid)
        if name not in self._fresh:
            self._fresh[name] = self._bench.state(resource_type, fid)
        return self._fresh[name]

    def _point(self, key: AliasKey, state: State, *, moved: bool) -> None:
        self._mine[key] = state
        self._plan.aliases.append(NewAlias(self._told.space, key, state, moved=moved))

    def _inform(self, text: str, where: str, severity: Any = "information") -> None:
        code: Any = "informational" if severity == "information" else "business-rule"
        self._plan.issues.append(Issue(severity, code, text, where))

    # Whose something is: of the record a number names, or of the one at the end of the merges.

    def _replaced(self, patient: State) -> NewLink | None:
        """Return the merge by which a record is replaced, with what this message joined or parted."""
        for join in self._plan.links:
            if join.retired is patient and join.kind == "replaced-by":
                return join
        found = self._bench.replaced(patient)
        return None if found is None or any(found is one for one in self._plan.ended) else found

    def _path(self, patient: State) -> list[State]:
        """Return a record and those that replace it, one after the other."""
        path = [patient]
        while (join := self._replaced(path[-1])) is not None and join.survivor not in path:
            path.append(join.survivor)
        return path

    def _lead(self, patient: State) -> State:
        return self._path(patient)[-1]

    def _one(self, patient: State, other: State) -> bool:
        """Say whether two records are one, be it by merges."""
        return patient is other or self._lead(patient) is self._lead(other)

    def _other_person(self, state: State, patient: State) -> bool:
        owner = self._bench.owner(state)
        return owner is not None and not self._one(owner, patient)

    def _whose(self, draft: Draft, drafts: Mapping[str, Draft]) -> State | None:
        """Return the record that a draft is of: as it was filed, else by its number, else of the person it tells of."""
        patient = self._named.get(draft.patient)
        if patient is None or draft.type == "Patient":
            return patient
        state = self._named[draft.name]
        owner = None if draft.name in self._moving else self._bench.owner(state)
        if owner is not None and (self._bench.stays(state) or self._one(owner, patient)):
            return owner
        return patient if _of_person(draft, drafts) else self._lead(patient)

    def _marked(self, patient: State, body: Body) -> Body:
        """Return the body of a record with the marks of its merge, whatever a message said."""
        join = self._replaced(patient)
        if join is None:
            return body
        survivor = join.survivor.reference
        return retired(standing(body, survivor, before(join)), survivor)

    # Merge: the retired record stays, inactive, and points to the survivor.

    def _merge(self, merge: Merge) -> None:
        survivor = self._named[merge.survivor]
        own = {one for draft in self._told.mapped.drafts if draft.name == merge.survivor for one in draft.keys}
        apart = [key for key in merge.retired if key not in own]
        if not apart:
            text = f"record {merge.retired[0].value} cannot be merged into itself; nothing was changed"
            raise Refused(text, where=merge.where)
        found = {key: self._known(alias("Patient", key)) for key in apart}
        homes = {state: key for key, state in reversed(found.items()) if state is not None}
        homes = homes or {self._own(apart[0]): apart[0]}
        for home in homes:
            if self._body_now(home) is None and not home.deleted:
                self._unheard_of(home, merge)
        for key in [key for key, state in found.items() if state is None]:
            self._point(alias("Patient", key), next(iter(homes)), moved=False)
        if self._bench.decides:
            self._retire(homes, survivor, merge)

    def _unheard_of(self, home: State, merge: Merge) -> None:
        """Write a record for numbers nobody has told of yet, so that what comes later finds them merged."""
        entries = [{"system": one.system, "value": one.value} for one in merge.retired]
        body = {"resourceType": "Patient", "identifier": entries, **merge.body}
        self._rewrite(home, self._marked(home, body))

    def _retire(self, homes: Mapping[State, Key], survivor: State, merge: Merge) -> None:
        """Link each record to the survivor, unless it is one with it already; raises Refused for what cannot be."""
        ahead, retiring = self._path(survivor), []
        for home, key in homes.items():
            path = self._path(home)
            if path[-1] is ahead[-1] and home not in ahead[1:]:
                self._inform(
                    f"record {key.value} is one with {survivor.reference} already; nothing was changed", merge.where
                )
            elif home in ahead:
                raise Refused(_circle(key, home, survivor), where=merge.where)
            elif len(path) == 1:
                retiring.append(home)
            elif path[-1] not in homes:
                raise Refused(_elsewhere(key, path), where=merge.where)
        for home in retiring:
            self._replace(home, survivor, merge)

    def _replace(self, home: State, survivor: State, merge: Merge) -> None:
        body = self._body_now(home)
        said = {"active": body["active"]} if body and "active" in body else {}
        numbers = [list(alias("Patient", key)) for key in merge.retired]
        evidence = {"numbers": numbers, "before": said, "where": merge.where}
        self._plan.links.append(NewLink(home, survivor, json.dumps(evidence, ensure_ascii=False)))
        if body is not None:
            self._rewrite(home, retired(body, survivor.reference))

    def _same(self, statement: Same) -> None:
        """Link two records of one person that both go on (A24)."""
        one, two = self._named[statement.one], self._named[statement.other]
        if self._one(one, two):
            self._inform(f"{one.reference} and {two.reference} are one record already", statement.where)
            return
        evidence = {"where": statement.where}
        self._plan.links.append(NewLink(one, two, json.dumps(evidence), "same"))

    def _body_now(self, state: State) -> Body | None:
        planned = self._changes.get(id(state))
        return planned.body if planned else self._bench.body(state)

    def _rewrite(self, state: State, body: Body) -> None:
        """Change what a record is marked with; when its sender last told of it stays as it is."""
        self._changes[id(state)] = Planned(state, state.ver + 1, body, *content(body), "advance", state.source_us)

    # Unlink: the link ends and the record that was retired stands again.

    def _split(self, split: Split, kept: Draft, other: Draft) -> None:
        if set(kept.keys) & set(other.keys):
            raise Refused(f"record {other.keys[0].value} cannot be unlinked from itself", where=split.where)
        one, two = self._held(kept.keys), self._held(other.keys)
        if one is None or two is None:
            self._inform(f"{_value(kept)} and {_value(other)} are two records already", split.where)
        elif one is two:
            self._part(one, kept, other, split)
        else:
            self._unlink(one, two, split)

    def _held(self, keys: Iterable[Key]) -> State | None:
        hits = (self._known(alias("Patient", key)) for key in keys)
        return next((hit for hit in hits if hit is not None), None)

    def _unlink(self, one: State, two: State, split: Split) -> None:
        """End the merge of the one that was merged away, of the second one where both were."""
        self._plan.apart.append((one, two))
        if not self._one(one, two):
            self._inform(f"{one.reference} and {two.reference} are two records already", split.where)
            return
        join = self._replaced(one if two in self._path(one) else two)
        assert join is not None, "of two records that are one, one was merged away"
        self._stand_again(join)
        text = f"{join.retired.reference} stands by itself; what was filed under its numbers in the meantime stays with"
        text = f"{text} {self._lead(join.survivor).reference} until a person has looked at it"
        self._inform(text, split.where, "warning")

    def _stand_again(self, join: NewLink) -> None:
        """End a merge; the retired record is as it was, with what was said of it since."""
        self._plan.ended.append(join)
        body = self._body_now(join.retired)
        if body is not None:
            self._rewrite(join.retired, standing(body, join.survivor.reference, before(join)))

    def _part(self, holder: State, kept: Draft, other: Draft, split: Split) -> None:
        """Give a record of its own to one of two numbers that named the same one."""
        owners = ((draft, self._own(draft.keys[0])) for draft in (other, kept))
        draft, owner = next(((draft, owner) for draft, owner in owners if owner is not holder), (other, holder))
        join = self._replaced(owner)
        if owner is holder or (owner.ver and join is None):
            text = f"{_value(kept)} and {_value(other)} are numbers of {holder.reference} and cannot be told apart"
            raise Refused(f"{text}; a person has to say whose they are", where=split.where)
        if join is not None:
            self._stand_again(join)
        self._give_back(holder, [alias("Patient", key) for key in draft.keys], owner, split)
        self._plan.apart.append((holder, owner))

    def _own(self, key: Key) -> State:
        """Return the record a number has, or would have, that was given out for it alone."""
        fid = self._bench.mint(self._told.space, "Patient", key)
        self._bench.look_for("Patient", fid)
        return self._state("Patient", fid)

    def _give_back(self, holder: State, numbers: list[AliasKey], owner: State, split: Split) -> None:
        """Let numbers name another record, and take them out of the one they had led to."""
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
        if origin is not None and self._one(origin, target):
            raise Refused(f"visit {_value(draft)} cannot be moved to the record it is taken from", where=move.where)
        if not state.ver or not self._other_person(state, target):
            del self._moving[draft.name]
        elif origin is None or self._other_person(state, origin):
            text = f"visit {_value(draft)} belongs to neither of the two patients named"
            raise Refused(f"{text}; nothing was moved", where=move.where)

    def _moved(self, body: Body, draft: Draft) -> Body:
        """Return a visit as the other patient's, with whose it was; what was done in it is left for a person."""
        move, state = self._moving[draft.name], self._named[draft.name]
        owner: Body = next((body[name] for name in OWNED if name in body), {})
        mark = {"url": MOVED_FROM, "valueReference": {"reference": owner.get("reference", "")}}
        target, origin = self._lead(self._named[move.to]), self._bench.owner(state)
        if origin is not None and self._bench.decides:
            self._plan.moved.append(Moved(state, origin, target, move.where))
        self._inform(
            f"visit {_value(draft)} was moved from {owner.get('reference')} to {target.reference};"
            " its results and orders stay where they are until a person has looked at them",
            move.where,
            "warning",
        )
        owned = {name: draft.body[name] for name in OWNED if name in draft.body}
        return {**body, **owned, "extension": [*body.get("extension", ()), mark]}


def _of_person(draft: Draft, drafts: Mapping[str, Draft]) -> bool:
    """Say whether a draft is named after its patient: it has no number, and nothing between them has one."""
    while not draft.keys and draft.parent != draft.patient and draft.parent in drafts:
        draft = drafts[draft.parent]
    return not draft.keys and draft.parent == draft.patient


def _visit(draft: Draft) -> bool:
    return draft.type == "Encounter" and bool(draft.keys)


def _value(draft: Draft) -> str:
    return draft.keys[0].value if draft.keys else draft.name


def _circle(key: Key, home: State, survivor: State) -> str:
    text = f"{survivor.reference} was merged into {home.reference}, which {key.value} names"
    return f"{text}; the other way round would be a circle: unlink the two (A37) first"


def _elsewhere(key: Key, path: list[State]) -> str:
    text = f"record {key.value} ({path[0].reference}) was merged into {path[-1].reference} already"
    return f"{text}; merge that one, or unlink the two (A37) first"
