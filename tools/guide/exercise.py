"""Writes exercise messages: every mapped field and component filled, and both sides of every condition reached."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, groupby

from tools.guide import conditions, paths, r4
from tools.guide.conditions import Condition, Join, Test
from tools.guide.message import component
from tools.guide.oracle import REFERENCE
from tools.guide.plan import ALWAYS, EVENTS, EXCLUSIVE, LENGTHS, MAX_VARIANTS, NEEDED, OBX5, ROLES, WITHOUT
from tools.guide.samples import Maker
from tools.guide.tables import Guide, MessageRow, Row

Key = tuple[str, int, int]
Needs = dict[Key, str]
PRESENT, ABSENT, TWICE, ONCE = "<present>", "<absent>", "<twice>", "<once>"
LONG, SHORT = "<long>", "<short>"
MARKS = {PRESENT, ABSENT, TWICE, ONCE, LONG, SHORT}
MAX_REPEATS = 8
PLAIN = 8
SHORT_ROUND = 60
REPEATING = {"OBX", "PRT", "ROL", "NK1", "NTE"}


@dataclass(slots=True)
class Variant:
    """One message to be: what its fields must be for the conditions it is made for."""

    needs: Needs = field(default_factory=dict)
    repeats: dict[str, list["Variant"]] = field(default_factory=dict)

    def takes(self, needs: Needs) -> bool:
        """Take the needs in, as those of one more turn of a repeating segment where they are about that alone."""
        segments = {key[0] for key in needs}
        if len(segments) == 1 and segments <= REPEATING:
            turns_ = self.repeats.setdefault(segments.pop(), [])
            home = next((turn for turn in turns_ if turn.accepts(needs)), None)
            if home is None and len(turns_) < MAX_REPEATS:
                turns_.append(home := Variant())
            return home is not None and home.absorb(needs)
        return self.accepts(needs) and self.absorb(needs)

    def absorb(self, needs: Needs) -> bool:
        """Add needs that are known not to contradict."""
        self.needs |= {key: n for key, n in needs.items() if n != PRESENT or key not in self.needs}
        return True

    def accepts(self, needs: Needs) -> bool:
        """Whether the needs do not contradict what is already asked."""
        return all(_agree(self.needs.get(key), need) for key, need in needs.items()) and not any(
            self._clash(key, need) for key, need in needs.items()
        )

    def _clash(self, key: Key, need: str) -> bool:
        """A field cannot be absent while one of its components has a value."""
        whole = self.needs.get((key[0], key[1], 0))
        if key[2] and whole == ABSENT and need != ABSENT:
            return True
        parts = [n for (name, number, part), n in self.needs.items() if (name, number) == key[:2] and part]
        return key[2] == 0 and need == ABSENT and any(part != ABSENT for part in parts)


def _agree(old: str | None, new: str) -> bool:
    if old is None or old == new:
        return True
    if ABSENT in (old, new):
        return False
    barred, other = (old, new) if old.startswith("!") else (new, old)
    if barred.startswith("!"):
        return other not in barred[1:].split("|")
    return PRESENT in (old, new)


def messages(guide: Guide, structure: str) -> list[str]:
    """Return the exercise messages of one structure, lines ended by CR."""
    variants = [Variant() for _ in range(PLAIN)]
    for needs in _needed(guide, structure):
        if not any(variant.takes(needs) for variant in variants[1:]):
            variants.append(Variant())
            variants[-1].takes(needs)
    return [Writer(guide, structure, v, turn).text() for turn, v in enumerate(variants[:MAX_VARIANTS])]


def turns(guide: Guide, structure: str, count_: int) -> Iterator[str]:
    """Yield plain messages in which every vocabulary map's codes come round, one code a message."""
    without: Needs = {(name, number, 0): ABSENT for name, number in WITHOUT}
    for turn in range(count_):
        yield Writer(guide, structure, Variant(), turn, every_code=True).text()
        if turn < SHORT_ROUND:
            yield Writer(guide, structure, Variant(without), turn, every_code=True).text()


