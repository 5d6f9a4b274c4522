"""Identifiers: CX, EI and bare numbers to Identifier, each in the series of its site (ruling R3).

A national number has an OID for a system; a number an institution hands out has `{base}/id/{site}/{kind}`.
A resident ID (GB 11643) is checked: 15 digits become 18, a wrong check digit keeps the number but not as a
national one, so that nobody is found by it.
"""

import re
import unicodedata
from typing import Any

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from gateway.mapping import dates
from gateway.mapping.cell import EMPTY, Cell, Convert, Note
from gateway.mapping.environment import V2_TABLE, Environment, Series, parts_of, slug, text_of
from gateway.mapping.making import Making

TYPES = f"{V2_TABLE}0203"
CHECK_DIGIT = "http://hl7.org/fhir/StructureDefinition/identifier-checkDigit"
CHECK_SCHEME = "http://hl7.org/fhir/StructureDefinition/namingsystem-checkDigit"
UNVERIFIED = "unverified-resident-id"
RESIDENT_15 = "resident-id-15"
RESIDENT = "resident-id"
LICENCE = "driver-licence"
SOCIAL = "social-number"
_RESIDENT_SHAPE = re.compile(r"\d{17}[\dX]|\d{15}")
_ROWS = ("REC-", "ROW-", "ITM-")  # fields of exports, which have been through spreadsheets
_ZEROED = "000"
_NEARLY = re.compile(r"\d{16,17}|\d{19}|\d{17}[A-WYZ?]")  # a digit lost or gained, or the X of a form long gone
_LIKE_X = str.maketrans({"x": "X", "×": "X", "*": "X"})
_MASKED = re.compile(r"[\d]+\*{2,}[\dXx]*")
_DUMMY = re.compile(r"(\d)\1{5,}|1234567\d*|0+")
_CX_USED = frozenset(range(8))


def cx(making: Making) -> Convert:
    """Make the conversion of a CX; `args: {kind}` names the series where CX does not, `series` whatever it says.

    `args: {national}` says that it is a national number (naming.yaml), such as health-record.
    """
    env, kind, fixed = making.env, str(making.args.get("kind", "")), str(making.args.get("type", ""))
    series_of, national = str(making.args.get("series", "")), str(making.args.get("national", ""))

    def convert(raw: str) -> Cell:
        parts = [*raw.split("^"), *[""] * 8]
        number = text_of(parts[0])
        if not number:
            return EMPTY
        refused = _useless(number, env)
        if refused is not None:
            return refused
        sent_type, (namespace, oid) = text_of(parts[4]), _authority(parts[3])
        series = Series(series_of) if series_of else _series(env, sent_type, namespace or oid, kind)
        series = Series(national, national) if national else series
        if series.national == RESIDENT:
            return _resident(number, env, "")
        body = _typed(fixed or sent_type, env, fixed=bool(fixed))
        body |= _checked(parts)
        body |= {"system": env.national.get(series.national) or env.number_system(series.kind), "value": number}
        body |= _period(parts[6], parts[7]) | _assigner(namespace, oid, parts[5])
        return Cell(_ordered(body), _unused(parts))

    return convert


def entity(making: Making) -> Convert:
    """Make the conversion of an EI: a number of its series (`args: {kind, type}`), its authority as assigner."""
    env, kind, fixed = making.env, str(making.args.get("kind", "entity")), str(making.args.get("type", ""))

    def convert(raw: str) -> Cell:
        head = raw.split("^", 1)[0]
        parts = [*parts_of(head.replace("&", "^") if "&" in head else raw), "", "", ""]
        number = parts[0] or parts[1]
        if not number:
            return EMPTY
        body = _typed(fixed, env, fixed=True) | {"system": env.number_system(kind), "value": number}
        return Cell(_ordered(body | (_assigner(parts[1], parts[2], "") if parts[0] else {})))

    return convert


def entity_of_pair(making: Making) -> Convert:
    """Make the conversion of one half of an EIP (`args: {component, kind, type}`): an EI in sub-components.

    `strict` reads only what is surely a pair, for fields that some versions send as EI.
    """
    at = int(making.args.get("component", 1)) - 1
    strict = bool(making.args.get("strict"))
    convert = entity(making)

    def half(raw: str) -> Cell:
        parts = raw.split("^")
        if at >= len(parts) or not parts[at] or (strict and "&" not in raw):
            return EMPTY
        return convert(parts[at].replace("&", "^"))

    return half


