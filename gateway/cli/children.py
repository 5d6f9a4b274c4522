"""The processes the supervisor starts: receive, worker and web."""

import json
import logging
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Literal

import click

from gateway import clock, failpoints, settings, wiring
from gateway.cli.options import die_with_parent, name_process
from gateway.listeners.values import Verdict
from gateway.mapping.catalog import Catalog
from gateway.settings import Settings

OWN = "main"
"""Name of the first worker that `gateway serve` starts."""

_VERDICTS: dict[Verdict, Literal["stored", "refused", "unavailable"]] = {
    Verdict.STORED: "stored",
    Verdict.DUPLICATE: "stored",
    Verdict.IGNORED: "stored",
    Verdict.ANSWERED: "stored",
    Verdict.REFUSED: "refused",
    Verdict.UNAVAILABLE: "unavailable",
}


@click.command(hidden=True)
def receive() -> None:
    """Run the receive process."""
    run(settings.load(), None, "_receive")


@click.command(hidden=True)
@click.argument("name", default=OWN)
def worker(name: str) -> None:
    """Run a worker process."""
    run(settings.load(), None, "_worker", name)


@click.command(hidden=True)
def web() -> None:
    """Run the web process."""
    run(settings.load(), None, "_web")


def run(chosen: Settings, catalog: Catalog | None, role: str, name: str = "") -> None:
    """Run one role until it ends; a forked process brings the definitions its parent has activated."""
    logging.basicConfig(level=chosen.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    die_with_parent()
    name_process(role)
    gateway = wiring.open_gateway(chosen, catalog=catalog)
    try:
        if role == "_receive":
            run_receive(gateway)
        elif role == "_web":
            run_web(gateway)
        else:
            run_worker(gateway, name or OWN)
    finally:
        gateway.store.close()


def run_receive(gateway: wiring.Gateway) -> None:
    """Receive until a signal comes."""
    from gateway.listeners import options, process  # noqa: PLC0415  a process imports only its own part

    chosen = options.from_settings(gateway.settings, ready_file=gateway.settings.data / "receive.ready")
    code = process.run_receive(chosen, gateway.store, gateway.book())
    if code:
        sys.exit(code)


def run_web(gateway: wiring.Gateway) -> None:
    """Serve until a signal comes."""
    from gateway.web import server  # noqa: PLC0415  a process imports only its own part
    from gateway.web.app import Parts  # noqa: PLC0415  a process imports only its own part
    from gateway.web.intake import Taken  # noqa: PLC0415  a process imports only its own part

    with gateway.taking("http") as take:

        def posted(raw: bytes, feed: str, peer: str, file: str = "") -> Taken:
            answer = take(raw, feed, peer, file)
            return Taken(_VERDICTS[answer.verdict], b"".join(answer.payloads), answer.reasons)

        key = wiring.page_key(gateway.settings.installation_key_file)
        service = gateway.recognition()
        offered = (gateway.operations(service), gateway.adviser(service))
        server.run_web(Parts(gateway.settings, gateway.store, gateway.book(), posted, key, *offered))


def run_worker(gateway: wiring.Gateway, name: str) -> None:
    """Work until a signal comes; the process may grow by 512 MiB at most."""
    from gateway.pipeline import limits  # noqa: PLC0415  a process imports only its own part

    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    failpoints.arm(gateway.settings.failpoint)
    limits.cap_memory()
    gateway.worker(name).run(stop, Heartbeat(gateway.settings.data / f"{name}.worker.json"))


class Heartbeat:
    """Writes a small file once a second: the worker is there, and how much it has done."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0.0

    def __call__(self, processed: int) -> None:
        """Note how many items this worker has dealt with."""
        if clock.monotonic() < self._next:
            return
        self._next = clock.monotonic() + 1.0
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps({"at_us": clock.now_us(), "processed": processed}), encoding="ascii")
        part.replace(self._path)
