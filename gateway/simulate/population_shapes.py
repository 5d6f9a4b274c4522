"""What a registration looks like as a Patient: the shapes our mappings make of each kind of sender."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from gateway.simulate import population_names as called
from gateway.simulate.numbers import resident_id
from gateway.simulate.values import MALE

Json = dict[str, Any]
BASE = "https://yigong.example/fhir"
RESIDENT = "urn:oid:2.16.156.10011.1.3"
HEALTH_RECORD = "urn:oid:2.16.156.10011.1.2"
INSURED = f"{BASE}/NamingSystem/insured-person"
_SYL = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_WORDS = {"MTH": "母亲", "FTH": "父亲", "SPS": "配偶"}


@dataclass(slots=True)
class Draft:
    """What a desk wrote down; '' for what it did not."""

    site: str
    kind: str
    room: str
    day: date
    serial: int = 0
    name: str = ""
    romanised: bool = False
    sex: str = ""
    birth: str = ""
    resident: str = ""
    own: bool = False
    insured: str = ""
    record: str = ""
    card: str = ""
    phone: str = ""
    address: str = ""
    kin: tuple[str, str, str] = ("", "", "")


def patient(draft: Draft) -> Json:
    """Return the Patient that stands in the record for a registration."""
    body: Json = {"resourceType": "Patient", "id": f"{draft.site}-{draft.serial:06d}"}
    body["identifier"] = [*_SHAPES[draft.kind](draft)]
    if not body["identifier"]:
        del body["identifier"]
    body["name"] = _names(draft)
    body["gender"] = "male" if draft.sex == MALE else "female"
    if draft.birth and draft.kind != "insurer" and not (draft.kind == "village" and draft.room != "visit"):
        body["birthDate"] = draft.birth
    if draft.phone and ("*" not in draft.phone or draft.kind == "fhir"):
        body["telecom"] = [_phone(draft)]
    if draft.address:
        body["address"] = [_address(draft)]
    if draft.kin[0]:
        body["contact"] = [_contact(draft)]
    return body


def _names(draft: Draft) -> list[Json]:
    if draft.kind == "fhir":
        family, given = called.parted(draft.name)
        parts = {"family": family, "given": [given]} if family and given else {}
        return [{"use": "official", "text": draft.name, **parts}]
    if draft.kind not in ("hospital", "mch"):
        return [{"text": draft.name}]
    found: list[Json] = [{"text": draft.name, "use": "official"}]
    roman = called.pinyin(draft.name) if draft.kind == "hospital" and draft.romanised else ""
    return [*found, {"text": roman, "extension": [{"url": _SYL, "valueCode": "SYL"}]}] if roman else found


def _phone(draft: Draft) -> Json:
    if draft.kind in ("hospital", "mch"):
        return {"use": "home", "system": "phone", "value": draft.phone}
    return {"system": "phone", "value": draft.phone, "use": "mobile"}


def _address(draft: Draft) -> Json:
    words = {"line": [draft.address]} if draft.kind in ("hospital", "mch") else {"text": draft.address}
    return {**words, "use": "home"}


def _contact(draft: Draft) -> Json:
    name, code, number = draft.kin
    body: Json = {"name": {"text": name}}
    if draft.kind in ("hospital", "mch"):
        body["relationship"] = [{"coding": [{"system": _ROLE, "code": code, "display": _WORDS[code]}]}]
    if number:
        body["telecom"] = [{"system": "phone", "value": number}]
    return body


def _own(draft: Draft, kind: str, value: str, *, code: str = "") -> Json:
    """Return a number of the site's own series (ruling R3)."""
    number: Json = {"system": f"{BASE}/id/{draft.site}/{kind}", "value": value}
    if not code:
        return number
    coding = {"system": f"{BASE}/codes/{draft.site}/identifier-type", "code": code}
    return {"type": {"coding": [coding]}, **number}