def licence(making: Making) -> Convert:
    """Make the conversion of a DLN (PID-20): a licence number in the series of who issued it."""
    env = making.env

    def convert(raw: str) -> Cell:
        parts = [*raw.split("^"), "", ""]
        number, issuer = text_of(parts[0]), text_of(parts[1].split("&")[0])
        if not number:
            return EMPTY
        kind = f"{LICENCE}-{issuer}" if issuer else LICENCE
        body = _typed("DL", env, fixed=True) | {"system": env.number_system(kind), "value": number}
        return Cell(_ordered(body | _period("", parts[2])))

    return convert


def replaced_document(making: Making) -> Convert:
    """Make the conversion of the number of a parent document (TXA-13) to relatesTo (`args: {code}`, else appends)."""
    convert, code = entity(making), str(making.args.get("code", "appends"))

    def related(raw: str) -> Cell:
        found = convert(raw)
        if found.value is None:
            return found
        return Cell({"code": code, "target": {"identifier": found.value}})

    return related


def coded(making: Making) -> Convert:
    """Make the conversion of a CWE that numbers something: every code is an Identifier (guide: CWE[Identifier])."""
    env, kind = making.env, str(making.args.get("kind", "code"))

    def convert(raw: str) -> Cell:
        parts = [*parts_of(raw), *[""] * 13]
        found = []
        for value, words, authority in ((0, 1, 2), (3, 4, 5), (9, 10, 11)):
            if parts[value]:
                name = f"{kind}-{parts[authority]}" if parts[authority] else kind
                told = {"type": {"text": parts[words]}} if parts[words] else {}
                found.append(told | {"system": env.number_system(name), "value": parts[value]})
        return Cell(found or None)

    return convert


def system(making: Making) -> Convert:
    """Make the conversion of an authority (HD) to the identifier system of its number series at this site."""
    kind = str(making.args.get("kind", ""))

    def convert(raw: str) -> Cell:
        namespace, oid = _authority(raw.replace("^", "&"))
        name = namespace or oid
        return Cell(making.env.number_system(f"{kind}-{name}" if kind else name)) if name else EMPTY

    return convert


def resident(making: Making) -> Convert:
    """Make the conversion of a field that holds a resident ID (PID-19): checked, or a local number if it is none.

    In an export a number ending in 000 is none either: a spreadsheet keeps 15 digits and writes zeros for the rest,
    one in eleven of which pass the check (china.md section 5.2 case 7).
    """
    env, kind, fixed = making.env, str(making.args.get("kind", SOCIAL)), str(making.args.get("type", ""))
    exported = making.row.startswith(_ROWS)

    def convert(raw: str) -> Cell:
        number = text_of(raw.split("^", 1)[0])
        if not number:
            return EMPTY
        refused = _useless(number, env)
        if refused is not None:
            return refused
        digits = _canonical(number)
        if exported and len(digits) == 18 and digits.endswith(_ZEROED):
            return _unverified(number, env, fixed, "last digits lost", "ends as a spreadsheet ends what it shortens")
        if _RESIDENT_SHAPE.fullmatch(digits) or (exported and _NEARLY.fullmatch(digits)):
            return _resident(number, env, fixed)
        return Cell(_ordered(_typed(fixed, env, fixed=True) | {"system": env.number_system(kind), "value": number}))

    return convert


def _canonical(number: str) -> str:
    return unicodedata.normalize("NFKC", number).translate(_LIKE_X).replace(" ", "").replace("-", "")


def _resident(number: str, env: Environment, fixed: str) -> Cell:
    digits = _canonical(number)
    full = _upgraded(digits)
    if not _valid(full):
        why = "is no resident ID: its form, date or check digit is wrong"
        return _unverified(number, env, fixed, "check digit wrong", why)
    found = [_ordered(_typed(fixed, env, fixed=True) | {"system": env.national[RESIDENT], "value": full})]
    if full != digits:
        found.append({"use": "old", "system": env.number_system(RESIDENT_15), "value": digits})
    return Cell(found if len(found) > 1 else found[0])


