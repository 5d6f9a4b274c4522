"""The engine: runs one message through its plan, and accounts for every populated field."""

import re
from collections.abc import Callable
from typing import Any

from gateway.fhir.issues import Issue
from gateway.formats.hl7v2 import Message, Segment
from gateway.mapping import dates, paths, program
from gateway.mapping.cell import Note, Proto
from gateway.mapping.draft import Draft, Left, Mapped, Merge, Trace
from gateway.mapping.environment import Environment
from gateway.mapping.keys import Facts, patient, short
from gateway.mapping.normal import standard_fields
from gateway.mapping.plan import FOLLOWERS, Action, Blueprint, MessagePlan, missing
from gateway.mapping.program import SegmentProgram

_HOLLOW = re.compile(r"\|[ ^~&]+(?:\||$)")
_ENVELOPES = frozenset({"MSH", "BHS", "FHS"})
_NO_RULE = "no rule reads this field"
_LEFT_CACHE = 20_000
Body = dict[str, Any]


class Instance:
    """One resource being built: its draft, the segments it came from, and defaults still to apply."""

    __slots__ = ("blueprint", "constants", "draft", "programs", "seen")

    def __init__(self, blueprint: Blueprint, draft: Draft) -> None:
        self.blueprint = blueprint
        self.draft = draft
        self.seen: dict[str, list[str]] = {}
        self.constants: Body = {}
        self.programs: list[SegmentProgram] = []


