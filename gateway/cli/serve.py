"""gateway serve and its helper for the demo: the whole gateway under one supervisor."""

import gc
import http.client
import urllib.request
from functools import partial
from pathlib import Path

import click

from gateway import clock
from gateway.cli.children import run
from gateway.cli.options import console, errors, setting_options
from gateway.cli.supervise import Supervisor
from gateway.errors import GatewayError
from gateway.identity import upkeep
from gateway.record import reindex
from gateway.settings import Settings
from gateway.wiring import installation_key, open_gateway

OPTIONS = ("data", "database", "mappings", "host", "port", "mllp_host", "mllp_port", "insecure_local")
_READY_SECONDS = 30.0


@click.command(epilog="Example: gateway serve --insecure-local --data ./var")
@setting_options(*OPTIONS)
def serve(settings: Settings) -> None:
    """Receive over MLLP, HTTP and folders, convert, and serve FHIR; ends on SIGTERM or Ctrl-C."""
    supervisor = start(settings)
    try:
        supervisor.stop_on_signals()
        announce(settings)
        supervisor.watch()
    finally:
        supervisor.stop()


def start(settings: Settings) -> Supervisor:
    """Bring the store up to date and start the processes."""
    _check_address(settings)
    gateway = open_gateway(settings, migrate=True)
    reindex.begin(gateway.store)
    for told in (reindex.due(gateway.store), upkeep.due(gateway.store)):
        if told:
            errors.print(told)
    gateway.store.close()
    gc.collect()
    gc.freeze()
    installation_key(settings.installation_key_file)
    for stale in (
        settings.data / "receive.json",
        settings.data / "receive.ready",
        *settings.data.glob("*.worker.json"),
    ):
        stale.unlink(missing_ok=True)
    supervisor = Supervisor(
        partial(run, settings, gateway.catalog), settings.data / "gateway.log", errors.print, settings.workers
    )
    supervisor.start()
    return supervisor


def announce(settings: Settings) -> None:
    """Wait until every process is ready and say where the gateway can be reached."""
    if not wait_until_ready(settings):
        raise GatewayError("not every process became ready", where=str(settings.data / "gateway.log"))
    base = address(settings)
    console.print(f"serving  FHIR {base}/fhir  MLLP {settings.mllp_host}:{mllp_port(settings)}  docs {base}/docs")


def wait_until_ready(settings: Settings) -> bool:
    """Ask /health/ready until it says so; return whether it did within 30 s."""
    deadline = clock.monotonic() + _READY_SECONDS
    while clock.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{address(settings)}/health/ready", timeout=2):  # noqa: S310 (our own)
                return True
        except (OSError, http.client.HTTPException):  # a port nobody listens on yet may even answer with our own words
            clock.sleep(0.05)
    return False


def address(settings: Settings) -> str:
    """Return the local address of the web server."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def mllp_port(settings: Settings) -> int:
    """Return the MLLP port in use, which differs from the setting where that says 0."""
    ready: Path = settings.data / "receive.ready"
    ports = dict(line.rsplit(" ", 1) for line in ready.read_text(encoding="utf-8").splitlines() if " " in line)
    return int(ports.get("mllp", settings.mllp_port))


def _check_address(settings: Settings) -> None:
    if settings.insecure_local and settings.host not in ("127.0.0.1", "::1", "localhost"):
        raise click.UsageError(f"--insecure-local serves loopback addresses only, not --host {settings.host}")
    if settings.insecure_local and settings.mllp_host not in ("127.0.0.1", "::1", "localhost"):
        raise click.UsageError(f"--insecure-local listens on loopback only, not --mllp-host {settings.mllp_host}")
