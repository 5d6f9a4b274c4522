"""The outermost door of the web server: who may even knock, what every answer carries, and HEAD for every GET."""

import ipaddress
import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway import clock
from gateway.web import errors
from gateway.web.address import forwarded, headers
from gateway.web.errors import HttpFault

log = logging.getLogger(__name__)

REQUEST_ID = "yigong.request_id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9.\-]{1,64}")
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)


class Guard:
    """ASGI middleware around the whole application.

    With `insecure_local`, where nobody logs in, a web page must not reach the record through the browser of the
    person at this machine: the Host asked for (DNS rebinding) and the Origin of a script must be this machine,
    and so must everybody a proxy speaks for.
    """

    def __init__(self, app: ASGIApp, *, insecure_local: bool) -> None:
        self._app = app
        self._insecure_local = insecure_local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, with its id noted, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = headers(scope)
        asked = sent.get("x-request-id", "")
        number = asked if _REQUEST_ID.fullmatch(asked) else clock.uuid4()
        outward = _Outward(send, number, head=scope["method"] == "HEAD")
        try:
            if self._insecure_local:
                require_local(sent)
            inner = {**scope, REQUEST_ID: number, "method": _inner_method(scope)}
            await self._app(inner, receive, outward)
        except HttpFault as fault:
            await outward.refuse(fault)
        except Exception as fault:
            log.error("request %s failed: %s", number, told(fault))
            if not outward.started:
                await outward.refuse(HttpFault("the server failed; the fault is in its log", 500, "exception"))


class _Outward:
    """Sends an answer with the headers every answer has; of a HEAD the headers only."""

    def __init__(self, send: Send, number: str, *, head: bool) -> None:
        self._send = send
        self._number = number
        self._head = head
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            given = list(message.get("headers", ()))
            names = {name for name, _ in given}
            more = [(name, value) for name, value in _ALWAYS if name not in names]
            message = {**message, "headers": [*given, *more, (b"x-request-id", self._number.encode())]}
        elif self._head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)

    async def refuse(self, fault: HttpFault) -> None:
        """Answer with an OperationOutcome."""
        body = errors.outcome(fault)
        fields = {"content-type": "application/fhir+json; charset=utf-8", **errors.headers(fault)}
        fields["content-length"] = str(len(body))
        raw = [(name.encode(), value.encode()) for name, value in fields.items()]
        await self({"type": "http.response.start", "status": fault.status, "headers": raw})
        await self({"type": "http.response.body", "body": body})


def told(fault: BaseException) -> str:
    """Return a failure's kind and places but not its text, which may quote what a search asked for."""
    places, trace = [], fault.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return f"{type(fault).__name__} at {' < '.join(reversed(places))}"


def require_local(sent: Mapping[str, str]) -> None:
    """Refuse (403) a request whose Host, Origin or forwarded client is not this machine."""
    if not _local_name(_host_of(sent.get("host", "localhost"))):
        raise _foreign("Host", sent["host"])
    origin = sent.get("origin")
    if origin is not None and not _local_name(_origin_host(origin)):
        raise _foreign("Origin", origin)
    for client in (sent.get("x-forwarded-for", "").partition(",")[0], forwarded(sent).get("for", "")):
        if client and not _local_name(_host_of(client.strip())):
            raise _foreign("Forwarded", client)


def _foreign(header: str, value: str) -> HttpFault:
    text = f"--insecure-local answers this machine only, not {header}: {value[:100]}; ask http://127.0.0.1 or localhost"
    return HttpFault(text, 403, "forbidden", where=header)


def _host_of(text: str) -> str:
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text if text.count(":") > 1 else text.partition(":")[0]


def _origin_host(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


@lru_cache(maxsize=256)
def _local_name(host: str) -> bool:
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _inner_method(scope: Scope) -> str:
    """FHIR answers HEAD itself; the other routes know GET only."""
    fhir = scope["path"] == "/fhir" or scope["path"].startswith("/fhir/")
    return "GET" if scope["method"] == "HEAD" and not fhir else str(scope["method"])
