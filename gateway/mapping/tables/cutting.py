"""Cutting: the rows below a header to records, with an account of every row that is none."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.fhir.issues import Issue
from gateway.formats.sheet import Row, Sheet
from gateway.mapping.tables import footer, header
from gateway.mapping.tables.records import Layout, Record, digest_of

_MOSTLY = 0.8
_FEW = 2
_TEXTS = frozenset({"csv", "tab", "text"})
_TOO_MANY = "has {} cells, the header {}: a separator stands in a text without quotation marks; correct the line"
_BROKEN = "lines {} and {} seem to be one row, broken by a line break in a text without quotation marks; correct them"
_NO_KEY = "has no {}, by which a row is known; complete it and send it again"


@dataclass(slots=True)
class _Group:
    """The rows of one record, and what is wrong with it."""

    rows: list[tuple[Row, Sequence[str]]]
    fault: str = ""


class Cutter:
    """Cuts the rows of one sheet; `records`, `rows`, `sums` and `skipped` say what became of them."""

    def __init__(self, layout: Layout, sheet: Sheet) -> None:
        self.layout = layout
        self.sheet = sheet
        self.rows = 0
        self.skipped: list[tuple[int, str]] = []
        self._groups: list[_Group] = []
        self._by_key: dict[str, _Group] = {}
        table = layout.table
        sums = tuple((layout.at[name], name) for name in table.total.sums if name in layout.at)
        self.sums = footer.Sums(table.total.labels, sums)
        self._heads = frozenset(head for head in layout.header.heads if head)
        texts = (*table.total.labels, *table.skip, *self._heads, *footer.BEGINNINGS)
        self._leads = frozenset(text[0] for text in texts if text)
        self._first = 1 if layout.numbers and not layout.numbers[0] else 0

    def records(self, first: int = 0) -> list[Record]:
        """Look at every row once and return the records, numbered from `first`."""
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
            elif len(cells) < self.layout.width:
                self._take_short(row, cells, number == short + 1 and short >= 0)
                short = number
            else:
                self._take(row, cells)
        return [self._record(number, group) for number, group in enumerate(self._groups, first)]

    def _take(self, row: Row, cells: list[str]) -> None:
        width = self.layout.width
        if any(cells[width:]):
            self._add(row, cells, _TOO_MANY.format(len(cells), width))
        else:
            self._add(row, cells[:width])

    def _take_short(self, row: Row, cells: list[str], after_short: bool) -> None:
        """Take a row with fewer cells than the header; two of them that amount to one row are one, broken in two."""
        width, size = self.layout.width, len(cells)
        before = self._groups[-1] if self._groups else None
        if after_short and before is not None and len(before.rows) == 1 and self.sheet.kind in _TEXTS:
            other = before.rows[0][0]
            if len(other.cells) + size - 1 == width:
                before.fault = _BROKEN.format(other.line, row.line)
                self._add(row, cells, before.fault)
                return
        self._add(row, [*cells, *[""] * (width - size)])

    def _why_not(self, line: int, cells: list[str]) -> str:
        """Return why a row is no data, '' when it is; a line of totals is reconciled."""
        told = [cell for cell in cells[self._first :] if cell]
        if not told:
            return "empty"
        if len(told) > _FEW and told[0][0] not in self._leads:
            return ""
        label = self.sums.label(told[0])
        if label:
            self.sums.total(line, label, [*cells, *[""] * (self.layout.width - len(cells))])
            return "total"
        return self._around(line, told)

    def _around(self, line: int, told: list[str]) -> str:
        """Return what a row is that programs and people write around tables, '' when it is data."""
        if len(told) <= _FEW:
            count = footer.selected("".join(told))
            if count is not None:
                self.sums.counted(line, told[0], count)
                return "count"
        elif sum(cell in self._heads for cell in told) >= _MOSTLY * len(told):
            return "header again"
        if footer.is_ruled(told):
            return "rule"
        return "footer" if footer.is_footer(told[0], self.layout.table.skip) else ""

    def _add(self, row: Row, cells: Sequence[str], fault: str = "") -> None:
        self.rows += 1
        if fault:
            self._groups.append(_Group([(row, cells)], fault))
            return
        self.sums.add(cells)
        layout, columns = self.layout, self.layout.table.group
        key = layout.key(cells, columns) if columns else ""
        known = self._by_key.get(key) if key else None
        if known is not None and not known.fault:
            known.rows.append((row, cells))
            return
        group = _Group([(row, cells)])
        self._groups.append(group)
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
        empty = layout.lacks(cells) if key else " or ".join(layout.table.key)
        key, fault = ("", _NO_KEY.format(empty)) if empty else (key, "")
        digest = _digest([layout.digest(each) for _, each in rows])
        return Record(
            number, row.line, lines, key, digest, layout.people(cells), fault, layout.time(cells), layout, rows
        )  # fmt: skip

    def issues(self) -> list[Issue]:
        """Return what was odd about the sheet as a whole."""
        layout, found = self.layout, self.sums.issues(self.layout.place)
        where = f"line {self.sheet.rows[layout.header.last].line}"
        if layout.unknown:
            text = f"no rule reads the columns {header.shown(layout.unknown)}; their cells are left over"
            found.append(Issue("information", "not-supported", text, where))
        if layout.doubled:
            text = f"the columns {header.shown(layout.doubled)} stand there twice; the first counts"
            found.append(Issue("warning", "duplicate", text, where))
        return found


def _digest(parts: list[bytes]) -> bytes:
    """Return the digest of a record: of its one row, or of its rows whatever their order."""
    return parts[0] if len(parts) == 1 else digest_of("|".join(sorted(part.hex() for part in parts)))
