"""The read and vread interactions (http://hl7.org/fhir/R4/http.html#read)."""

from email.utils import format_datetime

from gateway.errors import Category, GatewayError
from gateway.fhir.bundle import etag
from gateway.store.values import Stored
from gateway.web.rest.message import Answer, Request, Rest
from gateway.web.rest.times import moment


def read(rest: Rest, request: Request) -> Answer:
    """Return the current version; 304 where the client already has it (If-None-Match)."""
    kind, fid = request.path
    return _answer(request, rest.record.read(request.actor, kind, fid))


def vread(rest: Rest, request: Request) -> Answer:
    """Return one version by its number; raises GatewayError (not found) for a number that is none."""
    kind, fid, _, number = request.path
    if not number.isascii() or not number.isdigit() or len(number) > 8:
        raise GatewayError(f"{number} is not a version of {kind}/{fid}", category=Category.NOT_FOUND)
    return _answer(request, rest.record.vread(request.actor, kind, fid, int(number)))


def _answer(request: Request, stored: Stored) -> Answer:
    tag = etag(stored.ver)
    headers = {"etag": tag, "last-modified": format_datetime(moment(stored.updated_us), usegmt=True)}
    if tag in request.headers.get("if-none-match", ""):
        return Answer(304, headers=headers)
    return Answer(200, stored.body, headers)
