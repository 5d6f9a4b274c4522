"""What a search of Person asks of the Patients that Persons are made of."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from gateway.errors import GatewayError

Pairs = Sequence[tuple[str, str]]

SHARED = frozenset(
    {
        *("_id", "identifier", "name", "phonetic", "birthdate", "gender", "telecom", "phone", "email"),
        *("address", "address-city", "address-country", "address-postalcode", "address-state", "address-use"),
    }
)
"""Parameters that a Patient answers as a Person does."""

LED = ("patient", "link")
"""Parameters that name a Patient, by its id or (`patient.identifier`) by what it is."""

_CONTROLS = frozenset({"_count", "_total", "_totalMethod", "_summary", "_format", "_pretty", "_elements", "_include"})
_REFUSED = ("_sort", "_revinclude", "_linked", "_lastUpdated")
_MEMBERS = frozenset({"*", "Person:*", *(f"Person:{one}{to}" for one in LED for to in ("", ":Patient"))})
_PATIENT = re.compile(r"(?:Patient/)?([A-Za-z0-9\-.]{1,64})")
_NOBODY = "-"


class Wanted(NamedTuple):
    """A search of Patient; `by_id` where ids of Persons are asked for, `members` to include the Patients themselves."""

    pairs: tuple[tuple[str, str], ...]
    by_id: bool = False
    members: bool = False


def of_patients(pairs: Pairs, base: str) -> Wanted | None:
    """Return what a search of Person asks of Patients; None where no rendered Person can have what is asked for.

    `base` is the public address of the FHIR endpoint. Raises GatewayError for what cannot be asked of rendered Persons.
    """
    criteria = [pair for pair in pairs if pair[0] not in _CONTROLS and pair[0] not in _REFUSED]
    asked = [_criterion(name, value, f"{base}/") for name, value in criteria]
    found = tuple(one for one in asked if one is not None)
    if not found or len(found) < len(asked):
        return None
    _check(pairs)
    by_id = any(name.partition(":")[0] == "_id" for name, _ in criteria)
    return Wanted(found, by_id, any(pair[0] == "_include" and pair[1] in _MEMBERS for pair in pairs))


def _criterion(name: str, value: str, base: str) -> tuple[str, str] | None:
    head, _, inner = name.partition(".")
    parameter, _, modifier = head.partition(":")
    if parameter in SHARED and not inner:
        return name, value
    if parameter not in LED or modifier not in ("", "Patient"):
        return None
    return (inner, value) if inner else ("_id", _ids(value, base))


def _ids(value: str, base: str) -> str:
    """Return the ids of the Patients that references name, by commas; one that nobody has where they name none."""
    found = [_PATIENT.fullmatch(each.strip().removeprefix(base)) for each in value.split(",")]
    return ",".join(one[1] for one in found if one) or _NOBODY


def _check(pairs: Pairs) -> None:
    names = [name for name, _ in pairs]
    refused = next((name for name in _REFUSED if name in names), None)
    if refused is not None:
        text = f"{refused} is not offered with these parameters: Persons are put together for each answer, newest first"
        raise GatewayError(f"{text}. Leave it out.", where=refused)
    if ("_summary", "count") in pairs or ("_count", "0") in pairs:
        text = "Persons are put together for each answer and not counted beforehand"
        raise GatewayError(
            f"{text}. Ask with _count and _total=accurate: a whole page says how many.", where="_summary"
        )