def _unverified(number: str, env: Environment, fixed: str, what: str, why: str) -> Cell:
    """Return a number that is no sure resident ID in a series of its own, which names nobody."""
    body = _typed(fixed, env, fixed=True) | {"system": env.number_system(UNVERIFIED), "value": number}
    body.setdefault("type", {"text": f"resident ID, {what}"})
    return Cell(_ordered(body), (Note(f"{_masked(number)} {why}; kept, but not as one"),))


def _upgraded(digits: str) -> str:
    """Return the 18-digit form of a 15-digit number (GB 11643-1999: century after the area, then check digit)."""
    if len(digits) != 15 or not digits.isdigit():
        return digits
    longer = f"{digits[:6]}19{digits[6:]}"
    return longer + str(ric.calc_check_digit(longer + "0"))


def _valid(number: str) -> bool:
    """Say whether date and check digit are right; the area may be abolished or never assigned (china.md §3.3)."""
    if re.fullmatch(r"\d{17}[\dX]", number) is None:
        return False
    try:
        ric.get_birth_date(number)
        return bool(ric.calc_check_digit(number) == number[-1])
    except ValidationError:
        return False


def _masked(number: str) -> str:
    return f"{number[:6]}…{number[-2:]}" if len(number) > 10 else "the number"


def _useless(number: str, env: Environment) -> Cell | None:
    """Return a note for numbers that identify nobody: masked, dummies, words like 无."""
    if number in env.absent:
        return Cell(None, (Note(f"'{number}' means that no number was given", "informational", "information"),))
    if _MASKED.fullmatch(number):
        return Cell(None, (Note("a masked number identifies nobody; it was left out"),))
    if len(number) >= 15 and _DUMMY.fullmatch(number):
        return Cell(None, (Note("a number of one repeated digit identifies nobody; it was left out"),))
    return None


def _authority(raw: str) -> tuple[str, str]:
    parts = [text_of(part) for part in raw.split("&")]
    return parts[0], parts[1] if len(parts) > 1 else ""


def _series(env: Environment, sent_type: str, authority: str, kind: str) -> Series:
    for name in (f"{authority}/{sent_type}", sent_type, authority):
        found = env.identifiers.get(name)
        if found is not None:
            return found
    told = "-".join(word for word in (authority, sent_type) if word)
    return Series(slug(told) if told else kind or "number")


def _typed(code: str, env: Environment, *, fixed: bool = False) -> dict[str, Any]:
    """Return the type of an identifier; `fixed` is a code of table 0203 by rule, others are as sent."""
    if not code:
        return {}
    if fixed:
        return {"type": {"coding": [{"system": TYPES, "code": code}]}}
    types = env.codes.get("IdentifierType")
    target = types.rows.get(code) if types is not None else None
    if target is not None:
        coding = {"system": target.system or TYPES, "code": target.code}
        return {"type": {"coding": [coding | ({"display": target.display} if target.display else {})]}}
    return {"type": {"coding": [{"system": env.code_system("identifier-type"), "code": code}]}}


def _checked(parts: list[str]) -> dict[str, Any]:
    told = ((CHECK_DIGIT, text_of(parts[1])), (CHECK_SCHEME, text_of(parts[2])))
    found = [{"url": url, "valueString": word} for url, word in told if word]
    return {"extension": found} if found else {}


def _period(start: str, end: str) -> dict[str, Any]:
    told = {"start": dates.date_time(start).value, "end": dates.date_time(end).value}
    found = {name: value for name, value in told.items() if value is not None}
    return {"period": found} if found else {}


def _assigner(namespace: str, oid: str, facility: str) -> dict[str, Any]:
    words = namespace or text_of(facility.split("&", maxsplit=1)[0]) or oid
    if not words:
        return {}
    found: dict[str, Any] = {"display": words}
    if re.fullmatch(r"[012](\.(0|[1-9]\d*))+", oid):
        found = {"identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:oid:{oid}"}} | found
    return {"assigner": found}


def _unused(parts: list[str]) -> tuple[Note, ...]:
    extra = [at + 1 for at, part in enumerate(parts) if part and at not in _CX_USED]
    return tuple(Note("no place in an Identifier", component=str(at), left=True) for at in extra)


def _ordered(body: dict[str, Any]) -> dict[str, Any]:
    names = ("extension", "use", "type", "system", "value", "period", "assigner")
    return {name: body[name] for name in names if name in body}