def _residents(draft: Draft) -> list[Json]:
    """Return the resident ID as the mappings leave it: proven, upgraded from 15 digits, or kept as unverified."""
    typed = draft.resident
    if not typed or "*" in typed:
        return []
    full = _upgraded(typed)
    if len(full) == 18 and _proven(full) and not (typed.endswith("000") and not draft.own):
        old = [{"use": "old", **_own(draft, "resident-id-15", typed)}] if full != typed else []
        return [{"system": RESIDENT, "value": full}, *old]
    if draft.kind == "hospital" and len(typed) not in (15, 18):
        return [_own(draft, "social-number", typed)]
    what = "last digits lost" if typed.endswith("000") else "check digit wrong"
    return [{"type": {"text": f"resident ID, {what}"}, **_own(draft, "unverified-resident-id", typed)}]


def _upgraded(typed: str) -> str:
    if len(typed) != 15 or not typed.isdigit() or not "01" <= typed[8:10] <= "12":
        return typed
    try:
        birth = date(1900 + int(typed[6:8]), int(typed[8:10]), int(typed[10:12]))
    except ValueError:
        return typed
    order = int(typed[12:15])
    return resident_id(birth, order // 2, MALE if order % 2 else "2")


def _proven(number: str) -> bool:
    """Say whether date and check digit are right (GB 11643)."""
    if re.fullmatch(r"\d{6}[12]\d{10}[\dX]", number) is None:
        return False
    try:
        birth = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    order = int(number[14:17])
    return resident_id(birth, order // 2, MALE if order % 2 else "2") == number


def _insured(draft: Draft) -> list[Json]:
    return [{"system": INSURED, "value": draft.insured}] if draft.insured else []


def _hospital(draft: Draft) -> list[Json]:
    found = [_own(draft, "patient", f"P{draft.serial:07d}", code="LocalID"), *_residents(draft)]
    if draft.card:
        found.append(_own(draft, "visit-card", draft.card, code="IDCard"))
    found += _insured(draft)
    if draft.room == "born":
        found.append(_own(draft, "admission", f"ZY{draft.day:%Y}{draft.serial:06d}", code="PatientNO"))
    elif draft.room == "emergency":
        found.append(_own(draft, "outpatient", f"MZ{draft.day:%Y%m%d}{draft.serial % 400:03d}", code="Outpatient"))
    return found


def _fhir(draft: Draft) -> list[Json]:
    """A sender of FHIR: numbers as they were typed, even where they are none."""
    found = [_own(draft, "patient", f"{draft.serial:08d}")]
    found += [{"system": RESIDENT, "value": draft.resident}] if draft.resident else []
    return [*found, *_insured(draft)]


def _mch(draft: Draft) -> list[Json]:
    found = [_own(draft, "patient", f"F{draft.serial:06d}", code="LocalID"), *_residents(draft)]
    found += [_own(draft, "visit-card", draft.card, code="IDCard")] if draft.card else []
    return [*found, *_insured(draft)]


def _insurer(draft: Draft) -> list[Json]:
    return [{"system": INSURED, "value": draft.insured}, *_residents(draft)]


def _township(draft: Draft) -> list[Json]:
    if draft.room != "visit":
        record = [{"system": HEALTH_RECORD, "value": draft.record}] if draft.record else []
        return [*record, *_residents(draft)]
    day = f"{draft.day}"
    number = _own(draft, "outpatient", f"{draft.serial % 90 + 1:04d}")
    found = [{**number, "period": {"start": day, "end": day}}, *_residents(draft)]
    found += [_own(draft, "visit-card", draft.card)] if draft.card else []
    return [*found, *_insured(draft)]


def _village(draft: Draft) -> list[Json]:
    found = _residents(draft)
    found += [{"system": HEALTH_RECORD, "value": draft.record}] if draft.record else []
    return [*found, *_insured(draft)]


_SHAPES = {
    "hospital": _hospital,
    "fhir": _fhir,
    "mch": _mch,
    "insurer": _insurer,
    "township": _township,
    "village": _village,
}
