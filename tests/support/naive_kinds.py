"""Values as R4's search page compares them: dates, numbers, quantities, texts, codes, references and addresses.

Written from http://hl7.org/fhir/R4/search.html, sharing no code with gateway.search. Dates without a zone stand in China.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]

CHINA = ZoneInfo("Asia/Shanghai")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER = 10**30


class Refused(Exception):
    """The query is not one this evaluator was written for."""


def at(value: Any, path: str) -> Iterator[Any]:
    """Yield what stands at a dotted path, through every list."""
    head, _, rest = path.partition(".")
    found = value.get(head) if isinstance(value, dict) else None
    for one in found if isinstance(found, list) else [] if found is None else [found]:
        if rest:
            yield from at(one, rest)
        else:
            yield one


def target_type(reference: Json) -> str:
    """Return the type a reference leads to, as far as its text tells."""
    text = re.sub(r"/_history/[^/]*$", "", reference.get("reference") or "")
    parts = text.split("/")
    return parts[-2] if len(parts) > 1 else reference.get("type") or ""


# --- dates ----------------------------------------------------------------------------------------------------------

_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)


def span_of(text: str) -> tuple[int, int]:
    """Return the microseconds a date covers, the second one excluded."""
    found = _DATE.fullmatch(text.replace(" ", "+"))
    if not found:
        raise Refused(text)
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    parts = (int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0))
    start = datetime(*parts)  # noqa: DTZ001  its zone follows
    micro = int((fraction or "0").ljust(6, "0")[:6])
    begin = _micro(start, zone) + micro
    if hour:
        width = 10 ** (6 - len(fraction[:6])) if fraction else 1_000_000 if second else 60_000_000
        return begin, begin + width
    if day:
        return begin, _micro(start + timedelta(days=1), zone)
    following = (
        start.replace(month=start.month + 1)
        if month and start.month < 12
        else start.replace(year=start.year + 1, month=1)
    )
    return begin, _micro(following, zone)


def _micro(moment: datetime, zone: str | None) -> int:
    there: Any = CHINA
    if zone == "Z":
        there = UTC
    elif zone:
        sign = -1 if zone[0] == "-" else 1
        there = timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])))
    return (moment.replace(tzinfo=there) - EPOCH) // timedelta(microseconds=1)


def dates(type_name: str, value: Any) -> list[tuple[int, int]]:
    """Return the ranges of a date, period or timing."""
    if type_name == "Period":
        start, end = value.get("start"), value.get("end")
        if not start and not end:
            return []
        return [(span_of(start)[0] if start else -FOREVER, span_of(end)[1] if end else FOREVER)]
    if type_name == "Timing":
        found = [span_of(event) for event in value.get("event") or ()]
        found += dates("Period", (value.get("repeat") or {}).get("boundsPeriod") or {})
        return [(min(low for low, _ in found), max(high for _, high in found))] if found else []
    return [span_of(value)]


PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")


def cut(text: str) -> tuple[str, str]:
    """Return prefix and rest."""
    return (text[:2], text[2:]) if text[:2] in PREFIXES else ("eq", text)


def date_holds(text: str, row: tuple[int, int], now: int) -> bool:
    """Say whether a range in a resource satisfies `[prefix]date` (§3.1.1.4.7)."""
    prefix, rest = cut(text)
    low, high = span_of(rest)
    inside = low <= row[0] and row[1] <= high
    slack = abs(now - low) // 10
    return {
        "eq": inside,
        "ne": not inside,
        "gt": row[1] > high,
        "lt": row[0] < low,
        "ge": row[1] > high or inside,
        "le": row[0] < low or inside,
        "sa": row[0] >= high,
        "eb": row[1] <= low,
        "ap": row[0] < high + slack and row[1] > low - slack,
    }[prefix]


# --- numbers and quantities -----------------------------------------------------------------------------------------

_UNITS = {"g/L": ("mass", Fraction(1000)), "mg/L": ("mass", Fraction(1)), "min": ("time", Fraction(60)), "s": ("time", Fraction(1)),
          "h": ("time", Fraction(3600)), "a": ("age", Fraction(1))}  # fmt: skip
UCUM = "http://unitsofmeasure.org"


def exactly(value: Any) -> Fraction:
    """Return a JSON number as it was written."""
    return Fraction(str(value))


def number_holds(text: str, low: Fraction, high: Fraction, ratio: Fraction = Fraction(1)) -> bool:
    """Say whether [low, high] satisfies `[prefix]number`, the number times `ratio` (§3.1.1.4.6)."""
    prefix, rest = cut(text)
    mantissa, _, exponent = rest.lower().partition("e")
    digits = len(mantissa.partition(".")[2]) - int(exponent or 0)
    number = Fraction(rest) * ratio
    half = Fraction(10) ** -digits / 2 * ratio
    inside = number - half <= low and high < number + half
    wide = max(half, abs(number) / 10)
    return {
        "eq": inside,
        "ne": not inside,
        "gt": high > number,
        "lt": low < number,
        "ge": high > number or low == number == high,
        "le": low < number or low == number == high,
        "sa": low > number,
        "eb": high < number,
        "ap": low <= number + wide and high >= number - wide,
    }[prefix]


def ranges(type_name: str, value: Any) -> list[tuple[Fraction, Fraction, Json]]:
    """Return (low, high, what carries the unit) of a number, quantity or range."""
    endless = Fraction(10**300)
    if type_name in ("decimal", "integer"):
        return [(exactly(value), exactly(value), {})]
    if type_name == "Range":
        low, high = value.get("low") or {}, value.get("high") or {}
        bottom = exactly(low["value"]) if "value" in low else -endless
        top = exactly(high["value"]) if "value" in high else endless
        return [] if bottom == -endless and top == endless else [(bottom, top, low or high)]
    if "value" not in value:
        return []
    number, mark = exactly(value["value"]), value.get("comparator", "")
    return [(-endless if mark[:1] == "<" else number, endless if mark[:1] == ">" else number, value)]


def quantity_holds(text: str, low: Fraction, high: Fraction, held: Json) -> bool:
    """Say whether a quantity satisfies `[prefix]number[|system|code]` (§3.1.1.4.11)."""
    parts = text.split("|")
    system, code = (parts[1], parts[2]) if len(parts) == 3 else ("", "")
    mine = held.get("code") or ""
    if code and mine != code and system in ("", UCUM) and held.get("system") == UCUM and {code, mine} <= set(_UNITS):
        one, other = _UNITS[code], _UNITS[mine]
        return one[0] == other[0] and number_holds(parts[0], low, high, one[1] / other[1])
    if system and held.get("system", "") != system:
        return False
    if code and code not in ((mine,) if system else (mine, held.get("unit") or "")):
        return False
    return number_holds(parts[0], low, high)


# --- texts, tokens, references --------------------------------------------------------------------------------------

PINYIN = {"张": "zhang", "三": "san", "丰": "feng", "李": "li", "四": "si"}


def fold(text: str) -> str:
    """Return a text without case, accents, width and doubled spaces."""
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(one for one in apart if not unicodedata.combining(one)).split())


def texts(type_name: str, value: Any) -> list[str]:
    """Return the texts of a string, a name or an address."""
    if type_name == "HumanName":
        parts = ["text", "family", "given", "prefix", "suffix"]
    elif type_name == "Address":
        parts = ["text", "line", "city", "district", "state", "postalCode", "country"]
    else:
        return [value]
    return [text for part in parts for text in at(value, part)]


def romanised(text: str) -> list[str]:
    """Return the pinyin and the initials of a name in characters."""
    if not text or any(one not in PINYIN for one in text):
        return []
    return ["".join(PINYIN[one] for one in text), "".join(PINYIN[one][0] for one in text)]


def string_holds(modifier: str, wanted: str, text: str, *, name: bool) -> bool:
    """Say whether a text satisfies a string value (§3.1.1.4.8); names are found by pinyin too."""
    wanted = _plain(wanted)
    if modifier == "exact":
        return text == wanted
    forms = [fold(text), *(romanised(text) if name else [])]
    if modifier == "contains":
        return any(fold(wanted) in form for form in forms)
    return any(form.startswith(fold(wanted)) for form in forms)


def _plain(text: str) -> str:
    return re.sub(r"\\([\\,$|])", r"\1", text)


def tokens(type_name: str, value: Any) -> list[tuple[str, str]]:
    """Return (system, code) of a coded value."""
    if type_name == "CodeableConcept":
        return [pair for coding in value.get("coding") or () for pair in tokens("Coding", coding)]
    if type_name == "Coding":
        return [(value.get("system") or "", value["code"])] if value.get("code") else []
    if type_name == "Identifier":
        return [(value.get("system") or "", value["value"])] if value.get("value") else []
    if type_name == "ContactPoint":
        return [("", value["value"])] if value.get("value") else []
    return [("", {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value)]


def token_holds(wanted: str, held: tuple[str, str]) -> bool:
    """Say whether a coding satisfies `code`, `system|code`, `|code` or `system|` (§3.1.1.4.10)."""
    if "|" not in wanted:
        return held[1] == wanted
    system, _, code = wanted.partition("|")
    return held[0] == system and code in ("", held[1])


def words(type_name: str, value: Any) -> list[str]:
    """Return the texts that go with a coded value."""
    if type_name == "CodeableConcept":
        return [*at(value, "text"), *(one for coding in at(value, "coding") for one in words("Coding", coding))]
    if type_name == "Coding":
        return [value["display"]] if "display" in value else []
    return list(at(value, "type.text")) if type_name == "Identifier" else []


def of_type(wanted: str, identifier: Json) -> bool:
    """Say whether an identifier is `type-system|type-code|value`."""
    system, code, value = wanted.split("|")
    kinds = [(one.get("system") or "", one.get("code")) for one in at(identifier, "type.coding")]
    return identifier.get("value") == value and (system, code) in kinds


def literal(reference: Json) -> tuple[str, str] | None:
    """Return (type, id) of a relative reference, ("", address) of another, None without one."""
    text = re.sub(r"/_history/[^/]*$", "", reference.get("reference") or "")
    found = re.fullmatch(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})", text)
    return (found[1], found[2]) if found else ("", text) if text and not text.startswith("#") else None


def uri_holds(modifier: str, wanted: str, held: str) -> bool:
    """Say whether an address satisfies a uri value (§3.1.1.4.13); a canonical is also found without its version."""
    if modifier == "below":
        return held == wanted or held.startswith(wanted.rstrip("/") + "/")
    if modifier == "above":
        return held == wanted or wanted.startswith(held.rstrip("/") + "/")
    return held == wanted
