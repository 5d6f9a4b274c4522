"""The composition root: settings in, running parts out; nobody else knows how they are put together."""

import gc
import hashlib
import hmac
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gateway import clock
from gateway.community.recognition import knowledge
from gateway.community.recognition.consulting import Consultant
from gateway.community.recognition.operation import Recognise
from gateway.community.recognition.service import Recognition
from gateway.errors import GatewayError
from gateway.hooks import Adviser, Operation
from gateway.identity import lists, survivorship
from gateway.identity.judging import judging
from gateway.identity.linker import Linker
from gateway.identity.persons import SURVIVORSHIP
from gateway.listeners import options
from gateway.listeners.intake import Intake
from gateway.listeners.values import Answer, Who
from gateway.mapping import catalog as catalogs
from gateway.mapping.catalog import Catalog
from gateway.mapping.feeds import FeedBook
from gateway.pipeline.worker import Tools, Worker
from gateway.record.judging import Claims, Region
from gateway.record.repository import Repository
from gateway.search import definitions
from gateway.settings import Settings, shipped
from gateway.store.engine import Store, open_store

_KEY_BYTES = 32
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Gateway:
    """What every process of the gateway has: its settings, its definitions and its store."""

    settings: Settings
    catalog: Catalog
    store: Store

    def book(self) -> FeedBook:
        """Return the feeds by sender."""
        return self.catalog.book(insecure_local=self.settings.insecure_local)

    def intake(self) -> Intake:
        """Return an intake of this process's own, for bytes that come by HTTP, file or command."""
        return Intake(self.store, self.book(), options.from_settings(self.settings))

    @contextmanager
    def taking(self, listener: str) -> Iterator[Callable[..., Answer]]:
        """Give a function that stores bytes for a feed, peer and file (`""` none), durably, while the block lasts."""
        intake = self.intake()
        intake.start()
        try:
            yield lambda raw, feed, peer, file="": intake.take(raw, Who(listener, peer, feed=feed, file=file))
        finally:
            intake.stop(_STOP_SECONDS)

    def worker(self, name: str) -> Worker:
        """Return a worker whose leases bear this machine's name and its own."""
        settings = self.settings
        tools = Tools(
            store=self.store,
            catalog=self.catalog,
            secret=installation_key(settings.installation_key_file),
            zone=settings.zone,
            batch_size=settings.batch_size,
            diary=settings.data / f"{name}.diary.json",
            owner=f"{socket.gethostname()}/{name}",
            claim=Claims(Region(settings.profiles)),
            linker=self.linker() if settings.linking else None,
        )
        return Worker(tools)

    def linker(self) -> Linker:
        """Return what links who is the same person, by the model and rules of the settings."""
        judge, version = judging(self.settings.profiles)
        return Linker(self.store, judge, version)

    def recognition(self) -> Recognition:
        """Return what advises on orders, by the knowledge of the settings; raises GatewayError listing its faults."""
        return recognition(self.store, self.settings)

    def operations(self, service: Recognition | None = None) -> tuple[Operation, ...]:
        """Return the FHIR operations of the community services, by a recognition of its own where none is given."""
        record = Repository(self.store, self.settings.zone, self.settings.search_timeout_s)
        return (Recognise(service or self.recognition(), record).operation,)

    def adviser(self, service: Recognition) -> Adviser:
        """Return what CDS Hooks asks about draft orders."""
        return Consultant(service)


def recognition(store: Store, settings: Settings) -> Recognition:
    """Return what advises on orders: the shipped knowledge, and over it the folder `recognition` of the profiles."""
    ours, theirs = shipped("profiles"), settings.profiles
    folders = [ours / "recognition"]
    if theirs != ours and (theirs / "recognition").is_dir():
        folders.append(theirs / "recognition")
    own = theirs / SURVIVORSHIP
    rules = survivorship.load(own if own.exists() else ours / SURVIVORSHIP)
    return Recognition(store, knowledge.load(*folders), rules.assurance, settings.zone)


def open_gateway(settings: Settings, *, migrate: bool = False, catalog: Catalog | None = None) -> Gateway:
    """Open the store and activate the definitions, unless given; with `migrate` bring the tables up to date first."""
    settings.data.mkdir(parents=True, exist_ok=True)
    definitions.install(settings.profiles)
    lists.install(settings.profiles)
    active = open_catalog(settings) if catalog is None else catalog
    store = open_store(settings.database, settings.data)
    if migrate:
        store.migrate()
    else:
        store.ping()
    return Gateway(settings, active, store)


def open_catalog(settings: Settings) -> Catalog:
    """Return the definitions of the shipped and the site's own folders; raises GatewayError listing every fault."""
    folders = [shipped("mappings"), *settings.mappings]
    with _uncollected():
        return catalogs.load(folders, base=settings.base_url, attachment_inline=settings.attachment_inline)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python from looking for garbage among definitions that all stay: it took half of the time to load them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def installation_key(path: Path) -> bytes:
    """Return the key that names new resources, made at the first start and readable by its owner only."""
    try:
        return _key(path)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    _write(part, clock.token(_KEY_BYTES).hex())
    with suppress(FileExistsError):  # another process was first: its key holds
        os.link(part, path)
    part.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return _key(path)


def page_key(path: Path) -> bytes:
    """Return the key that seals page links, derived from the installation key."""
    return hmac.new(installation_key(path), b"page links", hashlib.sha256).digest()


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _key(path: Path) -> bytes:
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        text = "the installation key is damaged: restore it from the backup; a new one would rename old records"
        raise GatewayError(text, where=str(path))
    return key
