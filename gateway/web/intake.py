"""POST /feeds/{feed}: bytes in, the HL7 acknowledgement out, with the same promises as MLLP."""

import asyncio

from fastapi import APIRouter, Request, Response

from gateway.access.actor import actor_of
from gateway.errors import Category, GatewayError
from gateway.listeners.intake import Intake
from gateway.listeners.values import Answer, Verdict, Who
from gateway.mapping.feeds import FeedBook

_STATUS = {
    Verdict.STORED: 202,
    Verdict.DUPLICATE: 202,
    Verdict.REFUSED: 422,
    Verdict.IGNORED: 202,
    Verdict.UNAVAILABLE: 503,
}
HL7 = "application/hl7-v2"


def router(intake: Intake, feeds: FeedBook, max_bytes: int, *, insecure_local: bool) -> APIRouter:
    """Return the route of incoming bytes; 202 means they are durably stored (promise K1)."""
    routes = APIRouter(tags=["feeds"])

    @routes.post(
        "/feeds/{feed}",
        summary="Send one message or batch to a feed",
        responses={202: {"description": "Durably stored; the body is the HL7 acknowledgement"}},
    )
    async def post(feed: str, request: Request) -> Response:
        client = request.client.host if request.client else ""
        actor_of(client, insecure_local=insecure_local)
        if feed not in feeds.names:
            raise GatewayError(f"there is no feed {feed}", where=feed, category=Category.NOT_FOUND)
        raw = await _body(request, max_bytes)
        answer = await asyncio.to_thread(intake.take, raw, Who("http", client, feed=feed))
        return _response(answer)

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


def _response(answer: Answer) -> Response:
    status = _STATUS[answer.verdict]
    if answer.verdict is Verdict.UNAVAILABLE:
        raise GatewayError("the message could not be stored; send it again", category=Category.UNAVAILABLE)
    return Response(b"".join(answer.payloads), status_code=status, media_type=HL7)
