"""Headers: which row of a sheet names the columns, and which column of a table each cell names.

Senders change headers without notice: blanks, full-width brackets, units in brackets or not, look-alike glyphs,
other words for the same (README of the samples, section 4). So headers are compared in one plain form, then
without what stands in brackets, against every name and alias of a table.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from gateway.formats.sheet import Row
from gateway.mapping.tables.definition import TableDef

ROWS = 20
# Glyphs that look alike and that NFKC keeps apart (china.md §5.2 case 18).
_ALIKE = str.maketrans("査箅戸毎曰〔〕【】[]", "查算户每日()()()")
_NOISE = re.compile(r"[\s*:'\"`]+")
_BRACKETS = re.compile(r"\([^()]*\)$")
_UNIT = re.compile(r"[(（\[【]([^()（）\[\]【】]*)[)）\]】]\s*$")
_NUMBERING = frozenset({"", "序号", "行号", "no", "no.", "rownum", "rn", "#"})
_SHOWN = 40


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """Return a header in the form that headers are compared in."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).translate(_ALIKE)).casefold()


@lru_cache(maxsize=8192)
def bare(text: str) -> str:
    """Return a plain header without the brackets at its end; one that is nothing else stays."""
    found = _BRACKETS.sub("", text)
    return found or text


def unit_in(text: str) -> str:
    """Return what stands in the brackets at the end of a header, as sent."""
    found = _UNIT.search(text)
    return found[1].strip() if found else ""


class Names:
    """The headers by which the columns of one table are known."""

    def __init__(self, table: TableDef) -> None:
        self.table = table
        self.needed = {name for name, column in table.columns.items() if column.needed} | set(table.key)
        self._exact: dict[str, str] = {}
        self._bare: dict[str, str] = {}
        shared: set[str] = set()
        for column in table.columns.values():
            for text in (column.name, *column.also):
                self._exact.setdefault(plain(text), column.name)
                short = bare(plain(text))
                if self._bare.setdefault(short, column.name) != column.name:
                    shared.add(short)
        for short in shared:
            del self._bare[short]

    def column(self, text: str) -> str:
        """Return the column a header names, '' for none."""
        name = plain(text)
        if not name:
            return ""
        return self._exact.get(name) or self._bare.get(bare(name), "")


def ambiguous(table: TableDef) -> list[str]:
    """Return a sentence for every header that would name two columns."""
    seen: dict[str, str] = {}
    found = []
    for column in table.columns.values():
        for text in (column.name, *column.also):
            other = seen.setdefault(plain(text), column.name)
            if other != column.name:
                found.append(f"the header {text} names both {other} and {column.name}")
    return found


class Header(NamedTuple):
    """A header found: the table, the rows it takes (from, to), and for each column its header and its name ('')."""

    names: Names
    first: int
    last: int
    heads: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def matched(self) -> int:
        """Return how many columns of the table there are."""
        return len(set(self.columns) - {""})

    @property
    def share(self) -> float:
        """Return which part of the columns that have a header is the table's."""
        return self.matched / max(1, sum(1 for text in self.heads if text))

    @property
    def missing(self) -> list[str]:
        """Return the needed columns that are not there, in the table's order."""
        return [name for name in self.names.table.columns if name in self.names.needed - set(self.columns)]

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        """Return how well it fits, to be compared: complete, most columns, fewest rows, nearest to the top."""
        return not self.missing, self.matched, self.first - self.last, -self.first


def find(rows: Sequence[Row], tables: Iterable[Names]) -> Header | None:
    """Return the header that fits best within the first rows of a sheet, None when no two columns are known."""
    best: Header | None = None
    top = [(number, row) for number, row in enumerate(rows[:ROWS]) if not row.fault and _filled(row) > 1]
    for names in tables:
        singles = [_single(names, number, row) for number, row in top]
        known = {one.first for one in singles if one.matched}
        merged = (_merged(names, number, rows) for number, _ in top if {number, number + 1} & known)
        for found in (*singles, *merged):
            if found is not None and found.matched > 1 and (best is None or found.rank > best.rank):
                best = found
    return best


def numbering(text: str) -> bool:
    """Say whether a header that no table knows is only a running number of the rows."""
    return plain(text) in _NUMBERING


def shown(texts: Iterable[str]) -> str:
    """Return headers for a sentence."""
    told = [text.strip() for text in texts if text.strip()]
    return ", ".join(told[:_SHOWN]) + (" …" if len(told) > _SHOWN else "")


def _filled(row: Row) -> int:
    return sum(1 for cell in row.cells if cell.strip())


def _single(names: Names, number: int, row: Row) -> Header:
    heads = tuple(cell.strip() for cell in row.cells)
    return Header(names, number, number, heads, tuple(names.column(text) for text in heads))


def _merged(names: Names, number: int, rows: Sequence[Row]) -> Header | None:
    """Return two rows read as one header (血压 over 收缩压 and 舒张压), None when the second is no header."""
    if number + 1 >= len(rows) or rows[number + 1].fault:
        return None
    width = max(len(rows[number].cells), len(rows[number + 1].cells))
    upper = [cell.strip() for cell in rows[number].cells] + [""] * (width - len(rows[number].cells))
    lower = [cell.strip() for cell in rows[number + 1].cells] + [""] * (width - len(rows[number + 1].cells))
    heads, columns, above = [], [], ""
    for top, below in zip(upper, lower, strict=True):
        above = top or (above if below else "")
        tries = (above + below, below) if below else (above,)
        found = next(((text, names.column(text)) for text in tries if names.column(text)), (tries[0], ""))
        heads.append(found[0])
        columns.append(found[1])
    if not any(below and column for below, column in zip(lower, columns, strict=True)):
        return None
    return Header(names, number, number + 1, tuple(heads), tuple(columns))
