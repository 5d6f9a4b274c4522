"""The operation $validate: all there is to say of a resource (http://hl7.org/fhir/R4/resource-operation-validate.html)."""

from typing import Any, NamedTuple

from gateway.errors import Category, GatewayError
from gateway.fhir import resource, types
from gateway.fhir.issues import Issue, operation_outcome
from gateway.fhir.primitives import shown
from gateway.web.rest import asked
from gateway.web.rest.message import Answer, Request, Rest
from gateway.web.rest.write import content

_MODES = ("create", "update", "delete", "profile")
_NAMES = frozenset({"resource", "mode", "profile"})
_PROFILES = 20

Body = dict[str, Any]


class _Asked(NamedTuple):
    """What a request wants judged: a resource (None: the stored one), as what, and against which profiles."""

    body: Body | None
    size: int
    mode: str
    profiles: tuple[str, ...]


def validate(rest: Rest, request: Request) -> Answer:
    """Return every finding on a resource as an OperationOutcome; 200 whatever they are."""
    asked.only(request, "mode", "profile")
    *place, _ = request.path
    if place and place[0] not in types.RESOURCE_TYPES:
        raise GatewayError(f"{place[0][:64]} is not a resource type of FHIR R4", category=Category.NOT_FOUND)
    told = _told(rest, request)
    if told.mode == "delete":
        return _answer(_deletable(rest, request, place))
    body, size = told.body, told.size
    if body is None:
        body, size = _stored(rest, request, place)
    found = [*_misplaced(body, place, told.mode), *rest.judge.validate(body, told.profiles, size)]
    return _answer(found or [_well(body, told.profiles)])


def _told(rest: Rest, request: Request) -> _Asked:
    """Return what query and body ask; raises GatewayError for a mode or parameter there is not."""
    mode = next((value for name, value in request.pairs if name == "mode"), "")
    profiles = [value for name, value in request.pairs if name == "profile"]
    body: Body | None = None
    size = len(request.body)
    if request.body.strip():
        body = resource.loads(content(rest, request))
        if _is_parameters(body):
            parameters = body["parameter"]
            body = next((one["resource"] for one in parameters if isinstance(one.get("resource"), dict)), None)
            mode = mode or _value(parameters, "mode")
            profiles += [_text(one) for one in parameters if one.get("name") == "profile"]
    return _Asked(body, size, _mode(mode, profiles), tuple(dict.fromkeys(profiles)))


def _is_parameters(body: Body) -> bool:
    """Say whether a body is the operation's parameters rather than a Parameters resource to be judged."""
    listed = body.get("parameter") if body.get("resourceType") == "Parameters" else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        return False
    return {"resource", "mode"} & {str(one.get("name")) for one in listed} != set() and all(
        str(one.get("name")) in _NAMES for one in listed
    )


def _value(parameters: list[Body], name: str) -> str:
    return next((_text(one) for one in parameters if one.get("name") == name), "")


def _text(parameter: Body) -> str:
    """Return a parameter's value, which clients send as code, uri, canonical or string."""
    return next((str(value) for key, value in parameter.items() if key.startswith("value")), "")


def _mode(mode: str, profiles: list[str]) -> str:
    if mode and mode not in _MODES:
        raise GatewayError(f"mode={shown(mode)} is not one of {', '.join(_MODES)}", where="mode")
    if mode == "profile" and not profiles:
        raise GatewayError("mode=profile needs the profile's canonical URL as parameter profile", where="profile")
    if len(profiles) > _PROFILES:
        raise GatewayError(f"{len(profiles)} profiles are asked for; {_PROFILES} are allowed", where="profile")
    return mode


def _stored(rest: Rest, request: Request, place: list[str]) -> tuple[Body, int]:
    if len(place) < 2:
        raise GatewayError("there is no resource in the request; send it as the body, or as parameter resource")
    text = rest.record.read(request.actor, *place).body or b""
    return resource.loads(text, strict=False), len(text)


def _deletable(rest: Rest, request: Request, place: list[str]) -> list[Issue]:
    if len(place) < 2:
        raise GatewayError("mode=delete is asked of a resource: POST /TYPE/ID/$validate", where="mode")
    _stored(rest, request, place)
    name = "/".join(place)
    return [Issue("information", "informational", f"{name} is there; whose it is decides when it is deleted.")]


def _misplaced(body: Body, place: list[str], mode: str) -> list[Issue]:
    """Return what contradicts the address: another type, or another id for an update."""
    kind, fid = str(body.get("resourceType")), body.get("id")
    if place and kind in types.RESOURCE_TYPES and kind != place[0]:
        text = f"It is a {kind}, but was sent to /{place[0]}: send it to /{kind}/$validate."
        return [Issue("error", "structure", text, kind)]
    if mode == "update" and len(place) == 2 and fid != place[1]:
        text = f"The id of an update is that of its address, {place[1]}, not {shown(fid)}."
        return [Issue("error", "value", text, f"{kind}.id")]
    return []


def _well(body: Body, profiles: tuple[str, ...]) -> Issue:
    against = ", ".join(("FHIR R4", *profiles, *_claimed(body)))
    return Issue("information", "informational", f"Nothing is wrong with it; it was checked against {against}.")


def _claimed(body: Body) -> list[str]:
    profiles: list[str] = body.get("meta", {}).get("profile", [])
    return profiles


def _answer(issues: list[Issue]) -> Answer:
    return Answer(200, resource.dumps(operation_outcome(issues)))
