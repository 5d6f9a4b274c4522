"""Reads the HTML pages that many systems save under the name .xls: every <table> with text is a sheet."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from gateway.formats import delimited_text
from gateway.formats.sheet_model import NotATable, Row, Sheet
from gateway.formats.workbook_grid import Area, Grid

_START = re.compile(
    rb"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|meta|style)\b", re.I | re.S
)
_META = re.compile(rb"<meta[^>]+charset\s*=\s*[\"']?([\w-]+)", re.I)
_BLANK = re.compile(r"[ \t\r\n\f\xa0]+")
_BREAK = re.compile(r"\r\n?")
_HEAD = 4096
_MOST_SPAN = 1000
_UNSEEN = frozenset(("script", "style", "title", "noscript", "xml"))
_CELLS = frozenset(("td", "th"))
_BREAKS = frozenset(("br", "p", "div", "li"))


@dataclass(slots=True)
class _Table:
    """A table being read: where the next cell goes, the columns that cells above still cover (column -> row), and
    the first and last physical line of each row.
    """

    grid: Grid = field(default_factory=Grid)
    row: int = 0
    column: int = 0
    covered: dict[int, int] = field(default_factory=dict)
    text: list[str] | None = None
    lines: dict[int, tuple[int, int]] = field(default_factory=dict)


def is_html(raw: bytes) -> bool:
    """Say whether the bytes start as an HTML page does, in any charset that keeps ASCII or in UTF-16."""
    head = raw[:_HEAD]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.replace(b"\x00", b"")[2:]
    return _START.match(head.removeprefix(b"\xef\xbb\xbf")) is not None


def read(raw: bytes, charset: str | None = None) -> list[Sheet]:
    """Return the tables that hold text, spans expanded; `charset` is the feed's, else the page's own name for it.

    Lines are the rows of the table, as Excel numbers them. Raises NotATable when there is no table with text.
    """
    said = _META.search(raw[:_HEAD])
    decoded = delimited_text.decode(raw, charset, said.group(1).decode("ascii", "replace") if said else None)
    page = _Page()
    page.feed(_BREAK.sub("\n", decoded.text))
    page.close()
    found = [(number, _rows(table, decoded.bad)) for number, table in enumerate(page.tables, start=1)]
    sheets = [
        Sheet(rows, "html", decoded.encoding, "", f"table {number}", tuple(decoded.issues))
        for number, rows in found
        if rows
    ]
    if not sheets:
        raise NotATable("The file is a web page without a table; the sender's export may have failed or been refused.")
    return sheets


def _rows(table: _Table, bad: dict[int, str]) -> list[Row]:
    rows = table.grid.rows()
    return [_judged(row, *table.lines[row.line], bad) for row in rows] if bad else rows


def _judged(row: Row, first: int, last: int, bad: dict[int, str]) -> Row:
    """Return the row, its text in one cell and a fault if a physical line of it could not be decoded."""
    why = next((bad[line] for line in range(first, last + 1) if line in bad), "")
    return Row(row.line, 1, ("\t".join(row.cells),), why) if why else row


class _Page(HTMLParser):
    """Collects the tables of a page; a table inside a cell is a table of its own."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[_Table] = []
        self.open: list[_Table] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self.unseen += 1
        elif tag == "table":
            self.open.append(_Table())
            self.tables.append(self.open[-1])
        elif self.open and tag == "tr":
            _next_row(self.open[-1])
            self._mark()
        elif self.open and tag in _CELLS:
            _next_cell(self.open[-1], dict(attrs))
            self._mark()
        elif tag in _BREAKS:
            self._say("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _UNSEEN:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _CELLS or tag == "tr":
            self._mark()
        if tag in _UNSEEN:
            self.unseen = max(self.unseen - 1, 0)
        elif self.open and (tag in _CELLS or tag in ("tr", "table")):
            _end_cell(self.open[-1])
            if tag == "table":
                self.open.pop()

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self._say(_BLANK.sub(" ", data))

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        """Step over `<![` that opens no section, where the library gives up."""
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:
            return self.parse_bogus_comment(i)

    def unknown_decl(self, data: str) -> None:
        """Take CDATA and conditional sections for what they are: not text."""

    def close(self) -> None:
        super().close()
        for table in self.open:
            _end_cell(table)

    def _mark(self) -> None:
        """Note that the open row reaches to the line that is being read."""
        if self.open and self.open[-1].row:
            table, line = self.open[-1], self.getpos()[0]
            table.lines[table.row] = (table.lines.get(table.row, (line, line))[0], line)

    def _say(self, text: str) -> None:
        if self.open and self.open[-1].text is not None:
            self.open[-1].text.append(text)


def _next_row(table: _Table) -> None:
    _end_cell(table)
    table.row += 1
    table.column = -1
    table.covered = {column: last for column, last in table.covered.items() if last >= table.row}
    table.grid.cells[table.row] = {}


def _next_cell(table: _Table, attrs: dict[str, str | None]) -> None:
    _end_cell(table)
    if not table.row:
        _next_row(table)
    table.column = _free(table, table.column + 1)
    table.text = []
    across, down = _span(attrs.get("colspan")), _span(attrs.get("rowspan"))
    if across > 1 or down > 1:
        area = Area(table.row, table.column, table.row + down - 1, table.column + across - 1)
        table.grid.areas.append(area)
        table.covered |= dict.fromkeys(range(area.left, area.right + 1), area.bottom)


def _free(table: _Table, column: int) -> int:
    while table.covered.get(column, 0) >= table.row:
        column += 1
    return column


def _end_cell(table: _Table) -> None:
    if table.text is None:
        return
    lines = "".join(table.text).split("\n")
    text = "\n".join(line.strip() for line in lines).strip("\n")
    table.grid.cells[table.row][table.column] = text
    table.text = None


def _span(value: str | None) -> int:
    digits = (value or "").strip()
    return min(max(int(digits), 1), _MOST_SPAN) if digits.isdecimal() and len(digits) < 10 else 1
