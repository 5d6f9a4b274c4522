"""The operation $meta: profiles, tags and labels (http://hl7.org/fhir/R4/resource-operation-meta.html)."""

from typing import Any

from gateway.fhir import resource
from gateway.web.rest import asked
from gateway.web.rest.message import Answer, Request, Rest


def meta(rest: Rest, request: Request) -> Answer:
    """Return the meta of a resource, or all labels in use in a type or in the record."""
    asked.only(request)
    *place, _ = request.path
    if len(place) == 2:
        stored = rest.record.read(request.actor, *place)
        return _told(resource.loads(stored.body, strict=False).get("meta", {}))
    return _told(rest.labels.in_use(request.actor, place[0] if place else ""))


def _told(found: dict[str, Any]) -> Answer:
    """Return the answer; FHIR has no empty objects, so no labels are no parameter."""
    told: dict[str, Any] = {"resourceType": "Parameters"}
    if found:
        told["parameter"] = [{"name": "return", "valueMeta": found}]
    return Answer(200, resource.dumps(told))
