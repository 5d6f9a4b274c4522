"""The history interaction of one resource (http://hl7.org/fhir/R4/http.html#history)."""

from urllib.parse import urlencode

from gateway import clock
from gateway.errors import GatewayError
from gateway.fhir import temporal
from gateway.fhir.bundle import Entry, build, etag
from gateway.store.values import Op, Stored
from gateway.web.rest import asked
from gateway.web.rest.message import Answer, Request, Rest

_METHODS = {Op.CREATE: ("PUT", "201 Created"), Op.UPDATE: ("PUT", "200 OK"), Op.DELETE: ("DELETE", "204 No Content")}


def history(rest: Rest, request: Request) -> Answer:
    """Return the versions newest first; `_count` a page, `_since` an instant, the next page by link."""
    asked.only(request, "_count", "_since", "_before")
    kind, fid, _ = request.path
    count = min(asked.whole(request, "_count", rest.page_size), rest.max_page_size)
    before = asked.whole(request, "_before", 0)
    since = next((value for name, value in request.pairs if name == "_since"), "")
    found = rest.record.history(request.actor, kind, fid, count, before, _since(since, rest.zone))
    address = f"{request.base}/{kind}/{fid}/_history"
    links = [("self", f"{address}?{urlencode(request.pairs)}" if request.pairs else address)]
    if found.more:
        following = {"_count": count, "_before": found.versions[-1].ver, **({"_since": since} if since else {})}
        links.append(("next", f"{address}?{urlencode(following)}"))
    entries = [_entry(version, request.base) for version in found.versions]
    moment = temporal.instant(clock.now_us())
    return Answer(200, build("history", entries, id=clock.uuid4(), timestamp=moment, total=found.total, links=links))


def _since(text: str, zone: str) -> int:
    if not text:
        return 0
    try:
        return temporal.bounds(text.replace(" ", "+"), zone)[0]
    except GatewayError as fault:
        raise GatewayError(f"_since: {fault.text}", where="_since") from None


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
