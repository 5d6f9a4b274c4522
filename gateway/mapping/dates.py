"""HL7 v2 times (and the forms senders write instead) to FHIR date, dateTime, instant and time texts.

Precision is kept: a year stays a year. A time without zone is Asia/Shanghai (+08:00), which has had no
other offset since 1991. FHIR demands seconds with a time, so missing ones are zero. Nothing impossible
passes: 30 February is a note, not a date. Source: HL7 v2.5.1 §2.A.22 (DTM), FHIR R4 datatypes#dateTime.
"""

import re
import unicodedata
from datetime import date, timedelta

from gateway.mapping.cell import EMPTY, Cell, Note

ZONE = "+08:00"
_COMPACT = re.compile(
    r"(?P<y>\d{4})(?:(?P<m>\d\d)(?:(?P<d>\d\d)"
    r"(?:[ T]?(?P<h>\d\d)(?:(?P<n>\d\d)(?:(?P<s>\d\d)(?P<f>\.\d*)?)?)?)?)?)?"
    r"(?P<z>Z|[+-]\d\d(?::?\d\d)?)?"
)
_WRITTEN = re.compile(
    r"(?P<y>\d{4})[-/.年](?P<m>\d{1,2})(?:[-/.月](?P<d>\d{1,2})日?)?月?"
    r"(?:[ T]*(?P<h>\d{1,2})[:时](?P<n>\d{1,2})(?:分|[:分](?P<s>\d{1,2})(?P<f>\.\d*)?秒?)?)?"
    r"\s*(?P<z>Z|[+-]\d\d(?::?\d\d)?)?"
)
# Oracle's own form, in Chinese and English; `RR` years as Oracle reads them.
_ORACLE = re.compile(
    r"(?P<d>\d{1,2})-(?P<m>\d{1,2}月|[A-Z]{3})\s*-(?P<y>\d{4}|\d\d)"
    r"(?:\s+(?P<h>\d{1,2})[.:](?P<n>\d\d)[.:](?P<s>\d\d)(?P<f>\.\d+)?)?"
)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_HALF = re.compile(r"\s*(上午|下午|凌晨|早上|中午|晚上|AM|PM)\s*", re.IGNORECASE)
_AFTERNOON = frozenset({"下午", "中午", "晚上", "PM"})
_MILLISECONDS = re.compile(r"\d{17}")
_DAY_THEN_TIME = re.compile(r"^(\d{4})(\d\d)(\d\d)[ T]+(?=\d{1,2}[:时])")
# Days since 1899-12-30 as spreadsheets count: 10000 is in 1927, 79999 in 2119.
_SERIAL = re.compile(r"([1-7]\d{4})(?:\.(\d+))?")
_EPOCH = date(1899, 12, 30)
_DAY = 86400
_TIME = re.compile(r"(?P<h>\d\d|\d(?=:)):?(?P<n>\d\d)(?::?(?P<s>\d\d)(?P<f>\.\d*)?)?(?:[+-]\d{4})?")
_SEPARATORS = ("-", "/", ".", "年")
_UNKNOWN = {"0000", "00000000", "00000000000000", "0000-00-00"}


def date_time(raw: str) -> Cell:
    """Return the FHIR dateTime of a v2 time, or a note saying why there is none."""
    return _convert(raw, "dateTime")


def date_only(raw: str) -> Cell:
    """Return the FHIR date of a v2 time: the time of day, if any, is left off."""
    return _convert(raw, "date")


def instant(raw: str) -> Cell:
    """Return the FHIR instant of a v2 time; one without time of day is a note (an instant has seconds)."""
    return _convert(raw, "instant")


def time_of_day(raw: str) -> Cell:
    """Return the FHIR time (hh:mm:ss) of a v2 TM."""
    text = raw.strip()
    found = _TIME.fullmatch(text)
    if found is None or int(found["h"]) > 23 or int(found["n"]) > 59 or int(found["s"] or 0) > 59:
        return _refuse(text, "time of day")
    return Cell(f"{found['h']:0>2}:{found['n']}:{found['s'] or '00'}{_fraction(found['f'])}")


def day(text: str) -> str:
    """Return the day (YYYY-MM-DD) of a FHIR date or dateTime, or '' when it has none."""
    return text[:10] if len(text) >= 10 else ""


def _convert(raw: str, kind: str) -> Cell:
    text = raw.split("^", 1)[0].strip()
    if not text or text == '""':
        return EMPTY
    found = None if text[4:5] in _SEPARATORS and len(text) == 7 else _COMPACT.fullmatch(text)
    found = found or _WRITTEN.fullmatch(text)
    if text in _UNKNOWN:
        return _refuse(text, "date")
    if found is None:
        return _otherwise(text, kind)
    part = found.groupdict()
    if part["d"] is None:
        return _short(text, part["y"], part["m"], kind)
    return _full(text, part, kind)