class Run:
    """The mapping of one message; `fields`, `peers` and `draft` are what the step at work sees."""

    __slots__ = (
        "_all",
        "_anchor",
        "_counts",
        "_env",
        "_lefts",
        "_message_id",
        "_name_counts",
        "_number",
        "_open",
        "_patient",
        "_pending",
        "_plan",
        "_segment",
        "_spawn_counts",
        "_spawned",
        "_time",
        "_tracing",
        "draft",
        "fields",
        "peers",
        "result",
    )  # fmt: skip

    def __init__(
        self, message: Message, plan: MessagePlan, env: Environment, lefts: dict[Any, Left], *, tracing: bool
    ) -> None:
        self._env = env
        self._plan = plan
        self._tracing = tracing
        self._lefts = lefts
        self.result = Mapped([])
        self.peers: dict[str, list[str]] = {}
        self._open: dict[str, Instance] = {}
        self._all: list[Instance] = []
        self._counts: dict[str, int] = {}
        self._name_counts: dict[str, int] = {}
        self._pending: dict[str, list[tuple[Draft, Callable[[Body, Any], None]]]] = {}
        self._spawned: dict[Any, str] = {}
        self._spawn_counts: dict[str, int] = {}
        self._anchor = ""
        self._patient = ""
        self._message_id = ""
        self._time = ""
        self.fields: list[str] = []
        self._head(message)

    def _head(self, message: Message) -> None:
        from_message: dict[str, Segment] = {}
        for segment in message.segments:
            from_message.setdefault(segment.name, segment)
        for source in self._plan.time:
            found = from_message.get(source.name)
            told = dates.date_time(program.pick(standard_fields(found), source)).value if found is not None else None
            if told is not None:
                self._time = str(told)
                break
        self._message_id = f"{self._env.feed}:{message.control_id or message.text}"

    def segment(self, segment: Segment) -> None:
        """Read one segment into the resources it belongs to."""
        name = segment.name
        fields = self.fields = standard_fields(segment)
        self._segment = name
        self._number = self._counts[name] = self._counts.get(name, 0) + 1
        self.peers[name] = fields
        populated = _populated(fields, segment.line)
        ran: list[SegmentProgram] = []
        work = [
            (action, self._instance(action, name)) for action in self._plan.actions.get(name, ()) if self._fits(action)
        ]
        for action, instance in work:
            if instance is not None:
                self._add(action, instance, name, populated)
                ran.extend(action.programs)
        if name in self._plan.merges:
            self._merge(self._plan.merges[name], populated, ran)
        if name not in FOLLOWERS:
            self._anchor = name
        self._account(name, populated, ran)

    def _fits(self, action: Action) -> bool:
        return (not action.after or self._anchor in action.after) and (action.test is None or action.test(self))

    def _instance(self, action: Action, name: str) -> Instance | None:
        """Return the resource this action is for: the open one, or one it starts."""
        instance = self._open.get(action.blueprint.name)
        if action.starts and (instance is None or not _joins(instance, name)):
            return self._start(action.blueprint, name)
        return instance

    def _add(self, action: Action, instance: Instance, name: str, populated: list[int]) -> None:
        instance.seen[name] = self.fields
        for compiled in action.programs:
            if compiled.always:
                self.draft = instance.draft
                before = dict(instance.draft.body)
                for step in compiled.always:
                    step(self, instance.draft.body, "")
                told = instance.draft.body.items()
                instance.constants.update({key: value for key, value in told if before.get(key) is not value})
            self._apply(compiled, instance.draft, populated)
            instance.programs.append(compiled)

    def _start(self, blueprint: Blueprint, name: str) -> Instance:
        number = self._name_counts[blueprint.name] = self._name_counts.get(blueprint.name, 0) + 1
        draft_name = blueprint.name if number == 1 else f"{blueprint.name}/{number}"
        draft = Draft(draft_name, blueprint.type, {"resourceType": blueprint.type}, blueprint.mode)
        draft.source_time = self._time
        instance = Instance(blueprint, draft)
        if blueprint.is_patient:
            self._patient = draft_name
        draft.patient = self._patient
        for below in blueprint.below:
            self._open.pop(below, None)
            self._pending.pop(below, None)
        for other in blueprint.starters:
            if other != name:
                self.peers.pop(other, None)
        self._open[blueprint.name] = instance
        self._all.append(instance)
        self._connect(instance)
        return instance

    def _connect(self, instance: Instance) -> None:
        """Note what is open now: what this resource refers to, and what refers to it, before or after."""
        draft, blueprint = instance.draft, instance.blueprint
        parent = self._open.get(blueprint.parent)
        draft.parent = parent.draft.name if parent is not None else ""
        for target, write in blueprint.links:
            other = self._open.get(target)
            if other is not None:
                _link(draft, write, other.draft.name)
            else:
                self._pending.setdefault(target, []).append((draft, write))
        for target, write in blueprint.into:
            other = self._open.get(target)
            if other is not None:
                _link(other.draft, write, draft.name)
        for waiting, write in self._pending.pop(blueprint.name, ()):
            _link(waiting, write, draft.name)

    def _apply(self, compiled: SegmentProgram, draft: Draft, populated: list[int]) -> None:
        self.draft = draft
        body, fields, table = draft.body, self.fields, compiled.table
        size = len(table)
        for number in populated:
            if number < size:
                raw = fields[number]
                if raw == '""':
                    draft.clear = (*draft.clear, *compiled.clears.get(number, ()))
                    continue
                for step in table[number]:
                    step(self, body, raw)
        for source, step in compiled.outside:
            raw = program.pick(self.peers.get(source.name, []), source)
            if raw and raw != '""':
                step(self, body, raw)

    def note(self, number: int, notes: tuple[Note, ...]) -> None:
        """Report findings about a field of the current segment."""
        field = f"{self._segment}[{self._number}]-{number}"
        for note in notes:
            where = f"{field}.{note.component}" if note.component.isdigit() else field
            if note.left:
                reason = note.text if note.component.isdigit() else f"{note.text} ({note.component})"
                self.result.left.append(Left(where, reason, kept=False))
            else:
                self.result.issues.append(Issue(note.severity, note.code, note.text, where))

    def refer(self, proto: Proto) -> Body:
        """Return a Reference to the resource a field tells of; the same one is made once per message."""
        reference: Body = {"display": proto.display} if proto.display else {}
        self.draft.links.append((reference, self._spawn(proto)))
        return reference

    def _spawn(self, proto: Proto) -> str:
        key = (proto.type, proto.keys)
        name = self._spawned.get(key)
        if name is not None:
            return name
        number = self._spawn_counts[proto.type] = self._spawn_counts.get(proto.type, 0) + 1
        name = self._spawned[key] = f"{proto.type.lower()}~{number}"
        draft = Draft(name, proto.type, dict(proto.body), "fill", proto.keys, source_time=self._time)
        for element, many, other in proto.refs:
            reference: Body = {"display": other.display} if other.display else {}
            draft.links.append((reference, self._spawn(other)))
            draft.body[element] = [*draft.body.get(element, ()), reference] if many else reference
        self.result.drafts.append(draft)
        return name

    def wrote(self, path: str, rule: str, source: str) -> None:
        """Record that a rule wrote an element."""
        number = self._counts.get(source[:3], 1)
        where = source.replace(source[:3], f"{source[:3]}[{number}]", 1)
        self.result.trace.append(Trace(self.draft.name, path, rule, where))

    def _merge(self, compiled: SegmentProgram, populated: list[int], ran: list[SegmentProgram]) -> None:
        """Read the numbers of a retired record (MRG) as those of a patient."""
        gone = Draft("", "Patient", {"resourceType": "Patient"}, "fill")
        self._apply(compiled, gone, populated)
        ran.append(compiled)
        where = f"{self._segment}[{self._number}]"
        keys = patient(Facts(self._env, gone.body)).keys if "identifier" in gone.body else ()
        if keys and self._patient:
            self.result.merges.append(Merge(keys, self._patient, where))
        else:
            self.result.issues.append(Issue("error", "required", "a merge needs the numbers of both records", where))

    def _account(self, name: str, populated: list[int], ran: list[SegmentProgram]) -> None:
        result = self.result
        result.populated += len(populated)
        for number in populated:
            if not any(number in compiled.handled for compiled in ran):
                result.left.append(self._left(name, number, ran))

    def _left(self, name: str, number: int, ran: list[SegmentProgram]) -> Left:
        kept = next((compiled.kept[number] for compiled in ran if number in compiled.kept), "")
        whole = "" if ran else self._plan.kept.get(name, "")
        reason = kept or whole or (_NO_RULE if ran else f"no map reads segment {name} here")
        key = (name, self._number, number, reason)
        found = self._lefts.get(key)
        if found is None:
            if len(self._lefts) >= _LEFT_CACHE:
                self._lefts.clear()
            found = Left(f"{name}[{self._number}]-{number}", reason, kept=bool(kept or whole))
            self._lefts[key] = found
        return found

    def close(self) -> Mapped:
        """Complete the resources, name them, drop the empty ones, and return what the message became."""
        finish = Finish(self._env, self._message_id, self._all)
        result = self.result
        result.drafts = [*finish.drafts(), *result.drafts]
        fields = {left.where.partition(".")[0] for left in result.left}
        result.mapped = result.populated - len(fields)
        return result


