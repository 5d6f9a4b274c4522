"""Reading: the bytes of an export to its records, by the tables its feed sends."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.fhir.issues import Issue
from gateway.formats import sheet
from gateway.formats.sheet import NotATable, Row, Sheet
from gateway.mapping.feeds import Feed, TableUse
from gateway.mapping.tables import footer, header
from gateway.mapping.tables.definition import TableDef
from gateway.mapping.tables.header import Header, Names
from gateway.mapping.tables.records import Layout, Record, digest_of

_LAYOUTS = 64
_MOSTLY = 0.8
_FEW = 2
_TEXTS = frozenset({"csv", "tab", "text"})


@dataclass(frozen=True, slots=True)
class TableFile:
    """One file, read: its records in order, and an account of every line that is no record.

    `rows` are its data rows; `skipped` are lines with the reason; `mode` is full, delta or window (ruling R6).
    """

    table: str
    mode: str
    records: list[Record]
    rows: int
    totals: tuple[footer.Total, ...] = ()
    issues: tuple[Issue, ...] = ()
    encoding: str = ""
    kind: str = ""
    header_line: int = 0
    skipped: tuple[tuple[int, str], ...] = ()

    @property
    def reconciled(self) -> bool | None:
        """Say whether every total agrees with the rows; None when the file has none."""
        checks = [check.good for total in self.totals for check in total.checks]
        return all(checks) if checks else None


class Tables:
    """The tables that one feed sends; layouts are made once per header and kept."""

    def __init__(self, feed: Feed, tables: Sequence[TableDef]) -> None:
        self._feed = feed
        self._names = {table.name: Names(table) for table in tables}
        self._layouts: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Layout] = {}

    @property
    def names(self) -> list[str]:
        """Return the names of the tables this feed sends."""
        return list(self._names)

    def read(self, raw: bytes, name: str = "") -> TableFile:
        """Return the records of a file; `name` is its name as sent. Raises NotATable when no table can be read."""
        sheets = sheet.read(raw, charset=self._feed.charset or None, delimiter=self._feed.delimiter or None)
        chosen = self._chosen(name)
        found = [(header.find(one.rows, chosen), one) for one in sheets]
        best = max((head.rank for head, _ in found if head is not None), default=None)
        if best is None:
            raise NotATable(self._headless(sheets, chosen))
        first = next((head, one) for head, one in found if head is not None and head.rank == best)
        if first[0].missing:
            raise NotATable(_lacking(first[0], first[1]), where=f"line {first[1].rows[first[0].last].line}")
        return self._file(first[0], first[1], found)

    def _chosen(self, name: str) -> list[Names]:
        """Return the tables whose `files` fit the name, all of them when none does."""
        last = name.replace("\\", "/").rsplit("/", 1)[-1]
        fitting = [
            self._names[table] for table, use in self._feed.tables.items()
            if any(fnmatch.fnmatchcase(last.casefold(), pattern.casefold()) for pattern in use.files)
        ]  # fmt: skip
        return fitting or list(self._names.values())

    def _headless(self, sheets: Sequence[Sheet], chosen: Sequence[Names]) -> str:
        seen = next((header.shown(row.cells) for one in sheets for row in one.rows if any(row.cells)), "nothing")
        tables = ", ".join(names.table.name for names in chosen)
        return (
            f"No header was found in the first {header.ROWS} rows. The tables looked for are {tables}; "
            f"the first row says: {seen}. Add the headers of this file to the table (`also`), or the table to the feed."
        )

    def _file(self, found: Header, chosen: Sheet, all_sheets: Sequence[tuple[Header | None, Sheet]]) -> TableFile:
        table = found.names.table
        use = self._feed.tables.get(table.name, TableUse())
        cutter = _Cutter(self._layout(found, use), chosen)
        cutter.run()
        others: list[Issue] = []
        for head, one in all_sheets:
            if one is not chosen:
                others.extend(_unread(head, one, table))
        return TableFile(
            table.name, use.mode, cutter.records, cutter.rows, tuple(cutter.sums.totals),
            (*chosen.issues, *cutter.issues(), *others), chosen.encoding, chosen.kind,
            chosen.rows[found.first].line, tuple(cutter.skipped),
        )  # fmt: skip

    def _layout(self, found: Header, use: TableUse) -> Layout:
        key = (found.names.table.name, found.heads, found.columns)
        known = self._layouts.get(key)
        if known is None:
            if len(self._layouts) >= _LAYOUTS:
                self._layouts.clear()
            clears = (use.empty or self._feed.empty) == "clear"
            known = self._layouts[key] = Layout(found.names.table, found, self._feed.name, clears)
        return known


@dataclass(slots=True)
class _Group:
    """The rows of one record, and what is wrong with it."""

    rows: list[tuple[Row, Sequence[str]]]
    fault: str = ""


@dataclass(slots=True)
class _Cutter:
    """Cuts the rows below a header into records."""

    layout: Layout
    sheet: Sheet
    rows: int = 0
    sums: footer.Sums = field(init=False)
    skipped: list[tuple[int, str]] = field(default_factory=list)
    groups: list[_Group] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    _by_key: dict[str, _Group] = field(default_factory=dict)
    _leads: frozenset[str] = frozenset()
    _heads: frozenset[str] = frozenset()
    _first: int = 0

    def __post_init__(self) -> None:
        layout, total = self.layout, self.layout.table.total
        sums = tuple((layout.at[name], name) for name in total.sums if name in layout.at)
        self.sums = footer.Sums(total.labels, sums)
        self._heads = frozenset(head for head in layout.header.heads if head)
        texts = (*total.labels, *layout.table.skip, *self._heads, *footer.BEGINNINGS)
        self._leads = frozenset(text[0] for text in texts if text)
        self._first = 1 if layout.numbers and not layout.numbers[0] else 0

    def run(self) -> None:
        """Look at every row once."""
        above, rows = self.layout.header, self.sheet.rows
        self.skipped.extend((row.line, "above the header") for row in rows[: above.first])
        self.skipped.extend((row.line, "header") for row in rows[above.first : above.last + 1])
        short = -1
        for number in range(above.last + 1, len(rows)):
            row = rows[number]
            if row.fault:
                self._add(row, row.cells, row.fault)
                continue
            cells = [cell.strip() for cell in row.cells]
            why = self._why_not(row.line, cells)
            if why:
                self.skipped.append((row.line, why))
                continue
            short = self._take(row, cells, number, short)
        self.records = [self._record(number, group) for number, group in enumerate(self.groups)]

    def _take(self, row: Row, cells: list[str], number: int, short: int) -> int:
        """Take a row of data; returns its number when it has fewer cells than the header."""
        width, size = self.layout.width, len(cells)
        if size == width:
            self._add(row, cells)
            return short
        if size > width:
            extra = any(cells[width:])
            self._add(row, cells[:width] if not extra else cells, _TOO_MANY.format(size, width) if extra else "")
            return short
        self._add(row, [*cells, *[""] * (width - size)])
        if self.sheet.kind in _TEXTS and short == number - 1 and short >= 0:
            before = self.sheet.rows[short]
            if len(before.cells) + size - 1 == width:
                for group in self.groups[-2:]:
                    group.fault = _BROKEN.format(before.line, row.line)
        return number

    def _why_not(self, line: int, cells: list[str]) -> str:
        """Return why a row is no data, '' when it is; a line of totals is reconciled."""
        told = [cell for cell in cells[self._first :] if cell]
        if not told:
            return "empty"
        first = told[0]
        if len(told) > _FEW and first[0] not in self._leads:
            return ""
        label = self.sums.label(first)
        if label:
            self.sums.total(line, label, [*cells, *[""] * (self.layout.width - len(cells))])
            return "total"
        count = footer.selected("".join(told)) if len(told) <= _FEW else None
        if count is not None:
            self.sums.counted(line, first, count)
            return "count"
        if footer.is_ruled(told):
            return "rule"
        if len(told) > _FEW and sum(cell in self._heads for cell in told) >= _MOSTLY * len(told):
            return "header again"
        return "footer" if footer.is_footer(first, self.layout.table.skip) else ""

    def _add(self, row: Row, cells: Sequence[str], fault: str = "") -> None:
        self.rows += 1
        if fault:
            self.groups.append(_Group([(row, cells)], fault))
            return
        self.sums.add(cells)
        layout, columns = self.layout, self.layout.table.group
        key = layout.key(cells, columns) if columns else ""
        known = self._by_key.get(key) if key else None
        if known is not None and not known.fault:
            known.rows.append((row, cells))
            return
        group = _Group([(row, cells)])
        self.groups.append(group)
        if key:
            self._by_key[key] = group

    def _record(self, number: int, group: _Group) -> Record:
        layout, rows = self.layout, tuple(group.rows)
        row, cells = rows[0]
        lines = sum(each.lines for each, _ in rows)
        if group.fault:
            digest = digest_of("\x1f".join(cells))
            return Record(number, row.line, lines, "", digest, (), group.fault, "", layout, ())
        key = layout.key(cells, layout.table.key)
        fault = "" if key else _NO_KEY.format(" or ".join(layout.table.key))
        digest = _digest([layout.digest(each) for _, each in rows])
        people = layout.people(cells)
        return Record(number, row.line, lines, key, digest, people, fault, layout.time(cells), layout, rows)

    def issues(self) -> list[Issue]:
        """Return what was odd about the file as a whole."""
        layout, found = self.layout, self.sums.issues(self.layout.table.name)
        where = f"line {self.sheet.rows[layout.header.last].line}"
        if layout.unknown:
            text = f"no rule reads the columns {header.shown(layout.unknown)}; their cells are left over"
            found.append(Issue("information", "not-supported", text, where))
        if layout.doubled:
            text = f"the columns {header.shown(layout.doubled)} stand there twice; the first counts"
            found.append(Issue("warning", "duplicate", text, where))
        return found


_TOO_MANY = "has {} cells, the header {}: a separator stands in a text without quotation marks; correct the line"
_BROKEN = "lines {} and {} seem to be one row, broken by a line break in a text without quotation marks"
_NO_KEY = "has no {}, by which a row is known; complete it and send it again"


def _digest(parts: list[bytes]) -> bytes:
    """Return the digest of a record: of its one row, or of its rows whatever their order."""
    return parts[0] if len(parts) == 1 else digest_of("|".join(sorted(part.hex() for part in parts)))


def _lacking(found: Header, one: Sheet) -> str:
    return (
        f"The header of {found.names.table.name} lacks {', '.join(found.missing)}. Seen were: {header.shown(found.heads)}. "
        "If one of these means the same, add it to the column's `also`; else ask the sender for the column."
    )


def _unread(head: Header | None, one: Sheet, table: TableDef) -> list[Issue]:
    """Return an issue for a further sheet that holds rows."""
    if not any(any(row.cells) for row in one.rows):
        return []
    known = head is not None and not head.missing
    what = f"it looks like {head.names.table.name}" if head is not None and known else "it has no known header"
    text = f"the sheet '{one.name}' was not read as part of {table.name}: {what}; send it as a file of its own"
    return [Issue("warning" if known else "information", "not-supported", text, one.name)]
