"""POST /feeds/{feed}: bytes in, the HL7 acknowledgement out, with the same promises as MLLP."""

import asyncio
from collections.abc import Callable
from email.message import Message
from typing import Literal, NamedTuple

from fastapi import APIRouter, Request, Response
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from gateway.access.actor import actor_of
from gateway.errors import Category, GatewayError
from gateway.mapping.feeds import FeedBook
from gateway.web.errors import HttpFault

HL7 = "application/hl7-v2"
BODIES = 32
NAME = 200  # characters of a file's name
BODY_SECONDS = 120.0
_STATUS = {"stored": 202, "refused": 422}


class Taken(NamedTuple):
    """What became of posted bytes, with the acknowledgement to send back; files of tables have none."""

    verdict: Literal["stored", "refused", "unavailable"]
    acknowledgement: bytes
    reasons: tuple[str, ...] = ()


Take = Callable[[bytes, str, str, str], Taken]


def router(take: Take, feeds: FeedBook, max_bytes: int, *, insecure_local: bool) -> APIRouter:
    """Return the route of incoming bytes; 202 means they are durably stored (promise K1).

    `take` is given the bytes, the feed's name, the client's address and the file's name, and blocks until they are
    stored. A message is answered by its acknowledgement, a file of tables by a few words in JSON.
    """
    routes = APIRouter(tags=["feeds"])
    inside = asyncio.Semaphore(BODIES)

    @routes.post(
        "/feeds/{feed}",
        summary="Send one message, batch or file of a table to a feed",
        status_code=202,
        responses=_ANSWERS,
        openapi_extra={"requestBody": {"required": True, "content": {HL7: {"schema": {"type": "string"}}}}},
    )
    async def post(feed: str, request: Request) -> Response:
        client = request.client.host if request.client else ""
        actor_of(client, insecure_local=insecure_local)
        if feeds.get(feed) is None:
            names = ", ".join(sorted(each.name for each in feeds))
            raise GatewayError(f"there is no such feed; known are {names}", where="feed", category=Category.NOT_FOUND)
        _check_headers(request, max_bytes)
        if inside.locked():
            raise GatewayError("too many messages are arriving; send it again", category=Category.BUSY)
        async with inside:
            taken = await asyncio.to_thread(take, await _body(request, max_bytes), feed, client, _file(request))
        if taken.verdict == "unavailable":
            raise GatewayError("the message could not be stored; send it again", category=Category.UNAVAILABLE)
        if not taken.acknowledgement:
            return _told(taken)
        return Response(taken.acknowledgement, status_code=_STATUS[taken.verdict], media_type=HL7)

    return routes


def _told(taken: Taken) -> Response:
    return JSONResponse({"state": taken.verdict, "reasons": list(taken.reasons)}, _STATUS[taken.verdict])


def _file(request: Request) -> str:
    """Return the name a file is sent under (Content-Disposition, RFC 6266), '' where none is told."""
    header = Message()
    header["content-disposition"] = request.headers.get("content-disposition", "")
    name = header.get_filename("") or ""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in last if sign.isprintable())[:NAME]


_ANSWERS: dict[int | str, dict[str, str]] = {
    202: {"description": "Durably stored; the body is the HL7 acknowledgement (JSON for a file of a table)"},
    404: {"description": "There is no such feed"},
    413: {"description": "Over the largest message taken"},
    422: {"description": "Refused; the body says why, as HL7 acknowledgement or JSON"},
    503: {"description": "Not stored; send it again"},
}


def _check_headers(request: Request, max_bytes: int) -> None:
    coding = request.headers.get("content-encoding", "identity")
    if coding != "identity":
        text = f"Content-Encoding {coding[:40]} is not taken; send the message's bytes as they are"
        raise HttpFault(text, 415, "not-supported", where="Content-Encoding")
    length = request.headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:18]) > max_bytes:
        raise _too_large(max_bytes)


async def _body(request: Request, max_bytes: int) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(request, max_bytes)
    except TimeoutError:
        raise HttpFault(f"the message did not arrive within {BODY_SECONDS:.0f} s", 408, "timeout") from None
    except ClientDisconnect:
        raise GatewayError("the client left before its message was complete; nothing was stored") from None


async def _read(request: Request, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    if not body:
        raise GatewayError("the request has no body; send the message's bytes as they are")
    return bytes(body)


def _too_large(max_bytes: int) -> GatewayError:
    return GatewayError(f"the message is over {max_bytes} bytes", category=Category.TOO_LARGE)
