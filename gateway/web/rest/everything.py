"""The operation $everything of a patient or an encounter (http://hl7.org/fhir/R4/patient-operation-everything.html)."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlencode

from gateway import clock
from gateway.errors import Category, GatewayError
from gateway.fhir import bundle, temporal
from gateway.fhir.bundle import Entry, Mode
from gateway.record.everything import KINDS, Asked, Part, Place
from gateway.search import page as pages
from gateway.search import parameters
from gateway.store.belongings import Filter
from gateway.store.hits import StoredHit
from gateway.web.rest import asked, shapes
from gateway.web.rest.message import Answer, Pairs, Request, Rest

_PAGE = "_page"
_NAMES = ("start", "end", "_since", "_type", "_count")
_NUMBERS = re.compile(r"([01]),([0-9]{1,19})")
_STREAM = 200


def everything(rest: Rest, request: Request) -> Answer:
    """Return all that belongs to a patient or encounter: by pages with `_count`, else at once and as a stream."""
    kind, fid, _ = request.path
    if kind not in KINDS:
        text = f"$everything is of a Patient or an Encounter, not of a {kind[:64]}"
        raise GatewayError(text, category=Category.NOT_FOUND)
    pairs, place = _asked(rest, request)
    wanted = Asked(kind, fid, _filter(rest, pairs), _count(rest, pairs), place)
    paged = request.method == "HEAD" or place != Place() or any(name == "_count" for name, _ in pairs)
    if paged or shapes.look(request.pairs, request.headers) is not shapes.PLAIN:
        return _page(rest, request, pairs, wanted)
    return _stream(rest, request, wanted._replace(most=_STREAM))


def _asked(rest: Rest, request: Request) -> tuple[Pairs, Place]:
    token = next((value for name, value in request.pairs if name == _PAGE), None)
    if token is None:
        asked.only(request, *_NAMES, _PAGE)
        return tuple(pair for pair in request.pairs if pair[0] in _NAMES), Place()
    asked.only(request, _PAGE)
    page = pages.unseal(rest.page_key, token, request.actor.name)
    (name, numbers), *pairs = page.pairs or (("", ""),)
    found = _NUMBERS.fullmatch(numbers)
    if page.type != "/".join(request.path) or name != _PAGE or not found:
        raise GatewayError("this page link does not belong here; ask $everything anew", where=_PAGE)
    return tuple(pairs), Place(referred=found[1] == "1", after=int(found[2]))


def _filter(rest: Rest, pairs: Pairs) -> Filter:
    types = tuple(dict.fromkeys(kind for name, value in pairs if name == "_type" for kind in value.split(",")))
    strange = next((kind for kind in types if kind not in parameters.types()), None)
    if strange is not None:
        raise GatewayError(f"_type: R4 has no resource type {strange[:64]!r}", where="_type")
    start, since = _moment(rest, pairs, "start")[0], _moment(rest, pairs, "_since")[0]
    return Filter(types, since, start, _moment(rest, pairs, "end")[1])


def _moment(rest: Rest, pairs: Pairs, name: str) -> tuple[int, int]:
    values = [value for given, value in pairs if given == name]
    if not values:
        return 0, 0
    try:
        if len(values) > 1:
            raise GatewayError("it is given more than once")
        return temporal.bounds(values[0].replace(" ", "+"), rest.zone)
    except GatewayError as fault:
        raise GatewayError(f"{name}: {fault.text}", where=name) from None


def _count(rest: Rest, pairs: Pairs) -> int:
    text = next((value for name, value in pairs if name == "_count"), str(rest.page_size))
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 10 and int(text)):
        raise GatewayError(f"_count is a whole number from 1 on, not {text[:40]!r}", where="_count")
    return min(int(text), rest.max_page_size)


def _page(rest: Rest, request: Request, pairs: Pairs, wanted: Asked) -> Answer:
    part = rest.everything.part(request.actor, wanted)
    links = [("self", _link(request, request.pairs))]
    if part.following:
        numbers = f"{part.following.referred:d},{part.following.after}"
        page = pages.Page("/".join(request.path), ((_PAGE, numbers), *pairs), None)
        looks = tuple(pair for pair in request.pairs if pair[0] in asked.LOOKS)
        token = pages.seal(rest.page_key, page, request.actor.name)
        links.append(("next", _link(request, ((_PAGE, token), *looks))))
    return Answer(200, b"".join(_bundle(_entries([part], request.base), links)))


def _stream(rest: Rest, request: Request, wanted: Asked) -> Answer:
    """Return all of it as it is read; the first part is read now, so that nobody's everything is a proper error."""
    parts = rest.everything.parts(request.actor, wanted)
    first = next(parts)
    links = [("self", _link(request, request.pairs))]
    if first.following is None:
        return Answer(200, b"".join(_bundle(_entries([first], request.base), links)))
    return Answer(200, stream=_joined(_bundle(_entries(_after(first, parts), request.base), links)), size=-1)


def _after(first: Part, parts: Iterator[Part]) -> Iterator[Part]:
    yield first
    yield from parts


def _joined(pieces: Iterator[bytes], least: int = 1 << 16) -> Iterator[bytes]:
    """Yield the same text in pieces of 64 KiB or more, for each piece crosses threads."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= least:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _bundle(entries: Iterator[Entry], links: list[tuple[str, str]]) -> Iterator[bytes]:
    moment = temporal.instant(clock.now_us())
    return bundle.stream("searchset", entries, id=clock.uuid4(), timestamp=moment, links=links)


def _entries(parts: Iterable[Part], base: str) -> Iterator[Entry]:
    for part in parts:
        yield from (_entry(hit, base, "match") for hit in part.belongings)
        yield from (_entry(hit, base, "include") for hit in part.referred)


def _entry(hit: StoredHit, base: str, mode: Mode) -> Entry:
    return Entry(resource=hit.body, full_url=f"{base}/{hit.type}/{hit.fid}", mode=mode)


def _link(request: Request, pairs: Pairs) -> str:
    address = f"{request.base}/{'/'.join(request.path)}"
    return f"{address}?{urlencode(pairs)}" if pairs else address
