"""Search as R4's page says it, over resources in memory: slow and plain, and sharing no code with what it judges.

Written from http://hl7.org/fhir/R4/search.html and the published expressions of the few parameters below; it imports
neither gateway.search nor gateway.store. Dates without a zone stand in China.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from itertools import pairwise, product
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]
Pair = tuple[str, str]
Key = tuple[str, str]

CHINA = ZoneInfo("Asia/Shanghai")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FOREVER = 10**30

# kind, target types of references, and where the values stand (path:type, "|" between alternatives). `only` narrows
# references to one type, as `.where(resolve() is Patient)` does.
_EVERY = {
    "_id": ("token", "id:code"),
    "_lastUpdated": ("date", "meta.lastUpdated:instant"),
    "_tag": ("token", "meta.tag:Coding"),
    "_security": ("token", "meta.security:Coding"),
    "_profile": ("uri", "meta.profile:canonical"),
    "_source": ("uri", "meta.source:uri"),
}
_HUMAN = {
    "identifier": ("token", "identifier:Identifier"),
    "name": ("string", "name:HumanName"),
    "family": ("string", "name.family:string"),
    "given": ("string", "name.given:string"),
    "telecom": ("token", "telecom:ContactPoint"),
    "phone": ("token", "telecom:ContactPoint", "phone"),
    "email": ("token", "telecom:ContactPoint", "email"),
    "address": ("string", "address:Address"),
    "address-city": ("string", "address.city:string"),
    "gender": ("token", "gender:code"),
    "active": ("token", "active:boolean"),
}
_SUBJECT = "subject:Reference"
PARAMETERS: dict[str, dict[str, tuple[str, ...]]] = {
    "Patient": {
        **_HUMAN,
        "birthdate": ("date", "birthDate:date"),
        "death-date": ("date", "deceasedDateTime:dateTime"),
        "deceased": ("token", "deceased"),
        "general-practitioner": (
            "reference Organization Practitioner PractitionerRole",
            "generalPractitioner:Reference",
        ),
        "organization": ("reference Organization", "managingOrganization:Reference"),
        "link": ("reference Patient RelatedPerson", "link.other:Reference"),
        "language": ("token", "communication.language:CodeableConcept"),
    },
    "Practitioner": _HUMAN,
    "Organization": {
        "identifier": ("token", "identifier:Identifier"),
        "name": ("string", "name:string|alias:string"),
        "active": ("token", "active:boolean"),
        "type": ("token", "type:CodeableConcept"),
        "partof": ("reference Organization", "partOf:Reference"),
        "address": ("string", "address:Address"),
    },
    "Encounter": {
        "identifier": ("token", "identifier:Identifier"),
        "status": ("token", "status:code"),
        "class": ("token", "class:Coding"),
        "type": ("token", "type:CodeableConcept"),
        "subject": ("reference Group Patient", _SUBJECT),
        "patient": ("reference Patient", _SUBJECT, "only"),
        "date": ("date", "period:Period"),
        "length": ("quantity", "length:Quantity"),
        "participant": ("reference Practitioner PractitionerRole RelatedPerson", "participant.individual:Reference"),
        "service-provider": ("reference Organization", "serviceProvider:Reference"),
        "part-of": ("reference Encounter", "partOf:Reference"),
        "diagnosis": ("reference Condition Procedure", "diagnosis.condition:Reference"),
    },
    "Condition": {
        "identifier": ("token", "identifier:Identifier"),
        "code": ("token", "code:CodeableConcept"),
        "clinical-status": ("token", "clinicalStatus:CodeableConcept"),
        "category": ("token", "category:CodeableConcept"),
        "subject": ("reference Group Patient", _SUBJECT),
        "patient": ("reference Patient", _SUBJECT, "only"),
        "encounter": ("reference Encounter", "encounter:Reference"),
        "onset-date": ("date", "onsetDateTime:dateTime|onsetPeriod:Period"),
        "onset-age": ("quantity", "onsetAge:Quantity|onsetRange:Range"),
        "onset-info": ("string", "onsetString:string"),
        "recorded-date": ("date", "recordedDate:dateTime"),
    },
    "Observation": {
        "identifier": ("token", "identifier:Identifier"),
        "status": ("token", "status:code"),
        "code": ("token", "code:CodeableConcept"),
        "component-code": ("token", "component.code:CodeableConcept"),
        "combo-code": ("token", "code:CodeableConcept|component.code:CodeableConcept"),
        "category": ("token", "category:CodeableConcept"),
        "subject": ("reference Device Group Location Patient", _SUBJECT),
        "patient": ("reference Patient", _SUBJECT, "only"),
        "encounter": ("reference Encounter EpisodeOfCare", "encounter:Reference"),
        "performer": (
            "reference CareTeam Organization Patient Practitioner PractitionerRole RelatedPerson",
            "performer:Reference",
        ),
        "derived-from": (
            "reference DocumentReference ImagingStudy Media MolecularSequence Observation QuestionnaireResponse",
            "derivedFrom:Reference",
        ),
        "has-member": ("reference MolecularSequence Observation QuestionnaireResponse", "hasMember:Reference"),
        "date": ("date", "effectiveDateTime:dateTime|effectivePeriod:Period|effectiveInstant:instant"),
        "value-quantity": ("quantity", "valueQuantity:Quantity"),
        "component-value-quantity": ("quantity", "component.valueQuantity:Quantity"),
        "combo-value-quantity": ("quantity", "valueQuantity:Quantity|component.valueQuantity:Quantity"),
        "value-concept": ("token", "valueCodeableConcept:CodeableConcept"),
        "value-string": ("string", "valueString:string|valueCodeableConcept.text:string"),
        "code-value-quantity": ("composite", "", "code", "value-quantity"),
        "component-code-value-quantity": ("composite", "component", "code", "value-quantity"),
        "combo-code-value-quantity": ("composite", "|component", "code", "value-quantity"),
    },
    "DiagnosticReport": {
        "identifier": ("token", "identifier:Identifier"),
        "status": ("token", "status:code"),
        "code": ("token", "code:CodeableConcept"),
        "category": ("token", "category:CodeableConcept"),
        "subject": ("reference Device Group Location Patient", _SUBJECT),
        "patient": ("reference Patient", _SUBJECT, "only"),
        "encounter": ("reference Encounter EpisodeOfCare", "encounter:Reference"),
        "result": ("reference Observation", "result:Reference"),
        "date": ("date", "effectiveDateTime:dateTime|effectivePeriod:Period"),
        "issued": ("date", "issued:instant"),
        "conclusion": ("token", "conclusionCode:CodeableConcept"),
    },
    "RiskAssessment": {
        "subject": ("reference Group Patient", _SUBJECT),
        "patient": ("reference Patient", _SUBJECT, "only"),
        "probability": ("number", "prediction.probabilityDecimal:decimal|prediction.probabilityRange:Range"),
        "risk": ("token", "prediction.qualitativeRisk:CodeableConcept"),
    },
}
TYPES = tuple(PARAMETERS)


class Refused(Exception):
    """The query is not one this evaluator was written for."""


def parameter(kind: str, name: str) -> tuple[str, ...]:
    """Return the facts of one parameter."""
    found = _EVERY.get(name) or PARAMETERS[kind].get(name)
    if found is None:
        raise Refused(f"{kind} has no {name}")
    return found


def kind_of(kind: str, name: str) -> str:
    """Return the kind of a parameter: token, date …"""
    return parameter(kind, name)[0].split()[0]


def targets_of(kind: str, name: str) -> list[str]:
    """Return the types a reference parameter leads to."""
    return parameter(kind, name)[0].split()[1:]


# --- values of a resource -------------------------------------------------------------------------------------------


def at(value: Any, path: str) -> Iterator[Any]:
    """Yield what stands at a dotted path, through every list."""
    head, _, rest = path.partition(".")
    found = value.get(head) if isinstance(value, dict) else None
    for one in found if isinstance(found, list) else [] if found is None else [found]:
        if rest:
            yield from at(one, rest)
        else:
            yield one


def values(resource: Json, kind: str, name: str) -> list[tuple[str, Any]]:
    """Return (type, value) of everything a parameter reads in a resource."""
    facts = parameter(kind, name)
    if name == "deceased":
        dead = resource.get("deceasedDateTime") is not None or resource.get("deceasedBoolean") is True
        return [("boolean", dead)]
    found = []
    for place in facts[1].split("|"):
        path, _, type_name = place.partition(":")
        found += [(type_name, one) for one in at(resource, path)]
    if facts[2:] in (("phone",), ("email",)):
        found = [(t, v) for t, v in found if v.get("system") == facts[2]]
    if facts[2:] == ("only",):
        found = [(t, v) for t, v in found if target_type(v) == "Patient"]
    return found


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


# --- searching ------------------------------------------------------------------------------------------------------


@dataclass
class World:
    """The resources that can be seen, and which pairs of patients are linked."""

    resources: Sequence[Json]
    links: Sequence[Pair] = ()
    now: int = 0
    linked: bool = True
    by_key: dict[Key, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Index the resources by type and id."""
        self.by_key = {key_of(one): one for one in self.resources}

    def search(self, kind: str, pairs: Iterable[Pair]) -> list[Json]:
        """Return the resources of a type that satisfy every criterion among the pairs, in no order."""
        given = list(pairs)
        self.linked = ("_linked", "false") not in given
        criteria = [pair for pair in given if not steers(pair[0])]
        mine = [one for one in self.resources if one["resourceType"] == kind]
        return [one for one in mine if all(self.holds(one, *pair) for pair in criteria)]

    def holds(self, resource: Json, name: str, value: str) -> bool:
        """Say whether one resource satisfies one criterion."""
        kind = resource["resourceType"]
        if name.startswith("_has:"):
            return self._has(resource, name, value)
        head, dot, rest = name.partition(".")
        base, _, modifier = head.partition(":")
        if dot:
            return self._chain(resource, base, modifier, rest, value)
        if modifier == "missing":
            return bool(self._present(resource, kind, base)) != (value == "true")
        options = re.split(r"(?<!\\),", value)
        if modifier in ("not", "not-in"):
            return not any(self._one(resource, base, "", option) for option in options)
        return any(self._one(resource, base, modifier, option) for option in options)

    def _present(self, resource: Json, kind: str, name: str) -> list[Any]:
        facts = parameter(kind, name)
        if facts[0] != "composite":
            return [row for t, v in values(resource, kind, name) for row in _rows(facts[0].split()[0], t, v)]
        return [1 for first, second in _pairs(resource, facts) for _ in product(_coded(first), _measured(second))]

    def _one(self, resource: Json, name: str, modifier: str, value: str) -> bool:
        kind = resource["resourceType"]
        facts = parameter(kind, name)
        sort = facts[0].split()[0]
        if sort == "composite":
            first, second = value.split("$")
            return any(
                any(token_holds(first, row) for row in _coded(code))
                and any(quantity_holds(second, *row) for row in _measured(measured))
                for code, measured in _pairs(resource, facts)
            )
        return any(self._value(sort, facts, t, v, modifier, value) for t, v in values(resource, kind, name))

    def _value(self, sort: str, facts: tuple[str, ...], t: str, held: Any, modifier: str, value: str) -> bool:
        match sort:
            case "token" if modifier == "text":
                return any(fold(text).startswith(fold(value)) for text in words(t, held))
            case "token" if modifier == "of-type":
                return of_type(value, held)
            case "token":
                return any(token_holds(value, row) for row in tokens(t, held))
            case "string":
                return any(string_holds(modifier, value, text, name=_is_name(facts, t)) for text in texts(t, held))
            case "date":
                return any(date_holds(value, row, self.now) for row in dates(t, held))
            case "number":
                return any(number_holds(value, low, high) for low, high, _ in ranges(t, held))
            case "quantity":
                return any(quantity_holds(value, *row) for row in ranges(t, held))
            case "uri":
                return uri_holds(modifier, value, held)
        if modifier == "identifier":
            return any(token_holds(value, row) for row in tokens("Identifier", held.get("identifier") or {}))
        return literal(held) in self._meant(facts, modifier, value)

    def _meant(self, facts: tuple[str, ...], modifier: str, value: str) -> set[Key]:
        """Return the references that a value stands for: of each possible type, and of linked patients."""
        there = literal({"reference": value})
        if there and there[0]:
            options = {there}
        elif re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", value):
            options = {(one, value) for one in ([modifier] if modifier else facts[0].split()[1:])}
        else:
            options = {("", value)}
        return {linked for option in options for linked in self.family(option)}

    def family(self, key: Key) -> set[Key]:
        """Return a resource and, for a patient that can be seen, those linked to it that can be seen too."""
        if key[0] != "Patient" or not self.linked or key not in self.by_key:
            return {key}
        found, left = {key}, [key]
        while left:
            one = left.pop()
            for pair in self.links:
                if one[1] in pair:
                    other = ("Patient", pair[0] if pair[1] == one[1] else pair[1])
                    if other in self.by_key and other not in found:
                        found.add(other)
                        left.append(other)
        return found

    def _chain(self, resource: Json, base: str, modifier: str, rest: str, value: str) -> bool:
        """Say whether a resource refers to one that satisfies the rest of a chain (§3.1.1.4.5)."""
        kind = resource["resourceType"]
        for _, held in values(resource, kind, base):
            there = literal(held)
            if there is None or there[0] not in ([modifier] if modifier else targets_of(kind, base)):
                continue
            for key in self.family(there):
                if key in self.by_key and self._fits(self.by_key[key], rest, value):
                    return True
        return False

    def _fits(self, resource: Json, name: str, value: str) -> bool:
        try:
            return self.holds(resource, name, value)
        except (Refused, KeyError):
            return False  # a type without that parameter

    def _has(self, resource: Json, name: str, value: str) -> bool:
        """Say whether another resource that satisfies the rest refers to this one (§3.1.1.4.6)."""
        _, kind, base, rest = name.split(":", 3)
        me = key_of(resource)
        return any(
            me in [literal(held) for _, held in values(one, kind, base)] and self.holds(one, rest, value)
            for one in self.resources
            if one["resourceType"] == kind
        )

    # --- includes ---

    def included(self, matches: Sequence[Json], pairs: Iterable[Pair]) -> set[Key]:
        """Return what `_include` and `_revinclude` add to some matches (§3.1.1.5.4)."""
        asked = [(name.partition(":")[0], name.partition(":")[2], value) for name, value in pairs]
        asked = [one for one in asked if one[0] in ("_include", "_revinclude")]
        mine = {key_of(one) for one in matches}
        found = {key for name, _, value in asked for one in matches for key in self._follow(name, value, one)} - mine
        left = set(found)
        again = [one for one in asked if one[1] in ("iterate", "recurse")]
        while left and again:
            new = {k for name, _, value in again for key in left for k in self._follow(name, value, self.by_key[key])}
            left = new - found - mine
            found |= left
        return found

    def _follow(self, name: str, value: str, resource: Json) -> set[Key]:
        source, _, rest = value.partition(":")
        base, _, target = rest.partition(":")
        if name == "_include":
            if source not in ("*", resource["resourceType"]):
                return set()
            return {key for key in references(resource, base) if key in self.by_key and target in ("", key[0])}
        others = [one for one in self.resources if source in ("*", one["resourceType"])]
        me = key_of(resource)
        return {key_of(one) for one in others if me in references(one, base) and target in ("", me[0])}


