"""The routes of CDS Hooks: discovery, and services that answer within a second or with no cards, never with a fault."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.types import Scope

from gateway import clock
from gateway.access.actor import Actor, actor_of
from gateway.errors import Category, GatewayError
from gateway.web.address import headers
from gateway.web.cds.request import Json, parse
from gateway.web.cds.services import HOOKS, Services, discovery
from gateway.web.errors import HttpFault
from gateway.web.guard import REQUEST_ID, told
from gateway.web.rest.body import Bodies, inflated, media_of

log = logging.getLogger(__name__)

SECONDS = 0.9
"""Time for one answer, from the request's last byte on: within a second with what it takes to send it."""

MOST_BYTES = 4 << 20
"""What a call may bring: drafts, and three resources that were sent along."""

_THREADS = 4
_NOTHING: Json = {"cards": []}


class Malformed(Exception):
    """Holds what is wrong with a request, apart from failures inside, which stay silent."""

    def __init__(self, fault: GatewayError) -> None:
        super().__init__(fault.text)
        self.fault = fault


class CdsDoor:
    """CDS Hooks over HTTP; who may ask is decided as for /fhir. Its threads end with `close`."""

    def __init__(
        self, services: Services, public_base: Callable[[Scope], str], most_bytes: int, *, insecure_local: bool
    ) -> None:
        self._services = services
        self._public_base = public_base
        self._bodies = Bodies(min(most_bytes, MOST_BYTES))
        self._insecure_local = insecure_local
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="cds")

    def router(self) -> APIRouter:
        """Return the routes (https://cds-hooks.hl7.org/2.0/, Discovery and Calling a CDS Service)."""
        routes = APIRouter(prefix="/cds-services", tags=["cds-hooks"])
        routes.add_api_route("", discovery, summary="The services of CDS Hooks 2.0 (discovery)", response_model=None)
        routes.add_api_route(
            "/{id}",
            self.call,
            methods=["POST"],
            summary="Ask a service of CDS Hooks 2.0 for cards",
            response_class=JSONResponse,
            responses=_ANSWERS,
            openapi_extra=_BODY,
        )
        return routes

    async def call(self, id: str, request: Request) -> JSONResponse:  # noqa: A002  the name the specification gives it
        """Answer one call with cards; raises GatewayError only for who may not ask, and for what is malformed."""
        scope = request.scope
        actor = actor_of((scope.get("client") or ("", 0))[0], insecure_local=self._insecure_local)
        if id not in HOOKS:
            text = f"there is no such service; known are {', '.join(HOOKS)}"
            raise GatewayError(text, where="id", category=Category.NOT_FOUND)
        sent = headers(scope)
        _check_media(media_of(sent))
        async with self._bodies.taken(request.receive, sent, self._bodies.most) as raw:
            work = partial(self._answer, actor, raw, HOOKS[id], scope, clock.monotonic() + SECONDS)
            return JSONResponse(await self._in_time(work, scope))

    def _answer(self, actor: Actor, raw: bytes, hook: str, scope: Scope, until: float) -> Json:
        """Return the cards of one call; raises Malformed. On a thread."""
        try:
            asked = parse(inflated(raw, headers(scope), self._bodies.most), hook)
        except GatewayError as fault:
            raise Malformed(fault) from None
        return self._services.answer(actor, asked, self._public_base(scope), until)

    async def _in_time(self, work: Callable[[], Json], scope: Scope) -> Json:
        """Return the cards, none where they are late or something fails: an order never waits for advice."""
        try:
            return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(self._pool, work), SECONDS)
        except Malformed as malformed:
            raise malformed.fault from None
        except Exception as fault:
            log.warning("request %s has no cards: %s", scope.get(REQUEST_ID, ""), told(fault))
            return _NOTHING

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=True, cancel_futures=True)


_ANSWERS: dict[int | str, dict[str, str]] = {
    200: {"description": "Cards, none where there is nothing to say or no answer in time"},
    400: {"description": "The request is malformed; the OperationOutcome says where"},
    404: {"description": "There is no such service"},
}
_BODY: Json = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["hook", "hookInstance", "context"],
                    "properties": {
                        "hook": {"type": "string", "enum": list(HOOKS.values())},
                        "hookInstance": {"type": "string", "format": "uuid"},
                        "fhirServer": {"type": "string"},
                        "context": {"type": "object"},
                        "prefetch": {"type": "object"},
                    },
                }
            }
        },
    }
}


def _check_media(media: str) -> None:
    if media not in ("", "application/json", "application/fhir+json"):
        text = f"Content-Type {media[:60]} is not taken; CDS Hooks is application/json"
        raise HttpFault(text, 415, "not-supported", where="Content-Type")
