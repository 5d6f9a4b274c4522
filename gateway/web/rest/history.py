"""The history interaction of one resource (http://hl7.org/fhir/R4/http.html#history)."""

from gateway.errors import GatewayError
from gateway.fhir import temporal
from gateway.fhir.bundle import Entry, build, etag
from gateway.store.values import Op, Stored
from gateway.web.rest.message import Answer, Request, Rest

_METHODS = {Op.CREATE: ("PUT", "201 Created"), Op.UPDATE: ("PUT", "200 OK"), Op.DELETE: ("DELETE", "204 No Content")}


def history(rest: Rest, request: Request) -> Answer:
    """Return the versions newest first; `_count` a page, the next page by link."""
    kind, fid, _ = request.path
    count = min(_number(request, "_count", rest.page_size), rest.max_page_size)
    before = _number(request, "_before", 0)
    found = rest.record.history(request.actor, kind, fid, count + 1, before)
    versions, more = found[:count], len(found) > count
    links = [("self", f"{request.base}/{kind}/{fid}/_history")]
    if more:
        links.append(("next", f"{request.base}/{kind}/{fid}/_history?_count={count}&_before={versions[-1].ver}"))
    return Answer(200, build("history", [_entry(version, request.base) for version in versions], links=links))


def _number(request: Request, name: str, default: int) -> int:
    text = dict(request.pairs).get(name, str(default))
    if not text.isascii() or not text.isdigit() or len(text) > 8:
        raise GatewayError(f"{name} must be a whole number, not {text!r}", where=name)
    return int(text)


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
