"""The capabilities interaction: a CapabilityStatement generated from the tables the server works by."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from gateway.errors import GatewayError
from gateway.fhir import resource
from gateway.search import compartments, include, parameters
from gateway.search.extract import answerable
from gateway.web.rest import asked, patch
from gateway.web.rest.message import Answer, Interaction, Limits, Request, Rest

Json = dict[str, Any]
Offered = Mapping[str, Interaction]
Supported = tuple[tuple[str, str], ...]
"""Type and canonical URL of each profile of the region."""

_STARTED = "2026-11-22"
_SECURITY = (
    "Nobody is let in without a login; this release has logins for nobody yet, so it answers requests for data only "
    "on this machine and only when started with --insecure-local."
)
_POLICY = (
    "Unknown search parameters are refused, unless the client prefers handling=lenient. Page links hold no search "
    "values. A write that changes nothing makes no version. A resource that came from a feed is changed by its site "
    "alone. In a transaction reads come after all writes. Every answer with personal data is audited before it leaves."
)
_RENDERED = {
    "Provenance": "Besides those that clients write, one Provenance is rendered for each stored version: ask by "
    "target=TYPE/ID alone.",
    "Person": "Besides those that clients write, the Person of every Patient is rendered, from all Patients linked to "
    "it that the reader may see: read by the Patient's id; search by patient, link, _id, identifier, name, phonetic, "
    "birthdate, gender, telecom and address, newest first, with _include=Person:link. It has no history.",
}

# where and by which method: the code of FHIR's restful-interaction value sets
_ON_TYPES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("TYPE", "ID"), "GET", "read"),
    (("TYPE", "ID", "_history", "VERSION"), "GET", "vread"),
    (("TYPE", "ID"), "PUT", "update"),
    (("TYPE", "ID"), "PATCH", "patch"),
    (("TYPE", "ID"), "DELETE", "delete"),
    (("TYPE", "ID", "_history"), "GET", "history-instance"),
    (("TYPE", "_history"), "GET", "history-type"),
    (("TYPE",), "POST", "create"),
    (("TYPE",), "GET", "search-type"),
)
_ON_ALL: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...] = (
    ((), "POST", ("transaction", "batch")),
    ((), "GET", ("search-system",)),
    (("_history",), "GET", ("history-system",)),
)

_DEFINITIONS = "http://hl7.org/fhir/OperationDefinition/"
_OWN_DEFINITIONS = "https://yigong.example/fhir/OperationDefinition/"

# operation: its name in the definition's address, and the types it is for (none: every type)
_OPERATIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "$validate": ("Resource-validate", ()),
    "$meta": ("Resource-meta", ()),
    "$meta-add": ("Resource-meta-add", ()),
    "$meta-delete": ("Resource-meta-delete", ()),
    "$everything": ("{}-everything", ("Patient", "Encounter")),
    "$merge": ("Patient-merge", ("Patient",)),
    "$unmerge": (f"{_OWN_DEFINITIONS}Patient-unmerge", ("Patient",)),
    "$recognise": (f"{_OWN_DEFINITIONS}Patient-recognise", ("Patient",)),
}


class Offers(NamedTuple):
    """What the server offers: interactions by place, those of single types, and operations by where they stand."""

    places: Mapping[tuple[str, ...], Offered]
    own: Mapping[tuple[str, ...], Offered]
    on_server: Mapping[str, Offered]
    on_type: Mapping[str, Offered]
    on_instance: Mapping[str, Offered]

    def at(self, kind: str, place: tuple[str, ...]) -> Offered:
        """Return the interactions of a type at a place such as ("TYPE", "ID")."""
        return self.own.get((kind, *place[1:]), self.places.get(place, {}))


class Capabilities:
    """The interaction of /metadata; `offers` are asked for when the first request comes."""

    def __init__(self, offers: Callable[[], Offers]) -> None:
        self._offers = offers
        self._statement = lru_cache(maxsize=8)(self._made)

    def metadata(self, rest: Rest, request: Request) -> Answer:
        """Return the CapabilityStatement of this server (http://hl7.org/fhir/R4/capabilitystatement.html)."""
        asked.only(request, "mode")
        mode = dict(request.pairs).get("mode", "full")
        if mode not in ("full", "normative"):
            raise GatewayError(f"mode={mode[:40]} is not offered; full and normative are", where="mode")
        profiles = rest.judge.supported()
        return Answer(
            200, self._statement(request.base, rest.software_version, rest.limits, rest.max_page_size, profiles)
        )

    def _made(self, base: str, version: str, limits: Limits, page: int, profiles: Supported) -> bytes:
        several = limits.deletes_at_once > 1
        told = statement(self._offers(), base, version, _limits(limits, page), several_deletes=several)
        for one in told["rest"][0]["resource"]:
            one.update(_listed("supportedProfile", [url for kind, url in profiles if kind == one["type"]]))
        return resource.dumps(told)


def statement(offers: Offers, base: str, version: str, limits: str, *, several_deletes: bool = False) -> Json:
    """Return the CapabilityStatement for one public address; `limits` is a sentence about them.

    `several_deletes` says that a conditional delete may remove several resources.
    """
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _STARTED,
        "publisher": "Yigong Gateway",
        "kind": "instance",
        "software": {"name": "Yigong Gateway", "version": version},
        "implementation": {"description": "Shared health record of a county medical community", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json", "application/fhir+xml", "xml"],
        "patchFormat": [patch.MEDIA],
        "rest": [_server(offers, limits, "multiple" if several_deletes else "single")],
    }


def _limits(limits: Limits, page: int) -> str:
    return (
        f"A body has {limits.body_bytes} bytes at most (gzip is taken), a Bundle {limits.bundle_entries} entries, JSON "
        f"{limits.nesting} levels, a page {page} resources; a batch has {limits.bundle_seconds:g} s."
    )


def _server(offers: Offers, limits: str, deletes: str) -> Json:
    codes = [code for place, method, names in _ON_ALL if method in offers.places.get(place, {}) for code in names]
    return {
        "mode": "server",
        "documentation": f"{_POLICY} {limits}",
        "security": {"description": _SECURITY},
        "resource": [_resource(offers, name, deletes) for name in served()],
        "interaction": [{"code": code} for code in codes],
        **_listed("operation", [_operation(name) for name in offers.on_server]),
        "compartment": [f"http://hl7.org/fhir/CompartmentDefinition/{name.lower()}" for name in compartments.names()],
    }


def served() -> tuple[str, ...]:
    """Return the resource types this server answers for."""
    return parameters.types()


def searchable(name: str) -> list[parameters.Parameter]:
    """Return the search parameters of a type that are answered."""
    return [one for one in parameters.for_type(name).values() if answerable(one)]


def operations(offers: Offers, name: str) -> Iterator[str]:
    """Yield the operations of a type, on it or on its resources."""
    for operation in {**offers.on_type, **offers.on_instance}:
        types = _OPERATIONS.get(operation, ("", ()))[1]
        if not types or name in types:
            yield operation


def _resource(offers: Offers, name: str, deletes: str) -> Json:
    codes = [code for place, method, code in _ON_TYPES if method in offers.at(name, place)]
    return {
        "type": name,
        **({"documentation": _RENDERED[name]} if name in _RENDERED else {}),
        "interaction": [{"code": code} for code in codes],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": deletes,
        "referencePolicy": ["literal", "logical", "local"],
        "searchInclude": ["*", f"{name}:*", *_includes()[name]],
        **_listed("searchRevInclude", _pointing().get(name, [])),
        "searchParam": [_parameter(one) for one in searchable(name)],
        **_listed("operation", [_operation(one, name) for one in operations(offers, name)]),
    }


def _listed(name: str, values: list[Any]) -> Json:
    """Return a member with its values; none where there are none, for FHIR has no empty arrays."""
    return {name: values} if values else {}


def _operation(name: str, kind: str = "") -> Json:
    address = _OPERATIONS.get(name, (f"Resource-{name[1:]}", ()))[0].format(kind)
    whole = address if address.startswith("http") else f"{_DEFINITIONS}{address}"
    return {"name": name[1:], "definition": whole}


@cache
def _includes() -> dict[str, list[str]]:
    return {name: [f"{name}:{one.name}" for one in searchable(name) if one.kind == "reference"] for name in served()}


@cache
def _pointing() -> dict[str, list[str]]:
    """Return, for each type, the reference parameters that name it as a target; those to any type are left out."""
    found: dict[str, list[str]] = {}
    for name in served():
        for one in include.references(name):
            for target in one.targets if len(one.targets) < len(served()) else ():
                found.setdefault(target, []).append(f"{name}:{one.name}")
    return found


def _parameter(parameter: parameters.Parameter) -> Json:
    told = {"documentation": parameter.description} if parameter.description else {}
    return {"name": parameter.name, "type": parameter.kind, **told}
