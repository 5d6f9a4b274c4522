"""Bundles as bytes around resources that are bytes already: nothing stored is parsed or written anew."""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

import msgspec

Kind = Literal["searchset", "history", "collection", "transaction-response", "batch-response", "document"]
Mode = Literal["match", "include", "outcome"]

_quote = msgspec.json.encode


class Entry(NamedTuple):
    """One entry of a Bundle; empty fields are left out (http://hl7.org/fhir/R4/bundle.html)."""

    resource: bytes = b""
    full_url: str = ""
    mode: Mode | Literal[""] = ""
    score: float | None = None
    method: str = ""
    url: str = ""
    status: str = ""
    location: str = ""
    etag: str = ""
    last_modified: str = ""
    outcome: bytes = b""


def etag(version: str | int) -> str:
    """Return a version number as the weak ETag FHIR uses."""
    return f'W/"{version}"'


def build(
    kind: Kind,
    entries: Iterable[Entry],
    *,
    id: str = "",  # noqa: A002 - FHIR's own name for it
    timestamp: str = "",
    updated: str = "",
    total: int | None = None,
    links: Iterable[tuple[str, str]] = (),
) -> bytes:
    """Return the JSON text of a Bundle; `links` are (relation, url), `timestamp` and `updated` are instants."""
    return b"".join(stream(kind, entries, id=id, timestamp=timestamp, updated=updated, total=total, links=links))


def stream(
    kind: Kind,
    entries: Iterable[Entry],
    *,
    id: str = "",  # noqa: A002 - FHIR's own name for it
    timestamp: str = "",
    updated: str = "",
    total: int | None = None,
    links: Iterable[tuple[str, str]] = (),
) -> Iterator[bytes]:
    """Yield the same text as `build` piece by piece, for Bundles too large to hold."""
    head = [b'{"resourceType":"Bundle"']
    head += [b',"id":%b' % _quote(id)] if id else []
    head += [b',"meta":{"lastUpdated":%b}' % _quote(updated)] if updated else []
    head.append(b',"type":%b' % _quote(kind))
    head += [b',"timestamp":%b' % _quote(timestamp)] if timestamp else []
    head += [b',"total":%d' % total] if total is not None else []
    shown = [b'{"relation":%b,"url":%b}' % (_quote(relation), _quote(url)) for relation, url in links]
    head += [b',"link":[%b]' % b",".join(shown)] if shown else []
    yield b"".join(head)
    opening = b',"entry":['
    for entry in entries:
        yield opening + _entry(entry)
        opening = b","
    yield b"]}" if opening == b"," else b"}"


def _entry(entry: Entry) -> bytes:
    parts = [b'"fullUrl":%b' % _quote(entry.full_url)] if entry.full_url else []
    parts += [b'"resource":%b' % entry.resource] if entry.resource else []
    parts += [b'"search":%b' % _search(entry)] if entry.mode else []
    if entry.method or entry.status:
        parts += [_object(b"request", method=entry.method, url=entry.url)] if entry.method else []
        parts += [_response(entry)] if entry.status else []
    return b"{%b}" % b",".join(parts)


_MODES: dict[str, bytes] = {mode: b'{"mode":"%b"}' % mode.encode() for mode in ("match", "include", "outcome")}


def _search(entry: Entry) -> bytes:
    mode = _MODES[entry.mode]
    return mode if entry.score is None else b'%b,"score":%b}' % (mode[:-1], _quote(entry.score))


def _response(entry: Entry) -> bytes:
    text = _object(
        b"response",
        status=entry.status,
        location=entry.location,
        etag=entry.etag,
        lastModified=entry.last_modified,
    )
    return text if not entry.outcome else b'%b,"outcome":%b}' % (text[:-1], entry.outcome)


def _object(name: bytes, **values: str) -> bytes:
    members = [b'"%b":%b' % (key.encode(), _quote(value)) for key, value in values.items() if value]
    return b'"%b":{%b}' % (name, b",".join(members))
