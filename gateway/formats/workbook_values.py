"""Writes the numbers of workbook cells as a person sees them: dates as ISO text, percent signs, padded zeros."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache

Writer = Callable[[str], str]

_MONTH, _DAY, _HOUR_MINUTE, _SECONDS = "yyyy-mm", "yyyy-mm-dd", "h:mm", "h:mm:ss"
# Number formats that have a number but no text in the file (ECMA-376 part 1, 18.8.30, with its zh-CN list).
BUILT_IN: dict[int | None, str] = {
    **dict.fromkeys((14, 15, 16, 28, 29, 30, 31, 51, 53, 54, 58), _DAY),
    **dict.fromkeys((17, 27, 36, 50, 52, 57), _MONTH),
    **dict.fromkeys((18, 20, 32, 34, 55), _HOUR_MINUTE),
    **dict.fromkeys((19, 21, 33, 35, 56), _SECONDS),
    **{9: "0%", 10: "0.00%", 22: "yyyy-mm-dd h:mm", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss"},
}
_NAMED = {"short date": _DAY, "medium date": _DAY, "long date": _DAY, "general date": "yyyy-mm-dd h:mm"}
_NAMED |= {"short time": _HOUR_MINUTE, "medium time": _HOUR_MINUTE, "long time": _SECONDS, "percent": "0%"}
_NOISE = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]|am/pm|a/p|上午/下午', re.I)
_PARTS = re.compile(r"\[[hms]+\]|y+|e+|m+|d+|h+|s+")
_FRACTION = re.compile(r"(?<=s)\.0+")
_PADDED = re.compile("0{2,}")
_WHOLE = re.compile(r"-?[0-9]+")
_LAST_SERIAL = 2_958_466
_FAKE_LEAP_DAY = 60
_DAY_SECONDS = 86_400
_DIGITS_HELD = Decimal("1e15")


@lru_cache(maxsize=4096)
def number(raw: str) -> str:
    """Return the shortest decimal text of a stored number: whole digits untouched, else the 15 digits Excel keeps.

    What a cell can no longer hold digit by digit stays an exponent, as Excel shows it: 1.10105E+17 is not a number of
    18 digits.
    """
    if _WHOLE.fullmatch(raw):
        return raw
    try:
        value = Decimal(f"{float(raw):.15g}")
    except (ValueError, InvalidOperation):
        return raw
    if not value.is_finite():
        return raw
    if abs(value) >= _DIGITS_HELD:
        return _exponent(value)
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _exponent(value: Decimal) -> str:
    mantissa, exponent = f"{value:.5E}".split("E")
    return f"{mantissa.rstrip('0').rstrip('.')}E{exponent}"


@lru_cache(maxsize=1024)
def writer(pattern: str, base_1904: bool = False) -> Writer:
    """Return what writes a stored number under a number format; dates in ISO 8601 to the finest unit it shows."""
    plain = _significant(pattern)
    if _PADDED.fullmatch(plain):
        return lambda raw: _padded(raw, len(plain))
    if "%" in plain:
        return _percent
    if "general" in plain or re.search("[0#?@]", plain):
        return number
    units = _units(plain)
    if not units:
        return number
    return lru_cache(maxsize=65_536)(lambda raw: _moment(raw, units, base_1904))


def _significant(pattern: str) -> str:
    """Return the first section of a number format without its literal text, colours and locales."""
    first = _NAMED.get(pattern.lower(), pattern).split(";", maxsplit=1)[0]
    return _FRACTION.sub("", _NOISE.sub("", first).lower())


def _padded(raw: str, width: int) -> str:
    text = number(raw)
    return text.zfill(width) if text.isdecimal() else text


def _percent(raw: str) -> str:
    try:
        return number(str(Decimal(number(raw)) * 100)) + "%"
    except InvalidOperation:
        return raw


def _units(plain: str) -> str:
    """Return the units that a date format shows, as letters: y M d, h m s, and `+` for elapsed time."""
    parts = [found.group() for found in _PARTS.finditer(plain)]
    units = ""
    for index, part in enumerate(parts):
        letter = part.strip("[]")[0]
        if letter == "m":
            before = parts[index - 1].strip("[]")[0] if index else ""
            after = parts[index + 1][0] if index + 1 < len(parts) else ""
            letter = "m" if before == "h" or after == "s" or part[0] == "[" else "M"
        units += "y" if letter == "e" else letter
        units += "+" if part[0] == "[" else ""
    return units


def _moment(raw: str, units: str, base_1904: bool) -> str:
    try:
        seconds = round(Decimal(raw) * _DAY_SECONDS)
    except (InvalidOperation, OverflowError, ValueError):
        return raw
    if seconds < 0 or seconds >= _LAST_SERIAL * _DAY_SECONDS:
        return number(raw)
    if "+" in units:
        return _elapsed(seconds, units)
    if not set(units) & set("yMd"):
        return _cut_time(seconds % _DAY_SECONDS, units)
    return _date(seconds, units, base_1904) or number(raw)


def _date(seconds: int, units: str, base_1904: bool) -> str:
    days = seconds // _DAY_SECONDS
    if base_1904:
        first = datetime(1904, 1, 1)  # noqa: DTZ001 - a cell has no zone
    elif days in (0, _FAKE_LEAP_DAY):
        return ""  # 1900-01-00 and 1900-02-29 exist in Excel only
    else:
        first = datetime(1899, 12, 31 if days < _FAKE_LEAP_DAY else 30)  # noqa: DTZ001 - a cell has no zone
    try:
        moment = first + timedelta(seconds=seconds)
    except OverflowError:
        return ""
    return cut(moment.isoformat(), units)


def cut(iso: str, units: str) -> str:
    """Return an ISO moment (seconds) cut to the finest of the units y M d h m s."""
    finest = next((length for unit, length in zip("smhdMy", (19, 16, 13, 10, 7, 4), strict=True) if unit in units), 19)
    return iso[:finest]


def precision(pattern: str) -> str:
    """Return the units (y M d h m s) that a number format shows, '' when it is not one of dates."""
    plain = _significant(pattern)
    return "" if "general" in plain or re.search("[0#?@%]", plain) else _units(plain)


def _cut_time(seconds: int, units: str) -> str:
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return text if "s" in units else text[:5]


def _elapsed(seconds: int, units: str) -> str:
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
    return f"{text}:{seconds % 60:02}" if "s" in units else text
