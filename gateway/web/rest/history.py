"""The history interactions: of one resource, a type, or everything (http://hl7.org/fhir/R4/http.html#history)."""

import re
from urllib.parse import urlencode

from gateway import clock
from gateway.errors import GatewayError
from gateway.fhir import temporal
from gateway.fhir.bundle import Entry, build, etag
from gateway.record.history import Asked, Place
from gateway.search import page as pages
from gateway.store.histories import Period
from gateway.store.values import Op, Stored
from gateway.web.rest import asked
from gateway.web.rest.message import Answer, Pairs, Request, Rest

_METHODS = {Op.CREATE: ("PUT", "201 Created"), Op.UPDATE: ("PUT", "200 OK"), Op.DELETE: ("DELETE", "204 No Content")}
_PAGE = "_page"
_NAMES = ("_count", "_since", "_at", "_sort")
_SORTS = {"": False, "-_lastUpdated": False, "_lastUpdated": True}
_NUMBERS = re.compile(r"[0-9]{1,19}(,[0-9]{1,19}){3}")

LATER = "monitor"
"""The relation of the link that goes on where this reading ends (IANA's register of link relations)."""


def history(rest: Rest, request: Request) -> Answer:
    """Return versions newest first: `_count` a page, `_since` an instant, `_at` a moment or period, pages by link."""
    pairs, place = _asked(rest, request)
    wanted = _wanted(rest, request, pairs, place)
    found = rest.histories.page(request.actor, wanted)
    links = [("self", _address(request, request.pairs))]
    if found.following:
        links.append(("next", _link(rest, request, pairs, found.following)))
    if wanted.at is None:
        links.append((LATER, _link(rest, request, _going_on(pairs, wanted), found.later)))
    entries = [_entry(version, request.base) for version in found.versions]
    updated = temporal.instant(found.later.known_us) if wanted.at is None else ""
    return Answer(200, build("history", entries, id=clock.uuid4(), updated=updated, total=found.total, links=links))


def _asked(rest: Rest, request: Request) -> tuple[Pairs, Place | None]:
    """Return what is asked, and where a page link goes on."""
    token = next((value for name, value in request.pairs if name == _PAGE), None)
    if token is None:
        asked.only(request, *_NAMES, _PAGE)
        return tuple(pair for pair in request.pairs if pair[0] in _NAMES), None
    asked.only(request, _PAGE)
    page = pages.unseal(rest.page_key, token, request.actor.name)
    (name, numbers), *pairs = page.pairs or (("", ""),)
    if page.type != _place(request) or name != _PAGE or not _NUMBERS.fullmatch(numbers):
        raise GatewayError(f"this page link does not belong to /{_place(request)}", where=_PAGE)
    return tuple(pairs), Place(*map(int, numbers.split(",")))


def _wanted(rest: Rest, request: Request, pairs: Pairs, place: Place | None) -> Asked:
    kind, fid, *_ = (*request.path[:-1], "", "")
    return Asked(
        kind,
        fid,
        most=min(_count(pairs, rest.page_size), rest.max_page_size),
        since_us=_moments(pairs, "_since", rest.zone).start,
        at=_moments(pairs, "_at", rest.zone) if any(name == "_at" for name, _ in pairs) else None,
        oldest_first=_oldest_first(pairs),
        place=place,
        named=tuple(dict.fromkeys(name for name, _ in request.pairs)),
    )


def _going_on(pairs: Pairs, wanted: Asked) -> Pairs:
    """Return what the next reading asks: as this one, but no moment, and a page where only a beginning was wanted."""
    gone = ("_since",) if wanted.most else ("_since", "_count")
    return tuple(pair for pair in pairs if pair[0] not in gone)


def _value(pairs: Pairs, name: str) -> str:
    values = [value for given, value in pairs if given == name]
    if len(values) > 1:
        raise GatewayError(f"{name} is given {len(values)} times; a history takes one", where=name)
    return values[0] if values else ""


def _count(pairs: Pairs, default: int) -> int:
    text = _value(pairs, "_count")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise GatewayError(f"_count must be a whole number, not {text[:40]!r}", where="_count")
    return int(text)


def _moments(pairs: Pairs, name: str, zone: str) -> Period:
    text = _value(pairs, name)
    if not text and name == "_since":
        return Period(0, 0)
    try:
        return Period(*temporal.bounds(text.replace(" ", "+"), zone))
    except GatewayError as fault:
        raise GatewayError(f"{name}: {fault.text}", where=name) from None


def _oldest_first(pairs: Pairs) -> bool:
    text = _value(pairs, "_sort")
    if text not in _SORTS:
        raise GatewayError(f"_sort={text[:40]}: a history is sorted by _lastUpdated or -_lastUpdated", where="_sort")
    return _SORTS[text]


def _place(request: Request) -> str:
    return "/".join(request.path)


def _address(request: Request, pairs: Pairs) -> str:
    address = f"{request.base}/{_place(request)}"
    return f"{address}?{urlencode(pairs)}" if pairs else address


def _link(rest: Rest, request: Request, pairs: Pairs, place: Place) -> str:
    kept = ((_PAGE, ",".join(map(str, place))), *pairs)
    token = pages.seal(rest.page_key, pages.Page(_place(request), kept, None), request.actor.name)
    return _address(request, ((_PAGE, token), *(pair for pair in request.pairs if pair[0] in asked.LOOKS)))


def _entry(version: Stored, base: str) -> Entry:
    method, status = _METHODS[version.op]
    return Entry(
        resource=version.body,
        full_url=f"{base}/{version.type}/{version.fid}",
        method=method,
        url=f"{version.type}/{version.fid}",
        status=status,
        etag=etag(version.ver),
        last_modified=temporal.instant(version.updated_us),
    )