class Finish:
    """The end of a message: defaults, keys, text that belongs together, links to what was dropped."""

    def __init__(self, env: Environment, message: str, instances: list[Instance]) -> None:
        self._env = env
        self._message = message
        self._instances = instances
        self._children: dict[tuple[str, str, str], Draft] = {}
        self._keyed: dict[Any, Draft] = {}
        self._gone: dict[str, str] = {}

    def drafts(self) -> list[Draft]:
        """Return the drafts that have something to say, each with its keys or its parent."""
        kept = [instance for instance in self._instances if not _empty(instance)]
        alive = {instance.draft.name for instance in kept}
        self._gone = {i.draft.name: "" for i in self._instances if i.draft.name not in alive}
        found = [instance.draft for instance in kept if self._complete(instance)]
        if self._gone:
            for draft in found:
                _unlink(draft, self._gone)
        return found

    def _complete(self, instance: Instance) -> bool:
        draft, blueprint = instance.draft, instance.blueprint
        for path, write in blueprint.required:
            if path not in draft.body:
                write(draft.body, missing())
        for compiled in instance.programs:
            for path, write, value in compiled.defaults:
                if not _stands(draft.body, path):
                    write(draft.body, value())
        parent = draft.parent if draft.parent not in self._gone else draft.patient
        parts = tuple(_part(program.pick(instance.seen.get(by.name, []), by)) for by in blueprint.by)
        facts = Facts(self._env, draft.body, parts, parent, draft.patient, self._message, self._day(instance))
        named = blueprint.naming(facts)
        draft.keys, draft.parent, draft.child = named.keys, named.parent, named.child
        draft.guard = named.guard
        return self._distinct(instance)

    def _day(self, instance: Instance) -> str:
        if not self._env.daily:
            return ""
        body = instance.draft.body
        told = body.get("effectiveDateTime") or body.get("authoredOn") or body.get("period", {}).get("start")
        return dates.day(str(told or instance.draft.source_time))

    def _distinct(self, instance: Instance) -> bool:
        """Give repeated children numbers, join lines of text, and make repeated orders children of the first."""
        draft = instance.draft
        if draft.keys:
            first = self._keyed.setdefault((draft.type, draft.keys[0]), draft)
            if first is not draft and draft.type != "Patient":
                parts = tuple("|".join(fields[3:5]) for fields in instance.seen.values())
                draft.keys, draft.parent = (), first.name
                draft.child = f"n-{short((*parts, str(len(self._keyed)), draft.name))}"
            return True
        key = (draft.type, draft.parent, draft.child)
        first = self._children.setdefault(key, draft)
        if first is draft:
            return True
        if instance.blueprint.joins_text and _join_text(first, instance):
            self._gone[draft.name] = first.name
            return False
        number = 2
        while (draft.type, draft.parent, f"{draft.child}-{number}") in self._children:
            number += 1
        draft.child = f"{draft.child}-{number}"
        self._children[(draft.type, draft.parent, draft.child)] = draft
        return True


