"""POST /feeds/{feed}: bytes in, the HL7 acknowledgement out, with the same promises as MLLP."""

import asyncio
from collections.abc import Callable
from typing import Literal, NamedTuple

from fastapi import APIRouter, Request, Response

from gateway.access.actor import actor_of
from gateway.errors import Category, GatewayError
from gateway.mapping.feeds import FeedBook

HL7 = "application/hl7-v2"
_STATUS = {"stored": 202, "refused": 422}


class Taken(NamedTuple):
    """What became of posted bytes, with the acknowledgement to send back."""

    verdict: Literal["stored", "refused", "unavailable"]
    acknowledgement: bytes


Take = Callable[[bytes, str, str], Taken]


def router(take: Take, feeds: FeedBook, max_bytes: int, *, insecure_local: bool) -> APIRouter:
    """Return the route of incoming bytes; 202 means they are durably stored (promise K1).

    `take` is given the bytes, the feed's name and the client's address, and blocks until they are stored.
    """
    routes = APIRouter(tags=["feeds"])

    @routes.post(
        "/feeds/{feed}",
        summary="Send one message or batch to a feed",
        status_code=202,
        responses={202: {"description": "Durably stored; the body is the HL7 acknowledgement"}},
    )
    async def post(feed: str, request: Request) -> Response:
        client = request.client.host if request.client else ""
        actor_of(client, insecure_local=insecure_local)
        if feeds.get(feed) is None:
            raise GatewayError(f"there is no feed {feed}", where=feed, category=Category.NOT_FOUND)
        taken = await asyncio.to_thread(take, await _body(request, max_bytes), feed, client)
        if taken.verdict == "unavailable":
            raise GatewayError("the message could not be stored; send it again", category=Category.UNAVAILABLE)
        return Response(taken.acknowledgement, status_code=_STATUS[taken.verdict], media_type=HL7)

    return routes


async def _body(request: Request, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise GatewayError(f"the message is over {max_bytes} bytes", category=Category.TOO_LARGE)
    if not body:
        raise GatewayError("the request has no body; send the message's bytes as they are")
    return bytes(body)
