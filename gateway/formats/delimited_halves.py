"""Half characters: a text cut at a number of bytes ends in one; its row stands when nothing else is in doubt."""

import re
from collections.abc import Iterable

from gateway.formats.delimited_rows import physical_lines
from gateway.formats.delimited_text import Text
from gateway.formats.sheet_model import Row

_ESCAPES = re.compile(r"(?:\\x[89a-f][0-9a-f])+")
_HALVES = {
    "gb18030": re.compile(rb"[\x81-\xfe]"),
    "utf-8": re.compile(rb"[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2}"),
}
_SWALLOWED = (
    "This row has one cell too few, and '{}' may be half a character that took the separator after it with it (a text "
    "cut at a number of bytes). Correct the line at the source, or ask the sender for another separator."
)


def judged(rows: Iterable[Row], decoded: Text, mark: str, width: int) -> list[Row]:
    """Return the rows, those that cannot be trusted reduced to their raw text and given a fault.

    On a line with undecodable bytes a row stands if each is the first half of a character at the end of a cell
    (china.md section 5.2 case 5); it then shows as `\\xNN`. `width` is the usual number of cells.
    """
    lines = list(physical_lines(decoded.text)) if decoded.bad else []
    found = [_judged(row, lines, decoded, width) for row in rows] if lines else list(rows)
    if decoded.encoding == "gb18030" and mark > "@":
        found = [_whole(row, mark, width) for row in found]
    return found


def _judged(row: Row, lines: list[str], decoded: Text, width: int) -> Row:
    why = next((decoded.bad[line] for line in range(row.line, row.line + row.lines) if line in decoded.bad), "")
    if not why or (len(row.cells) == width and all(_only_cut(cell, decoded.encoding) for cell in row.cells)):
        return row
    raw = "".join(lines[row.line - 1 : row.line - 1 + row.lines]).rstrip("\r\n")
    return Row(row.line, row.lines, (raw,), why)


def _only_cut(cell: str, encoding: str) -> bool:
    """Say whether undecodable bytes stand at the end of a cell only, and are the first half of a character."""
    half = _HALVES.get(encoding)
    for run in _ESCAPES.finditer(cell):
        seen = bytes.fromhex(run.group().replace("\\x", ""))
        if half is None or cell[run.end() :].strip() or half.fullmatch(seen) is None:
            return False
    return True


def _whole(row: Row, mark: str, width: int) -> Row:
    """Return a row one cell short as a fault when one of its characters ends in the byte of the separator."""
    if row.fault or len(row.cells) != width - 1:
        return row
    found = next((char for cell in row.cells for char in cell if char > "\x7f" and _ends_in(char, mark)), "")
    return Row(row.line, row.lines, (mark.join(row.cells),), _SWALLOWED.format(found)) if found else row


def _ends_in(char: str, mark: str) -> bool:
    return char.encode("gb18030", "ignore")[-1:] == mark.encode()
