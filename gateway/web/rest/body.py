"""The body of a request: read within its limit and time, inflated within the same limit, its media type told."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.message import Message

from starlette.types import Receive

from gateway.errors import Category, GatewayError
from gateway.web.errors import HttpFault

SECONDS = 120.0
_TOGETHER = 6
_GZIP = 16 + zlib.MAX_WBITS
_UTF8 = ("utf-8", "utf8", "us-ascii", "ascii")


class Bodies:
    """Takes bodies of at most `most` bytes, and no more of them at once than fit into six times that."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._room = most * _TOGETHER

    @asynccontextmanager
    async def taken(self, receive: Receive, headers: Mapping[str, str], most: int) -> AsyncIterator[bytes]:
        """Give the body while the block lasts; raises GatewayError where it is too large, too slow or cut off."""
        told = headers.get("content-length", "")
        if told.isascii() and told.isdigit() and int(told[:18]) > most:
            raise too_large(most)
        body = bytearray()
        try:
            await self._in_time(body, receive, most)
            yield bytes(body)
        finally:
            self._room += len(body)

    async def _in_time(self, body: bytearray, receive: Receive, most: int) -> None:
        try:
            async with asyncio.timeout(SECONDS):
                await self._fill(body, receive, most)
        except TimeoutError:
            raise HttpFault(f"the body did not arrive within {SECONDS:.0f} s", 408, "timeout") from None

    async def _fill(self, body: bytearray, receive: Receive, most: int) -> None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise GatewayError("the client left before its body was complete; nothing was stored")
            part = message.get("body", b"")
            more = message.get("more_body", False)
            body += part
            self._room -= len(part)
            if len(body) > most:
                raise too_large(most)
            if self._room < 0:
                raise GatewayError("too many large bodies are arriving; send it again", category=Category.BUSY)


def too_large(most: int) -> GatewayError:
    """Return the refusal of a body that is over its limit."""
    return GatewayError(f"the body is over {most} bytes; send it in parts", category=Category.TOO_LARGE)


def inflated(body: bytes, headers: Mapping[str, str], most: int) -> bytes:
    """Return the body as it was before its Content-Encoding; raises GatewayError for codings but gzip."""
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding in ("identity", ""):
        return body
    if coding not in ("gzip", "x-gzip"):
        text = f"Content-Encoding {coding[:40]} is not taken; send gzip, or the bytes as they are"
        raise HttpFault(text, 415, "not-supported", where="Content-Encoding", headers={"accept-encoding": "gzip"})
    return _gunzipped(body, most)


def _gunzipped(body: bytes, most: int) -> bytes:
    """Return what gzip members hold (RFC 1952 2.2), one byte over the limit at most before it is refused."""
    found = bytearray()
    while body:
        member = zlib.decompressobj(_GZIP)
        try:
            found += member.decompress(body, most + 1 - len(found))
        except zlib.error:
            raise GatewayError("the body is not gzip, as its Content-Encoding says", where="Content-Encoding") from None
        if len(found) > most:
            raise too_large(most)
        if not member.eof:
            raise GatewayError("the gzip body ends too early", where="Content-Encoding")
        body = member.unused_data
    return bytes(found)


def media_of(headers: Mapping[str, str]) -> str:
    """Return the body's type/subtype in small letters; raises HttpFault (415) for text that is not UTF-8."""
    told = headers.get("content-type", "")
    media, _, parameters = told.partition(";")
    if "charset" in parameters.lower():
        header = Message()
        header["content-type"] = told
        charset = str(header.get_param("charset", "utf-8")).lower()
        media = media.strip()
        if charset not in _UTF8 and ("json" in media.lower() or "form" in media.lower()):
            text = f"charset={charset[:40]} is not taken; JSON is UTF-8 (RFC 8259), send it so"
            raise HttpFault(text, 415, "not-supported", where="Content-Type")
    return media.strip().lower()
