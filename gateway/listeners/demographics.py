"""Between PID and Patient: what a query wants as FHIR search parameters, and a stored Patient as what PID tells."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gateway.formats.hl7v2_query import Address, BadQuery, Number, Person, Wanted

Body = Mapping[str, Any]
Pairs = list[tuple[str, str]]
RESIDENT = "urn:oid:2.16.156.10011.1.3"
_OID = "urn:oid:"
_SEX = {"M": "male", "F": "female", "O": "other", "A": "other", "U": "unknown", "1": "male", "2": "female"}
_GENDER = {"male": "M", "female": "F", "other": "O", "unknown": "U"}
_DATE = re.compile(r"(\d{4})(\d{2})?(\d{2})?\d*")
_NAME_TYPE = {"official": "L", "nickname": "N", "maiden": "M", "usual": "D", "anonymous": "S"}
_ADDRESS = {1: "address", 3: "address-city", 4: "address-state", 5: "address-postalcode", 6: "address-country"}


def pairs(wanted: Iterable[Wanted]) -> Pairs:
    """Return the search for Patients of whom all of `wanted` holds; raises BadQuery for what cannot be searched by."""
    told = list(wanted)
    found: Pairs = []
    for one in told:
        if one.field == 5:
            continue
        searched = _searched(one)
        if searched is None:
            text = f"PID-{one.field}.{one.part} is not searched by; number, name, birth, sex, address and phone are."
            raise BadQuery(text, where="QPD[1]-3")
        found += searched
    names = {one.part: one.value for one in told if one.field == 5}
    found += _name(names)
    if not found:
        raise BadQuery("Nobody is searched by an authority alone; give the number too.", where="QPD[1]-3")
    return found


def agrees(wanted: Iterable[Wanted], body: Body) -> bool:
    """Say whether a Patient has the number asked for from the authority, or of the type, that was asked for with it."""
    told = {one.part: one.value for one in wanted if one.field == 3 and one.sub < 2}
    if 1 not in told or len(told) == 1:
        return True
    mine = [entry for entry in body.get("identifier", ()) if entry.get("value") == told[1]]
    return any(_from(number, told.get(4, ""), told.get(5, "")) for number in map(_number, mine))


def person(body: Body) -> Person:
    """Return what PID tells of a Patient."""
    numbers = tuple(_number(entry) for entry in body.get("identifier", ()) if entry.get("value"))
    phones = [entry for entry in body.get("telecom", ()) if entry.get("system") in (None, "phone", "sms")]
    return Person(
        numbers=numbers,
        names=tuple(_written_name(entry) for entry in body.get("name", ())),
        birth=str(body.get("birthDate", "")).replace("-", ""),
        sex=_GENDER.get(str(body.get("gender")), ""),
        addresses=tuple(_address(entry) for entry in body.get("address", ())),
        home_phones=tuple(_phones(phones, lambda use: use != "work")),
        work_phones=tuple(_phones(phones, lambda use: use == "work")),
        resident_id=next((one.value for one in numbers if _OID + one.oid == RESIDENT), ""),
        dead=bool(body.get("deceasedBoolean") or body.get("deceasedDateTime")),
    )


def _searched(one: Wanted) -> Pairs | None:
    """Return the search by one element; nothing for what only narrows a number, None for what is not offered."""
    match one.field, one.part:
        case ((2 | 3 | 4 | 18 | 19 | 20), 1):
            found = ("identifier", _literal(one.value))
        case 3, (4 | 5):
            return []
        case 7, _:
            found = ("birthdate", _birth(one.value))
        case 8, _:
            found = ("gender", _sex(one.value))
        case 11, (1 | 3 | 4 | 5 | 6):
            found = (_ADDRESS[one.part], _literal(one.value.rstrip("*")))
        case ((13 | 14), (1 | 12)):
            found = ("phone", _literal(one.value))
        case _:
            return None
    return [found]


def _name(parts: Mapping[int, str]) -> Pairs:
    """Return the search by name: a Chinese one is written in one, and `*` at the end means that it goes on."""
    if set(parts) - {1, 2}:
        raise BadQuery(f"PID-5.{max(parts)} is not searched by; 5.1 and 5.2 are.", where="QPD[1]-3")
    words = [parts[part].rstrip("*") for part in (1, 2) if part in parts]
    if not any(words):
        return []
    begins = any(value.endswith("*") for value in parts.values())
    if all(word.isascii() for word in words):
        names = {1: "family", 2: "given"}
        return [
            (names[part] + ("" if begins else ":exact"), _literal(value.rstrip("*"))) for part, value in parts.items()
        ]
    return [("name" if begins else "name:exact", _literal("".join(words)))]


def _literal(value: str) -> str:
    r"""Return a value as FHIR search reads it literally: `\`, `,`, `|` and `$` escaped (R4 search.html#escaping)."""
    return re.sub(r"([\\,|$])", r"\\\1", value)


def _birth(value: str) -> str:
    found = _DATE.fullmatch(value.replace("-", ""))
    if found is None:
        raise BadQuery(f"PID-7 asks for {value!r}, which is no date; write YYYYMMDD.", where="QPD[1]-3")
    return "-".join(part for part in found.groups() if part)


def _sex(value: str) -> str:
    found = _SEX.get(value.upper())
    if found is None:
        raise BadQuery(f"PID-8 asks for {value!r}; M, F, O and U are known.", where="QPD[1]-3")
    return found


def _from(number: Number, authority: str, kind: str) -> bool:
    """Say whether a number may be what was meant: what is not known of it does not contradict."""
    known = number.oid or number.namespace
    return (not authority or not known or authority in (number.oid, number.namespace)) and (
        not kind or not number.type or kind == number.type
    )


def _number(entry: Body) -> Number:
    system = str(entry.get("system", ""))
    coded = entry.get("type", {}).get("coding", [{}])[0]
    assigner = entry.get("assigner", {}).get("display", "")
    oid = system.removeprefix(_OID) if system.startswith(_OID) else ""
    return Number(str(entry["value"]), assigner, oid, coded.get("code", ""))


def _written_name(entry: Body) -> tuple[str, str, str]:
    """Return family, given and type of a name; one that is written in one stands in the family name, as senders do."""
    family, given = entry.get("family", ""), " ".join(entry.get("given", ()))
    kind = _NAME_TYPE.get(str(entry.get("use")), "")
    return (family, given, kind) if family or given else (entry.get("text", ""), "", kind)


def _address(entry: Body) -> Address:
    line = " ".join(entry.get("line", ())) or entry.get("text", "")
    parts = (entry.get(name, "") for name in ("city", "state", "postalCode", "country", "district"))
    return Address(line, *parts)


def _phones(found: Iterable[Body], fits: Callable[[str], bool]) -> list[str]:
    return [str(entry["value"]) for entry in found if entry.get("value") and fits(str(entry.get("use", "")))]
