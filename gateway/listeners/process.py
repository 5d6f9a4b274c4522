"""The receive process: all listeners over one intake, from ready to a stop that loses no answer."""

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import Callable
from typing import Any

from gateway import clock, failpoints
from gateway.errors import GatewayError
from gateway.listeners import snapshot
from gateway.listeners.folder import Folder
from gateway.listeners.gate import Gate
from gateway.listeners.intake import Intake
from gateway.listeners.mllp import MllpListener
from gateway.listeners.options import ReceiveOptions
from gateway.listeners.pull import Pull
from gateway.mapping.feeds import FeedBook
from gateway.store.engine import Store

log = logging.getLogger(__name__)
_PICKED = "arrivals"  # the worker's cursor in the inbox
_TICK = 1.0  # seconds between looks at disk, backlog, deadlines and TLS files


class Receiver:
    """The listeners of one process; `run` returns when `stop` was called or a signal came."""

    def __init__(self, options: ReceiveOptions, store: Store, feeds: FeedBook) -> None:
        self._options = options
        self.intake = Intake(store, feeds, options)
        self.gate = Gate(options.gate, options.data, lambda: backlog(store))
        self.mllp = [MllpListener(one, self.intake, self.gate) for one in options.mllp]
        self.folders = [Folder(one, self.intake.take, self.gate) for one in options.folders]
        self.pulls = [Pull(one, options.data, self.intake.take, self.gate) for one in options.pulls]
        self.started_us = clock.now_us()
        self.ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def _sources(self) -> list[Folder | Pull]:
        return [*self.folders, *self.pulls]

    def stop(self) -> None:
        """Ask the process to end; any thread may call."""
        if self._loop is not None and self._stop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._stop.set)

    async def run(self) -> None:
        """Listen until told to stop; GatewayError when an address, a folder or TLS files cannot be used."""
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._on_signals(self._loop, self._stop)
        self.intake.start()
        try:
            self.gate.look()
            for listener in self.mllp:
                await listener.start()
            for folder in self.folders:
                folder.start()
            for pull in self.pulls:
                pull.start()
            self._say_ready()
            await asyncio.gather(self._look_until(self._stop), self._tick_until(self._stop))
        finally:
            await self._end()

    async def _look_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await asyncio.to_thread(self.gate.look)  # a store that hangs must not stop the ticking
            await _pause(stop)

    async def _tick_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            for listener in self.mllp:
                listener.tick()
            self.write_snapshot(ready=not self.gate.shut)
            await _pause(stop)

    async def _end(self) -> None:
        grace = self._options.grace
        for source in self._sources():
            await asyncio.to_thread(source.stop, grace)
        await asyncio.gather(*(listener.stop(grace) for listener in self.mllp))
        await asyncio.to_thread(self.intake.stop, grace)
        self.write_snapshot(ready=False)
        if self._options.ready_file is not None:
            self._options.ready_file.unlink(missing_ok=True)
        log.info("receive process stopped")

    def _on_signals(self, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        loop.add_signal_handler(signal.SIGINT, stop.set)
        loop.add_signal_handler(signal.SIGHUP, self.reload)

    def reload(self) -> None:
        """Take new TLS files into use for new connections; open ones go on."""
        for listener in self.mllp:
            if listener.tls is not None and listener.tls.reload(force=True):
                listener.counters.add("tls_reloads")

    def _say_ready(self) -> None:
        self.write_snapshot(ready=not self.gate.shut)
        if self._options.ready_file is not None:
            ports = "".join(f"{listener.options.name} {listener.port}\n" for listener in self.mllp)
            part = self._options.ready_file.with_suffix(".part")
            part.write_text(ports or "ready\n", encoding="utf-8")
            part.replace(self._options.ready_file)
        self.ready.set()
        for listener in self.mllp:
            log.info("listening: %s on %s:%d", listener.options.name, listener.options.host, listener.port)

    def write_snapshot(self, *, ready: bool) -> None:
        """Write `receive.json`; a full disk must not stop the process that waits for room."""
        try:
            snapshot.write(self._options.data, self.numbers(ready=ready))
        except OSError as fault:
            log.warning("the numbers cannot be written: %s", fault.strerror)

    def numbers(self, *, ready: bool) -> dict[str, Any]:
        """Return what the console and `/metrics` show of this process; times in seconds and microseconds."""
        sources = [self.intake.counters]
        sources += [listener.counters for listener in self.mllp]
        sources += [source.counters for source in self._sources()]
        return {
            "at_us": clock.now_us(),
            "started_us": self.started_us,
            "ready": ready,
            "shut": dict(self.gate.reasons),
            "free_bytes": self.gate.free,
            "backlog": self.gate.waiting,
            "held_bytes": self.gate.held,
            "writer_waiting": self.intake.waiting,
            "listeners": {
                listener.options.name: {
                    "port": listener.port,
                    "connections": listener.connected,
                    "tls_fault": listener.tls.fault if listener.tls else "",
                }
                for listener in self.mllp
            },
            "answer_seconds": snapshot.times(listener.times for listener in self.mllp),
            **snapshot.merged(sources),
        }


async def _pause(stop: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), _TICK)


def backlog(store: Store) -> int:
    """Return how many arrivals no worker has picked up."""
    with store.read() as tx:
        picked = tx.cursor(_PICKED)
    return store.inbox.last_id() - picked


def run_receive(options: ReceiveOptions, store: Store, feeds: FeedBook) -> int:
    """Run the receive process until SIGTERM; return its exit code (0 ended as asked, 1 could not start)."""
    failpoints.arm(options.failpoint)
    try:
        receiver = Receiver(options, store, feeds)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(receiver.run())
    except GatewayError as fault:
        log.error("%s", fault.text)
        return 1
    return 0


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Return uvloop's event loop where it is installed, else asyncio's own."""
    try:
        import uvloop  # noqa: PLC0415 (not on every platform)
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
