"""Reads delimited text (comma, TAB, pipe, semicolon, Hive's \\u0001) of any charset as a sheet."""

import re
from collections import Counter

from gateway.errors import GatewayError
from gateway.fhir.issues import Issue
from gateway.formats import delimited_halves, delimited_rows, delimited_text
from gateway.formats.sheet_model import NotATable, Row, Sheet, lines_named

_CANDIDATES = ("\t", ",", "|", ";", "\x01")
_NAMES = {
    "comma": ",",
    "tab": "\t",
    "\\t": "\t",
    "pipe": "|",
    "semicolon": ";",
    "\\u0001": "\x01",
    "\\x01": "\x01",
    "\\001": "\x01",
    "^a": "\x01",
}
_SAMPLE = 32_768
_SEP_LINE = re.compile(r'"?sep=([^"\r\n])"?(?=[\r\n])')
_CONTROL = re.compile("[\x02-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")
_MOSTLY_BINARY = 0.1


def read(raw: bytes, charset: str | None = None, delimiter: str | None = None) -> Sheet:
    """Return text as a sheet; `charset` and `delimiter` are the feed's, binding when given.

    Raises NotATable when there is no text, GatewayError when the feed names a charset or delimiter nobody knows.
    """
    pinned = named_delimiter(delimiter) if delimiter else ""
    decoded = delimited_text.decode(raw, charset)
    text = decoded.text.removesuffix("\x1a")
    _check_text(text)
    mark, width = _shape(text, pinned)
    rows, loose = delimited_rows.read(text, mark, width)
    rows = delimited_halves.judged(rows, decoded, mark, width)
    if decoded.bad:
        _check_faults(rows, decoded)
    issues = (*decoded.issues, *_loose_issue(loose))
    return Sheet(rows, "tab" if mark == "\t" else "csv", decoded.encoding, mark, "", issues)


def named_delimiter(name: str) -> str:
    """Return the one character that a feed's `delimiter` means (`,`, `tab`, `\\u0001` …); raises GatewayError."""
    mark = _NAMES.get(name.lower(), name)
    if len(mark) != 1 or mark in '"\r\n':
        raise GatewayError(f"The delimiter '{name}' of the feed is not one character; use comma, tab, pipe, semicolon.")
    return mark


def _shape(text: str, pinned: str) -> tuple[str, int]:
    """Return the delimiter and the usual number of cells: what makes most rows equally wide is the delimiter."""
    sample = text[:_SAMPLE]
    if len(text) > _SAMPLE:
        sample = sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1] or sample
    said = _SEP_LINE.match(sample)
    pinned = pinned or (said.group(1) if said else "")
    marks = [pinned] if pinned else [mark for mark in _CANDIDATES if mark in sample]
    best, shape = -1, (",", 1)
    for mark in marks:
        score, width = _score(delimited_rows.read(sample, mark)[0])
        if score > best:
            best, shape = score, (mark, width)
    return shape


def _score(rows: list[Row]) -> tuple[int, int]:
    widths = Counter(len(row.cells) for row in rows if row.cells != ("",))
    return max(((count * (width - 1), width) for width, count in widths.items()), default=(0, 1))


def _check_text(text: str) -> None:
    if not text.strip():
        raise NotATable("The file holds no text, only blanks; ask the sender to export it again.")
    sample = text[:_SAMPLE]
    if len(_CONTROL.findall(sample)) > _MOSTLY_BINARY * len(sample):
        raise NotATable("The file is neither text nor a workbook that is known here; ask the sender for CSV or XLSX.")


def _check_faults(rows: list[Row], decoded: delimited_text.Text) -> None:
    """Refuse a file in which no row with Chinese could be read: one sentence is kinder than a thousand faults."""
    if len(decoded.bad) > 1 and all(row.fault or "".join(row.cells).isascii() for row in rows):
        line, why = next(iter(decoded.bad.items()))
        raise NotATable(f"No line with other than ASCII characters can be read. {why}", where=f"line {line}")


def _loose_issue(lines: list[int]) -> list[Issue]:
    if not lines:
        return []
    text = f"Quotation marks inside cells are not doubled in {lines_named(lines)}; they were taken as they stand."
    return [Issue("information", "informational", text, f"line {lines[0]}")]
