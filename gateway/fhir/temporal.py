"""FHIR dates and times: the exact calendar, the moments a text covers, and moments as text."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.errors import GatewayError

# The calendar as one linear expression, so that the JSON schemas refuse 2026-02-30 without calling Python.
_YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    f"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP}-02-29)"
)
_MONTH = f"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_OFFSET = "(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

PATTERNS: dict[str, str] = {
    "date": f"^(?:{_MONTH}|{_DAY})$",
    "dateTime": f"^(?:{_MONTH}|{_DAY}(?:T{_CLOCK}{_OFFSET})?)$",
    "instant": f"^{_DAY}T{_CLOCK}{_OFFSET}$",
    "time": f"^{_CLOCK}$",
}
"""Anchored expressions of the R4 types, with the calendar (http://hl7.org/fhir/R4/datatypes.html#primitive)."""

_COMPILED = {kind: re.compile(pattern[1:-1]) for kind, pattern in PATTERNS.items()}
_SHAPES = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+))?)?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_DAY_US = 86_400 * _SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_LAST_YEAR = 9999


def valid(text: str, kind: str) -> bool:
    """Say whether `text` is a right R4 `date`, `dateTime`, `instant` or `time` of the calendar."""
    return _COMPILED[kind].fullmatch(text) is not None


@lru_cache(maxsize=65536)
def bounds(text: str, zone: tzinfo | str) -> tuple[int, int]:
    """Return the microseconds [from, to) since 1970 UTC that a date, dateTime, instant or partial covers.

    A text without an offset stands in `zone`; hours and minutes without seconds are taken, as searches
    send them. Raises GatewayError when there is no such moment.
    """
    shape = _SHAPES.fullmatch(text)
    if shape is None:
        raise GatewayError(f"{text!r} is not a FHIR date: write YYYY, YYYY-MM, YYYY-MM-DD or add a time.")
    local = time_zone(zone) if isinstance(zone, str) else zone
    try:
        return _moment(shape, local) if shape["hour"] else _days(shape, local)
    except (ValueError, OverflowError):
        raise GatewayError(f"{text!r} is not a moment of the calendar or the clock.") from None


@cache
def time_zone(name: str) -> tzinfo:
    """Return the zone named as in the IANA list; raises GatewayError for an unknown name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise GatewayError(f"{name!r} is not a known time zone: write one such as Asia/Shanghai.") from None


def _days(shape: re.Match[str], zone: tzinfo) -> tuple[int, int]:
    first = date(int(shape["year"]), int(shape["month"] or 1), int(shape["day"] or 1))
    if shape["day"]:
        after = first.toordinal() + 1
    elif shape["month"]:
        after = first.toordinal() + _month_length(first)
    else:
        after = date(first.year, 12, 31).toordinal() + 1
    return _midnight(first.toordinal(), zone), _midnight(after, zone)


def _month_length(first: date) -> int:
    return 31 if first.month == 12 else (first.replace(month=first.month + 1) - first).days


def _midnight(ordinal: int, zone: tzinfo) -> int:
    held = min(ordinal, date.max.toordinal())  # the day after 9999-12-31 has no datetime of its own
    start = datetime.fromordinal(held)
    return (ordinal - _EPOCH_DAY) * _DAY_US - _offset_us(zone, start)


def _moment(shape: re.Match[str], zone: tzinfo) -> tuple[int, int]:
    day = date(int(shape["year"]), int(shape["month"]), int(shape["day"]))
    hour, minute, second = int(shape["hour"]), int(shape["minute"]), int(shape["second"] or 0)
    start = datetime.combine(day, time(hour, minute, min(second, 59)))
    if second > 60:
        raise ValueError("seconds run to 60")
    offset = _written_offset(shape["zone"]) if shape["zone"] else _offset_us(zone, start)
    clock = (hour * 60 + minute) * _MINUTE + second * _SECOND
    at = (day.toordinal() - _EPOCH_DAY) * _DAY_US + clock - offset
    if shape["second"] is None:
        return at, at + _MINUTE
    digits = shape["fraction"] or ""
    at += int(digits[:6].ljust(6, "0"))
    return at, at + int(10 ** max(0, 6 - len(digits)))


def _offset_us(zone: tzinfo, local: datetime) -> int:
    offset = zone.utcoffset(local)
    return offset // timedelta(microseconds=1) if offset else 0


@cache
def _written_offset(text: str) -> int:
    if text == "Z":
        return 0
    hours, minutes = int(text[1:3]), int(text[4:6])
    if minutes > 59 or hours * 60 + minutes > 14 * 60:
        raise ValueError("no place is more than 14 hours from UTC")
    return (hours * 60 + minutes) * _MINUTE * (-1 if text[0] == "-" else 1)


def micros(moment: datetime) -> int:
    """Return microseconds since 1970 UTC; raises GatewayError for a moment without a zone."""
    if moment.tzinfo is None:
        raise GatewayError(f"{moment.isoformat()} has no time zone, so it is not one moment.")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def instant(us: int, zone: tzinfo = UTC) -> str:
    """Return microseconds since 1970 UTC as a FHIR instant, in milliseconds where that loses nothing.

    Raises GatewayError outside the years 1 to 9999.
    """
    try:
        moment = (_EPOCH + timedelta(microseconds=us)).astimezone(zone)
    except OverflowError:
        raise GatewayError(f"{us} microseconds from 1970 is outside the years 1 to {_LAST_YEAR}.") from None
    text = moment.isoformat(timespec="microseconds" if us % 1000 else "milliseconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def fixed_zone(hours: int) -> tzinfo:
    """Return the zone that stands `hours` east of UTC all year."""
    return timezone(timedelta(hours=hours))
