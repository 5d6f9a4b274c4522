"""The R4 primitive types: what a value must look like, and a sentence when it does not."""

import re
from decimal import Decimal
from typing import Any

from gateway.fhir import temporal

_TEXT = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F]+$"

PATTERNS: dict[str, str] = temporal.PATTERNS | {
    "base64Binary": r"^\s*(?:[0-9a-zA-Z+/=]{4}\s*)+$",
    "canonical": r"^\S+$",
    "code": r"^\S+(?:\s\S+)*$",
    "id": r"^[A-Za-z0-9.-]{1,64}$",
    "markdown": _TEXT,
    "oid": r"^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$",
    "string": _TEXT,
    "uri": r"^\S+$",
    "url": r"^\S+$",
    "uuid": r"^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "xhtml": _TEXT,
}
"""Anchored expressions, read alike by Python and by the schemas (http://hl7.org/fhir/R4/datatypes.html).

Where R4's own text says `\\S` for any visible character we name the control characters instead: a
full-width space is white space to some engines and ordinary Chinese text to everybody else.
"""

STRING_LIMIT = 1024 * 1024
"""Characters a `string` may hold at most; `markdown`, `base64Binary` and `xhtml` may be longer."""

WHOLE_NUMBERS: dict[str, tuple[int, int]] = {
    "integer": (-(2**31), 2**31 - 1),
    "unsignedInt": (0, 2**31 - 1),
    "positiveInt": (1, 2**31 - 1),
}
"""Least and greatest value of each whole-number type."""

_COMPILED = {kind: re.compile(pattern.removeprefix("^").removesuffix("$")) for kind, pattern in PATTERNS.items()}
_SHAPES = {
    "base64Binary": "base64 text in groups of four characters",
    "canonical": "an address without spaces",
    "code": "a code without leading, trailing or doubled spaces",
    "date": "a date as YYYY, YYYY-MM or YYYY-MM-DD",
    "dateTime": "a date, or a date and time with a zone such as 2026-03-01T08:30:00+08:00",
    "id": "1 to 64 letters A-Z a-z, digits, '-' or '.'",
    "instant": "a date and time to the second with a zone such as 2026-03-01T08:30:00+08:00",
    "markdown": "text without control characters",
    "oid": "urn:oid: and dotted numbers",
    "string": "text without control characters",
    "time": "a time as hh:mm:ss",
    "uri": "an address without spaces",
    "url": "an address without spaces",
    "uuid": "urn:uuid: and a lower-case UUID",
    "xhtml": "text without control characters",
}
_CALENDAR = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ZONELESS = re.compile(r"[0-9-]{10}T[0-9:]{5,8}(?:\.[0-9]+)?")
_SHOWN = 80


def shown(value: Any) -> str:
    """Return `value` quoted for a sentence, shortened so that an attachment never fills a log line."""
    text = str(value) if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def fault(kind: str, value: Any) -> str | None:
    """Return why `value` is not of the primitive type `kind`, as a sentence, or None when it is."""
    if kind == "boolean":
        return None if isinstance(value, bool) else f"{shown(value)} is not true or false without quotes."
    if kind == "decimal":
        return _decimal_fault(value)
    if kind in WHOLE_NUMBERS:
        return _whole_fault(kind, value)
    return _text_fault(kind, value)


def _decimal_fault(value: Any) -> str | None:
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if not number:
        return f"{shown(value)} is not a number: write it without quotes, as in 7.20."
    return None if Decimal(value).is_finite() else f"{value} is not a number that JSON can carry."


def _whole_fault(kind: str, value: Any) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return f"{shown(value)} is not a whole number: write it without quotes and without a decimal point."
    least, most = WHOLE_NUMBERS[kind]
    return None if least <= value <= most else f"{value} is outside {least} to {most}."


def _text_fault(kind: str, value: Any) -> str | None:
    if not isinstance(value, str):
        return f"{shown(value)} is not text: this element holds {_SHAPES[kind]}, in quotes."
    if not value:
        return "The text is empty: leave the element out instead."
    if kind == "string" and len(value) > STRING_LIMIT:
        return f"The text has {len(value):,} characters; a string holds at most {STRING_LIMIT:,}."
    return None if _COMPILED[kind].fullmatch(value) else _shape_fault(kind, value)


def _shape_fault(kind: str, value: str) -> str:
    if kind in ("date", "dateTime", "instant"):
        if kind != "date" and _ZONELESS.fullmatch(value):
            return f"{shown(value)} has a time without a zone: add one such as +08:00."
        day = _CALENDAR.match(value)
        if day and not temporal.valid(day.group(), "date"):
            return f"{shown(value)} is an impossible date: the calendar has no day {day.group()}."
    return f"{shown(value)} is not {_SHAPES[kind]}."
