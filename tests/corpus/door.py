"""The HTTP door of a gateway in process, many requests in one event loop; and what must come back of a text."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
import msgspec
from fastapi import FastAPI

BASE = "http://127.0.0.1:8000/fhir"
JSON = {"content-type": "application/fhir+json; charset=utf-8", "prefer": "return=minimal"}
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SET_BY_SERVER = ("versionId", "lastUpdated")


class Kept(NamedTuple):
    """What became of one text: the status of its create, what was read back, or why it was refused."""

    name: str
    status: int
    sent: bytes
    read: bytes = b""
    said: str = ""


@asynccontextmanager
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of an application, on this machine."""
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 5000))
    async with httpx.AsyncClient(transport=transport, base_url=BASE, timeout=60) as asker:
        yield asker


def ask(app: FastAPI, method: str, path: str, **given: Any) -> httpx.Response:
    """Send one request."""

    async def send() -> httpx.Response:
        async with client(app) as asker:
            return await asker.request(method, f"{BASE}/{path}", **given)

    return asyncio.run(send())


def round_trip(app: FastAPI, texts: Iterable[tuple[str, bytes]]) -> list[Kept]:
    """Create each text and read it back."""

    async def send() -> list[Kept]:
        async with client(app) as asker:
            return [await _one(asker, name, text) for name, text in texts]

    return asyncio.run(send())


async def _one(asker: httpx.AsyncClient, name: str, text: bytes) -> Kept:
    kind = msgspec.json.decode(text, type=dict)["resourceType"]
    made = await asker.post(f"{BASE}/{kind}", content=text, headers=JSON)
    if made.status_code != 201:
        return Kept(name, made.status_code, text, said=made.text)
    place = made.headers["location"].partition("/_history")[0]
    read = await asker.get(place, headers={"accept": "application/fhir+json"})
    return Kept(name, read.status_code, text, read.content, read.text[:500])


def content(text: bytes) -> tuple[list[tuple[str, bytes]], dict[str, bytes]]:
    """Return the members of a resource but id and meta, as written and in order, and what meta holds of the client's."""
    members = _OBJECT.decode(text)
    meta = _OBJECT.decode(members.get("meta", b"{}"))
    kept = [(name, bytes(raw)) for name, raw in members.items() if name not in ("resourceType", "id", "meta")]
    return kept, {name: bytes(raw) for name, raw in meta.items() if name not in _SET_BY_SERVER}


def same(kept: Kept) -> bool:
    """Say whether what was read is the text that was sent, but for id and meta."""
    return bool(kept.read) and content(kept.sent) == content(kept.read)
