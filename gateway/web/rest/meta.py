"""The operations $meta, $meta-add and $meta-delete: profiles, tags and labels (R4 resource-operations.html)."""

from collections.abc import Callable
from typing import Any

from gateway.errors import Category, GatewayError
from gateway.fhir import resource
from gateway.record.edits import Edit
from gateway.web.errors import HttpFault
from gateway.web.rest import asked
from gateway.web.rest.message import Answer, Request, Rest

_LISTS = ("profile", "security", "tag")
_TRIES = 5

Meta = dict[str, Any]


def meta(rest: Rest, request: Request) -> Answer:
    """Return the meta of a resource, or all labels in use in a type or in the record."""
    asked.only(request)
    *place, _ = request.path
    if len(place) == 2:
        stored = rest.record.read(request.actor, *place)
        return _told(resource.loads(stored.body, strict=False).get("meta", {}))
    return _told(rest.labels.in_use(request.actor, place[0] if place else ""))


def add(rest: Rest, request: Request) -> Answer:
    """Give a resource labels it does not bear yet, and return its meta."""
    return _changed(rest, request, added)


def delete(rest: Rest, request: Request) -> Answer:
    """Take labels from a resource, and return its meta."""
    return _changed(rest, request, deleted)


def added(rest: Rest, request: Request) -> Edit:
    """Return what $meta-add changes."""
    return _edit(rest, request, lambda had, given: had + [one for one in given if not _among(one, had)])


def deleted(rest: Rest, request: Request) -> Edit:
    """Return what $meta-delete changes."""
    return _edit(rest, request, lambda had, given: [one for one in had if not _among(one, given)])


def _changed(rest: Rest, request: Request, edit: Callable[[Rest, Request], Edit]) -> Answer:
    """Make the edit; another writer who comes between changes other elements, so it is tried again."""
    for attempt in range(_TRIES):
        try:
            (done,) = rest.editor.apply(request.actor, [edit(rest, request)])
        except GatewayError as fault:
            if fault.category is not Category.PRECONDITION or attempt == _TRIES - 1:
                raise
        else:
            break
    assert done.stored is not None
    return _told(resource.loads(done.stored.body, strict=False).get("meta", {}))


def _edit(rest: Rest, request: Request, change: Callable[[list[Any], list[Any]], list[Any]]) -> Edit:
    asked.only(request)
    kind, fid, name = request.path
    if kind == "Binary":
        raise GatewayError(f"{name} is not offered for Binary: its labels are those of what refers to it")
    given = _given(request, name)
    stored = rest.record.read(request.actor, kind, fid)
    body = resource.loads(stored.body, strict=False)
    had = body.get("meta", {})
    lists = {each: change(had.get(each, []), given.get(each, [])) for each in _LISTS}
    body["meta"] = {key: value for key, value in {**had, **lists}.items() if value != []}
    return Edit("update", kind, fid, text=resource.dumps(body), if_match=stored.ver)


def _given(request: Request, name: str) -> Meta:
    """Return the labels in the body: Parameters with one parameter `meta`."""
    if request.media not in asked.JSON:
        text = f"{name} takes Parameters as application/fhir+json, not {request.media or 'nothing'}"
        raise HttpFault(text, 415, "not-supported", where="Content-Type")
    body = resource.loads(request.body)
    parameters = body.get("parameter")
    found = [one for one in parameters if isinstance(one, dict)] if isinstance(parameters, list) else []
    match found:
        case [{"name": "meta", "valueMeta": {} as given}] if body.get("resourceType") == "Parameters":
            if all(isinstance(given.get(each, []), list) for each in _LISTS):
                labels: Meta = given
                return labels
    raise GatewayError(
        f"{name} takes Parameters with one parameter named meta, a valueMeta", where="Parameters.parameter"
    )


def _among(label: Any, labels: list[Any]) -> bool:
    """Say whether a label is among others: a profile by its address, a coding by system and code."""
    return any(_key(label) == _key(other) for other in labels)


def _key(label: Any) -> Any:
    return (label.get("system"), label.get("code")) if isinstance(label, dict) else label


def _told(found: Meta) -> Answer:
    """Return the answer; FHIR has no empty objects, so no labels are no parameter."""
    told: dict[str, Any] = {"resourceType": "Parameters"}
    if found:
        told["parameter"] = [{"name": "return", "valueMeta": found}]
    return Answer(200, resource.dumps(told))
