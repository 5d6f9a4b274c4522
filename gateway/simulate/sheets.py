"""Writes exports as text the way the county's systems do, row by row, and tells the line each row began on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import BinaryIO

from gateway.simulate.values import Bare, Cut, Row

DELIMITERS = {"csv": ",", "quoted": ",", "tab": "\t", "pipe": "|", "spool": "|", "soh": "\u0001"}
SPOOL_PAGE = 20  # rows after which SQL*Plus repeats the header


@dataclass(frozen=True, slots=True)
class Form:
    """How one file is written; `mixed` puts a UTF-8 mark and header over rows of another encoding."""

    kind: str = "csv"
    encoding: str = "gb18030"
    title: str = ""
    total: tuple[str, ...] = ()
    mixed: bool = False
    bom: bool = False


class Sheet:
    """One text export being written; yields each row with its first line (of a web page: its row), from 1."""

    def __init__(self, out: BinaryIO, columns: tuple[str, ...], form: Form) -> None:
        self._out = out
        self._columns = columns
        self._form = form
        self.line = 1
        self.total_line = 0

    def write(self, rows: Iterable[Row], header: tuple[str, ...] | None = None) -> Iterator[tuple[Row, int]]:
        """Write header, rows and what stands around them; `header` replaces the words over the columns."""
        words = header or self._columns
        self._top(words)
        count = 0
        for row in rows:
            if self._form.kind == "spool" and count and count % SPOOL_PAGE == 0:
                self._put(words)
            first = self.line
            self._put([_cell(row, column) for column in self._columns])
            count += 1
            yield row, first
        self._bottom(count)

    def _top(self, words: tuple[str, ...]) -> None:
        if self._form.mixed or self._form.bom:
            self._out.write(b"\xef\xbb\xbf")
        if self._form.kind == "html":
            self._out.write(
                b'<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"></head>\r\n'
            )
            self._out.write(b'<body><table border="1">\r\n')
        if self._form.title:
            self._raw(self._form.title)
        self._put(words, "utf-8" if self._form.mixed else "")

    def _bottom(self, count: int) -> None:
        self.total_line = self.line if self._form.total else 0
        if self._form.total:
            self._put(self._form.total)
        if self._form.kind == "spool":
            self._raw("")
            self._raw(f"已选择 {count} 行。")
        elif self._form.kind == "html":
            self._out.write(b"</table></body></html>\r\n")

    def _raw(self, text: str) -> None:
        self._out.write(text.encode(self._form.encoding) + b"\r\n")
        self.line += 1

    def _put(self, cells: Iterable[str], encoding: str = "") -> None:
        codec = encoding or self._form.encoding
        if self._form.kind == "html":
            inner = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
            self._raw(f"<tr>{inner}</tr>")
            return
        delimiter = DELIMITERS[self._form.kind]
        raw = delimiter.encode().join(self._encoded(cell, delimiter, codec) for cell in cells)
        self._out.write(raw + b"\r\n")
        self.line += 1 + raw.count(b"\n")

    def _encoded(self, cell: str, delimiter: str, codec: str) -> bytes:
        if isinstance(cell, Cut):
            return cell[:-1].encode(codec) + cell[-1].encode(codec)[:1]
        if isinstance(cell, Bare):
            return cell.encode(codec)
        quoted = self._form.kind == "quoted" or any(sign in cell for sign in (delimiter, '"', "\n"))
        if self._form.kind in ("csv", "quoted", "tab") and quoted:
            cell = '"' + cell.replace('"', '""') + '"'
        elif quoted:
            cell = cell.replace("\n", " ")
        return cell.encode(codec)


def _cell(row: Row, column: str) -> str:
    return row.cells.get(column, "")