def _needed(guide: Guide, structure: str) -> Iterator[Needs]:
    """Yield what each conditional row needs in order to fire."""
    seen: set[str] = set()
    for position in guide.messages[structure]:
        rows = guide.segments.get(position.segment_map, [])
        if not position.target or position.unjudged or not rows:
            continue
        outer = list(_solve(_tree(position.condition), Row("", 0, position.segment + "-0")))
        yield from outer[1:] if position.segment_map in seen else outer
        seen.add(position.segment_map)
        for row in rows:
            if "-" in row.source and not row.unjudged and row.condition and row.id not in seen:
                seen.add(row.id)
                yield from _joined(row, outer)


def _joined(row: Row, outer: list[Needs]) -> Iterator[Needs]:
    """Yield the ways to make a row fire, each with a way to make its position fire."""
    for way in _solve(_tree(row.condition), row):
        for first in outer:
            if Variant(dict(first)).accepts(way):
                yield {_field(row): PRESENT, **first, **way}
                break


def _field(row: Row) -> Key:
    name, _, number = row.source.partition("-")
    return (name, int(number), 0)


def _tree(condition: str) -> Condition | None:
    try:
        return conditions.parse(condition)
    except conditions.Unreadable:
        return None


def _solve(tree: Condition | None, row: Row) -> Iterator[Needs]:
    """Yield ways to make a condition true."""
    if tree is None:
        yield {}
    elif isinstance(tree, Test):
        yield from _solve_test(tree, row)
    elif tree.operator == "OR":
        for part in tree.parts:
            yield from _solve(part, row)
    else:
        yield from _solve_all(tree, row)


def _solve_all(tree: Join, row: Row) -> Iterator[Needs]:
    ways: list[Needs] = [{}]
    for part in tree.parts:
        ways = [{**a, **b} for a in ways for b in _solve(part, row) if Variant(a).accepts(b)]
    yield from ways


def _solve_test(test: Test, row: Row) -> Iterator[Needs]:
    match = REFERENCE.match(test.ref or row.source)
    if match is None or not match[2]:
        yield {}
        return
    name, number = match[1], int(match[2])
    part = int((match[3] or ".0").split(".")[1] or 0)
    if name == row.v2_type:
        name, number, part = row.source.split("-")[0], int(row.source.split("-")[1]), number
    key = (name, number, part)
    if test.measure:
        yield {key: _measured(test)}
    elif test.operator == "valued":
        yield {key: ABSENT if test.negated else PRESENT}
    elif test.negated:
        yield {key: "!" + "|".join(test.values)}
    else:
        yield from ({key: value} for value in test.values[:2] if not value.startswith("http"))


def _measured(test: Test) -> str:
    if test.measure == "LENGTH":
        return LONG if test.operator.startswith(">") else SHORT
    return TWICE if test.operator.startswith(">") or test.values[0] == "2" else ONCE


