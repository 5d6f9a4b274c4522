"""Walks message, segment, data type and vocabulary tables over one message: the facts its FHIR must hold."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tools.guide import conditions, paths, r4, values
from tools.guide.hand import HAND
from tools.guide.message import Segment, component, nearest, place, read
from tools.guide.paths import Path, Step
from tools.guide.tables import CodePair, Guide, MessageRow, Row
from tools.guide.values import Expected

REFERENCE = re.compile(r"([A-Z][A-Z0-9]{1,2})(?:[-.](\d+)((?:\.\d+)*))?$")
PIECE = re.compile(r'"([^"]*)"|([A-Z][A-Z0-9]{1,2}[-.]\d+(?:\.\d+)*)')
CODED = ("code", "$value", "$this")
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Fact:
    """One leaf the output must hold: which table rows ask for it, where it comes from, and what it is."""

    pair: Pair
    rows: tuple[str, ...]
    where: str
    path: Path
    expected: Expected
    choices: tuple[tuple[str, str], ...] = ()
    vocabulary: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Fragment:
    """What one repetition of one field asks of one resource; its facts must be met together."""

    pair: Pair
    where: str
    root: str
    facts: tuple[Fact, ...]


@dataclass(slots=True)
class Reading:
    """The oracle's reading of one message: what must be there, and which rows it cannot judge."""

    fragments: list[Fragment] = field(default_factory=list)
    unjudged: dict[tuple[Pair, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Here:
    """The place a row is applied: the text, how it is split, and what a condition may refer to."""

    text: str
    separator: str
    segment: Segment
    all: list[Segment]
    rep: str
    row: Row

    def part(self, number: int) -> str:
        """Return a component of the text (from 1)."""
        parts = self.text.split(self.separator) if self.separator else [self.text]
        return parts[number - 1] if 0 < number <= len(parts) else ""


class Oracle:
    """Expected facts of messages, from the guide's tables alone."""

    def __init__(self, guide: Guide) -> None:
        self.guide = guide
        self.types = {name.partition("[")[0].upper() for name in guide.datatypes}

    def read(self, text: str, structure: str) -> Reading:
        """Return the facts that a message of this structure must give."""
        segments = read(text)
        rows_at = place(segments, self.guide.messages[structure])
        reading = Reading()
        for segment in segments:
            for row in rows_at.get(segment.place, []):
                self._position(row, segment, segments, reading)
        return reading

    def _position(self, row: MessageRow, segment: Segment, all_: list[Segment], reading: Reading) -> None:
        rows = self.guide.segments.get(row.segment_map, [])
        if not row.target or not rows:
            return
        problem = row.unjudged or _narrative(row)
        here = Here("", "", segment, all_, "", rows[0])
        if problem or not self._fires(row.condition, here, reading, row):
            for other in rows if problem else ():
                reading.unjudged[((row.segment_map, other.source), row.id)] = problem
            return
        steps = paths.parse(row.target)
        for source in dict.fromkeys(other.source for other in rows if "-" in other.source):
            same = [other for other in rows if other.source == source]
            self._field(row, steps, same, segment, all_, reading)

    def _fires(self, condition: str, here: Here, reading: Reading, row: MessageRow) -> bool:
        try:
            return conditions.holds(conditions.parse(condition), lambda ref: self._look(ref, here))
        except conditions.Unreadable as fault:
            reading.unjudged[((row.segment_map, ""), row.id)] = str(fault)
            return False

    def _field(
        self,
        position: MessageRow,
        steps: Path,
        rows: list[Row],
        segment: Segment,
        all_: list[Segment],
        reading: Reading,
    ) -> None:
        name, _, number = rows[0].source.partition("-")
        segment = segment if name == segment.name else nearest(all_, segment, name) or segment
        reps = segment.reps(int(number)) if name == segment.name else []
        pair = (position.segment_map, rows[0].source)
        for index, rep in enumerate(reps or [""]):
            facts: list[tuple[str, Fact]] = []
            for row in rows:
                here = Here(rep, "^", segment, all_, rep, row)
                where = f"{segment.name}[{segment.number}]-{number}[{index + 1}]"
                ask = _Ask(pair, (position.id,), where, reading)
                facts.extend(_possible(self._row(row, here, steps, ask), ask))
            for root in dict.fromkeys(root for root, _ in facts):
                found = tuple(fact for other, fact in facts if other == root)
                reading.fragments.append(Fragment(pair, found[0].where, root, found))

    def _row(self, row: Row, here: Here, steps: Path, ask: "_Ask") -> Iterator[tuple[str, Fact]]:
        if not self._applies(row, here, here.text, ask):
            return
        if row.v2_type == "FC":
            here = replace(here, text=here.part(1), separator="&")
        root, path = steps[0].name, paths.join(steps[1:], paths.parse(row.target))
        target = row.datatype_map.partition("[")[2].rstrip("]")
        if row.datatype_map and paths.is_resource(target):
            kind = re.split(r"[-.]", target)[0]
            if not path and kind != root:
                root = kind
            elif path and not (path[-1].refers and path[-1].name == kind):
                path = (*path, Step(kind, "", refers=True))
        for fact in self._values(row, here, path, ask.below(row), row.vocabulary, row.fhir_type):
            yield root, fact

    def _applies(self, row: Row, here: Here, own: str, ask: "_Ask") -> bool:
        """Whether a row fires; what cannot be known is noted as not judged."""
        problem = row.unjudged or _narrative(row)
        try:
            tree = conditions.parse(row.condition)
        except conditions.Unreadable as fault:
            problem = problem or str(fault)
            tree = None
        if not own.strip("^&") and not _wants_nothing(tree, row.source):
            return False
        if not conditions.holds(tree, lambda ref: self._look(ref, replace(here, row=row))):
            return False
        if problem:
            ask.reading.unjudged[(ask.pair, row.id)] = problem
        return not problem

    def _look(self, ref: str, here: Here) -> list[str]:
        """Return the values of a reference in a condition, as seen from `here`."""
        match = REFERENCE.match(ref or here.row.source)
        if match is None:
            return []
        name, number, rest = match[1], int(match[2] or 0), match[3] or ""
        deeper = [int(part) for part in rest.split(".") if part]
        if name in self.types and name not in self._names(here):
            return [here.part(number)] if here.part(number) else []
        segment = here.segment if here.segment.name == name else nearest(here.all, here.segment, name)
        if segment is None or not number:
            return [name] if segment else []
        own = here.row.source == f"{name}-{number}" and here.rep
        reps = [here.rep] if own and deeper else segment.reps(number)
        return [found for rep in reps if (found := component(rep, deeper))]

    def _names(self, here: Here) -> set[str]:
        return {segment.name for segment in here.all}

    def _values(self, row: Row, here: Here, path: Path, ask: "_Ask", vocabulary: str, fhir_type: str) -> Iterator[Fact]:
        """Yield the facts of one fired row: a constant, a data type's rows, a coded value or a primitive."""
        name = path[-1].name if path else ""
        if row.assignment:
            expected = self._assigned(row, here, name)
            if expected is None:
                ask.reading.unjudged[(ask.pair, row.id)] = f"assignment in words: {row.assignment}"
            else:
                yield ask.fact(path, expected)
        elif row.datatype_map:
            yield from self._datatype(row, here, path, ask, vocabulary, fhir_type)
        else:
            yield from self._primitive(row, here, path, ask, vocabulary, fhir_type)

    def _assigned(self, row: Row, here: Here, name: str) -> Expected | None:
        if row.id in HAND:
            return HAND[row.id](here)
        text = row.assignment
        if text.startswith(("/", "#")) or "[line feed]" in text:
            return None
        pieces = PIECE.findall(text)
        if not pieces or (len(pieces) == 1 and pieces[0][0]):
            return values.constant(text.strip('"'), name)
        made = [(quoted, "".join(self._look(ref, here)[:1])) for quoted, ref in pieces]
        texts = ["".join(quoted or _simple(got, part) for quoted, got in made) for part in (2, 1)]
        return replace(values.constant(texts[0], name), texts=tuple(dict.fromkeys(texts)))

    def _datatype(
        self, row: Row, here: Here, path: Path, ask: "_Ask", vocabulary: str, fhir_type: str
    ) -> Iterator[Fact]:
        rows = self.guide.datatype(row.datatype_map)
        pairs = self._coded(here, vocabulary, rows)
        if pairs:
            yield from self._translated(rows, here, path, ask, pairs, vocabulary)
            return
        if self.guide.vocabulary(vocabulary) and _is_code(rows, fhir_type):
            return
        for inner in rows:
            number = _number(inner)
            own = here.part(number) if number else here.text
            if not self._applies(inner, here, own, ask):
                continue
            down = replace(here, text=own if number else here.text, row=inner)
            leaf_type = inner.fhir_type or fhir_type
            nested = replace(down, separator="&" if number and here.separator == "^" else "")
            yield from self._inner(inner, here if inner.assignment else nested, path, ask, leaf_type)

    def _inner(self, row: Row, here: Here, path: Path, ask: "_Ask", fhir_type: str) -> Iterator[Fact]:
        target = row.datatype_map.partition("[")[2].rstrip("]")
        below = paths.join(path, paths.parse(row.target))
        if row.datatype_map and paths.is_resource(target):
            kind = re.split(r"[-.]", target)[0]
            if not (below and below[-1].refers and below[-1].name == kind):
                below = (*below, Step(kind, "", refers=True))
        ask = ask.below(row)
        yield from self._values(row, replace(here, row=row), below, ask, row.vocabulary, fhir_type)

    def _coded(self, here: Here, vocabulary: str, rows: list[Row]) -> list[CodePair]:
        """Return the code pairs of the coded component, unless its coding system is another one."""
        code, system = here.part(_coded_part(rows)), here.part(3)
        found = [pair for pair in self.guide.vocabulary(vocabulary) if pair.code == code]
        if system and any("CWE" in row.source or "CNE" in row.source for row in rows):
            return [pair for pair in found if system == pair.code_system]
        return found

    def _translated(
        self,
        rows: list[Row],
        here: Here,
        path: Path,
        ask: "_Ask",
        pairs: list[CodePair],
        vocabulary: str,
    ) -> Iterator[Fact]:
        """Yield the translated coding, and the sender's own text and alternative codings beside it."""
        coded = _coded_part(rows)
        for inner in rows:
            number = _number(inner)
            below = paths.join(path, paths.parse(inner.target))
            noted = replace(ask.below(inner), vocabulary=vocabulary, code=here.part(coded))
            last = below[-1] if below else Step("")
            if number == coded and inner.target.endswith(CODED) and not inner.assignment:
                yield noted.fact(below, _codes(pairs, last.name))
                if inner.target.endswith("code"):
                    yield noted.fact((*below[:-1], Step("system")), _systems(pairs))
            elif number == 2 and "coding" in inner.target and here.part(2):
                shown = tuple(Step(s.name, "own") if s.name == "coding" else s for s in below)
                texts = (here.part(2), *(pair.display for pair in pairs if pair.display))
                yield ask.below(inner).fact(shown, Expected("text", texts))
            elif self._alternative(inner, here, number, ask):
                down = replace(here, text=here.part(number), separator="&", row=inner)
                yield from self._inner(inner, down, path, ask, inner.fhir_type)

    def _alternative(self, row: Row, here: Here, number: int, ask: "_Ask") -> bool:
        """Whether the row writes the original text or an alternative coding, which a translation leaves alone."""
        own = here.part(number) if number > 3 and "[1]" not in row.target else ""
        return bool(own) and "CodeableConcept" in row.map and self._applies(row, here, own, ask)

    def _primitive(
        self, row: Row, here: Here, path: Path, ask: "_Ask", vocabulary: str, fhir_type: str
    ) -> Iterator[Fact]:
        name = path[-1].name if path else ""
        text = (here.part(1) if here.separator else here.text).split("&", maxsplit=1)[0]
        pairs = [pair for pair in self.guide.vocabulary(vocabulary) if pair.code == text]
        noted = replace(ask, vocabulary=vocabulary, code=text)
        if pairs and fhir_type == "CodeableConcept":
            yield noted.fact((*path, Step("coding"), Step("code")), _codes(pairs, "code"))
            yield noted.fact((*path, Step("coding"), Step("system")), _systems(pairs))
        elif pairs:
            yield noted.fact(path, _codes(pairs, name))
        elif not self.guide.vocabulary(vocabulary):
            expected = self._plain(row, text, fhir_type, name)
            if expected is not None:
                yield ask.fact(path, expected)

    def _plain(self, row: Row, text: str, fhir_type: str, name: str) -> Expected | None:
        if row.any_value:
            return values.ANYTHING
        if row.map == "CWE[uri]" or (name == "system" and row.map in ("CWE[Identifier]", "CWE[Organization]")):
            return values.namespace((text, *values.system(text).texts))
        if name == "system" and re.match(r"(CWE|CE|CNE)\.(3|6|12)$", row.source):
            return values.system(text)
        return values.convert(text, fhir_type, row.v2_type, name)


@dataclass(frozen=True, slots=True)
class _Ask:
    """Who is asking: the pair, the chain of rows so far, and the choices made on the way."""

    pair: Pair
    rows: tuple[str, ...]
    where: str
    reading: Reading
    choices: tuple[tuple[str, str], ...] = ()
    vocabulary: str = ""
    code: str = ""

    def below(self, row: Row) -> "_Ask":
        """Return the same question one row deeper."""
        choices = self.choices
        if row.choice:
            group, _, option = row.choice.partition(":")
            choices = (*choices, (f"{group}@{'/'.join(self.rows)}", option))
        return replace(self, rows=(*self.rows, row.id), choices=choices)

    def fact(self, path: Path, expected: Expected) -> Fact:
        """Return the fact at this point."""
        return Fact(self.pair, self.rows, self.where, path, expected, self.choices, self.vocabulary, self.code)


def _possible(facts: Iterator[tuple[str, Fact]], ask: _Ask) -> Iterator[tuple[str, Fact]]:
    """Drop facts whose path FHIR R4 does not have; they are noted as not judged."""
    for root, fact in facts:
        problem = r4.problem(root, fact.path) or r4.forbidden(root, fact.path, fact.expected.texts)
        if problem:
            ask.reading.unjudged[(ask.pair, fact.rows[-1])] = problem
        else:
            yield root, fact


def _simple(text: str, part: int) -> str:
    """Return a piece of an expression as plain text: of a coded value its text (2) or its code (1)."""
    cells = text.split("^")
    chosen = cells[part - 1] if len(cells) > 1 and cells[part - 1] else cells[0]
    return chosen.split("&", maxsplit=1)[0]


def _number(row: Row) -> int:
    """Return the component a data type row reads, 0 for the whole value."""
    digits = re.search(r"[-.](\d+)$", row.source)
    return int(digits[1]) if digits else 0


def _coded_part(rows: list[Row]) -> int:
    """Return the component that a vocabulary map translates."""
    coded = [_number(row) for row in rows if row.target.endswith(CODED) and not row.assignment]
    return coded[0] if coded else 1


def _codes(pairs: list[CodePair], name: str) -> Expected:
    kind = "bool" if name.endswith("Boolean") else "text"
    return Expected(kind, tuple(dict.fromkeys(pair.target for pair in pairs)))


def _systems(pairs: list[CodePair]) -> Expected:
    uris = tuple(dict.fromkeys(pair.system for pair in pairs if pair.system.startswith(("http", "urn"))))
    return Expected("text", uris) if uris else values.ANYTHING


def _is_code(rows: list[Row], fhir_type: str) -> bool:
    return fhir_type.lower() in ("code", "boolean") or all(row.target == "$value" for row in rows)


def _narrative(row: Row | MessageRow) -> str:
    return f"condition in words: {row.narrative}" if row.narrative and not row.condition else ""


def _wants_nothing(tree: conditions.Condition | None, source: str) -> bool:
    """Whether the condition asks that the row's own field be empty, so that the row fires without a value."""
    if isinstance(tree, conditions.Join):
        return any(_wants_nothing(part, source) for part in tree.parts)
    if tree is None:
        return False
    own = tree.ref in ("", source, source.replace(".", "-"))
    return own and tree.operator == "valued" and tree.negated