def _otherwise(text: str, kind: str) -> Cell:
    """Read what spreadsheets and databases write: day numbers, Oracle's months, halves of the day, milliseconds."""
    plain = unicodedata.normalize("NFKC", text)
    serial = _SERIAL.fullmatch(plain)
    if serial is not None:
        return _serial(plain, int(serial[1]), serial[2] or "", kind)
    plain = _DAY_THEN_TIME.sub(r"\1-\2-\3 ", plain)
    if _MILLISECONDS.fullmatch(plain):
        plain = f"{plain[:14]}.{plain[14:]}"
    half = _HALF.search(plain)
    rest = _HALF.sub(" ", plain, count=1).strip() if half is not None else plain
    found = _COMPACT.fullmatch(rest) or _WRITTEN.fullmatch(rest) or _ORACLE.fullmatch(rest.upper())
    if found is None:
        return _refuse(text, "date")
    part = found.groupdict() | {"z": found.groupdict().get("z")}
    if found.re is _ORACLE:
        part |= _oracle(part["y"], part["m"])
    if half is not None and part["h"] is not None and int(part["h"]) <= 12:
        part["h"] = str(int(part["h"]) % 12 + (12 if half[1].upper() in _AFTERNOON else 0))
    return _short(text, part["y"], part["m"], kind) if part["d"] is None else _full(text, part, kind)


def _oracle(year: str, month: str) -> dict[str, str | None]:
    number = month.removesuffix("月")
    if number in _MONTHS:
        number = str(_MONTHS.index(number) + 1)
    century = "" if len(year) == 4 else "20" if int(year) < 50 else "19"
    return {"y": century + year, "m": number if number.isdigit() else "0"}


def _serial(text: str, days: int, fraction: str, kind: str) -> Cell:
    """Return a spreadsheet's day number as a date; the fraction is the time of day, in seconds."""
    on, seconds = _EPOCH + timedelta(days=days), round(float(f"0.{fraction or 0}") * _DAY)
    if seconds == _DAY:
        on, seconds = on + timedelta(days=1), 0
    note = Note(f"'{text}' was read as a spreadsheet's day number", "informational", "information")
    if kind == "instant" and not fraction:
        return _too_short(text)
    if kind == "date" or not fraction:
        return Cell(on.isoformat(), (note,))
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return Cell(f"{on.isoformat()}T{clock}{ZONE}", (note,))


def _short(text: str, year: str, month: str | None, kind: str) -> Cell:
    if int(year) == 0 or (month is not None and not 1 <= int(month) <= 12):
        return _refuse(text, "date")
    if kind == "instant":
        return _too_short(text)
    return Cell(year if month is None else f"{year}-{int(month):02d}")


def _full(text: str, part: dict[str, str | None], kind: str) -> Cell:
    try:
        on = date(int(part["y"] or 0), int(part["m"] or 0), int(part["d"] or 0))
    except ValueError:
        return _refuse(text, "date")
    if part["h"] is None or kind == "date":
        return Cell(on.isoformat()) if kind != "instant" else _too_short(text)
    hour, minute, second = int(part["h"]), int(part["n"] or 0), int(part["s"] or 0)
    zone = _zone(part["z"])
    if hour == 24 and minute == second == 0:
        hour, on = 0, on + timedelta(days=1)
    if hour > 23 or minute > 59 or second > 59 or zone is None:
        return _refuse(text, "time")
    clock = f"{hour:02d}:{minute:02d}:{second:02d}{_fraction(part['f'])}"
    return Cell(f"{on.isoformat()}T{clock}{zone}")


def _zone(text: str | None) -> str | None:
    if text is None or text == "Z":
        return ZONE if text is None else "Z"
    digits = text[1:].replace(":", "").ljust(4, "0")
    if int(digits[:2]) * 60 + int(digits[2:]) > 840 or int(digits[2:]) > 59:
        return None
    return f"{text[0]}{digits[:2]}:{digits[2:]}"


def _fraction(text: str | None) -> str:
    return text if text and len(text) > 1 else ""


def _refuse(text: str, what: str) -> Cell:
    return Cell(None, (Note(f"'{text}' is not a possible {what}; it was left out"),))


def _too_short(text: str) -> Cell:
    return Cell(None, (Note(f"'{text}' has no time of day, which this element needs; it was left out"),))


def birth_time(raw: str) -> Cell:
    """Return the FHIR dateTime of a birth when a time of day was sent (guide: PID-7 longer than a date)."""
    cell = date_time(raw)
    return cell if cell.value is not None and "T" in cell.value else EMPTY