class Writer:
    """Writes the message of one variant."""

    def __init__(self, guide: Guide, structure: str, variant: Variant, turn: int, *, every_code: bool = False) -> None:
        self.guide, self.structure, self.turn = guide, structure, turn
        self.variant, self.needs = variant, variant.needs
        self.make = Maker(guide, turn, every_code, count(turn * 7 + 1))
        self.out = set() if every_code else self._shut_out()
        self.types: set[str] = set()

    def _shut_out(self) -> set[tuple[str, int]]:
        """Return the segments (field 0) and fields left out, since they would write what others write."""
        left: set[tuple[str, int]] = set()
        for group in EXCLUSIVE:
            asked = [one for one in group if self._asked(one)]
            kept = asked[0] if asked else group[self.turn % len(group)]
            left |= {one for one in group if one != kept and not (one[0] == kept[0] and one[1] == 0)}
        return left

    def _asked(self, one: tuple[str, int]) -> bool:
        return any(
            name == one[0] and one[1] in (0, number) and need != ABSENT
            for (name, number, _), need in self.needs.items()
        )

    def text(self) -> str:
        """Return the message."""
        lines: list[str] = []
        for name, positions in groupby(self.guide.messages[self.structure], lambda p: (p.segment, p.groups)):
            rows = self._rows(list(positions))
            if (name[0], 0) not in self.out and (rows or name[0] in ("MSH", "EVN", "ORC")):
                lines.extend(self._turns(name[0], rows))
        return "\r".join(lines) + "\r"

    def _turns(self, name: str, rows: list[tuple[MessageRow, Row]]) -> Iterator[str]:
        """Yield the segment once, or once for each turn the variant asks for."""
        whole = self.variant.needs
        for own in self.variant.repeats.get(name) or [Variant()]:
            self.needs = {**whole, **own.needs}
            yield self._segment(name, rows)
        self.needs = whole

    def _rows(self, positions: list[MessageRow]) -> list[tuple[MessageRow, Row]]:
        return [
            (position, row)
            for position in positions
            if position.target
            for row in self.guide.segments.get(position.segment_map, [])
            if row.source.startswith(position.segment + "-")
        ]

    def _segment(self, name: str, rows: list[tuple[MessageRow, Row]]) -> str:
        fields: dict[int, str] = dict(ALWAYS.get(name, {}))
        for number in sorted({int(row.source.split("-")[1]) for _, row in rows}):
            if (name, number) not in self.out and self.needs.get((name, number, 0)) != ABSENT:
                same = [(p, row) for p, row in rows if row.source == f"{name}-{number}"]
                if self._wanted(name, number, same):
                    fields[number] = self._field(name, number, same)
        for (segment, number, part), need in sorted(self.needs.items()):
            if segment == name:
                self._force(fields, number, part, need)
        self._special(name, fields)
        return self._line(name, fields)

    def _wanted(self, name: str, number: int, rows: list[tuple[MessageRow, Row]]) -> bool:
        """Whether a field belongs in the message; in the round of codes, only what is coded or names things."""
        if not self.make.every_code or (name, number) in NEEDED:
            return True
        coded = [row.vocabulary for _, row in rows if self.guide.vocabulary(row.vocabulary)]
        fresh = rows[0][1].v2_type not in self.types
        self.types.add(rows[0][1].v2_type)
        return bool(coded) or fresh

    def _line(self, name: str, fields: dict[int, str]) -> str:
        first = 3 if name == "MSH" else 1
        cells = [fields.get(number, "") for number in range(first, max(fields, default=0) + 1)]
        return "|".join([f"{name}|^~\\&" if name == "MSH" else name, *cells]).rstrip("|")

    def _field(self, name: str, number: int, rows: list[tuple[MessageRow, Row]]) -> str:
        row = next((row for _, row in rows if row.vocabulary), rows[0][1])
        need = self.needs.get((name, number, 0), "")
        tag = f"{name}{number}"
        reps = 2 if need == TWICE or (need != ONCE and self.turn % 4 == 1 and _repeats(rows)) else 1
        typed = next((r.assignment for _, r in rows if r.target.endswith("type.coding.code")), "")
        return "~".join(self._rep(row, tag, typed) for _ in range(reps))

    def _rep(self, row: Row, tag: str, typed: str) -> str:
        """Return one repetition; an identifier says the type that a constant of the table gives it."""
        made = self.make.value(row.v2_type, tag, row.vocabulary)
        if row.source in LENGTHS:
            return made.partition("^")[0] + "^h"
        if row.v2_type == "CX" and typed:
            cells = made.split("^")
            cells[4:5] = [typed.strip('"')]
            return "^".join(cells)
        return made

    def _force(self, fields: dict[int, str], number: int, part: int, need: str) -> None:
        if need.startswith("!"):
            if component(fields.get(number, ""), [part or 1]) in need[1:].split("|"):
                self._force_part(fields, number, part or 1, "I")
        elif part == 0:
            if need == ABSENT:
                fields.pop(number, None)
            elif need in (LONG, SHORT) and number in fields:
                fields[number] = fields[number][: 8 if need == SHORT else None]
            elif need not in MARKS:
                fields[number] = need
        elif need == ABSENT or need not in MARKS:
            self._force_part(fields, number, part, "" if need == ABSENT else need)
        elif not fields.get(number, "").split("^")[part - 1 : part]:
            self._force_part(fields, number, part, f"x{number}")

    def _force_part(self, fields: dict[int, str], number: int, part: int, value: str) -> None:
        reps = []
        for rep in fields.get(number, "").split("~"):
            cells = rep.split("^")
            cells += [""] * (part - len(cells))
            cells[part - 1] = value
            reps.append("^".join(cells).rstrip("^"))
        fields[number] = "~".join(reps)

    def _special(self, name: str, fields: dict[int, str]) -> None:
        """Fill what a segment needs to make sense."""
        if name == "MSH":
            self._header(fields)
        elif name == "EVN":
            fields[1] = self._event()
        elif name == "ORC":
            fields.setdefault(1, "NW")
        elif name == "OBX":
            self._observation(fields)
        elif name == "PID" and 12 in fields:
            fields[12] = "430400"
        elif name in ("NK1", "IN1", "ROL", "PRT"):
            self._role(name, fields)
        elif name == "DG1" and 4 in fields and fields.get(3, "").count("^") >= 8:
            self._force_part(fields, 3, 9, "")

    def _role(self, name: str, fields: dict[int, str]) -> None:
        if name not in ROLES:
            return
        number, table, vocabulary = ROLES[name]
        if any(key[:2] == (name, number) for key in self.needs):
            self._force_part(fields, number, 2, "")
        else:
            fields[number] = f"{self.make.code(vocabulary) if self.make.every_code else 'AT'}^^{table}"

    def _event(self) -> str:
        events = EVENTS.get(self.structure, [self.structure[4:]])
        return events[self.turn % len(events)]

    def _header(self, fields: dict[int, str]) -> None:
        fields |= {
            7: "20251103081500",
            9: f"{self.structure[:3]}^{self._event()}^{self.structure}",
            10: f"X{self.structure}{self.turn:03d}",
            11: fields.get(11, "P").split("^")[0] or "P",
            12: "2.5.1",
            18: "UNICODE UTF-8",
            19: "zh^^ISO639",
        }

    def _observation(self, fields: dict[int, str]) -> None:
        kind = fields.get(2) or ["NM", "ST", "CWE", "SN"][self.turn % 4]
        fields[2] = kind
        if kind not in ("NM", "SN", "NA"):
            fields.pop(6, None)
        twice = self.needs.get(("OBX", 5, 0)) == TWICE
        forced = {part: need for (s, n, part), need in self.needs.items() if (s, n) == ("OBX", 5) and part}
        reps = []
        for _ in range(2 if twice else 1):
            cells = (OBX5.get(kind) or self.make.value(kind, "OBX5")).split("^")
            cells += [""] * (max(forced, default=0) - len(cells))
            for part, need in forced.items():
                cells[part - 1] = cells[part - 1] if need in MARKS or need.startswith("!") else need
            if kind == "SN" and len(cells) > 2 and cells[2]:
                cells = ["", "100", cells[2], "200"] if cells[0] != "<>" else cells
            reps.append("^".join(cells))
        fields[5] = "~".join(reps)


def _repeats(rows: list[tuple[MessageRow, Row]]) -> bool:
    """Whether every target of a field can hold several values."""
    return all(row.many and _many(position, row) for position, row in rows)


def _many(position: MessageRow, row: Row) -> bool:
    head = paths.parse(position.target)
    path = paths.join(head[1:], paths.parse(row.target))
    path = path[: next((place for place, step in enumerate(path) if step.refers), len(path))]
    while path and path[-1].name in ("individual", "actor"):
        path = path[:-1]
    return bool(path) and path[-1].name != "extension" and r4.many(head[0].name, path)
