"""Reads of Binary: the bytes themselves, or the resource for a client that asks for FHIR (R4 binary.html#rest)."""

import base64
from collections.abc import Iterator

from gateway.fhir import resource
from gateway.fhir.attachment import OCTETS, is_media_type, may_be_shown
from gateway.record.attachments import Held
from gateway.store.values import Stored
from gateway.web.errors import HttpFault
from gateway.web.rest import asked
from gateway.web.rest.message import Answer, Request, Rest
from gateway.web.rest.read import answered, numbered, tagged

_ENDINGS = {
    "application/pdf": ".pdf",
    "application/rtf": ".rtf",
    "application/zip": ".zip",
    "application/xml": ".xml",
    "application/dicom": ".dcm",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/tiff": ".tif",
    "image/svg+xml": ".svg",
    "text/html": ".html",
    "text/plain": ".txt",
}


def read(rest: Rest, request: Request) -> Answer:
    """Return the current content of a Binary; 304 where the client has it (If-None-Match)."""
    asked.only(request)
    kind, fid = request.path
    return _given(rest, request, rest.record.read(request.actor, kind, fid))


def vread(rest: Rest, request: Request) -> Answer:
    """Return the content one version of a Binary had."""
    asked.only(request)
    kind, fid, _, _ = request.path
    return _given(rest, request, rest.record.vread(request.actor, kind, fid, numbered(request)))


def wrapped(content: bytes, media: str, fid: str) -> bytes:
    """Return the text of the Binary that holds some bytes a client sent as they are; raises HttpFault (415)."""
    if not is_media_type(media) or media.startswith("application/fhir+"):
        text = "a Binary needs a Content-Type that says what its bytes are, or is sent as application/fhir+json"
        raise HttpFault(text, 415, "not-supported", where="Content-Type")
    named = {"id": fid} if fid else {}
    data = base64.b64encode(content).decode()
    return resource.dumps({"resourceType": "Binary", **named, "contentType": media, "data": data})


def _given(rest: Rest, request: Request, stored: Stored) -> Answer:
    if not asked.wants_fhir(request.pairs, request.headers):
        return _raw(request, stored, rest.record.content(stored))
    plain = answered(request, stored)
    return plain if plain.status == 304 else _resource(plain, stored, rest.record.content(stored))


def _raw(request: Request, stored: Stored, held: Held) -> Answer:
    """Return the bytes; whatever a browser would run is offered for saving, and none of it may reach this server."""
    tag = held.digest.hex()
    media = held.media if is_media_type(held.media) else OCTETS
    headers = {
        "etag": f'"{tag}"',
        "content-type": media,
        "content-disposition": f'{_place(media)}; filename="{stored.fid}{_ENDINGS.get(media.lower(), "")}"',
        "content-security-policy": "sandbox; default-src 'none'",
    }
    if tagged(request.headers, tag):
        return Answer(304, headers={"etag": headers["etag"]})
    return Answer(200, headers=headers, stream=held.parts, size=held.size)


def _place(media: str) -> str:
    return "inline" if may_be_shown(media) else "attachment"


def _resource(plain: Answer, stored: Stored, held: Held) -> Answer:
    """Return the resource with its data in it, made while it is sent."""
    body = resource.loads(stored.body)
    if "_data" not in body:
        return plain
    head = resource.dumps({name: value for name, value in body.items() if name != "_data"})[:-1] + b',"data":"'
    size = len(head) + (held.size + 2) // 3 * 4 + 2
    return Answer(200, headers=plain.headers, stream=_woven(head, held.parts), size=size)


def _woven(head: bytes, parts: Iterator[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield head + base64.b64encode(part)
        head = b""
    yield b'"}'
