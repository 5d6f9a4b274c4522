"""The patch interaction: JSON Patch on one resource (http://hl7.org/fhir/R4/http.html#patch)."""

from gateway.fhir import json_patch
from gateway.fhir.json_patch import Operation
from gateway.web.errors import HttpFault
from gateway.web.rest.message import Request

MEDIA = "application/json-patch+json"
_OTHERS = {
    "application/fhir+json": "FHIRPath Patch (Parameters) is not offered",
    "application/fhir+xml": "FHIRPath Patch (Parameters) is not offered",
    "application/xml-patch+xml": "XML Patch is not offered",
    "application/merge-patch+json": "a merge patch cannot say which item of a list it means",
}


def operations(request: Request) -> tuple[Operation, ...]:
    """Return the operations a request brings; raises HttpFault (415) for other kinds of patch."""
    if request.media != MEDIA:
        why = _OTHERS.get(request.media, f"{request.media[:60] or 'a body without Content-Type'} is no patch")
        text = f"{why}; send a JSON Patch (RFC 6902) as {MEDIA}"
        raise HttpFault(text, 415, "not-supported", where="Content-Type", headers={"accept-patch": MEDIA})
    return json_patch.read(request.body)
