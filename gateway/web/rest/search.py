"""The search interactions: of a type, of several, in a compartment (http://hl7.org/fhir/R4/http.html#search)."""

from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlencode

from gateway import clock
from gateway.errors import Category, GatewayError
from gateway.fhir import resource, temporal
from gateway.fhir.bundle import Entry, Mode, build
from gateway.fhir.issues import Issue, operation_outcome
from gateway.record.searching import Asked
from gateway.search import page as pages
from gateway.search.request import Cursor, Owner
from gateway.store.hits import StoredHit
from gateway.store.query import Page
from gateway.web.rest.message import Answer, Pairs, Request, Rest

_PAGE = "_page"
_LOOKS = ("_format", "_pretty", "_elements", "_summary")
_SEARCH = "_search"


def search(rest: Rest, request: Request) -> Answer:
    """Return one page of a type; the next one is named by a sealed token, so links show no search values."""
    kind = request.path[0]
    if kind == "*":
        text = "* stands for types within a compartment, as in /Patient/ID/*; over all of the record name them by _type"
        raise GatewayError(text, category=Category.NOT_FOUND)
    return _answered(rest, request, kind, None)


def search_all(rest: Rest, request: Request) -> Answer:
    """Return one page of the types that `_type` names, or of all, by the parameters they have in common."""
    if not request.pairs and request.path == ():
        text = "there is nothing at the base itself; ask /metadata, /TYPE, or here by _type=TYPE,TYPE and parameters"
        raise GatewayError(text, category=Category.NOT_FOUND)
    return _answered(rest, request, "", None)


def search_compartment(rest: Rest, request: Request) -> Answer:
    """Return one page of a compartment: of one type of it, or (`*`, or no type) of all of them."""
    compartment, fid, *member = (part for part in request.path if part != _SEARCH)
    kind = member[0] if member and member[0] != "*" else ""
    return _answered(rest, request, kind, Owner(compartment, fid))


def _answered(rest: Rest, request: Request, kind: str, owner: Owner | None) -> Answer:
    def found(pairs: Pairs, cursor: Cursor | None) -> Page:
        asked = Asked(kind, pairs, cursor, request.prefer.lenient, owner)
        return rest.record.searches.page(request.actor, asked)

    return paged(rest, request, found)


def paged(rest: Rest, request: Request, find: Callable[[Pairs, Cursor | None], Page]) -> Answer:
    """Return one page of what `find` finds by a query, beginning where a page link says."""
    pairs, cursor = _asked(rest, request)
    page = find(_counted(rest, pairs), cursor)
    links = _links(rest, request, pairs, page)
    moment = temporal.instant(clock.now_us())
    entries = _entries(page, request.base)
    return Answer(200, build("searchset", entries, id=clock.uuid4(), timestamp=moment, total=page.total, links=links))


def _asked(rest: Rest, request: Request) -> tuple[Pairs, Cursor | None]:
    """Return the query, out of a page link where one is followed."""
    token = next((value for name, value in request.pairs if name == _PAGE), None)
    if token is None:
        return request.pairs, None
    page = pages.unseal(rest.page_key, token, request.actor.name)
    if page.type != _place(request):
        raise GatewayError(f"this page link belongs to /{page.type}, not to /{_place(request)}", where=_PAGE)
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


# --- links --------------------------------------------------------------------------------------------------------


def _links(rest: Rest, request: Request, pairs: Pairs, page: Page) -> Iterator[tuple[str, str]]:
    """Yield self, first and next; a search by POST keeps its values out of them, in tokens.

    Parameters that were ignored are in none of them (R4 search.html#conformance).
    """
    answered = tuple(pair for pair in pairs if pair[0] not in page.ignored)
    followed = any(name == _PAGE for name, _ in request.pairs)
    if followed or request.method != "POST":
        own = _link(request, request.pairs if followed else answered)
        yield "self", own
        yield "first", _token(rest, request, answered, None) if followed else own
    else:
        yield "self", _link(request, ())
        yield "first", _token(rest, request, answered, None)
    if page.next is not None:
        yield "next", _token(rest, request, answered, page.next)


def _token(rest: Rest, request: Request, pairs: Pairs, cursor: Cursor | None) -> str:
    kept = tuple(pair for pair in pairs if pair[0] not in _LOOKS or pair == ("_summary", "count"))
    sealed = pages.seal(rest.page_key, pages.Page(_place(request), kept, cursor), request.actor.name)
    looks = tuple(pair for pair in request.pairs if pair[0] in _LOOKS and pair != ("_summary", "count"))
    return _link(request, ((_PAGE, sealed), *looks))


def _place(request: Request) -> str:
    return "/".join(part for part in request.path if part != _SEARCH)


def _link(request: Request, pairs: Pairs) -> str:
    place = _place(request)
    address = f"{request.base}/{place}" if place else request.base
    return f"{address}?{urlencode(pairs)}" if pairs else address


# --- entries ------------------------------------------------------------------------------------------------------


def _entries(page: Page, base: str) -> list[Entry]:
    found = [_entry(hit, base, "match") for hit in page.matches]
    found += [_entry(hit, base, "include") for hit in page.includes]
    notes = [*page.notes, *([_ignored(page.ignored)] if page.ignored else [])]
    return [*found, _outcome(notes)] if notes else found


def _entry(hit: StoredHit, base: str, mode: Mode) -> Entry:
    return Entry(resource=hit.body, full_url=f"{base}/{hit.type}/{hit.fid}", mode=mode)


def _ignored(names: Iterable[str]) -> Issue:
    text = f"Ignored, for they are no search parameters here: {', '.join(names)}. /metadata lists those that are."
    return Issue("warning", "not-supported", text)


def _outcome(notes: Iterable[Issue]) -> Entry:
    return Entry(resource=resource.dumps(operation_outcome(notes)), mode="outcome")
