"""Records: one row, or the rows of one group, as a message of the engine, made when somebody asks for it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from gateway.fhir.issues import Issue
from gateway.formats.hl7v2 import Message, Segment
from gateway.formats.sheet import Row
from gateway.mapping import dates
from gateway.mapping.cell import Memo
from gateway.mapping.environment import STANDARD
from gateway.mapping.tables.cells import NULL, Cells, clean, escaped
from gateway.mapping.tables.definition import Column, TableDef
from gateway.mapping.tables.header import Header, numbering, plain, unit_in
from gateway.mapping.tables.rules import ITEM, RECORD, ROW, TYPE

_DATE = re.compile(r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}")
_MASK = re.compile(r"[*＊]{2,}")
_OF_ITEM, _WITHOUT_UNIT = [1, 2, 3, 4], [1, 2, 4]
_TIMES = Memo(dates.date_time)


class ItemColumn(NamedTuple):
    """A column each of whose cells is an item: its place in the sheet, field number, name and unit as fields."""

    at: int
    number: int
    name: str
    unit: str
    cells: Cells


@dataclass(slots=True, eq=False)
class Layout:
    """One header of one table: which cell is which field. Shared by every file that comes with this header."""

    table: TableDef
    header: Header
    feed: str
    clears: bool = False
    sheet: str = ""
    numbers: list[int] = field(default_factory=list)
    cells: list[Cells] = field(default_factory=list)
    labels: list[str] = field(default_factory=lambda: [""])
    items: list[ItemColumn] = field(default_factory=list)
    at: dict[str, int] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    order: list[tuple[str, int]] = field(default_factory=list)
    kept: dict[int, str] = field(default_factory=dict)
    item_numbers: frozenset[int] = frozenset()
    named: frozenset[int] = frozenset()
    place: str = ""

    def __post_init__(self) -> None:
        self.labels += list(self.table.columns)
        self.place = f"{self.table.name} {self.sheet}".strip()
        for at, (head, name) in enumerate(zip(self.header.heads, self.header.columns, strict=True)):
            self._place(at, head, name)
        self.item_numbers = frozenset(item.number for item in self.items)
        told = (*self.table.key, *self.table.group, *self.table.time)
        self.named = frozenset(self.table.number(name) for name in told)
        self.kept = {self.table.number(name): why for name, why in self.table.kept.items()}
        self.order.sort()

    @property
    def width(self) -> int:
        """Return how many cells a row has."""
        return len(self.header.heads)

    def _place(self, at: int, head: str, name: str) -> None:
        column = self.table.columns.get(name)
        if column is None or name in self.at:
            if name or not numbering(head):
                self._extra(at, head, doubled=bool(name))
            else:
                self.numbers.append(0)
                self.cells.append(Cells(Column(""), "", clears=False))
            return
        self.at[name] = at
        unit = "" if column.unit is None and not column.item else unit_in(head) or column.unit or unit_in(name)
        cells = Cells(column, unit, clears=self.clears)
        number = self.table.number(name)
        if column.item:
            self.items.append(ItemColumn(at, number, escaped(name), escaped(unit), cells))
        self.numbers.append(number)
        self.cells.append(cells)
        self.order.append((plain(head), at))

    def _extra(self, at: int, head: str, *, doubled: bool) -> None:
        """Give a column that no rule can read a field of its own, so that it is reported left over."""
        label = head or f"column {at + 1}"
        (self.doubled if doubled else self.unknown).append(label)
        self.numbers.append(len(self.labels))
        self.labels.append(label)
        self.cells.append(Cells(Column(label), "", clears=False))
        self.order.append((plain(label), at))

    def text(self, cells: Sequence[str], name: str) -> str:
        """Return the text of a column in a row, '' when there is none."""
        at = self.at.get(name)
        return clean(cells[at], self.table.columns[name])[0] if at is not None else ""

    def key(self, cells: Sequence[str], columns: Sequence[str]) -> str:
        """Return the texts of these columns as one key, '' when all are empty; dates in one spelling."""
        parts = [_key_part(self.text(cells, name)) for name in columns]
        return "|".join(parts) if any(parts) else ""

    def lacks(self, cells: Sequence[str]) -> str:
        """Return the needed column of the key that a row leaves empty, '' when it has them all."""
        columns = self.table.columns
        return next((name for name in self.table.key if columns[name].needed and not self.text(cells, name)), "")

    def people(self, cells: Sequence[str]) -> tuple[str, ...]:
        """Return the numbers that name the person of a row; a masked one names nobody."""
        found = (self.text(cells, name) for name in self.table.patient)
        return tuple(dict.fromkeys(text.upper() for text in found if text and not _MASK.search(text)))

    def time(self, cells: Sequence[str]) -> str:
        """Return the source time of a row as a FHIR dateTime, '' when it says none."""
        for name in self.table.time:
            told = _TIMES[self.text(cells, name)].value
            if told is not None:
                return str(told)
        return ""

    def digest(self, cells: Sequence[str]) -> bytes:
        """Return 16 bytes that stand for the cells as read, whatever the order of the columns."""
        return digest_of("\x1f".join([f"{head}\x1e{cells[at]}" for head, at in self.order if cells[at]]))

    def fields(self, cells: Sequence[str]) -> list[str]:
        """Return a row as fields of the engine; index = field number."""
        found = [""] * len(self.labels)
        for number, cell, memo in zip(self.numbers, cells, self.cells, strict=True):
            found[number] = memo[cell]
        found[0] = ROW
        return found

    def where(self, line: int, number: int = 0) -> str:
        """Return a place for people: `residents 12: 身份证号`."""
        place = f"{self.place} {line}"
        return f"{place}: {self.labels[number]}" if number else place


def digest_of(text: str) -> bytes:
    """Return 16 bytes that stand for a text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _key_part(text: str) -> str:
    if _DATE.match(text):
        told = _TIMES[text].value
        return str(told) if told is not None else text
    return text.replace("|", "/")


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file: where it stands, what names it, and its message; `fault` says why it cannot be mapped.

    `key` is the business key (R6), `digest` stands for the cells as read, `patient_keys` are numbers of the person,
    `time` is the source time (FHIR dateTime, '' when not said); `rows` are its rows with their trimmed cells.
    """

    number: int
    line: int
    lines: int
    key: str
    digest: bytes
    patient_keys: tuple[str, ...]
    fault: str
    time: str
    layout: Layout = field(repr=False)
    rows: tuple[tuple[Row, Sequence[str]], ...] = field(repr=False)

    @property
    def message(self) -> Message:
        """Return the record as a message of the engine (made anew each time)."""
        return TableMessage(self)


class TableSegment(Segment):
    """A row, a record or an item as a segment whose fields are known already."""

    __slots__ = ("populated", "row")

    def __init__(self, name: str, fields: list[str], position: int, row: int, populated: list[int]) -> None:
        self.name = name
        self.position = position
        self.line = ""
        self.delimiters = STANDARD
        self._fields = fields
        self.row = row
        self.populated = populated

    @property
    def ordinal(self) -> int:
        """Return which row of the record it belongs to, from 1."""
        return self.row + 1


class TableMessage(Message):
    """A record in the shape of a message: one REC, a ROW per row, an ITM per value of an item column."""

    __slots__ = ("layout", "lines", "record")

    def __init__(self, record: Record) -> None:
        self.record = record
        self.layout = record.layout
        self.lines = [row.line for row, _ in record.rows]
        self.delimiters = STANDARD
        self.issues = []
        self._header = None
        self._tree = None
        self._segments = self._made()

    def _made(self) -> list[Segment]:
        layout, found = self.layout, list[Segment]()
        for number, (row, cells) in enumerate(self.record.rows):
            fields = layout.fields(cells)
            populated = [place for place, raw in enumerate(fields) if raw and place]
            if not number:
                found.append(TableSegment(RECORD, fields, 0, 0, populated))
            found.append(TableSegment(ROW, fields, len(found), number, populated))
            for item in layout.items:
                self._add_items(found, item, cells, number)
            self._note(row.line, cells)
        return found

    def _add_items(self, found: list[Segment], item: ItemColumn, cells: Sequence[str], number: int) -> None:
        if item.cells[cells[item.at]] in ("", NULL):
            return
        for order, value in enumerate(item.cells.told(cells[item.at]), 1):
            fields = [ITEM, item.name, value, item.unit, str(order), str(item.number)]
            found.append(TableSegment(ITEM, fields, len(found), number, _OF_ITEM if item.unit else _WITHOUT_UNIT))

    def _note(self, line: int, cells: Sequence[str]) -> None:
        """Make an issue of what had to be noticed about a cell."""
        for number, memo, cell in zip(self.layout.numbers, self.layout.cells, cells, strict=True):
            if memo.notes and cell in memo.notes:
                note = memo.notes[cell]
                self.issues.append(Issue(note.severity, note.code, note.text, self.layout.where(line, number)))

    @property
    def text(self) -> str:
        """Return the rows as read, cells apart by TAB, rows by line breaks."""
        return "\n".join("\t".join(cells) for _, cells in self.record.rows)

    @property
    def type(self) -> str:
        """Return `TABLE`."""
        return TYPE

    @property
    def event(self) -> str:
        """Return the name of the table."""
        return self.layout.table.name

    @property
    def structure(self) -> str:
        """Return the name of the table's message map."""
        return f"{TYPE}_{self.event}"

    @property
    def version(self) -> str:
        """Return '': a table has no version of HL7."""
        return ""

    @property
    def header(self) -> Segment:
        """Return the record itself: a table has no header segment."""
        return self._segments[0] if self._segments else TableSegment(RECORD, [RECORD], 0, 0, [])

    @property
    def control_id(self) -> str:
        """Return feed, table and key: the same for the same record in every file."""
        return f"{self.layout.feed}|{self.event}|{self.record.key}"

    @property
    def nulls(self) -> bool:
        """Say whether empty cells take back what an earlier row said."""
        return self.layout.clears

    def first(self, name: str) -> Segment | None:
        """Return the first segment of that name, or None."""
        return next((segment for segment in self._segments or () if segment.name == name), None)

    def all(self, name: str) -> list[Segment]:
        """Return every segment of that name, in order."""
        return [segment for segment in self._segments or () if segment.name == name]
