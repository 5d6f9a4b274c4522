"""Operations that services offer: found by name among those the wiring handed over, asked with Parameters."""

from gateway.errors import Category, GatewayError
from gateway.fhir import resource
from gateway.hooks import Call
from gateway.web.errors import HttpFault
from gateway.web.rest import asked
from gateway.web.rest.message import Answer, Request, Rest


def perform(rest: Rest, request: Request) -> Answer:
    """Let a service answer its operation on one resource; raises GatewayError (not found) where none offers it."""
    asked.only(request)
    kind, fid, name = request.path
    offered = next((one for one in rest.operations if (one.name, one.kind) == (name, kind)), None)
    if offered is None:
        kinds = ", ".join(one.kind for one in rest.operations if one.name == name)
        text = f"{name} is of {kinds}, not of {kind[:64]}" if kinds else f"{name} is not offered by this server"
        raise GatewayError(text, category=Category.NOT_FOUND)
    if request.media not in asked.JSON:
        text = f"{name} takes Parameters as application/fhir+json, not {request.media or 'nothing'}"
        raise HttpFault(text, 415, "not-supported", where="Content-Type")
    body = resource.loads(request.body, depth=rest.limits.nesting)
    return Answer(200, resource.dumps(offered.run(Call(request.actor, kind, fid, body, request.base))))
