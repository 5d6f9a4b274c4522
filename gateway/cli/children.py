"""The processes the supervisor starts: receive, worker and web."""

import json
import logging
import signal
import threading
from pathlib import Path
from types import FrameType

import click

from gateway import clock, settings, wiring
from gateway.cli.options import die_with_parent
from gateway.settings import Settings


@click.command(hidden=True)
def receive() -> None:
    """Run the receive process."""
    from gateway.listeners.process import run_receive  # noqa: PLC0415  a process imports only its own part

    gateway = wiring.open_gateway(_settings())
    run_receive(gateway.settings, gateway.store, wiring.feed_book(gateway))


@click.command(hidden=True)
def worker() -> None:
    """Run the worker process."""
    run_worker(wiring.open_gateway(_settings()), "main")


@click.command(hidden=True)
def web() -> None:
    """Run the web process."""
    from gateway.web.server import run_web  # noqa: PLC0415  a process imports only its own part

    run_web(wiring.open_gateway(_settings()))


def run_worker(gateway: wiring.Gateway, name: str) -> None:
    """Work until a signal comes; the process may grow by 512 MiB at most."""
    from gateway.pipeline import limits  # noqa: PLC0415  a process imports only its own part

    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    limits.cap_memory()
    beat = Heartbeat(gateway.settings.data / f"{name}.worker.json")
    gateway.worker(name).run(stop, beat)
    gateway.store.close()


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


def _settings() -> Settings:
    loaded = settings.load()
    logging.basicConfig(level=loaded.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")
    die_with_parent()
    return loaded
