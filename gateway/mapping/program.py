"""Programs: segment maps compiled to tables of steps, one entry per field, for one feed."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.mapping.cell import Cell, Memo, Note
from gateway.mapping.definition import Source, When
from gateway.mapping.making import Body, Running, Step
from gateway.mapping.paths import Write, constant

Test = Callable[[Running], bool]
CHOICES = 512
EXTRA = Note("only the first repetition has a place", component="repetition", left=True)


class Outside(NamedTuple):
    """A rule whose source is in another segment: where to look, and what to do with the raw value."""

    source: Source
    step: Step


class Default(NamedTuple):
    """What to write when the resource is complete and nothing stands at `path`."""

    path: str
    write: Write
    value: Callable[[], Any]


@dataclass(slots=True)
class SegmentProgram:
    """One segment map, ready to run: `table[n]` are the steps of field n."""

    name: str
    segment: str
    table: list[tuple[Step, ...]] = field(default_factory=list)
    always: list[Step] = field(default_factory=list)
    outside: list[Outside] = field(default_factory=list)
    defaults: list[Default] = field(default_factory=list)
    handled: frozenset[int] = frozenset()
    kept: dict[int, str] = field(default_factory=dict)
    clears: dict[int, tuple[str, ...]] = field(default_factory=dict)


def merged(programs: Sequence[SegmentProgram]) -> SegmentProgram:
    """Return one program that does what several do to the same resource, field by field."""
    if len(programs) == 1:
        return programs[0]
    first = programs[0]
    one = SegmentProgram(" + ".join(each.name for each in programs), first.segment)
    for each_program in programs:
        one.always.extend(each_program.always)
        one.outside.extend(each_program.outside)
        one.defaults.extend(each_program.defaults)
        one.handled |= each_program.handled
        one.kept = each_program.kept | one.kept
        for number, names in each_program.clears.items():
            one.clears[number] = (*one.clears.get(number, ()), *names)
    size = max(len(each_program.table) for each_program in programs)
    tables = [[*each_program.table, *[()] * (size - len(each_program.table))] for each_program in programs]
    one.table = [tuple(step for steps in row for step in steps) for row in zip(*tables, strict=True)]
    return one


def pick(fields: Sequence[str], source: Source) -> str:
    """Return the raw text of a source in these fields: '' when absent; components of the first repetition."""
    raw = fields[source.field] if source.field < len(fields) else ""
    if not source.component or not raw:
        return raw
    parts = raw.split("~", 1)[0].split("^")
    part = parts[source.component - 1] if source.component <= len(parts) else ""
    if not source.sub:
        return part
    subs = part.split("&")
    return subs[source.sub - 1] if source.sub <= len(subs) else ""


def condition(when: When, segment: str) -> Test:
    """Compile a condition on fields of this segment, or of the latest other segment of its group."""
    if len(when.sources) == 1:
        return _single(when, when.sources[0], segment)
    tests = [_single(When(when.kind, (source,), when.values), source, segment) for source in when.sources]
    if when.kind == "present":
        return lambda run: any(test(run) for test in tests)
    return lambda run: all(test(run) for test in tests)


def own_condition(when: When, field: Source) -> Callable[[str], bool] | None:
    """Compile a condition that looks at nothing but the field of its rule; None when it looks elsewhere."""
    if any(at.name != field.name or at.field != field.field for at in when.sources):
        return None
    test = condition(When(when.kind, tuple(at.at(1) for at in when.sources), when.values), field.name)
    return lambda raw: test(_Alone(raw))  # type: ignore[arg-type]


class _Alone:
    """A segment that has nothing but one field."""

    __slots__ = ("fields", "peers")

    def __init__(self, raw: str) -> None:
        self.fields = ["", raw]
        self.peers: dict[str, list[str]] = {}


def _single(when: When, source: Source, segment: str) -> Test:
    if source.name == segment and not source.component:
        return _on_field(when, source.field)
    read, values = _reader(source, segment), when.values
    if when.kind == "present":
        return lambda run: _said(read(run))
    if when.kind == "absent":
        return lambda run: not _said(read(run))
    if when.kind == "one_of":
        return lambda run: read(run) in values
    return lambda run: read(run) not in values


def _on_field(when: When, number: int) -> Test:
    """Compile the commonest conditions: on a whole field of the same segment."""
    values = when.values
    if when.kind == "present":
        return lambda run: number < len(run.fields) and bool(run.fields[number]) and _said(run.fields[number])
    if when.kind == "absent":
        return lambda run: number >= len(run.fields) or not run.fields[number] or not _said(run.fields[number])
    if when.kind == "one_of":
        if "" in values:
            return lambda run: number >= len(run.fields) or run.fields[number] in values
        return lambda run: number < len(run.fields) and run.fields[number] in values
    if "" in values:
        return lambda run: number < len(run.fields) and run.fields[number] not in values
    return lambda run: number >= len(run.fields) or run.fields[number] not in values


def parts_condition(when: When) -> Callable[[list[str]], bool]:
    """Compile a condition on the components of one value (data-type maps); parts[0] is component 1."""
    at = [source.component - 1 for source in when.sources]
    if when.kind == "present":
        return lambda parts: any(n < len(parts) and _said(parts[n]) for n in at)
    if when.kind == "absent":
        return lambda parts: not any(n < len(parts) and _said(parts[n]) for n in at)
    n, values = at[0], when.values
    if when.kind == "one_of":
        return lambda parts: (parts[n] if n < len(parts) else "") in values
    return lambda parts: (parts[n] if n < len(parts) else "") not in values


def _said(raw: str) -> bool:
    return bool(raw) and raw != '""' and bool(raw.strip("^&~ "))


def _reader(source: Source, segment: str) -> Callable[[Running], str]:
    if source.name == segment:
        return lambda run: pick(run.fields, source)
    return lambda run: pick(run.peers.get(source.name, ()), source)


def set_step(name: str, memo: Memo, number: int) -> Step:
    """Return the commonest step: the first repetition, converted, at a top-level element."""

    def step(run: Running, body: Body, raw: str) -> None:
        if "~" in raw:
            raw = only(run, raw, number)
        value, notes, refs, beside = memo[raw]
        if value is not None:
            body[name] = value if not refs else placed(run, value, refs)
        if beside is not None:
            body[f"_{name}"] = beside
        if notes:
            run.note(number, notes)

    return step


def append_step(name: str, memo: Memo, number: int) -> Step:
    """Return the step that adds every repetition, converted (a list: each of its values), to a top-level list."""

    def step(run: Running, body: Body, raw: str) -> None:
        for part in raw.split("~") if "~" in raw else (raw,):
            value, notes, refs, _ = memo[part]
            if value is not None:
                if refs:
                    value = placed(run, value, refs)
                found = body.get(name)
                if isinstance(value, list):
                    body[name] = [*(found or ()), *value]
                elif found is None:
                    body[name] = [value]
                else:
                    found.append(value)
            if notes:
                run.note(number, notes)

    return step


def only(run: Running, raw: str, number: int) -> str:
    """Return the first repetition that says something; the others are reported as left over."""
    told = [part for part in raw.split("~") if part.strip("^& ")]
    if len(told) > 1:
        run.note(number, (EXTRA,))
    return told[0] if told else ""


def choice(steps: list[tuple[Callable[[str], bool] | None, Step]]) -> Step:
    """Return one step for the rules of a field whose conditions look only at its own text, decided once per text."""
    chosen: dict[str, tuple[Step, ...]] = {}

    def step(run: Running, body: Body, raw: str) -> None:
        found = chosen.get(raw)
        if found is None:
            if len(chosen) >= CHOICES:
                chosen.clear()
            found = chosen[raw] = tuple(one for test, one in steps if test is None or test(raw))
        for one in found:
            one(run, body, raw)

    return step


def write_step(write: Write, beside_at: Write, memo: Memo, number: int) -> Step:
    """Return the step for any other target; a converted list is written value by value."""

    def step(run: Running, body: Body, raw: str) -> None:
        value, notes, refs, beside = memo[raw]
        if value is not None:
            if refs:
                value = placed(run, value, refs)
            for item in value if isinstance(value, list) else (value,):
                write(body, item)
        if beside is not None:
            beside_at(body, beside)
        if notes:
            run.note(number, notes)

    return step


def spawn_step(write: Write, memo: Memo, number: int) -> Step:
    """Return the step that makes another resource from the field and writes a reference to it."""

    def step(run: Running, body: Body, raw: str) -> None:
        cell = memo[raw]
        if cell.value is not None:
            write(body, run.refer(cell.value))
        if cell.notes:
            run.note(number, cell.notes)

    return step


def surrounded(write: Write, last: str, constants: Body) -> Write:
    """Return a writer that puts a reference as `last` of a new element beside constants; '' puts them into it."""
    make = constant(constants)

    def written(body: Body, reference: Any) -> None:
        if not last:
            reference.update(make())
            write(body, reference)
        else:
            write(body, make() | {last: reference})

    return written


def placed(run: Running, value: Body, refs: Any) -> Body:
    """Return the value with its references in place (a copy: converted values are shared)."""
    value = dict(value)
    for element, many, proto in refs:
        reference = run.refer(proto)
        value[element] = [*value.get(element, ()), reference] if many else reference
    return value


def each(step: Step) -> Step:
    """Run a step for every repetition."""

    def repeated(run: Running, body: Body, raw: str) -> None:
        if "~" not in raw:
            step(run, body, raw)
            return
        for part in raw.split("~"):
            if part.strip("^& "):
                step(run, body, part)

    return repeated


def first(step: Step, number: int) -> Step:
    """Run a step for the first repetition that says something."""

    def once(run: Running, body: Body, raw: str) -> None:
        step(run, body, only(run, raw, number) if "~" in raw else raw)

    return once


def component_step(source: Source, step: Step) -> Step:
    """Run a step on one component of the field."""
    at = Source(source.name, 0, source.component, source.sub)

    def inner(run: Running, body: Body, raw: str) -> None:
        part = pick([raw], at)
        if part:
            step(run, body, part)

    return inner


def guarded(test: Test, step: Step) -> Step:
    """Run a step only where the condition holds."""

    def inner(run: Running, body: Body, raw: str) -> None:
        if test(run):
            step(run, body, raw)

    return inner


def traced(step: Step, rule: str, path: str, source: str) -> Step:
    """Run a step and record which rule wrote which element from which field."""

    def inner(run: Running, body: Body, raw: str) -> None:
        before = deepcopy(body)
        step(run, body, raw)
        if body != before or path == "$this":
            run.wrote(path, rule, source)

    return inner


def with_constants(convert: Callable[[str], Cell], constants: Body) -> Callable[[str], Cell]:
    """Add constants beside an object value; what the value says itself wins."""

    def converted(raw: str) -> Cell:
        cell = convert(raw)
        if isinstance(cell.value, dict):
            return cell._replace(value=constants | cell.value)
        if isinstance(cell.value, list):
            return cell._replace(value=[constants | item for item in cell.value])
        return cell

    return converted