def _joins(instance: Instance, name: str) -> bool:
    """Say whether this segment belongs to the open resource: begun by another starter, and the first of its kind."""
    return name not in instance.seen and len(instance.blueprint.starters) > 1


def _populated(fields: list[str], line: str) -> list[int]:
    found = [number for number, raw in enumerate(fields) if raw and number]
    if _HOLLOW.search(line):
        found = [number for number in found if fields[number].strip(" ^~&")]
    if fields[0] in _ENVELOPES:
        found = [number for number in found if number > 2]
    return found


def _link(draft: Draft, write: Callable[[Body, Any], None], name: str) -> None:
    reference: Body = {}
    write(draft.body, reference)
    draft.links.append((reference, name))


def _empty(instance: Instance) -> bool:
    """Say whether no rule wrote anything: only constants and references to its surroundings stand in the body."""
    body, links, constants = instance.draft.body, instance.draft.links, instance.constants
    if len(body) > 1 + len(links) + len(constants):
        return False
    references = {id(reference) for reference, _ in links}
    said = (item for item in body.items() if item[0] != "resourceType" and constants.get(item[0]) is not item[1])
    return all(_only_references(value, references) for _, value in said)


def _only_references(value: Any, references: set[int]) -> bool:
    if isinstance(value, list):
        return all(_only_references(item, references) for item in value)
    if id(value) in references:
        return True
    return isinstance(value, dict) and bool(value) and all(_only_references(v, references) for v in value.values())


def _unlink(draft: Draft, gone: dict[str, str]) -> None:
    """Take out references to resources that were not made, or point them to what they joined."""
    for at, (reference, name) in enumerate(draft.links):
        if gone.get(name):
            draft.links[at] = (reference, gone[name])
    dead = [reference for reference, name in draft.links if name in gone]
    joined = [pair for pair in draft.links if pair[1] not in gone]
    draft.links = joined
    repeated = _repeated(joined)
    draft.links = [pair for pair in joined if id(pair[0]) not in repeated]
    _remove(draft.body, {id(reference) for reference in dead} | repeated)


def _repeated(links: list[tuple[Body, str]]) -> set[int]:
    """Return the references that say again what an earlier one of the same draft says, without more words."""
    seen: set[str] = set()
    found = set()
    for reference, name in links:
        if name in seen and not reference:
            found.add(id(reference))
        seen.add(name)
    return found


def _remove(body: Body, references: set[int]) -> None:
    for name, value in list(body.items()):
        if id(value) in references:
            del body[name]
        elif isinstance(value, list):
            kept = [item for item in value if id(item) not in references]
            full = [item for item in kept if isinstance(item, dict) and item]
            for item in full:
                _remove(item, references)
            emptied = {id(item) for item in full if not item}
            body[name] = [item for item in kept if id(item) not in emptied]
            if not body[name]:
                del body[name]


def _join_text(first: Draft, instance: Instance) -> bool:
    told = instance.draft.body.get("valueString")
    kind = instance.seen.get("OBX", ["", "", ""])[2]
    if kind not in ("TX", "FT") or told is None or "valueString" not in first.body:
        return False
    first.body["valueString"] = f"{first.body['valueString']}\n{told}"
    return True


def _stands(body: Body, path: str) -> bool:
    return path in body if path.isidentifier() else paths.has(body, path)


def _part(raw: str) -> str:
    """Return what names a thing in a raw field: its code, else its words."""
    first = raw.split("~", 1)[0]
    if "^" not in first:
        return first.strip()
    parts = first.split("^")
    return next((part.strip() for part in (parts[0], *parts[3:4], parts[1], *parts[4:]) if part.strip()), "")
