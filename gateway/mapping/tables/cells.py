"""Cells: the text of one cell as the engine reads it, and what had to be noticed about it; memoised by raw cell.

Spellings of nothing are empty unless the column keeps them; what Excel or an export program put around a value is
taken off; an exponent that lost digits is never guessed back (china.md §5.2 cases 7 and 13).
"""

import re
from decimal import Decimal

from gateway.formats.charset_evidence import garbles
from gateway.mapping.cell import CACHE_SIZE, CACHE_TEXT, Note
from gateway.mapping.tables.definition import Column

NULL = '""'
NULLS = frozenset({
    "NULL", "null", "Null", "(Null)", "(NULL)", "(null)", "[NULL]", "<NULL>", "\\N", "None", "NaN", "-", "--", "—",
    "——", "－", "/", "无", "不详", "未查", "未测", "不适用", '""', "''", "N/A", "#N/A", "#REF!", "#VALUE!",
})  # fmt: skip
_NO_DATE = re.compile(
    r"(?:9999|2999)[-/.年]?12[-/.月]?31日?.{0,13}|1900[-/.]0?1[-/.]0?1(?: 0?0?[0:.]*)?|0000-00-00.{0,9}"
)
_FORMULA = re.compile(r'="([^"]*)"')
_EXPONENT = re.compile(r"([+-]?)(\d)(?:\.(\d+))?[eE]\+?(\d{1,3})")
_SPECIAL = re.compile(r"[\^~&|\\]")
_ESCAPES = str.maketrans({"|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "\\": "\\E\\", "&": "\\T\\"})
GARBLED = Note(
    "'{}' was read in a wrong charset before it came here{}; it was kept, and nobody is known by it", "value"
)
NO_DATE = Note("'{}' means that no date was given", "informational", "information")
_ZERO = ("0000", "1900")
_HALF = re.compile(r"(?:\\x[89a-f][0-9a-f])+\Z")
_SHOWN = 12
_WRAPS = "='‘`"
_NEVER = ("9999", "2999", "1900", "0000")
# From twelve digits on a spreadsheet writes five decimals and an exponent.
_LOSES = 11
_LONGEST = 40
LOST = Note("'{}' has lost digits (a spreadsheet wrote a long number with an exponent); it was left out", "value")
WRITTEN = Note("'{}' was written out without its exponent", "informational", "information")
CUT = Note("the text was cut in the middle of a character ('{}'); it was kept as it came", "value")


# The text of a cell ('' for every spelling of nothing), and a note when it is not what was sent.
Clean = tuple[str, Note | None]
_EMPTY: Clean = ("", None)


def clean(cell: str, column: Column) -> Clean:
    """Return the text of a cell of this column, and a note when it is not what was sent."""
    text = cell.strip()
    if not text:
        return _EMPTY
    if text[0] in _WRAPS:
        text = _unwrapped(text)
    if text not in column.keeps and (text in NULLS or text in column.nulls or _no_date(text)):
        return ("", NO_DATE._replace(text=NO_DATE.text.format(text))) if text.startswith(_ZERO) else _EMPTY
    if not text.isascii() or text[-4:-2] == "\\x":
        return text, _broken(text)
    if ("E" not in text and "e" not in text) or column.exponent or len(text) > _LONGEST:
        return text, None
    number = _EXPONENT.fullmatch(text)
    return _written(text, number) if number is not None else (text, None)


def _broken(text: str) -> Note | None:
    """Return what is wrong with the characters of a text: cut in one of them, or read in a wrong charset before."""
    if text[-4:-2] == "\\x" and _HALF.search(text):
        return CUT._replace(text=CUT.text.format(text[-_SHOWN:]))
    garble = next(garbles(text), None)
    if garble is None:
        return None
    meant = f" ({garble.meant} was meant)" if garble.meant else ""
    return GARBLED._replace(text=GARBLED.text.format(garble.found, meant))


def _unwrapped(text: str) -> str:
    """Return what a spreadsheet was told to show as text (`="0101"`, `'0101`)."""
    formula = _FORMULA.fullmatch(text)
    if formula is not None:
        return formula[1].strip()
    return text[1:].strip() if text[1:].strip().isalnum() else text


def _no_date(text: str) -> bool:
    return text.startswith(_NEVER) and _NO_DATE.fullmatch(text) is not None


def _written(text: str, number: re.Match[str]) -> Clean:
    decimals, power = len(number[3] or ""), int(number[4])
    if decimals < power >= _LOSES:
        return "", LOST._replace(text=LOST.text.format(text))
    return f"{Decimal(text):f}", WRITTEN._replace(text=WRITTEN.text.format(text))


def escaped(text: str) -> str:
    """Return the text as it may stand in a component."""
    return text.translate(_ESCAPES) if _SPECIAL.search(text) else text


class Cells(dict[str, str]):
    """The cells of one column as fields of the engine: `cells[raw]` converts on the first sight of a raw text."""

    __slots__ = ("_column", "_empty", "_parts", "_split", "_told", "_unit", "notes")

    def __init__(self, column: Column, unit: str, *, clears: bool) -> None:
        super().__init__()
        self._column = column
        self._unit = escaped(unit)
        self._empty = NULL if clears else ""
        self._split = _cutter(column.split)
        self._parts = _cutter(column.parts)
        self.notes: dict[str, Note] = {}
        self._told: dict[str, list[str]] = {}

    def __missing__(self, raw: str) -> str:
        text, note = clean(raw, self._column)
        field = self._field(text) if text else self._empty
        if len(raw) <= CACHE_TEXT:
            if len(self) >= CACHE_SIZE:
                self.clear()
                self.notes.clear()
                self._told.clear()
            self[raw] = field
        if note is not None:
            self.notes[raw] = note
        return field

    def told(self, raw: str) -> list[str]:
        """Return the values in a cell of an item column, each as a field without unit."""
        known = self._told.get(raw)
        if known is None:
            text = clean(raw, self._column)[0]
            known = [self._parted(value, "") for value in self._several(text)] if text else []
            if len(raw) <= CACHE_TEXT and raw in self:
                self._told[raw] = known
        return known

    def _field(self, text: str) -> str:
        return "~".join(self._parted(value, self._unit) for value in self._several(text))

    def _several(self, text: str) -> list[str]:
        if self._split is None:
            return [text]
        return [value for part in self._split.split(text) if (value := part.strip())]

    def _parted(self, text: str, unit: str) -> str:
        if self._parts is None:
            return f"{escaped(text)}^{unit}" if unit else escaped(text)
        parts = [escaped(part.strip()) for part in self._parts.split(text)]
        if unit:
            parts = [f"{part}&{unit}" if part else "" for part in parts]
        return "^".join(parts).rstrip("^")


def _cutter(characters: str) -> re.Pattern[str] | None:
    return re.compile(f"[{re.escape(characters)}]") if characters else None
