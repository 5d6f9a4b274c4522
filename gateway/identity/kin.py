"""Kin: whose mother a Patient names, and whether the number it carries is another person's (china.md §5.2 case 11)."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from gateway.identity import names, resident

_MAIDEN_NAME = "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName"
_MOTHERS = frozenset({"MTH", "NMTH", "NMTHF", "ADOPTM", "52", "母亲", "妈妈", "生母", "mother"})
_ANOTHER = 12  # years between the birth dates of a number and of who carries it, from which it is another person's
_MOTHERLY = range(12, 61)


class Doubts(NamedTuple):
    """What is doubtful of a resident ID: flags, and the ID where it may well be the mother's."""

    flags: tuple[str, ...]
    mother: str


_NO_DOUBTS = Doubts((), "")


def doubts(number: str, birth: str, sex: str, *, newborn: bool) -> Doubts:
    """Return what birth, sex and a newborn's name say against a resident ID being the person's own (case 12)."""
    if not number:
        return _NO_DOUBTS
    inside = resident.birth_of(number)
    other_birth = bool(birth) and not inside.startswith(birth)
    other_sex = bool(sex) and resident.sex_of(number) != sex
    years = int(birth[:4]) - int(inside[:4]) if birth else 0
    if (newborn and (other_birth or not birth)) or abs(years) >= _ANOTHER or (other_birth and other_sex):
        motherly = resident.sex_of(number) == "female" and (years in _MOTHERLY or (newborn and not birth))
        return Doubts(("borrowed-id",), number if motherly else "")
    flags = [word for word, told in (("conflicting-birth", other_birth), ("conflicting-sex", other_sex)) if told]
    return Doubts(tuple(flags), "")


def mother(body: dict[str, Any]) -> str:
    """Return the folded name of the mother, from a contact or the maiden name (PID-6); '' where none is told."""
    for one in _objects(body.get("contact")):
        if not _MOTHERS.isdisjoint(_words(one.get("relationship"))):
            name = one.get("name")
            found = names.of_names([name]).names
            if found:
                return found[0].text
    for one in _objects(body.get("extension")):
        told = one.get("valueString")
        if one.get("url") == _MAIDEN_NAME and isinstance(told, str):
            return names.folded(told)
    return ""


def _objects(told: Any) -> Iterator[dict[str, Any]]:
    for one in told if isinstance(told, list) else ():
        if isinstance(one, dict):
            yield one


def _words(told: Any) -> Iterator[str]:
    for one in _objects(told):
        found = [one.get("text"), *(coding.get("code") for coding in _objects(one.get("coding")))]
        yield from (word for word in found if isinstance(word, str))
