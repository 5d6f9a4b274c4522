"""Compiles the maps of one feed: rules to steps, data-type maps to conversions, once per catalogue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.mapping import paths, program
from gateway.mapping.cell import EMPTY, Cell, Convert, Memo, Note, Proto, Ref
from gateway.mapping.definition import MapDef, Rule, Source
from gateway.mapping.environment import Environment
from gateway.mapping.keys import by_identifier, named
from gateway.mapping.making import Body, Making, Running, Step
from gateway.mapping.program import Default, Outside, SegmentProgram
from gateway.mapping.transforms import CONVERTERS, STEPS

_Own = tuple[Callable[[str], bool] | None, Step]
_ALL = frozenset(range(1, 40))


@dataclass(slots=True)
class _Part:
    """One rule of a data-type map, compiled."""

    source: Source
    memo: Memo
    write: paths.Write
    test: Callable[[list[str]], bool] | None
    sub_map: bool
    reference: tuple[str, bool] | None


class Compiler:
    """Compiles for one environment; conversions that are alike share one cache."""

    def __init__(self, environment: Environment, datatypes: Mapping[str, MapDef], *, trace: bool = False) -> None:
        self._env = environment
        self._datatypes = datatypes
        self._trace = trace
        self._memos: dict[str, Memo] = {}

    def segment(self, definition: MapDef) -> SegmentProgram:
        """Compile one segment map."""
        name = definition.name.split("[")[0]
        compiled = SegmentProgram(definition.name, name, kept=dict(definition.kept))
        steps: dict[int, list[_Own]] = {}
        for rule in definition.rules.values():
            self._place(rule, name, compiled, steps)
        size = max(steps, default=0) + 1
        compiled.table = [_bundled(steps.get(number, [])) for number in range(size)]
        mine = [rule for rule in definition.rules.values() if rule.source.name == name and rule.source.field]
        compiled.handled = frozenset(rule.source.field for rule in mine)
        for rule in mine:
            if rule.to and rule.to != "$this" and not rule.source.component:
                top = paths.parse(rule.to.removesuffix(".$this"))[0].name
                compiled.clears[rule.source.field] = (*compiled.clears.get(rule.source.field, ()), top)
        return compiled

    def _place(self, rule: Rule, name: str, compiled: SegmentProgram, steps: dict[int, list[_Own]]) -> None:
        if rule.default is not None:
            write = paths.writer(rule.to)
            compiled.defaults.append(Default(rule.to, write, paths.constant(rule.default)))
        elif rule.to:
            here = rule.source.name == name and rule.source.field > 0
            own = program.own_condition(rule.when, rule.source) if here and rule.when is not None else None
            step = self._step(rule, name, tested=own is None)
            if rule.source.name != name:
                compiled.outside.append(Outside(Source(rule.source.name, rule.source.field), step))
            elif rule.source.field == 0:
                compiled.always.append(step)
            else:
                steps.setdefault(rule.source.field, []).append((own, step))

    def _step(self, rule: Rule, segment: str, *, tested: bool) -> Step:
        step = self._action(rule)
        if rule.source.component:
            step = program.component_step(rule.source, step)
        if rule.when is not None and tested:
            step = program.guarded(program.condition(rule.when, segment), step)
        if self._trace:
            step = program.traced(step, rule.id, rule.to, str(rule.source))
        return step

    def _action(self, rule: Rule) -> Step:
        number = rule.source.field
        if rule.transform in STEPS:
            return STEPS[rule.transform](self._making(rule))
        if rule.constant is not None:
            return self._constant(rule)
        if rule.spawn:
            memo = self.memo(rule)
            return self._repeated(rule, program.spawn_step(_beside(rule), memo, number))
        return self._writing(rule)

    def _writing(self, rule: Rule) -> Step:
        memo, number = self.memo(rule), rule.source.field
        steps = paths.parse(rule.to) if not rule.to.endswith("$this") else []
        if len(steps) == 1 and not steps[0].choose and not rule.each and rule.transform != "lines":
            return program.set_step(steps[0].name, memo, number)
        if len(steps) == 1 and steps[0].choose == "new" and rule.each and steps[0].name != "identifier":
            return program.append_step(steps[0].name, memo, number)
        head, _, last = rule.to.rpartition(".")
        beside = paths.writer(f"{head}._{last}" if head else f"_{last}") if steps and not steps[-1].choose else _ignore
        return self._repeated(rule, program.write_step(paths.writer(rule.to), beside, memo, number))

    def _repeated(self, rule: Rule, step: Step) -> Step:
        if rule.each:
            return program.each(step)
        return step if rule.transform == "lines" else program.first(step, rule.source.field)

    def _constant(self, rule: Rule) -> Step:
        write, value = paths.writer(rule.to), paths.constant(rule.constant)

        def step(run: Running, body: Body, raw: str) -> None:
            write(body, value())

        return step

    def _making(self, rule: Rule) -> Making:
        codes = self._env.codes.get(rule.code) if rule.code else None
        return Making(self._env, str(Source(rule.source.name, rule.source.field)), rule.args, codes)

    def memo(self, rule: Rule) -> Memo:
        """Return the conversion of a rule with its cache; equal conversions are one."""
        sign = repr((rule.datatype, rule.spawn, rule.transform, rule.code, sorted(rule.args.items()), rule.beside))
        coded = rule.code or "concept" in rule.transform or rule.datatype.startswith(("CWE", "CE", "ID", "IS", "C"))
        sign += str(rule.source) if coded else ""
        found = self._memos.get(sign)
        if found is None:
            found = self._memos[sign] = Memo(self._conversion(rule))
        return found

    def _conversion(self, rule: Rule) -> Convert:
        making = self._making(rule)
        if rule.spawn:
            return self._proto(self._datatypes[rule.spawn], making)
        if rule.datatype:
            convert = self._datatype(self._datatypes[rule.datatype], making)
        elif rule.transform:
            convert = CONVERTERS[rule.transform](making)
        else:
            convert = CONVERTERS["code" if rule.code else "text"](making)
        return program.with_constants(convert, rule.beside) if rule.beside else convert

    def _datatype(self, definition: MapDef, making: Making) -> Convert:
        if definition.native:
            return CONVERTERS[definition.native](
                Making(making.env, making.row, definition.args | making.args, making.codes)
            )
        parts: dict[int, list[_Part]] = {}
        always: list[tuple[paths.Write, Callable[[], Any]]] = []
        for rule in definition.rules.values():
            if rule.source.component == 0 and rule.constant is not None:
                always.append((paths.writer(rule.to), paths.constant(rule.constant)))
            elif rule.to:
                parts.setdefault(rule.source.component, []).append(self._part(rule))
            else:
                parts.setdefault(rule.source.component, [])
        kept = frozenset(definition.kept)
        if any(part.sub_map for part in parts.get(0, ())):
            kept |= _ALL
        needs = definition.needs
        if not needs:
            return lambda raw: _convert(raw, parts, always, kept)
        return lambda raw: _telling(_convert(raw, parts, always, kept), needs)

    def _part(self, rule: Rule) -> _Part:
        value_path = "value" if rule.to == "$value" else rule.to
        write = _value_writer if rule.to == "$value" else paths.writer(value_path)
        if rule.constant is not None:
            make = paths.constant(rule.constant)
            memo = Memo(lambda raw: Cell(make()))
        else:
            memo = self.memo(rule)
        test = program.parts_condition(rule.when) if rule.when is not None else None
        steps = paths.parse(value_path) if rule.spawn else []
        reference = (steps[0].name, steps[0].choose == "new") if steps else None
        return _Part(rule.source, memo, write, test, bool(rule.datatype or rule.spawn), reference)

    def _proto(self, definition: MapDef, making: Making) -> Convert:
        """Return the conversion of a field to the pattern of another resource."""
        convert = self._datatype(definition, making)
        if definition.native:
            return convert
        kind, env = definition.type, self._env

        def converted(raw: str) -> Cell:
            cell = convert(raw)
            if not isinstance(cell.value, dict):
                return cell._replace(value=None, refs=())
            body = {"resourceType": kind} | cell.value
            keys = by_identifier(body, env, cell.refs)
            if not keys:
                return cell._replace(value=None, refs=())
            words = named(body) or next((ref.proto.display for ref in cell.refs), "")
            return Cell(Proto(kind, body, keys, words, cell.refs), cell.notes)

        return converted


def _convert(
    raw: str,
    table: dict[int, list[_Part]],
    always: list[tuple[paths.Write, Callable[[], Any]]],
    kept: frozenset[int],
) -> Cell:
    parts = raw.split("^")
    body: Body = {}
    notes: list[Note] = []
    refs: list[Ref] = []
    for number, text in enumerate(parts, 1):
        if not text or text == '""' or text.isspace():
            continue
        steps = table.get(number)
        if steps is None:
            if number not in kept and text.strip("& "):
                notes.append(Note("no rule reads this component", component=str(number), left=True))
            continue
        for step in steps:
            if step.test is None or step.test(parts):
                _apply(step, text, body, notes, refs, number)
    for step in table.get(0, ()):
        _apply(step, raw, body, notes, refs, 0)
    if not body and not refs:
        return Cell(None, tuple(notes)) if notes else EMPTY
    for write, make in always:
        write(body, make())
    return Cell(body.get("$value", body), tuple(notes), tuple(refs))


def _telling(cell: Cell, needs: frozenset[str]) -> Cell:
    """Return the cell, without its value when it says none of the elements that would tell something."""
    return cell._replace(value=None) if isinstance(cell.value, dict) and not cell.value.keys() & needs else cell


def _apply(step: _Part, text: str, body: Body, notes: list[Note], refs: list[Ref], number: int) -> None:
    raw = program.pick([f"^{text}"], Source("", 0, 2, step.source.sub)) if step.source.sub else text
    cell = step.memo[raw.replace("&", "^") if step.sub_map and number else raw]
    notes.extend(note if number == 0 else note._replace(component=str(number)) for note in cell.notes)
    if cell.value is None:
        return
    if step.reference is not None:
        refs.append(Ref(*step.reference, cell.value))
        return
    refs.extend(cell.refs)
    for item in cell.value if isinstance(cell.value, list) else (cell.value,):
        step.write(body, item)


def _bundled(steps: list[_Own]) -> tuple[Step, ...]:
    """Return the steps of a field; rules that choose by its own text are decided once per text."""
    if all(test is None for test, _ in steps):
        return tuple(step for _, step in steps)
    return (program.choice(steps),)


def _value_writer(body: Body, value: Any) -> None:
    body["$value"] = value


def _beside(rule: Rule) -> paths.Write:
    """Return the writer of a reference; the rule's constants stand in the element that holds it, or in itself."""
    head, _, last = rule.to.rpartition(".")
    if not rule.beside:
        return paths.writer(rule.to)
    return program.surrounded(paths.writer(head or rule.to), last if head else "", rule.beside)


def _ignore(body: Body, value: Any) -> None:
    """Write nothing: an element of a list has no place beside it."""
