"""The capabilities interaction: a CapabilityStatement generated from what the server does."""

from functools import lru_cache
from typing import Any

from gateway.errors import GatewayError
from gateway.fhir import resource
from gateway.search import parameters
from gateway.search.extract import answerable
from gateway.web.rest import asked
from gateway.web.rest.message import Answer, Request, Rest

_INTERACTIONS = ("read", "vread", "history-instance", "search-type")
_RENDERED = {"Provenance": ("target",)}
_UNSERVED = frozenset({"AuditEvent"})
_STARTED = "2026-11-22"
_SECURITY = (
    "Nobody is let in without a login; this release has logins for nobody yet, so it answers requests for data only "
    "on this machine and only when started with --insecure-local."
)
_POLICY = (
    "Resources come from feeds; this release offers reading. Unknown search parameters are refused. Page links hold "
    "no search values. Every answer with personal data is audited before it leaves."
)


def metadata(rest: Rest, request: Request) -> Answer:
    """Return the CapabilityStatement of this server (http://hl7.org/fhir/R4/capabilitystatement.html)."""
    asked.only(request, "mode")
    mode = dict(request.pairs).get("mode", "full")
    if mode not in ("full", "normative"):
        raise GatewayError(f"mode={mode[:40]} is not offered; full and normative are", where="mode")
    return Answer(200, statement(request.base, rest.software_version))


@lru_cache(maxsize=8)
def statement(base: str, version: str) -> bytes:
    """Return the text of the CapabilityStatement for one public address."""
    return resource.dumps(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": _STARTED,
            "publisher": "Yigong Gateway",
            "kind": "instance",
            "software": {"name": "Yigong Gateway", "version": version},
            "implementation": {"description": "Shared health record of a county medical community", "url": base},
            "fhirVersion": "4.0.1",
            "format": ["application/fhir+json", "json"],
            "rest": [
                {
                    "mode": "server",
                    "documentation": _POLICY,
                    "security": {"description": _SECURITY},
                    "resource": [_resource(name) for name in served()],
                }
            ],
        }
    )


def served() -> tuple[str, ...]:
    """Return the resource types this server answers for."""
    return tuple(name for name in parameters.types() if name not in _UNSERVED)


def searchable(name: str) -> list[parameters.Parameter]:
    """Return the search parameters of a type that are answered."""
    found = parameters.for_type(name)
    if name in _RENDERED:
        return [found[one] for one in _RENDERED[name]]
    return [one for one in found.values() if answerable(one)]


def _resource(name: str) -> dict[str, Any]:
    if name in _RENDERED:
        return {
            "type": name,
            "documentation": "Rendered for each stored version; ask by target=TYPE/ID.",
            "interaction": [{"code": "read"}, {"code": "search-type"}],
            "searchParam": [_parameter(one) for one in searchable(name)],
        }
    includes = [f"{name}:{one.name}" for one in searchable(name) if one.kind == "reference"]
    return {
        "type": name,
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned",
        "readHistory": True,
        "updateCreate": False,
        "conditionalRead": "full-support",
        **({"searchInclude": includes} if includes else {}),
        "searchParam": [_parameter(one) for one in searchable(name)],
    }


def _parameter(parameter: parameters.Parameter) -> dict[str, Any]:
    return {"name": parameter.name, "type": parameter.kind}
