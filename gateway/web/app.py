"""The web application: FastAPI for operations and documentation, a thin door for FHIR beside it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from starlette.types import Scope

from gateway import __version__
from gateway.errors import GatewayError
from gateway.mapping.feeds import FeedBook
from gateway.record.repository import Repository
from gateway.settings import Settings
from gateway.store.engine import Store
from gateway.web import errors, health, intake, metrics, openapi
from gateway.web.rest.app import FhirApp
from gateway.web.rest.message import FHIR_JSON, Rest

_HOST = re.compile(r"^[A-Za-z0-9.\-\[\]:]{1,255}$")


@dataclass(frozen=True, slots=True)
class Parts:
    """What the web process is made of."""

    settings: Settings
    store: Store
    feeds: FeedBook
    take: intake.Take
    page_key: bytes


def create(parts: Parts) -> FastAPI:
    """Return the application; its threads end with it."""
    settings = parts.settings
    fhir = FhirApp(_rest(parts), _base(settings), insecure_local=settings.insecure_local)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        fhir.close()

    app = FastAPI(title="Yigong Gateway 医共体互联互通网关", version=__version__, lifespan=lifespan, redoc_url=None)
    app.add_exception_handler(GatewayError, _on_fault)
    app.include_router(health.router(parts.store, settings.data))
    app.include_router(metrics.router(parts.store, settings.data))
    app.include_router(
        intake.router(parts.take, parts.feeds, settings.max_message_bytes, insecure_local=settings.insecure_local)
    )
    app.mount("/fhir", fhir)
    openapi.describe(app)
    return app


def _rest(parts: Parts) -> Rest:
    settings = parts.settings
    return Rest(
        record=Repository(parts.store, settings.zone, settings.search_timeout_s),
        page_key=parts.page_key,
        page_size=settings.page_size,
        max_page_size=settings.max_page_size,
        software_version=__version__,
        zone=settings.zone,
    )


class _Base:
    """The public address of /fhir: the setting where given, else what the proxy or client says."""

    def __init__(self, configured: str) -> None:
        self._configured = configured

    def __call__(self, scope: Scope) -> str:
        """Return the address for one request."""
        if self._configured:
            return self._configured
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"x-forwarded-host") or headers.get(b"host", "")
        scheme = headers.get(b"x-forwarded-proto") or scope["scheme"]
        safe = host if _HOST.match(host) else "localhost"
        return f"{'https' if scheme == 'https' else 'http'}://{safe}/fhir"


def _base(settings: Settings) -> _Base:
    return _Base(settings.public_url if "public_url" in settings.sources else "")


async def _on_fault(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, GatewayError)
    return Response(errors.outcome(fault), status_code=errors.status(fault), media_type=FHIR_JSON)
