"""The engine: runs one message through its plan, and accounts for every populated field."""

import re
from collections.abc import Callable
from typing import Any

from gateway.fhir.issues import Issue
from gateway.formats.hl7v2 import Message, Segment
from gateway.mapping import dates, periods, program
from gateway.mapping.cell import Note, Proto
from gateway.mapping.draft import Draft, Left, Mapped, Merge, Move, Refusal, Renumber, Same, Split, Trace
from gateway.mapping.environment import Environment
from gateway.mapping.finish import Finish, Instance
from gateway.mapping.keys import Facts, patient
from gateway.mapping.normal import standard_fields
from gateway.mapping.plan import FOLLOWERS, Action, Blueprint, MessagePlan
from gateway.mapping.program import SegmentProgram

_HOLLOW = re.compile(r"\|[ ^~&]+(?:\||$)")
_NULL = '""'
_HEADERS = frozenset({"MSH", "BHS", "FHS"})
_NO_RULE = "no rule reads this field"
_PROVENANCE = "kept as the provenance of every resource of the message"
_DELETES_NOTHING = "deletes what is not kept here"
_LEFT_CACHE = 20_000
Body = dict[str, Any]
Lefts = dict[tuple[str, int, int, str], Left]


class Run:
    """The mapping of one message; `fields`, `peers` and `draft` are what the step at work sees."""

    def __init__(self, message: Message, plan: MessagePlan, env: Environment, lefts: Lefts) -> None:
        self._env = env
        self._plan = plan
        self._lefts = lefts
        self.result = Mapped([])
        self.fields: list[str] = []
        self.peers: dict[str, list[str]] = {}
        self.draft = Draft("", "", {}, "replace")
        self._segment = ""
        self._elsewhere = ""
        self._nulls = False
        self._places: set[str] = set()
        self._number = 0
        self._unread = 0
        self._anchor = ""
        self._patient = ""
        self._open: dict[str, Instance] = {}
        self._all: list[Instance] = []
        self._displaced: list[tuple[Draft, str, Body]] = []
        self._pending: dict[str, list[tuple[Draft, Callable[[Body, Any], None], str]]] = {}
        self._spawned: dict[tuple[str, Any], str] = {}
        self._counts: dict[str, int] = {}
        self._heads, self._time = self._head(message, plan)
        self._message_id = f"{env.feed}:{message.control_id or message.text}"

    def segment(self, segment: Segment) -> None:
        """Read one segment into the resources it belongs to."""
        name = self._segment = segment.name
        self.fields, populated, self._nulls = self._split(segment)
        self._number = self._count(name)
        self.peers[name] = self.fields
        ran: list[SegmentProgram] = []
        quiet: list[SegmentProgram] = []
        work = self._work(name, quiet)
        for action, instance in work:
            self._add(action.program, instance, populated)
            ran.append(action.program)
        if name in self._plan.identities:
            self._identity(*self._plan.identities[name], populated, ran)
        if name not in FOLLOWERS:
            self._anchor = name
        self._account(name, populated, ran, quiet)

    def close(self) -> Mapped:
        """Complete the resources, name them, drop the empty ones, and return what the message became."""
        result = self.result
        finish = Finish(self._env, self._message_id, self._all, self._heads, self._displaced)
        result.drafts = [*finish.drafts(), *self.result.drafts]
        result.issues.extend(issue for draft in result.drafts if (issue := periods.turned(draft)) is not None)
        result.mapped = result.populated - self._unread - len(self._places)
        return result

    def _head(self, message: Message, plan: MessagePlan) -> tuple[dict[str, list[str]], str]:
        """Return the header's fields, which keys may name, and the source time of the message."""
        return _head(message, plan)

    def _split(self, segment: Segment) -> tuple[list[str], list[int], bool]:
        """Return the fields of a segment, the numbers of those populated, and whether one of them is HL7's null."""
        fields = standard_fields(segment)
        return fields, _populated(fields, segment.line), _NULL in segment.line

    def _place(self, name: str, ordinal: int, number: int = 0) -> str:
        """Return a place in the message for people."""
        return f"{name}[{ordinal}]-{number}" if number else f"{name}[{ordinal}]"

    def _count(self, name: str) -> int:
        number = self._counts[name] = self._counts.get(name, 0) + 1
        return number

    def _work(self, name: str, quiet: list[SegmentProgram]) -> list[tuple[Action, Instance]]:
        """Return what this segment does: first every resource it starts is there, then they are filled."""
        work: list[tuple[Action, Instance]] = []
        for action in self._plan.actions.get(name, ()):
            if (action.after and self._anchor not in action.after) or (action.test and not action.test(self)):
                continue
            if action.blueprint.quiet:
                quiet.append(action.program)
                continue
            instance = self._open.get(action.blueprint.name)
            if action.starts and (instance is None or not instance.takes(name)):
                instance = self._start(action.blueprint, name)
            if instance is not None:
                instance.seen[name] = self.fields
                work.append((action, instance))
        return work

    def _start(self, blueprint: Blueprint, name: str) -> Instance:
        number = self._count(f"{blueprint.name}/")
        draft = Draft(
            blueprint.name if number == 1 else f"{blueprint.name}/{number}",
            blueprint.type,
            {"resourceType": blueprint.type},
            blueprint.mode,
            source_time=self._time,
        )
        if blueprint.is_patient:
            self._patient = draft.name
        draft.patient = self._patient
        for below in blueprint.below:
            if below in self._open:
                del self._open[below]
            if below in self._pending:
                del self._pending[below]
        if len(blueprint.starters) > 1:
            for other in blueprint.starters:
                if other != name:
                    self.peers.pop(other, None)
        instance = Instance(blueprint, draft)
        self._open[blueprint.name] = instance
        self._all.append(instance)
        self._connect(draft, blueprint)
        return instance

    def _connect(self, draft: Draft, blueprint: Blueprint) -> None:
        """Refer to what is open now or opens next in the same group, and let that refer to this."""
        parent = self._open.get(blueprint.parent) or self._open.get(blueprint.within)
        draft.parent = parent.draft.name if parent is not None else ""
        for target, write, single in blueprint.links:
            other = self._open.get(target)
            if other is not None and single not in draft.body:
                _link(draft, write, other.draft.name)
            elif other is None:
                self._pending.setdefault(target, []).append((draft, write, single))
        for target, write, single in blueprint.into:
            other = self._open.get(target)
            if other is not None:
                if single in other.draft.body:
                    self._displaced.append((other.draft, single, other.draft.body[single]))
                _link(other.draft, write, draft.name)
        if blueprint.name in self._pending:
            for waiting, write, single in self._pending.pop(blueprint.name):
                if single not in waiting.body:
                    _link(waiting, write, draft.name)

    def _add(self, compiled: SegmentProgram, instance: Instance, populated: list[int]) -> None:
        if compiled.always:
            self._constants(compiled, instance)
        self._apply(compiled, instance.draft, populated)
        if compiled.defaults:
            instance.programs.append(compiled)

    def _constants(self, compiled: SegmentProgram, instance: Instance) -> None:
        self.draft = instance.draft
        body = instance.draft.body
        before = dict(body)
        for step in compiled.always:
            step(self, body, "")
        instance.constants.update({key: value for key, value in body.items() if before.get(key) is not value})

    def _apply(self, compiled: SegmentProgram, draft: Draft, populated: list[int]) -> None:
        self.draft = draft
        body, fields, table = draft.body, self.fields, compiled.table
        size = len(table)
        if self._nulls:
            populated = self._cleared(compiled, draft, populated)
        for number in populated:
            if number < size:
                for step in table[number]:
                    step(self, body, fields[number])
        for source, step in compiled.outside:
            raw = program.pick(self.peers.get(source.name, []), source)
            if raw and raw != _NULL:
                self._elsewhere = source.name
                step(self, body, raw)
                self._elsewhere = ""

    def _cleared(self, compiled: SegmentProgram, draft: Draft, populated: list[int]) -> list[int]:
        """Let HL7 nulls clear their elements, and return the other populated fields."""
        for number in populated:
            if self.fields[number] == _NULL:
                draft.clear = (*draft.clear, *compiled.clears.get(number, ()))
        return [number for number in populated if self.fields[number] != _NULL]

    def note(self, number: int, notes: tuple[Note, ...]) -> None:
        """Report findings about a field of the current segment."""
        name = self._elsewhere or self._segment
        field = self._place(name, self._counts.get(name, 1), number)
        for note in notes:
            component = note.component if note.component.isdigit() else ""
            where = f"{field}.{component}" if component else field
            if note.left:
                reason = note.text if component or not note.component else f"{note.text} ({note.component})"
                self.result.left.append(Left(where, reason, kept=False))
                self._places.add(field)
            else:
                self.result.issues.append(Issue(note.severity, note.code, note.text, where))

    def refer(self, proto: Proto) -> Body:
        """Return a Reference to the resource a field tells of; the same one is made once per message."""
        return self._reference(self.draft, proto)

    def _reference(self, draft: Draft, proto: Proto) -> Body:
        reference: Body = {"display": proto.display} if proto.display else {}
        draft.links.append((reference, self._spawn(proto)))
        return reference

    def _spawn(self, proto: Proto) -> str:
        name = self._spawned.get((proto.type, proto.keys))
        if name is not None:
            return name
        name = f"{proto.type.lower()}~{self._count(proto.type)}"
        self._spawned[(proto.type, proto.keys)] = name
        draft = Draft(name, proto.type, dict(proto.body), "fill", proto.keys, source_time=self._time)
        for element, many, other in proto.refs:
            reference = self._reference(draft, other)
            draft.body[element] = [*draft.body.get(element, ()), reference] if many else reference
        self.result.drafts.append(draft)
        return name

    def wrote(self, path: str, rule: str, source: str) -> None:
        """Record that a rule wrote an element."""
        name = source[:3]
        where = f"{name}[{self._counts.get(name, 1)}]{source[3:]}"
        self.result.trace.append(Trace(self.draft.name, path, rule, where))

    def _identity(self, word: str, compiled: SegmentProgram, populated: list[int], ran: list[SegmentProgram]) -> None:
        """Note what a segment says of who is who; the numbers in MRG are those of a patient."""
        where = self._place(self._segment, self._number)
        if word in ("unlink", "link"):
            named = [one.draft.name for one in self._all if one.blueprint.is_patient]
            pairs = [(named[0], name) for name in named[1:] if name == self._patient]
            self.result.said.extend((Split if word == "unlink" else Same)(*pair, where) for pair in pairs)
            return
        gone = Draft("", "Patient", {"resourceType": "Patient"}, "fill")
        self._apply(compiled, gone, populated)
        ran.append(compiled)
        keys = patient(Facts(self._env, gone.body)).keys if "identifier" in gone.body else ()
        people = (one for one in reversed(self._all) if one.blueprint.is_patient)
        person = next((one.draft.name for one in people if self._segment not in one.blueprint.starters), "")
        if not keys or not person:
            self.result.issues.append(Issue("error", "required", f"a {word} needs the numbers of both records", where))
        elif word == "refuse":
            self.result.said.append(Refusal(where))
        elif word == "merge":
            self.result.merges.append(Merge(keys, person, where, gone.body))
        else:
            self.result.said.append((Renumber if word == "renumber" else Move)(keys, person, where))

    def _account(self, name: str, populated: list[int], ran: list[SegmentProgram], quiet: list[SegmentProgram]) -> None:
        self.result.populated += len(populated)
        handled = ran[0].handled if len(ran) == 1 else self._union(ran)
        missed = [number for number in populated if number not in handled]
        self._unread += len(missed)
        for number in missed:
            self.result.left.append(self._left(name, number, ran, quiet))

    def _union(self, ran: list[SegmentProgram]) -> frozenset[int]:
        """Return the fields that at least one of these programs reads."""
        key = tuple(map(id, ran))
        found = self._plan.unions.get(key)
        if found is None:
            found = frozenset().union(*(compiled.handled for compiled in ran))
            self._plan.unions[key] = found
        return found

    def _left(self, name: str, number: int, ran: list[SegmentProgram], quiet: list[SegmentProgram]) -> Left:
        kept = self._kept(name, number, ran, quiet)
        reason = kept or (_NO_RULE if ran or quiet else f"no map reads segment {name} here")
        key = (name, self._number, number, reason)
        found = self._lefts.get(key)
        if found is None:
            if len(self._lefts) >= _LEFT_CACHE:
                self._lefts.clear()
            found = self._lefts[key] = Left(f"{name}[{self._number}]-{number}", reason, kept=bool(kept))
        return found

    def _kept(self, name: str, number: int, ran: list[SegmentProgram], quiet: list[SegmentProgram]) -> str:
        """Return why a field stays in the raw bytes on purpose, '' when nobody thought of it."""
        for compiled in (*ran, *quiet):
            if number in compiled.kept:
                return compiled.kept[number]
        if any(number in compiled.handled for compiled in quiet):
            return _PROVENANCE
        if self.fields[number] == _NULL:
            return _DELETES_NOTHING
        return "" if ran else self._plan.kept.get(name, "")


def _head(message: Message, plan: MessagePlan) -> tuple[dict[str, list[str]], str]:
    """Return the header's fields, which keys may name, and the source time of the message."""
    heads: dict[str, list[str]] = {}
    for segment in message.segments:
        if segment.name not in heads and (segment.name == "MSH" or segment.name in plan.timing):
            heads[segment.name] = standard_fields(segment)
    for source in plan.time:
        told = dates.date_time(program.pick(heads.get(source.name, []), source)).value
        if told is not None:
            return heads, str(told)
    return heads, ""


def _populated(fields: list[str], line: str) -> list[int]:
    found = [number for number, raw in enumerate(fields) if raw and number]
    if fields[0] in _HEADERS:
        return [number for number in found if number > 2 and fields[number].strip(" ^~&")]
    if _HOLLOW.search(line):
        return [number for number in found if fields[number].strip(" ^~&")]
    return found


def _link(draft: Draft, write: Callable[[Body, Any], None], name: str) -> None:
    reference: Body = {}
    write(draft.body, reference)
    draft.links.append((reference, name))
