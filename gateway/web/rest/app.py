"""The thin ASGI door of /fhir: finds the interaction, runs it on a fixed pool, sends stored bytes as they are."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from gateway.access.actor import actor_of
from gateway.errors import Category, GatewayError
from gateway.web import errors
from gateway.web.rest.history import history
from gateway.web.rest.message import FHIR_JSON, Answer, Request, Rest
from gateway.web.rest.metadata import metadata
from gateway.web.rest.read import read, vread
from gateway.web.rest.search import search

log = logging.getLogger(__name__)

Interaction = Callable[[Rest, Request], Answer]
THREADS = 8
WAITING = 64
_FORM_LIMIT = 64 * 1024
_JSON_NAMES = ("", "json", "application/json", "application/fhir+json", "text/json")


class FhirApp:
    """FHIR REST over ASGI; at most `WAITING` requests wait for a thread, more are told to come back."""

    def __init__(self, rest: Rest, public_base: Callable[[Scope], str], *, insecure_local: bool) -> None:
        self._rest = rest
        self._public_base = public_base
        self._insecure_local = insecure_local
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="fhir")
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self._answer(scope, receive)
        except GatewayError as fault:
            answer = Answer(errors.status(fault), errors.outcome(fault))
        except Exception:
            log.exception("a request failed")
            fault = GatewayError("the server failed; the fault is in its log", category=Category.UNAVAILABLE)
            answer = Answer(500, errors.outcome(fault))
        await _send(send, answer, head=scope["method"] == "HEAD")

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path = tuple(part for part in _path(scope).split("/") if part)
        interaction = find(scope["method"], path)
        pairs = _pairs(scope["query_string"]) + await _form(scope, receive, headers)
        _acceptable(pairs, headers)
        client = (scope.get("client") or ("", 0))[0]
        open_to_all = interaction is metadata
        actor = actor_of("127.0.0.1" if open_to_all else client, insecure_local=self._insecure_local or open_to_all)
        if self._inside >= WAITING:
            raise GatewayError("too many requests are waiting; come back in a moment", category=Category.BUSY)
        request = Request(scope["method"], path, pairs, headers, self._public_base(scope), actor)
        return await self._run(partial(interaction, self._rest, request))

    async def _run(self, work: Callable[[], Answer]) -> Answer:
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._inside -= 1

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def find(method: str, path: tuple[str, ...]) -> Interaction:
    """Return the interaction of a method and path; raises GatewayError (not found, or not supported)."""
    match method, path:
        case (("GET" | "HEAD"), ("metadata",)):
            return metadata
        case (("GET" | "HEAD"), (_, _, "_history", _)):
            return vread
        case (("GET" | "HEAD"), (_, _, "_history")):
            return history
        case ("POST", (_, "_search")) | ("GET" | "HEAD", (_,)):
            return search
        case (("GET" | "HEAD"), (_, _)):
            return read
    if method in ("POST", "PUT", "PATCH", "DELETE"):
        text = f"{method} is not offered here yet: the record is written by feeds (POST /feeds/FEED)"
        raise GatewayError(text, category=Category.UNSUPPORTED)
    raise GatewayError(f"there is nothing at /{'/'.join(path)}", category=Category.NOT_FOUND)


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _pairs(query: bytes) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=200))
    except (UnicodeDecodeError, ValueError) as fault:
        raise GatewayError(f"the query cannot be read: {fault}; write it percent-encoded as UTF-8") from None


async def _form(scope: Scope, receive: Receive, headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    if scope["method"] != "POST":
        return ()
    kind = headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        text = f"_search takes application/x-www-form-urlencoded, not {kind or 'nothing'}"
        raise GatewayError(text, where="Content-Type")
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > _FORM_LIMIT:
            raise GatewayError("the search form is over 64 KiB", category=Category.TOO_LARGE)
    return _pairs(body)


def _acceptable(pairs: tuple[tuple[str, str], ...], headers: Mapping[str, str]) -> None:
    asked = next((value for name, value in pairs if name == "_format"), "")
    if asked.partition(";")[0].strip() not in _JSON_NAMES:
        raise GatewayError(f"_format={asked} is not offered; this release answers in JSON", where="_format")
    accept = headers.get("accept", "*/*")
    if not asked and not any(word in accept for word in ("json", "*/*", "application/*")):
        raise GatewayError(f"Accept: {accept} is not offered; this release answers in JSON", where="Accept")


async def _send(send: Send, answer: Answer, *, head: bool) -> None:
    headers = {"content-type": FHIR_JSON, "content-length": str(len(answer.body)), **answer.headers}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
