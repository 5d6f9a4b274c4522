"""Numbers: which identifiers of a Patient name a person, nationally or within their own series (ruling R3)."""

from typing import Any, NamedTuple

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

RESIDENT = "urn:oid:2.16.156.10011.1.3"
NATIONAL = {
    "urn:oid:2.16.156.10011.1.2": "health-record",
    "urn:oid:2.16.156.10011.1.19": "health-card",
    "https://yigong.example/fhir/NamingSystem/insured-person": "insured-person",
}


class Numbers(NamedTuple):
    """The numbers of one Patient, sorted by what they prove."""

    resident: str
    damaged: str
    documents: tuple[str, ...]
    national: tuple[str, ...]
    local: tuple[str, ...]


def of_identifiers(told: Any) -> Numbers:
    """Return what the identifiers of a Patient are worth."""
    resident, national, local = "", [], []
    for one in told if isinstance(told, list) else []:
        system, value = (one.get("system"), one.get("value")) if isinstance(one, dict) else (None, None)
        if not isinstance(value, str) or not isinstance(system, str):
            continue
        if system == RESIDENT:
            resident = value if _valid(value) else resident
        elif system in NATIONAL:
            national.append(f"{NATIONAL[system]}|{value}")
        else:
            local.append(f"{system}|{value}")
    return Numbers(resident, "", (), tuple(national), tuple(local))


def _valid(number: str) -> bool:
    try:
        ric.get_birth_date(number)
        return bool(len(number) == 18 and ric.calc_check_digit(number) == number[-1])
    except (ValidationError, ValueError):
        return False
