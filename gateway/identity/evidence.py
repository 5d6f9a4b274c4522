"""Evidence: what one Patient says of who it is, brought to one form so that two Patients can be compared."""

import re
from datetime import date
from typing import Any

import msgspec

from gateway.identity import contacts, kin, lists, names, numbers
from gateway.identity.names import Name

__all__ = ["Evidence", "Name", "of_patient", "packed", "unpacked"]

VERSION = 1
"""Raised whenever the same Patient comes out with other evidence or other blocks; then `gateway reindex` is due."""

_PARTIAL = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_TESTED = "HTEST"


class Evidence(msgspec.Struct, frozen=True, array_like=True):
    """What identifies one Patient (china.md sections 3.3, 5.1 and 5.2); stored beside it, so values are compact.

    `resident` is proven and no dummy; `damaged_resident` looks like one and is never proof. `documents` and `national`
    are "kind|value", `local` is "system|value", good only within that system. `birth` may be partial. `mother` is her
    resident ID or folded name. `flags`: newborn-name, twin-name, nameless, borrowed-id, conflicting-birth,
    conflicting-sex, two-ids, fifteen-digits, test, deceased, multiple-birth.
    """

    site: str
    resident: str = ""
    damaged_resident: str = ""
    documents: tuple[str, ...] = ()
    national: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    names: tuple[Name, ...] = ()
    sex: str = ""
    birth: str = ""
    phones: tuple[str, ...] = ()
    address: str = ""
    area: str = ""
    mother: str = ""
    flags: tuple[str, ...] = ()


_DECODER = msgspec.msgpack.Decoder(Evidence)
_ENCODER = msgspec.msgpack.Encoder()


def packed(evidence: Evidence) -> bytes:
    """Return evidence as the bytes that are stored of it (MessagePack)."""
    return _ENCODER.encode(evidence)


def unpacked(stored: bytes) -> Evidence:
    """Return stored evidence; raises msgspec.DecodeError for bytes that are none."""
    return _DECODER.decode(stored)


def of_patient(body: dict[str, Any], site: str) -> Evidence:
    """Return what a Patient of `site` says of who it is; whatever has another form than FHIR says nothing."""
    sex, birth = _sex(body.get("gender")), _birth(body.get("birthDate"))
    called = names.of_names(body.get("name"))
    told = numbers.of_identifiers(body.get("identifier"), birth, sex)
    where = contacts.of_addresses(body.get("address"))
    doubts = kin.doubts(told.resident, birth, sex, newborn="newborn-name" in called.flags)
    flags = {*called.flags, *told.flags, *doubts.flags, *_states(body)}
    return Evidence(
        site=site,
        resident=told.resident,
        damaged_resident=told.damaged,
        documents=told.documents,
        national=told.national,
        local=told.local,
        names=called.names,
        sex=sex,
        birth=birth,
        phones=contacts.of_telecom(body.get("telecom")),
        address=where.text,
        area=where.area,
        mother=doubts.mother or kin.mother(body) or names.folded(called.parent),
        flags=tuple(sorted(flags)),
    )


def _sex(told: Any) -> str:
    return told if isinstance(told, str) and told in ("male", "female") else ""


def _birth(told: Any) -> str:
    return _calendar(told) if isinstance(told, str) else ""


@lists.remembered(65536)
def _calendar(text: str) -> str:
    """Return a date of the calendar, maybe partial; '' for a dummy such as 1900-01-01 (china.md §5.2 case 12)."""
    match = _PARTIAL.fullmatch(text)
    if match is None or text in lists.dummies().births:
        return ""
    try:
        date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        return ""
    return text


def _states(body: dict[str, Any]) -> list[str]:
    """Return the flags that other elements of a Patient raise."""
    found = []
    if body.get("deceasedBoolean") is True or isinstance(body.get("deceasedDateTime"), str):
        found.append("deceased")
    order = body.get("multipleBirthInteger")
    if body.get("multipleBirthBoolean") is True or (isinstance(order, int) and order is not True and order > 0):
        found.append("multiple-birth")
    meta = body.get("meta")
    security = meta.get("security") if isinstance(meta, dict) else None
    if isinstance(security, list) and any(isinstance(one, dict) and one.get("code") == _TESTED for one in security):
        found.append("test")
    return found
