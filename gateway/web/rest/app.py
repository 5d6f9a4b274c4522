"""The thin ASGI door of /fhir: finds the interaction, runs it on a fixed pool, sends stored bytes as they are."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from starlette.types import Receive, Scope, Send

from gateway.access.actor import ANONYMOUS, actor_of
from gateway.errors import Category, GatewayError
from gateway.web import errors
from gateway.web.address import headers
from gateway.web.guard import REQUEST_ID, told
from gateway.web.rest import asked, binary, shapes
from gateway.web.rest.body import Bodies, inflated, media_of
from gateway.web.rest.conditions import prefer
from gateway.web.rest.message import FHIR_JSON, Answer, Interaction, Request, Rest
from gateway.web.rest.packing import packed
from gateway.web.rest.routes import CAPABILITIES, WRITES, find, options

log = logging.getLogger(__name__)

THREADS = 8
WRITERS = 4
WAITING = 64
_NO_BODY = (204, 304)
_BODIED = ("POST", "PUT", "PATCH")
_OWN_FORMAT = (binary.read, binary.vread)


class FhirApp:
    """FHIR REST over ASGI; at most `WAITING` reads and as many writes are inside, more are told to come back.

    `counts` holds how many requests each interaction has answered with which status.
    """

    def __init__(self, rest: Rest, public_base: Callable[[Scope], str], *, insecure_local: bool) -> None:
        self._rest = rest
        self._public_base = public_base
        self._insecure_local = insecure_local
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="fhir")
        self._writes = ThreadPoolExecutor(WRITERS, thread_name_prefix="fhir-write")
        self._bodies = Bodies(rest.limits.body_bytes)
        self._inside = [0, 0]  # those that read, those that write
        self.counts: Counter[tuple[str, int]] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        name = ["none"]
        part = None
        try:
            answer = await self._answer(scope, receive, name)
            if answer.stream is not None and scope["method"] != "HEAD":
                part = await self._next(answer.stream)  # now, so that content that is not there is a proper error
        except GatewayError as fault:
            answer = _failed(scope, fault)
        except Exception as fault:
            log.error("request %s failed: %s", scope.get(REQUEST_ID, ""), told(fault))
            answer = _failed(scope, errors.HttpFault(_FAILED, 500, "exception"))
        self.counts[name[0], answer.status] += 1
        if answer.stream is None:
            await _send(send, answer, head=scope["method"] == "HEAD")
        else:
            await self._stream(send, answer, answer.stream, part)

    async def _stream(self, send: Send, answer: Answer, stream: Iterator[bytes], part: bytes | None) -> None:
        """Send an answer part by part, as the client takes it; no thread waits for a slow one.

        Content found damaged now ends the connection: the length that was told is not reached, and the client sees it.
        """
        await send({"type": "http.response.start", "status": answer.status, "headers": _raw(answer, answer.size)})
        while part is not None:
            await send({"type": "http.response.body", "body": part, "more_body": True})
            try:
                part = await self._next(stream)
            except GatewayError as fault:
                log.error("an answer broke off: %s", fault.text)
                return
        await send({"type": "http.response.body", "body": b""})

    async def _next(self, stream: Iterator[bytes]) -> bytes | None:
        return await asyncio.get_running_loop().run_in_executor(self._pool, next, stream, None)

    async def _answer(self, scope: Scope, receive: Receive, name: list[str]) -> Answer:
        sent = headers(scope)
        path = tuple(part for part in _path(scope).split("/") if part)
        if scope["method"] == "OPTIONS":
            return Answer(204, headers=options(path))
        interaction = find(scope["method"], path)
        name[0] = f"{interaction.__module__.rpartition('.')[2]}.{interaction.__name__}"
        client = (scope.get("client") or ("", 0))[0]
        actor = (
            ANONYMOUS if interaction == CAPABILITIES.metadata else actor_of(client, insecure_local=self._insecure_local)
        )
        request = Request(
            scope["method"],
            path,
            asked.pairs(scope["query_string"]),
            sent,
            self._public_base(scope),
            actor,
            prefer=prefer(sent.get("prefer", "")),
        )
        if request.method in _BODIED:
            return await self._with_body(interaction, request, receive)
        return await self._run(interaction, partial(self._perform, interaction, request))

    async def _with_body(self, interaction: Interaction, request: Request, receive: Receive) -> Answer:
        most = asked.FORM_LIMIT if request.path[-1:] == ("_search",) else self._bodies.most
        async with self._bodies.taken(receive, request.headers, most) as sent:
            return await self._run(interaction, partial(self._perform_body, interaction, request, sent, most))

    def _perform_body(self, interaction: Interaction, request: Request, sent: bytes, most: int) -> Answer:
        media = media_of(request.headers)
        body = inflated(sent, request.headers, most)
        pairs = request.pairs + (asked.form(media, body) if request.path[-1:] == ("_search",) else ())
        return self._perform(interaction, replace(request, body=body, media=media, pairs=pairs))

    def _perform(self, interaction: Interaction, request: Request) -> Answer:
        """Run an interaction and give its answer the form the client asked for; on a thread."""
        if interaction in WRITES:
            asked.require_json(request.pairs, request.headers)
        plainly = interaction in WRITES or interaction in _OWN_FORMAT
        look = shapes.own(request.pairs) if plainly else shapes.look(request.pairs, request.headers)
        return packed(shapes.shaped(interaction(self._rest, request), look), request.headers)

    async def _run(self, interaction: Interaction, work: Callable[[], Answer]) -> Answer:
        writes = interaction in WRITES
        if self._inside[writes] >= WAITING:
            raise GatewayError("too many requests are waiting; come back in a moment", category=Category.BUSY)
        self._inside[writes] += 1
        try:
            pool = self._writes if writes else self._pool
            return await asyncio.get_running_loop().run_in_executor(pool, work)
        finally:
            self._inside[writes] -= 1

    def close(self) -> None:
        """Let the threads end."""
        for pool in (self._pool, self._writes):
            pool.shutdown(wait=True, cancel_futures=True)


_FAILED = "the server failed; the fault is in its log under this answer's X-Request-Id"


def _failed(scope: Scope, fault: GatewayError) -> Answer:
    answer = Answer(errors.status(fault), errors.outcome(fault), errors.headers(fault))
    return shapes.of_fault(answer, scope["query_string"], headers(scope))


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix("/fhir")


async def _send(send: Send, answer: Answer, *, head: bool) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": _raw(answer, len(answer.body))})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})


def _raw(answer: Answer, size: int) -> list[tuple[bytes, bytes]]:
    body = {} if answer.status in _NO_BODY else {"content-type": FHIR_JSON, "content-length": str(size)}
    if size < 0:
        body.pop("content-length", None)
    if not size and not answer.stream:
        body.pop("content-type", None)
    return [(name.encode(), value.encode("latin-1", "replace")) for name, value in {**body, **answer.headers}.items()]
