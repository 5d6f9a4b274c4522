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
        cutter = Cutter(self._layout(found, use), chosen)
        records = cutter.records()
        others: list[Issue] = []
        for head, one in all_sheets:
            if one is not chosen:
                others.extend(_unread(head, one, table))
        return TableFile(
            table.name, use.mode, records, cutter.rows, tuple(cutter.sums.totals),
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


def _lacking(found: Header, one: Sheet) -> str:
    return (
        f"The header of {found.names.table.name} lacks {', '.join(found.missing)}. "
        f"Seen were: {header.shown(found.heads)}. "
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
