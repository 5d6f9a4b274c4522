"""The web application: FastAPI for operations and documentation, a thin door for FHIR beside it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway import __version__
from gateway.errors import GatewayError
from gateway.hooks import Adviser, Operation
from gateway.identity.judging import judging
from gateway.identity.merge import Merging
from gateway.identity.persons import SURVIVORSHIP, Persons, Ways
from gateway.mapping.feeds import FeedBook
from gateway.record.editing import Editor, Rules
from gateway.record.everything import Everything
from gateway.record.history import Histories
from gateway.record.judging import Judge, Region
from gateway.record.labels import Labels
from gateway.record.repository import Repository
from gateway.settings import Settings, shipped
from gateway.store.engine import Store
from gateway.store.query import Reach
from gateway.web import docs, errors, health, intake, metrics, openapi
from gateway.web.address import PublicBase
from gateway.web.cds.door import CdsDoor
from gateway.web.cds.people import People
from gateway.web.cds.services import Services
from gateway.web.guard import Guard
from gateway.web.rest.app import FhirApp
from gateway.web.rest.message import FHIR_JSON, Limits, Rest


@dataclass(frozen=True, slots=True)
class Parts:
    """What the web process is made of."""

    settings: Settings
    store: Store
    feeds: FeedBook
    take: intake.Take
    page_key: bytes
    operations: tuple[Operation, ...] = ()
    adviser: Adviser | None = None


def create(parts: Parts) -> FastAPI:
    """Return the application; its threads end with it."""
    settings, local = parts.settings, parts.settings.insecure_local
    rest, public_base = _rest(parts), PublicBase(_configured(settings))
    fhir = FhirApp(rest, public_base, insecure_local=local)
    decisions = _decisions(parts, rest, public_base)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        fhir.close()
        if decisions is not None:
            decisions.close()

    app = FastAPI(
        title="Yigong Gateway 医共体互联互通网关",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(_Door, fhir=fhir)
    app.add_middleware(Guard, insecure_local=local)
    app.add_exception_handler(GatewayError, _on_fault)
    app.include_router(docs.router())
    app.include_router(health.router(parts.store, settings.data))
    app.include_router(metrics.router(parts.store, settings.data, fhir.counts))
    app.include_router(intake.router(parts.take, parts.feeds, settings.max_message_bytes, insecure_local=local))
    if decisions is not None:
        app.include_router(decisions.router())
    openapi.describe(app)
    return app


def _decisions(parts: Parts, rest: Rest, public_base: PublicBase) -> CdsDoor | None:
    """Return the door of CDS Hooks where there is an adviser to ask."""
    if parts.adviser is None:
        return None
    settings = parts.settings
    services = Services(parts.adviser, People(rest.record, judging(settings.profiles)[0]), settings.zone)
    return CdsDoor(services, public_base, settings.max_body_bytes, insecure_local=settings.insecure_local)


class _Door:
    """ASGI middleware that takes /fhir past FastAPI's routing: a read by id is short beside it."""

    def __init__(self, app: ASGIApp, fhir: FhirApp) -> None:
        self._app = app
        self._fhir = fhir

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        path = scope.get("path", "")
        inside = scope["type"] == "http" and (path.startswith("/fhir/") or path == "/fhir")
        await (self._fhir if inside else self._app)(scope, receive, send)


def _rest(parts: Parts) -> Rest:
    settings = parts.settings
    judge = Judge(parts.store, Region(settings.profiles), settings.validate_timeout_s)
    record = Repository(parts.store, settings.zone, settings.search_timeout_s, _reach(settings))
    return Rest(
        record=record,
        persons=Persons(parts.store, record.searches, _ways(settings)),
        merging=Merging(parts.store, judging(settings.profiles)[0], settings.zone),
        editor=Editor(parts.store, settings.zone, judge.check, _rules(settings)),
        histories=Histories(parts.store, settings.search_timeout_s),
        everything=Everything(parts.store, settings.search_timeout_s),
        labels=Labels(parts.store, settings.search_timeout_s),
        page_key=parts.page_key,
        page_size=settings.page_size,
        max_page_size=settings.max_page_size,
        software_version=__version__,
        zone=settings.zone,
        limits=_limits(settings),
        judge=judge,
        operations=parts.operations,
    )


def _rules(settings: Settings) -> Rules:
    return Rules(settings.max_conditional_deletes, settings.references_exist, settings.search_timeout_s)


def _limits(settings: Settings) -> Limits:
    return Limits(
        settings.max_body_bytes,
        settings.max_bundle_entries,
        settings.max_nesting,
        settings.max_conditional_deletes,
        settings.bundle_timeout_s,
    )


def _reach(settings: Settings) -> Reach:
    return Reach(settings.include_limit, settings.include_rounds, settings.estimate_limit)


def _ways(settings: Settings) -> Ways:
    own = settings.profiles / SURVIVORSHIP
    rules = own if own.exists() else shipped("profiles") / SURVIVORSHIP
    return Ways(rules, settings.zone, _reach(settings), settings.search_timeout_s)


def _configured(settings: Settings) -> str:
    return str(settings.public_url).rstrip("/") if "public_url" in settings.sources else ""


async def _on_fault(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, GatewayError)
    return Response(errors.outcome(fault), errors.status(fault), errors.headers(fault), media_type=FHIR_JSON)
