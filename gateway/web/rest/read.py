"""The read and vread interactions, with conditional reads (http://hl7.org/fhir/R4/http.html#read, #cread)."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime

from gateway.errors import Category, GatewayError
from gateway.fhir.bundle import etag
from gateway.store.values import Stored
from gateway.web.rest import asked
from gateway.web.rest.message import Answer, Request, Rest
from gateway.web.rest.times import moment

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def read(rest: Rest, request: Request) -> Answer:
    """Return the current version; 304 where the client already has it (If-None-Match, If-Modified-Since)."""
    asked.only(request)
    kind, fid = request.path
    return answered(request, rest.record.read(request.actor, kind, fid))


def vread(rest: Rest, request: Request) -> Answer:
    """Return one version by its number; raises GatewayError (not found) for a number that is none."""
    asked.only(request)
    kind, fid, _, _ = request.path
    return answered(request, rest.record.vread(request.actor, kind, fid, numbered(request)))


def numbered(request: Request) -> int:
    """Return the version a path names; raises GatewayError (not found) for a number that is none."""
    kind, fid, _, number = request.path
    if not number.isascii() or not number.isdigit() or len(number) > 8:
        raise GatewayError(f"{number} is not a version of {kind}/{fid}", category=Category.NOT_FOUND)
    return int(number)


def answered(request: Request, stored: Stored) -> Answer:
    """Return a stored version with its ETag and Last-Modified, or 304 where the client has it."""
    changed = moment(stored.updated_us).replace(microsecond=0)
    headers = {"etag": etag(stored.ver), "last-modified": format_datetime(changed, usegmt=True)}
    if unchanged(request.headers, stored.ver, changed):
        return Answer(304, headers=headers)
    return Answer(200, stored.body, headers)


def unchanged(headers: Mapping[str, str], ver: int, changed: datetime) -> bool:
    """Say whether the client has this version; If-None-Match goes before If-Modified-Since (RFC 9110 13.2.2)."""
    if "if-none-match" in headers:
        return tagged(headers, str(ver))
    since = _date(headers.get("if-modified-since", ""))
    return since is not None and changed <= since


def tagged(headers: Mapping[str, str], tag: str) -> bool:
    """Say whether If-None-Match names this entity tag."""
    tags = headers.get("if-none-match", "")
    return tags.strip() == "*" or tag in _TAG.findall(tags)


def _date(text: str) -> datetime | None:
    """Return an HTTP date; a date that is none counts as not given (RFC 9110 13.1.3)."""
    try:
        found = parsedate_to_datetime(text) if text else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found is not None and found.tzinfo is not None else None
