"""Evidence: what one Patient says of who it is, brought to one form so that two Patients can be compared."""

from typing import Any

import msgspec

from gateway.identity import contacts, names, numbers
from gateway.identity.names import Name

__all__ = ["Evidence", "Name", "of_patient", "packed", "unpacked"]


class Evidence(msgspec.Struct, frozen=True, array_like=True):
    """What identifies one Patient (china.md sections 3.3, 5.1 and 5.2); stored beside it, so values are compact."""

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
    told = numbers.of_identifiers(body.get("identifier"))
    found = names.of_names(body.get("name"))
    where = contacts.of_addresses(body.get("address"))
    return Evidence(
        site=site,
        resident=told.resident,
        damaged_resident=told.damaged,
        documents=told.documents,
        national=told.national,
        local=told.local,
        names=found,
        sex=_sex(body.get("gender")),
        birth=_birth(body.get("birthDate")),
        phones=contacts.of_telecom(body.get("telecom")),
        address=where.text,
        area=where.area,
    )


def _sex(told: Any) -> str:
    return told if told in ("male", "female") else ""


def _birth(told: Any) -> str:
    return told[:10] if isinstance(told, str) else ""
