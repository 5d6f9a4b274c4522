"""Reading: the bytes of an export to its records, by the tables its feed sends."""

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.fhir.issues import Issue
from gateway.formats import sheet
from gateway.formats.sheet import NotATable, Sheet
from gateway.mapping.feeds import Feed, TableUse
from gateway.mapping.tables import footer, header
from gateway.mapping.tables.cutting import Cutter
from gateway.mapping.tables.definition import TableDef
from gateway.mapping.tables.header import Header, Names
from gateway.mapping.tables.records import Layout, Record

_LAYOUTS = 64
_REPEATS = 20
_ALIKE = 0.5  # of the columns, where only the header says which table a file is


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
        self._layouts: dict[tuple[str, str, int, tuple[str, ...], tuple[str, ...]], Layout] = {}

    @property
    def names(self) -> list[str]:
        """Return the names of the tables this feed sends."""
        return list(self._names)

    def read(self, raw: bytes, name: str = "") -> TableFile:
        """Return the records of a file; `name` is its name as sent. Raises NotATable when no table can be read."""
        sheets = sheet.read(raw, charset=self._feed.charset or None, delimiter=self._feed.delimiter or None)
        named = self._named(name)
        found = self._headers(sheets, named)
        if not any(head is not None and not head.missing for head, _ in found):
            named, found = [], self._headers(sheets, list(self._names.values())) or found
        best = max((head.rank for head, _ in found if head is not None), default=None)
        if best is None:
            raise NotATable(self._headless(sheets))
        first = next((head, one) for head, one in found if head is not None and head.rank == best)
        if first[0].missing or (not named and first[0].share < _ALIKE):
            why = _lacking(first[0]) if first[0].missing else _unlike(first[0])
            raise NotATable(why, where=f"line {first[1].rows[first[0].last].line}")
        return self._file(first[0], found)

    def _headers(self, sheets: Sequence[Sheet], tables: Sequence[Names]) -> list[tuple[Header | None, Sheet]]:
        return [(header.find(one.rows, tables), one) for one in sheets]

    def _named(self, name: str) -> list[Names]:
        """Return the tables whose `files` fit the name."""
        last = name.replace("\\", "/").rsplit("/", 1)[-1]
        return [
            self._names[table] for table, use in self._feed.tables.items()
            if any(fnmatch.fnmatchcase(last.casefold(), pattern.casefold()) for pattern in use.files)
        ]  # fmt: skip

    def _headless(self, sheets: Sequence[Sheet]) -> str:
        seen = next((header.shown(row.cells) for one in sheets for row in one.rows if any(row.cells)), "nothing")
        tables = ", ".join(self._names)
        return (
            f"No header was found in the first {header.ROWS} rows. The tables looked for are {tables}; "
            f"the first row says: {seen}. Add the headers of this file to the table (`also`), or the table to the feed."
        )

    def _file(self, found: Header, all_sheets: Sequence[tuple[Header | None, Sheet]]) -> TableFile:
        """Read the sheets that hold this table; those after the first are named in places."""
        table = found.names.table
        use = self._feed.tables.get(table.name, TableUse())
        cutters: list[Cutter] = []
        records: list[Record] = []
        others: list[Issue] = []
        for head, one in all_sheets:
            if head is None or head.missing or head.names.table is not table:
                others.extend(_unread(head, one, table))
                continue
            cutters.append(Cutter(self._layout(head, use, one.name if cutters else ""), one))
            records += cutters[-1].records(len(records))
        first = cutters[0]
        issues = [issue for cutter in cutters for issue in (*cutter.sheet.issues, *cutter.issues())]
        return TableFile(
            table.name,
            use.mode,
            records,
            sum(cutter.rows for cutter in cutters),
            tuple(total for cutter in cutters for total in cutter.sums.totals),
            (*issues, *_repeated(records), *others),
            first.sheet.encoding,
            first.sheet.kind,
            first.sheet.rows[first.layout.header.first].line,
            tuple(line for cutter in cutters for line in cutter.skipped),
        )

    def _layout(self, found: Header, use: TableUse, name: str) -> Layout:
        key = (found.names.table.name, name, found.first, found.heads, found.columns)
        known = self._layouts.get(key)
        if known is None:
            if len(self._layouts) >= _LAYOUTS:
                self._layouts.clear()
            clears = (use.empty or self._feed.empty) == "clear"
            known = self._layouts[key] = Layout(found.names.table, found, self._feed.name, clears, name)
        return known


def _repeated(records: Sequence[Record]) -> list[Issue]:
    """Return an issue for each key that stands in the file with different cells: the last one will count."""
    seen: dict[str, Record] = {}
    found: list[Issue] = []
    for record in records:
        if not record.key:
            continue
        other = seen.setdefault(record.key, record)
        if other is not record and other.digest != record.digest and len(found) < _REPEATS:
            text = f"the key {record.key} stands in line {other.line} already, with other cells; the later row counts"
            found.append(Issue("warning", "duplicate", text, record.layout.where(record.line)))
    return found


def _lacking(found: Header) -> str:
    return (
        f"The header of {found.names.table.name} lacks {', '.join(found.missing)}. "
        f"Seen were: {header.shown(found.heads)}. "
        "If one of these means the same, add it to the column's `also`; else ask the sender for the column."
    )


def _unlike(found: Header) -> str:
    """Refuse a file that has a table's key by chance: taking it for that table would be a guess."""
    columns = len([text for text in found.heads if text])
    return (
        f"The header looks most like {found.names.table.name}, but only {found.matched} of its {columns} columns "
        "are known there. If it is that table, say so by its name (`files` of the feed); else add the table it is."
    )


def _unread(head: Header | None, one: Sheet, table: TableDef) -> list[Issue]:
    """Return an issue for a further sheet that holds rows."""
    if not any(any(row.cells) for row in one.rows):
        return []
    known = head is not None and not head.missing
    what = f"it looks like {head.names.table.name}" if head is not None and known else "it has no known header"
    text = f"the sheet '{one.name}' was not read as part of {table.name}: {what}; send it as a file of its own"
    return [Issue("warning" if known else "information", "not-supported", text, one.name)]
