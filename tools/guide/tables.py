"""Reads the guide's mapping tables by header name and patches their known defects from overrides.yaml."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

OVERRIDES = Path(__file__).with_name("overrides.yaml")
V2_COLUMNS = {"identifier": 1, "v2_type": 3, "max": 5}


@dataclass(frozen=True, slots=True)
class Row:
    """One mapped row of a segment or data type table; `line` is the spreadsheet's row number."""

    map: str
    line: int
    source: str
    v2_type: str = ""
    many: bool = False
    condition: str = ""
    narrative: str = ""
    target: str = ""
    fhir_type: str = ""
    datatype_map: str = ""
    vocabulary: str = ""
    assignment: str = ""
    choice: str = ""
    any_value: bool = False
    unjudged: str = ""

    @property
    def id(self) -> str:
        """The name used in reports and override files: PID[Patient]#17."""
        return f"{self.map}#{self.line}"


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One position of a message table: where a segment stands and, when mapped, what it becomes."""

    structure: str
    line: int
    segment: str
    groups: tuple[str, ...]
    repeats: bool
    condition: str = ""
    narrative: str = ""
    target: str = ""
    segment_map: str = ""
    references: str = ""
    unjudged: str = ""

    @property
    def id(self) -> str:
        """The name used in reports and override files: ADT_A01#13."""
        return f"{self.structure}#{self.line}"


@dataclass(frozen=True, slots=True)
class CodePair:
    """One row of a code system table that has a code on both sides."""

    map: str
    line: int
    code: str
    code_system: str
    target: str
    display: str
    system: str


@dataclass(slots=True)
class Guide:
    """The tables, patched: maps by name; names are matched without case, blanks and slashes."""

    messages: dict[str, list[MessageRow]] = field(default_factory=dict)
    segments: dict[str, list[Row]] = field(default_factory=dict)
    datatypes: dict[str, list[Row]] = field(default_factory=dict)
    codes: dict[str, list[CodePair]] = field(default_factory=dict)
    _inner: dict[str, str] = field(default_factory=dict)

    def datatype(self, name: str) -> list[Row]:
        """Return the rows of a data type map; an unknown name gives none."""
        return self.datatypes.get(plain(name), [])

    def vocabulary(self, name: str) -> list[CodePair]:
        """Return the code pairs of a vocabulary map; an unknown name gives none."""
        return self.codes.get(plain(name), [])

    def component_vocabularies(self) -> dict[str, str]:
        """Return, for each component (XPN.7) that some data type map translates, the vocabulary map."""
        if not self._inner:
            for rows in self.datatypes.values():
                for row in rows:
                    if row.vocabulary:
                        self._inner.setdefault(row.source, row.vocabulary)
        return self._inner

    def pairs(self, structure: str) -> list[tuple[str, str]]:
        """Return the mapped (segment map, field) pairs of one message, in message order."""
        found: dict[tuple[str, str], None] = {}
        for position in self.messages[structure]:
            for row in self.segments.get(position.segment_map, []):
                if "-" in row.source:
                    found[(position.segment_map, row.source)] = None
        return list(found)


@cache
def plain(name: str) -> str:
    """Return a map name as it is compared: lower case, without blanks, slashes and dots at the end."""
    return re.sub(r"[\s/]", "", name).lower()


def load(folder: Path, overrides: Path = OVERRIDES) -> Guide:
    """Read the four folders of tables below `folder` and apply the overrides."""
    patches = yaml.safe_load(overrides.read_text(encoding="utf-8"))
    guide = Guide()
    for path in _files(folder / "messages"):
        structure = _name(path)
        guide.messages[structure] = list(read_message(structure, records(path), patches))
    for path in _files(folder / "segments"):
        guide.segments[_name(path)] = list(read_rows(_name(path), records(path), patches))
    for path in _files(folder / "datatypes"):
        guide.datatypes[plain(_name(path))] = list(read_rows(_name(path), records(path), patches))
    for path in _files(folder / "codesystems"):
        guide.codes[plain(_name(path))] = list(read_codes(_name(path), records(path)))
    return guide


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.csv"))


def _name(path: Path) -> str:
    return re.sub(r"^.*?(R4_|Concept Map_) ?", "", path.stem).rsplit(" - ", 1)[0]


