"""Cuts delimited text into rows: the csv module for well-formed text, a forgiving reader for everything else."""

import csv
import io
import re

from gateway.formats.sheet_model import Row

UNQUOTED = "\x01"  # Hive knows no quotation marks
_BREAK = re.compile(r"\r\n|\r|\n")
_QUOTES = re.compile('"+')
_SPARE = 1 << 20
_UNCLOSED = "A quotation mark opens a cell in this line and is never closed; correct the line at the source."


def physical_lines(text: str) -> io.StringIO:
    """Return an iterator over the lines with their ends: CR LF, CR and LF end a line, nothing else does."""
    return io.StringIO(text, newline="")


def read(text: str, delimiter: str, width: int = 0) -> tuple[list[Row], list[int]]:
    """Return the rows, and the lines whose stray quotation marks were taken as they stand.

    Every physical line belongs to exactly one row. `width` is the usual number of cells (0: unknown); it decides
    whether lines joined by a stray quotation mark are one row.
    """
    if '"' not in text or delimiter == UNQUOTED:
        return _plain(text, delimiter), []
    try:
        return _strict(text, delimiter), []
    except csv.Error:
        return _Tolerant(text, delimiter, width).read()


def _plain(text: str, delimiter: str) -> list[Row]:
    return [
        Row(line, 1, tuple(found.rstrip("\r\n").split(delimiter)))
        for line, found in enumerate(physical_lines(text), start=1)
    ]


def _strict(text: str, delimiter: str) -> list[Row]:
    reader = csv.reader(physical_lines(text), delimiter=delimiter, strict=True)
    rows, before = [], 0
    for cells in reader:
        after = reader.line_num
        rows.append(Row(before + 1, after - before, tuple(cells) or ("",)))
        before = after
    return rows


class _Unclosed(Exception):
    """The quotation mark that opens a cell has no plausible partner; `at` is how far the search came."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at


class _Tolerant:
    """Reads rows in which quotation marks are not doubled, not closed, or stand in the middle of a cell.

    A closing mark is an odd run of them before a delimiter or a line end. The search for it never goes over the same
    text twice, and what is read in vain is paid from a budget, so that the whole takes time in proportion to its size.
    """

    def __init__(self, text: str, delimiter: str, width: int) -> None:
        mark = re.escape(delimiter)
        self.text, self.delimiter, self.width = text, delimiter, width
        self.edge = re.compile(f"[{mark}\r\n]")
        self.closer = re.compile(f'(?<!")(?:"")*"(?=[{mark}\r\n]|\\Z)')
        self.opener = re.compile(f'[{mark}\r\n]"(?:"")*(?!")')
        self.searched, self.closes, self.none_from = 0, -1, len(text) + 1
        self.budget = 4 * len(text) + _SPARE
        self.rows: list[Row] = []
        self.loose: list[int] = []
        self.stray = False

    def read(self) -> tuple[list[Row], list[int]]:
        at, line = 0, 1
        while at < len(self.text):
            at, line = self._row(at, line)
        return self.rows, self.loose

    def _row(self, start: int, line: int) -> tuple[int, int]:
        found = _BREAK.search(self.text, start)
        end = found.start() if found else len(self.text)
        cells = _well_formed(self.text[start:end], self.delimiter)
        if cells:
            self.rows.append(Row(line, 1, tuple(cells)))
            return found.end() if found else end, line + 1
        return self._doubtful(start, line)

    def _doubtful(self, start: int, line: int) -> tuple[int, int]:
        self.stray = False
        try:
            cells, end = self._cells(start)
        except _Unclosed as unclosed:
            return self._single(start, line, unclosed.at)
        spanned = _spanned(self.text, start, end)
        if spanned > 1 and self.width not in (0, len(cells)):
            return self._single(start, line, end)
        self.rows.append(Row(line, spanned, tuple(cells)))
        if self.stray:
            self.loose.append(line)
        return end, line + spanned

    def _cells(self, at: int) -> tuple[list[str], int]:
        """Return the cells from `at` on and where the next row starts."""
        cells = []
        while True:
            cell, at = self._quoted(at) if self.text.startswith('"', at) else self._bare(at, at)
            cells.append(cell)
            if not self.text.startswith(self.delimiter, at):
                return cells, self._past_break(at)
            at += 1

    def _bare(self, start: int, search: int) -> tuple[str, int]:
        found = self.edge.search(self.text, search)
        end = found.start() if found else len(self.text)
        return self.text[start:end], end

    def _quoted(self, start: int) -> tuple[str, int]:
        run = _QUOTES.match(self.text, start)
        assert run is not None
        after = run.end()
        if (after - start) % 2 == 0:
            return self._even(start, after)
        close = self._close(after)
        if close < 0 or (close - start > self.budget and _BREAK.search(self.text, start, close)):
            raise _Unclosed(start)
        body = self.text[start + 1 : close]
        if _BREAK.search(body) and self.opener.search(body):
            raise _Unclosed(close)
        self.stray = self.stray or body.count('"') != 2 * body.count('""')
        return body.replace('""', '"'), close + 1

    def _even(self, start: int, after: int) -> tuple[str, int]:
        if after == len(self.text) or self.edge.match(self.text, after):
            return '"' * ((after - start) // 2 - 1), after
        self.stray = True
        return self._bare(start, after)

    def _close(self, after: int) -> int:
        """Return where the next closing mark is, -1 without one; the answer serves all places before it."""
        if after >= self.none_from:
            return -1
        if not self.searched <= after <= self.closes:
            found = self.closer.search(self.text, after)
            if not found:
                self.none_from = after
                return -1
            self.searched, self.closes = after, found.end() - 1
        return self.closes

    def _single(self, start: int, line: int, seen: int) -> tuple[int, int]:
        """Take the first physical line alone: with its marks as they stand if the width is right, else as a fault."""
        self.budget -= max(seen - start, 0)
        found = _BREAK.search(self.text, start)
        end = found.start() if found else len(self.text)
        text = self.text[start:end]
        cells = tuple(text.split(self.delimiter))
        if len(cells) == self.width:
            self.rows.append(Row(line, 1, cells))
            self.loose.append(line)
        else:
            self.rows.append(Row(line, 1, (text,), _UNCLOSED))
        return self._past_break(end), line + 1

    def _past_break(self, at: int) -> int:
        found = _BREAK.match(self.text, at)
        return found.end() if found else at


def _well_formed(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line that is a row of its own without any doubt, [] for the others."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader((line,), delimiter=delimiter, strict=True))
    except csv.Error:
        return []


def _spanned(text: str, start: int, end: int) -> int:
    breaks = len(_BREAK.findall(text, start, end))
    return breaks if breaks and text[end - 1] in "\r\n" else breaks + 1
