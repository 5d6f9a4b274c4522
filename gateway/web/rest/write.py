"""Create, update, patch and delete, each also by a condition (http://hl7.org/fhir/R4/http.html#create to #cond-update).

Each interaction has a reader that says what is to be changed; a transaction uses the readers alone.
"""

from collections.abc import Callable
from email.utils import format_datetime

from gateway.errors import GatewayError
from gateway.fhir import resource
from gateway.fhir.bundle import etag
from gateway.fhir.issues import Issue, operation_outcome
from gateway.record.editing import Done, Edit
from gateway.store.values import Stored
from gateway.web.errors import HttpFault
from gateway.web.rest import asked, binary, meta, patch
from gateway.web.rest.conditions import criteria, must_not_exist, searching, version
from gateway.web.rest.message import Answer, Interaction, Request, Rest
from gateway.web.rest.times import moment

_NEW = 0  # the version of what does not exist


def create(rest: Rest, request: Request) -> Answer:
    """Create a resource under an id of the server's; with If-None-Exist only where the search finds none."""
    return _done(rest, request, created(rest, request))


def update(rest: Rest, request: Request) -> Answer:
    """Put a resource at its id, new or in place of the version that is there."""
    return _done(rest, request, updated(rest, request))


def update_found(rest: Rest, request: Request) -> Answer:
    """Put a resource in place of the one a search finds, or create it where it finds none."""
    return _done(rest, request, found_updated(rest, request))


def amend(rest: Rest, request: Request) -> Answer:
    """Patch a resource."""
    return _done(rest, request, patched(rest, request))


def amend_found(rest: Rest, request: Request) -> Answer:
    """Patch the one resource a search finds."""
    return _done(rest, request, found_patched(rest, request))


def delete(rest: Rest, request: Request) -> Answer:
    """Delete a resource; its past stays in its history."""
    return _done(rest, request, deleted(rest, request))


def delete_found(rest: Rest, request: Request) -> Answer:
    """Delete what a search finds."""
    return _done(rest, request, found_deleted(rest, request))


def created(rest: Rest, request: Request) -> Edit:
    """Return the edit a create asks for."""
    asked.only(request)
    (kind,) = request.path
    wanted = request.headers.get("if-none-exist")
    condition = None if wanted is None else criteria(_utf8(wanted), kind, "If-None-Exist")
    return Edit("create", kind, text=content(rest, request), criteria=condition)


def updated(rest: Rest, request: Request) -> Edit:
    """Return the edit an update asks for."""
    asked.only(request)
    kind, fid = request.path
    return Edit("update", kind, fid, text=content(rest, request), if_match=_expected(request))


def found_updated(rest: Rest, request: Request) -> Edit:
    """Return the edit a conditional update asks for."""
    (kind,) = request.path
    condition = searching(request.pairs, "url")
    return Edit("update", kind, text=content(rest, request), criteria=condition, if_match=_expected(request))


def patched(_: Rest, request: Request) -> Edit:
    """Return the edit a patch asks for."""
    asked.only(request)
    kind, fid = request.path
    return Edit("patch", kind, fid, patch=patch.operations(request), if_match=_held(request))


def found_patched(_: Rest, request: Request) -> Edit:
    """Return the edit a conditional patch asks for."""
    (kind,) = request.path
    condition = searching(request.pairs, "url")
    return Edit("patch", kind, patch=patch.operations(request), criteria=condition, if_match=_held(request))


def deleted(_: Rest, request: Request) -> Edit:
    """Return the edit a delete asks for."""
    asked.only(request)
    kind, fid = request.path
    return Edit("delete", kind, fid, if_match=_held(request))


def found_deleted(_: Rest, request: Request) -> Edit:
    """Return the edit a conditional delete asks for."""
    (kind,) = request.path
    return Edit("delete", kind, criteria=searching(request.pairs, "url"), if_match=_held(request))


READERS: dict[Interaction, Callable[[Rest, Request], Edit]] = {
    create: created,
    update: updated,
    update_found: found_updated,
    amend: patched,
    amend_found: found_patched,
    delete: deleted,
    delete_found: found_deleted,
    meta.add: meta.added,
    meta.delete: meta.deleted,
}
"""What each writing interaction asks to change."""


