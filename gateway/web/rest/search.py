"""The search-type interaction (http://hl7.org/fhir/R4/http.html#search)."""

from urllib.parse import urlencode

from gateway import clock
from gateway.errors import GatewayError
from gateway.fhir import temporal
from gateway.fhir.bundle import Entry, Mode, build
from gateway.search import page as pages
from gateway.search.request import Cursor
from gateway.store.hits import StoredHit
from gateway.web.rest.message import Answer, Pairs, Request, Rest

_PAGE = "_page"
_LOOKS = ("_format", "_pretty")


def search(rest: Rest, request: Request) -> Answer:
    """Return one page; the next one is named by a sealed token, so links show no search values."""
    kind = request.path[0]
    pairs, cursor = _asked(rest, request, kind)
    page = rest.record.search(request.actor, kind, _counted(rest, pairs), cursor)
    entries = [_entry(hit, request.base, "match") for hit in page.matches]
    entries += [_entry(hit, request.base, "include") for hit in page.includes]
    links = [("self", _self(request, kind))]
    if page.next is not None:
        token = pages.seal(rest.page_key, pages.Page(kind, pairs, page.next), request.actor.name)
        links.append(("next", _link(request, kind, ((_PAGE, token), *_looks(request)))))
    moment = temporal.instant(clock.now_us())
    return Answer(200, build("searchset", entries, id=clock.uuid4(), timestamp=moment, total=page.total, links=links))


def _asked(rest: Rest, request: Request, kind: str) -> tuple[Pairs, Cursor | None]:
    tokens = [value for name, value in request.pairs if name == _PAGE]
    if not tokens:
        return tuple(pair for pair in request.pairs if pair[0] not in _LOOKS), None
    page = pages.unseal(rest.page_key, tokens[0], request.actor.name)
    if page.type != kind:
        raise GatewayError(f"this page link belongs to {page.type}, not to {kind}", where=_PAGE)
    return page.pairs, page.cursor


def _counted(rest: Rest, pairs: Pairs) -> Pairs:
    """Return the query with its page size within the settings; `_summary=count` needs none."""
    if ("_summary", "count") in pairs:
        return tuple(pair for pair in pairs if pair[0] != "_count")
    if not any(name == "_count" for name, _ in pairs):
        return (("_count", str(rest.page_size)), *pairs)
    return tuple((name, _within(value, rest.max_page_size) if name == "_count" else value) for name, value in pairs)


def _within(text: str, most: int) -> str:
    number = text.isascii() and text.isdigit() and len(text) < 10
    return str(min(int(text), most)) if number else text


def _self(request: Request, kind: str) -> str:
    """Return the self link; a search by POST keeps its values out of it."""
    return _link(request, kind, () if request.method == "POST" else request.pairs)


def _link(request: Request, kind: str, pairs: Pairs) -> str:
    return f"{request.base}/{kind}?{urlencode(pairs)}" if pairs else f"{request.base}/{kind}"


def _looks(request: Request) -> Pairs:
    return tuple(pair for pair in request.pairs if pair[0] in _LOOKS)


def _entry(hit: StoredHit, base: str, mode: Mode) -> Entry:
    return Entry(resource=hit.body, full_url=f"{base}/{hit.type}/{hit.fid}", mode=mode)
