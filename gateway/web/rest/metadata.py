"""The capabilities interaction: a CapabilityStatement generated from what the server does."""

from functools import lru_cache
from typing import Any

from gateway.fhir import resource
from gateway.search import parameters
from gateway.web.rest.message import Answer, Request, Rest

_INTERACTIONS = ("read", "vread", "history-instance", "search-type")
_STARTED = "2026-11-22"


def metadata(rest: Rest, request: Request) -> Answer:
    """Return the CapabilityStatement of this server (http://hl7.org/fhir/R4/capabilitystatement.html)."""
    return Answer(200, statement(request.base, rest.software_version))


@lru_cache(maxsize=8)
def statement(base: str, version: str) -> bytes:
    """Return the text of the CapabilityStatement for one public address."""
    return resource.dumps(
        {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": _STARTED,
            "kind": "instance",
            "software": {"name": "Yigong Gateway", "version": version},
            "implementation": {"description": "Shared health record of a county medical community", "url": base},
            "fhirVersion": "4.0.1",
            "format": ["json"],
            "rest": [{"mode": "server", "resource": [_resource(name) for name in parameters.types()]}],
        }
    )


def _resource(name: str) -> dict[str, Any]:
    return {
        "type": name,
        "interaction": [{"code": code} for code in _INTERACTIONS],
        "versioning": "versioned",
        "readHistory": True,
        "updateCreate": False,
        "searchParam": [_parameter(one) for one in parameters.for_type(name).values() if one.kind != "special"],
    }


def _parameter(parameter: parameters.Parameter) -> dict[str, Any]:
    return {"name": parameter.name, "type": parameter.kind}
