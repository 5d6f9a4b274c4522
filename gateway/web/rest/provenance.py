"""Provenance: of stored versions rendered from their columns when asked for (decision 14); clients' own are stored."""

from urllib.parse import urlencode

from gateway import clock
from gateway.errors import Category, GatewayError
from gateway.fhir import temporal
from gateway.fhir.bundle import Entry, build
from gateway.record import provenance
from gateway.record.provenance import Rendered
from gateway.record.searching import Asked
from gateway.store.query import Page
from gateway.web.rest import asked
from gateway.web.rest import read as stored
from gateway.web.rest import search as written
from gateway.web.rest.message import Answer, Request, Rest

_NAMES = frozenset({"target", "_count", "_before", "_summary", "_total", *asked.LOOKS})
_HOW = "ask Provenance?target=TYPE/ID, or target=TYPE/ID/_history/VERSION for one version"


def search(rest: Rest, request: Request) -> Answer:
    """Return where each version of one resource came from, newest first; any other search is for clients' own."""
    names = {name.partition(":")[0] for name, _ in request.pairs}
    if "target" in names and names <= _NAMES:
        return _of_versions(rest, request)
    return written.search(rest, request)


def read(rest: Rest, request: Request) -> Answer:
    """Return one Provenance by its id: one that is rendered, or one that a client wrote."""
    fid = request.path[1]
    if provenance.identify(fid) is None:
        return stored.read(rest, request)
    asked.only(request)
    try:
        return Answer(200, rest.record.provenance_by_id(request.actor, fid).body, {"etag": 'W/"1"'})
    except GatewayError as fault:
        if fault.category is not Category.NOT_FOUND:
            raise
        return stored.read(rest, request)


def _of_versions(rest: Rest, request: Request) -> Answer:
    kind, fid, ver = _target(request)
    summary = _value(request, "_summary")
    if summary not in ("", "count", "false"):
        raise GatewayError(f"_summary={summary} is not offered; count and false are", where="_summary")
    count = 0 if summary == "count" else min(asked.whole(request, "_count", rest.page_size), rest.max_page_size)
    before = asked.whole(request, "_before", 0)
    own = _own(rest, request, f"{kind}/{fid}", 0 if before or not count else rest.max_page_size)
    found = rest.record.provenance(request.actor, kind, fid, ver, count, before)
    address = f"{request.base}/Provenance"
    links = [("self", address if request.method == "POST" else f"{address}?{urlencode(request.pairs)}")]
    if found.more:
        following = {"target": f"{kind}/{fid}", "_count": count, "_before": found.versions[-1].ver}
        links.append(("next", f"{address}?{urlencode(following)}"))
    moment = temporal.instant(clock.now_us())
    entries = [_entry(one, address) for one in found.versions]
    entries += [Entry(resource=one.body, full_url=f"{address}/{one.fid}", mode="match") for one in own.matches]
    total = found.total + (own.total or 0)
    return Answer(200, build("searchset", entries, id=clock.uuid4(), timestamp=moment, total=total, links=links))


def _own(rest: Rest, request: Request, target: str, count: int) -> Page:
    """Return what clients wrote of a resource; it stands on the first page."""
    pairs = (("target", target), ("_count", str(count)), ("_total", "accurate"))
    return rest.record.searches.page(request.actor, Asked("Provenance", pairs))


def _entry(one: Rendered, address: str) -> Entry:
    return Entry(resource=one.body, full_url=f"{address}/{one.id}", mode="match")


def _value(request: Request, name: str) -> str:
    return next((value for given, value in request.pairs if given == name), "")


def _target(request: Request) -> tuple[str, str, int]:
    """Return type, id and version (0: any) of the one target asked for."""
    values = [(name, value) for name, value in request.pairs if name.partition(":")[0] == "target"]
    if len(values) != 1 or "," in values[0][1]:
        raise GatewayError(f"a Provenance search needs exactly one target: {_HOW}", where="target")
    name, value = values[0]
    parts = value.removeprefix(f"{request.base}/").split("/")
    if len(parts) == 1 and ":" in name:
        parts = [name.partition(":")[2], *parts]
    match parts:
        case [kind, fid]:
            return kind, fid, 0
        case [kind, fid, "_history", ver] if ver.isascii() and ver.isdigit() and 0 < len(ver) < 9 and int(ver):
            return kind, fid, int(ver)
    raise GatewayError(f"target={value[:100]} is no reference: {_HOW}", where="target")