def content(rest: Rest, request: Request) -> bytes:
    """Return the JSON text of the resource in a body; bytes of another type sent to Binary become a Binary."""
    if request.path[0] == "Binary" and not _is_resource(request):
        return _binary(request)
    if request.media not in asked.JSON:
        raise untaken(request)
    asked.r4_only(request.headers.get("content-type", ""))
    if not request.body.strip():
        raise GatewayError("the request has no body; send the resource as JSON")
    if rest.limits.nesting < resource.DEPTH_LIMIT:
        resource.loads(request.body, depth=rest.limits.nesting)
    return request.body


def answered(rest: Rest, request: Request, done: Done) -> Answer:
    """Return the answer to an edit that was made, as the client prefers it (R4 http.html#ops)."""
    stored = done.stored
    if done.edit.action == "delete" or stored is None:
        return _gone(request, done)
    changed = moment(stored.updated_us).replace(microsecond=0)
    headers = {"etag": etag(stored.ver), "last-modified": format_datetime(changed, usegmt=True)}
    address = f"{request.base}/{place(stored)}"
    if done.created:
        headers["location"] = address
    status = 201 if done.created else 200
    if request.prefer.returns == "minimal":
        return Answer(status, headers=headers)
    if request.prefer.returns == "OperationOutcome":
        return Answer(status, told(done), headers)
    headers["content-location"] = address
    return Answer(status, stored.body or b"", headers)


def _done(rest: Rest, request: Request, edit: Edit) -> Answer:
    (done,) = rest.editor.apply(request.actor, [edit])
    return answered(rest, request, done)


def _gone(request: Request, done: Done) -> Answer:
    headers = {"etag": etag(done.stored.ver)} if done.stored else {}
    if request.prefer.returns != "OperationOutcome":
        return Answer(204, headers=headers)
    return Answer(200, told(done), headers)


def place(stored: Stored) -> str:
    """Return the address of a version below the base."""
    return f"{stored.type}/{stored.fid}/_history/{stored.ver}"


def told(done: Done) -> bytes:
    """Return what became of an edit in words, as an OperationOutcome text."""
    return resource.dumps(operation_outcome([Issue("information", "informational", _sentence(done))]))


def _sentence(done: Done) -> str:
    if done.stored is None:
        return "there was nothing to delete"
    name = f"{done.stored.type}/{done.stored.fid}"
    if done.edit.action == "delete":
        return f"{name} is deleted; its past stays in its history"
    if not done.changed:
        return f"{name} stays as it is, at version {done.stored.ver}"
    return f"{name} was {'created' if done.created else 'changed'}; its version is {done.stored.ver}"


def _expected(request: Request) -> int | None:
    """Return the version an update replaces: that of If-Match, or none at all (`If-None-Match: *`)."""
    held = _held(request)
    if not must_not_exist(request.headers.get("if-none-match")):
        return held
    if held is not None:
        raise GatewayError("If-Match and If-None-Match contradict each other; send one", where="If-None-Match")
    return _NEW


def _held(request: Request) -> int | None:
    return version(request.headers.get("if-match"))


def _utf8(header: str) -> str:
    """Return a header's text, which may be UTF-8 though HTTP hands it over as Latin-1."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header


def _is_resource(request: Request) -> bool:
    """Say whether a body sent to Binary is the resource itself (R4 binary.html#rest)."""
    if request.media in asked.FHIR_TYPES:
        return True
    return request.media in asked.JSON and b'"resourceType"' in request.body and b'"Binary"' in request.body


def _binary(request: Request) -> bytes:
    if "x-security-context" in request.headers:
        text = "X-Security-Context is not supported; send the Binary as application/fhir+json with its securityContext"
        raise GatewayError(text, where="X-Security-Context")
    fid = request.path[1] if len(request.path) > 1 else ""
    return binary.wrapped(request.body, request.media, fid)


def untaken(request: Request) -> HttpFault:
    """Return the refusal (415) of a body that is not FHIR JSON."""
    said = f"{request.media[:60]} is not taken" if request.media else "a body needs a Content-Type"
    text = f"{said}; send application/fhir+json of FHIR 4.0 (XML is answered where asked for, but not taken)"
    headers = {"accept": "application/fhir+json"}
    return HttpFault(text, 415, "not-supported", where="Content-Type", headers=headers)
