"""Redaction: a message's shape without its values, so that it can be sent to a vendor."""

import re
from collections.abc import Iterable

from gateway.formats import hl7v2_tables

_DELIMITERS = frozenset("|^~\\&\r\n")
_KEPT_FIELDS = {"MSH": frozenset({1, 2, 9, 11, 12, 15, 16, 18}), "OBX": frozenset({1, 2, 11}), "EVN": frozenset({1})}
# A value that is kept is a code of a kind: nothing like a name in ideographs, and no run of digits like a number.
_CODE = re.compile(r"(?!.*[0-9]{6})[A-Za-z0-9^~\\&#@_. /-]{0,40}")
_NAME = re.compile(r"Z[A-Z0-9]{2}")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|[0-9]{3,}|[\u3400-\u9fff]+")
_SHORTEST = 3


def message(raw: bytes) -> str:
    """Return the message with every letter as x, every ideograph as 某 and every digit as 9; structure stays."""
    return "\n".join(map(_segment, _lines(raw)))


def sentence(text: str, raw: bytes) -> str:
    """Return an issue's sentence without values: what it quotes, its numbers, and whatever stands in the message."""
    return without(text, _values(raw))


def without(text: str, values: Iterable[str]) -> str:
    """Return a sentence without these values, without what it quotes and without numbers."""
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, mask(value))
    return _QUOTED.sub(lambda found: mask(found[0]), text)


def _lines(raw: bytes) -> list[str]:
    return _decoded(raw).replace("\r\n", "\r").replace("\n", "\r").split("\r")


def _values(raw: bytes) -> set[str]:
    """Return what stands in the fields that are masked, whole and by component."""
    fields = [field for line in _lines(raw) for field, masked in _fields(line) if masked]
    parts = {part for field in fields for part in (field, *re.split(r"[~^&]", field))}
    return {part for part in parts if len(part) >= _SHORTEST or not part.isascii()}


def _segment(line: str) -> str:
    return "|".join(mask(field) if masked else field for field, masked in _fields(line))


def _fields(line: str) -> list[tuple[str, bool]]:
    """Return the fields of a line, its name first, and whether each must be masked."""
    name, *values = line.split("|")
    known = bool(values) and (hl7v2_tables.newest_segment(name) is not None or _NAME.fullmatch(name) is not None)
    kept = _KEPT_FIELDS.get(name, frozenset())
    first = 2 if name == "MSH" else 1
    told = [(value, number not in kept or not _CODE.fullmatch(value)) for number, value in enumerate(values, first)]
    return [(name, not known), *told]


def mask(value: str) -> str:
    """Return a value with every letter as x, every ideograph as 某 and every digit as 9."""
    return "".join(_sign(letter) for letter in value)


def _sign(letter: str) -> str:
    if letter in _DELIMITERS or not letter.isalnum():
        return letter
    if letter.isdigit():
        return "9"
    return "x" if letter.isascii() else "某"


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("ascii", "replace")