def steers(name: str) -> bool:
    """Say whether a name steers a search rather than filters it."""
    base = name.partition(":")[0]
    return base in ("_sort", "_count", "_total", "_include", "_revinclude", "_linked", "_summary", "_elements")


def references(resource: Json, base: str) -> set[Key]:
    """Return the targets of one reference parameter, or of all (`*`)."""
    kind = resource["resourceType"]
    names = [name for name in PARAMETERS[kind] if kind_of(kind, name) == "reference"] if base in ("*", "") else [base]
    if base not in ("*", "") and base not in PARAMETERS[kind]:
        return set()
    return {key for name in names for _, held in values(resource, kind, name) if (key := literal(held)) and key[0]}


def key_of(resource: Json) -> Key:
    """Return type and id."""
    return resource["resourceType"], resource["id"]


def _is_name(facts: tuple[str, ...], type_name: str) -> bool:
    return type_name == "HumanName" or facts[1].startswith("name.")


def _pairs(resource: Json, facts: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:
    for place in facts[1].split("|"):
        for context in at(resource, place) if place else [resource]:
            yield context.get("code"), context.get("valueQuantity")


def _coded(concept: Any) -> list[tuple[str, str]]:
    return tokens("CodeableConcept", concept) if concept else []


def _measured(quantity: Any) -> list[tuple[Fraction, Fraction, Json]]:
    return ranges("Quantity", quantity) if quantity else []


def _rows(kind: str, type_name: str, value: Any) -> list[Any]:
    if kind == "reference":
        return [1] if literal(value) else []
    makers: dict[str, Callable[[str, Any], list[Any]]] = {
        "token": tokens,
        "date": dates,
        "string": texts,
        "number": ranges,
        "quantity": ranges,
        "uri": lambda _, one: [one],
    }
    return makers[kind](type_name, value)


# --- order ----------------------------------------------------------------------------------------------------------


def sort_value(resource: Json, name: str) -> Any:
    """Return what a resource is sorted by for one `_sort` key, None without a value (§3.1.1.5.1)."""
    base, descending = name.removeprefix("-"), name.startswith("-")
    kind = resource["resourceType"]
    sort = kind_of(kind, base)
    if sort == "composite":
        raise Refused(name)
    rows = [row for t, v in values(resource, kind, base) for row in _rows(sort, t, v)]
    if sort == "string":
        rows = [fold(row) for row in rows]
    elif sort == "token":
        rows = [code for _, code in rows]
    elif sort in ("date", "number", "quantity"):
        rows = [row[0] for row in rows]
    elif sort == "reference":
        raise Refused(name)
    return None if not rows else max(rows) if descending else min(rows)


def in_order(resources: Sequence[Json], names: Sequence[str]) -> bool:
    """Say whether resources stand in the order of `_sort` keys; those without a value come last."""
    return all(not _before(later, sooner, names) for sooner, later in pairwise(resources))


def _before(one: Json, other: Json, names: Sequence[str]) -> bool:
    """Say whether `one` must stand before `other`."""
    for name in names:
        mine, theirs = sort_value(one, name), sort_value(other, name)
        if mine == theirs:
            continue
        if mine is None or theirs is None:
            return theirs is None
        return bool(mine > theirs) if name.startswith("-") else bool(mine < theirs)
    return False
