"""The search-type interaction (http://hl7.org/fhir/R4/http.html#search)."""

from urllib.parse import urlencode

from gateway.errors import GatewayError
from gateway.fhir.bundle import Entry, Mode, build
from gateway.search import page as pages
from gateway.search.request import Cursor
from gateway.store.query import StoredHit
from gateway.web.rest.message import Answer, Request, Rest

_PAGE = "_page"


def search(rest: Rest, request: Request) -> Answer:
    """Return one page; the next one is named by a sealed token, so links show no search values."""
    kind = request.path[0]
    pairs, cursor = _asked(rest, request, kind)
    page = rest.record.search(request.actor, kind, _counted(rest, pairs), cursor)
    entries = [_entry(hit, request.base, "match") for hit in page.matches]
    entries += [_entry(hit, request.base, "include") for hit in page.includes]
    links = [("self", _self(request, kind, pairs, cursor))]
    if page.next is not None:
        token = pages.seal(rest.page_key, pages.Page(kind, pairs, page.next), request.actor.name)
        links.append(("next", f"{request.base}/{kind}?{_PAGE}={token}"))
    return Answer(200, build("searchset", entries, total=page.total, links=links))


def _asked(rest: Rest, request: Request, kind: str) -> tuple[tuple[tuple[str, str], ...], Cursor | None]:
    tokens = [value for name, value in request.pairs if name == _PAGE]
    if not tokens:
        return request.pairs, None
    page = pages.unseal(rest.page_key, tokens[0], request.actor.name)
    if page.type != kind:
        raise GatewayError(f"this page link belongs to {page.type}, not to {kind}", where=_PAGE)
    return page.pairs, page.cursor


def _counted(rest: Rest, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    if any(name == "_count" for name, _ in pairs):
        return pairs
    return (*pairs, ("_count", str(rest.page_size)))


def _self(request: Request, kind: str, pairs: tuple[tuple[str, str], ...], cursor: Cursor | None) -> str:
    """Return the self link; a search by POST, and a later page, keep their values out of it."""
    if request.method == "POST" or cursor is not None or not pairs:
        return f"{request.base}/{kind}"
    return f"{request.base}/{kind}?{urlencode(pairs)}"


def _entry(hit: StoredHit, base: str, mode: Mode) -> Entry:
    return Entry(resource=hit.body, full_url=f"{base}/{hit.type}/{hit.fid}", mode=mode)
