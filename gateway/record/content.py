"""What a resource says, apart from how the record numbers it: compared, digested, and whose it is."""

from decimal import Decimal
from functools import cache
from typing import Any

from gateway.fhir.resource import Number
from gateway.search import parameters
from gateway.search.extract import Rows

Body = dict[str, Any]
_NUMBERED = ("versionId", "lastUpdated")
_WHOSE = ("patient", "subject", "beneficiary", "individual")


def bare(body: Body) -> Body:
    """Return a resource without id and meta, as digests and foldings see it."""
    return {name: value for name, value in body.items() if name not in ("id", "meta")}


def unchanged(stored: Body, sent: Body) -> bool:
    """Say whether two texts of a resource differ in id, meta.versionId and meta.lastUpdated at most (digits count)."""
    return same(_said(stored), _said(sent))


def same(one: Any, other: Any) -> bool:
    """Say whether two JSON values are the same, with every digit; the order of an object's members does not matter."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Decimal):
        return _digits(one) == _digits(other)
    return bool(one == other)


def patients(body: Body, rows: Rows) -> list[str]:
    """Return the ids of the patients a resource is about, in order; most have one."""
    if body.get("resourceType") == "Binary":
        context = body.get("securityContext", {}).get("reference", "").split("/")
        return [context[1]] if context[0] == "Patient" and len(context) > 1 else []
    wanted = _patient_parameters(body["resourceType"])
    found = [fid for param, kind, fid in rows.reference if kind == "Patient" and param in wanted]
    return list(dict.fromkeys(found))


def _said(body: Body) -> Body:
    meta = {name: value for name, value in body.get("meta", {}).items() if name not in _NUMBERED}
    return bare(body) | ({"meta": meta} if meta else {})


def _digits(number: Decimal) -> str:
    return number.text if isinstance(number, Number) else str(number)


@cache
def _patient_parameters(kind: str) -> frozenset[int]:
    """Return the numbers of the parameters by which resources of a type name their patient."""
    names = parameters.for_type(kind)
    known = next((names[name] for name in _WHOSE if name in names and names[name].kind == "reference"), None)
    return frozenset(each.id for each in parameters.stored(known)) if known else frozenset()