def records(path: Path) -> list[list[str]]:
    """Return the CSV records of one table, cells trimmed."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return [[cell.strip() for cell in record] for record in csv.reader(lines)]


def _header(table: list[list[str]], mark: str) -> int:
    """Return the index of the record that holds the column names; -1 when the table has none."""
    for index, record in enumerate(table[:4]):
        if any(cell.lower().startswith(mark) for cell in record):
            return index
    return -1


def _columns(header: list[str], mark: str) -> dict[str, int]:
    """Return the position of each named column; names left of `mark` are the v2 side."""
    names = [cell.lower() for cell in header]
    split = next(i for i, name in enumerate(names) if name.startswith(mark))
    columns = {"v2 " + name: i for i, name in enumerate(names[:split]) if name}
    for i, name in enumerate(names[split:], split):
        columns.setdefault(name.split("\n")[0].strip() or f"blank {i}", i)
    columns[mark] = split
    return columns


def _cell(record: list[str], column: int | None) -> str:
    return record[column] if column is not None and column < len(record) else ""


def read_rows(name: str, table: list[list[str]], patches: dict[str, Any]) -> Iterator[Row]:
    """Yield the mapped rows of a segment or data type table."""
    head = _header(table, "fhir attribute")
    if head < 0:
        return
    columns = _columns(table[head], "fhir attribute")
    for line, record in enumerate(table[head + 1 :], head + 2):
        target = _cell(record, columns["fhir attribute"])
        if target:
            yield _patched(_row(name, line, record, columns, target), patches)


def _row(name: str, line: int, record: list[str], columns: dict[str, int], target: str) -> Row:
    def cell(column: str) -> str:
        return _cell(record, columns.get(column))

    attribute, _, inline = target.partition("=")
    return Row(
        map=name,
        line=line,
        source=_cell(record, columns.get("v2 identifier", 1)),
        v2_type=_cell(record, columns.get("v2 data type", 3)),
        many=_cell(record, _maximum(columns)) not in ("", "0", "1"),
        condition=_cell(record, _starting(columns, "v2 computable", "antlr")),
        narrative=cell("v2 narrative"),
        target=attribute.strip(),
        fhir_type=cell("data type"),
        datatype_map=cell("data type mapping"),
        vocabulary=_cell(record, _starting(columns, "vocabulary mapping")),
        assignment=cell("assignment") or inline.strip(),
    )


def _maximum(columns: dict[str, int]) -> int:
    found = _starting(columns, "v2 cardinality - max")
    return 5 if found is None else found


def _starting(columns: dict[str, int], start: str, holding: str = "") -> int | None:
    return next((i for name, i in columns.items() if name.startswith(start) and holding in name), None)


def _patched(row: Row, patches: dict[str, Any]) -> Row:
    for fault in patches.get("spelling", ()):
        row = replace(
            row,
            target=re.sub(fault["find"], fault["replace"], row.target),
            condition=re.sub(fault["find"], fault["replace"], row.condition),
        )
    patch = {key: value for key, value in _patch_of(row.id, patches).items() if key != "reason"}
    return replace(row, **patch) if patch else row


def _patch_of(row_id: str, patches: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    name, _, line = row_id.rpartition("#")
    for patch in patches.get("rows", ()):
        maps = [patch["map"]] if isinstance(patch["map"], str) else patch["map"]
        if name in maps and int(line) in patch["lines"]:
            found |= {key: value for key, value in patch.items() if key not in ("map", "lines")}
    return found


def read_message(structure: str, table: list[list[str]], patches: dict[str, Any]) -> Iterator[MessageRow]:
    """Yield every segment position of a message table, mapped or not, in order."""
    head = _header(table, "primary target")
    columns = _columns(table[head], "primary target")
    groups: list[str] = []
    for line, record in enumerate(table[head + 1 :], head + 2):
        identifier = _cell(record, columns["v2 identifier"])
        label = _cell(record, columns["v2 name"])
        if label.startswith("---"):
            _enter(groups, identifier, label, _cell(record, columns["v2 syntax"]))
        elif identifier:
            yield _position(structure, line, record, columns, tuple(groups), patches)


def _enter(groups: list[str], identifier: str, label: str, syntax: str) -> None:
    if label.rstrip().endswith("end"):
        if groups:
            groups.pop()
        return
    mark = "*" if "{" in syntax else ""
    groups.append(identifier.rsplit(".", 1)[-1] + mark)


def _position(
    structure: str,
    line: int,
    record: list[str],
    columns: dict[str, int],
    groups: tuple[str, ...],
    patches: dict[str, Any],
) -> MessageRow:
    syntax = _cell(record, columns["v2 syntax"])
    row = MessageRow(
        structure=structure,
        line=line,
        segment=re.sub(r"[^A-Z0-9]", "", syntax),
        groups=groups,
        repeats="{" in syntax,
        condition=_cell(record, _starting(columns, "v2 computable", "antlr")),
        narrative=_cell(record, columns.get("v2 narrative")),
        target=_cell(record, columns["primary target"]),
        segment_map=_cell(record, columns.get("segment map")),
        references=_cell(record, columns.get("references")),
    )
    patch = {key: value for key, value in _patch_of(row.id, patches).items() if key != "reason"}
    return replace(row, **patch) if patch else row


def read_codes(name: str, table: list[list[str]]) -> Iterator[CodePair]:
    """Yield the rows of a code system table that have a code on both sides."""
    head = _header(table, "code")
    if head < 0:
        return
    names = [cell.lower() for cell in table[head]]
    codes = [i for i, cell in enumerate(names) if cell == "code"]
    systems = [i for i, cell in enumerate(names) if cell == "code system"]
    display = next(i for i, cell in enumerate(names) if cell == "display")
    for line, record in enumerate(table[head + 1 :], head + 2):
        code, target = _cell(record, codes[0]), _cell(record, codes[-1])
        if code and target:
            shown = _cell(record, display) or _cell(record, codes[-1] + 1)
            yield CodePair(name, line, code, _cell(record, systems[0]), target, shown, _cell(record, systems[-1]))
