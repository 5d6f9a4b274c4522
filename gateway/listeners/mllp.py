"""The MLLP door: accepts senders, keeps its limits, and stops without losing an answer."""

import asyncio
import contextlib
import logging
import socket
from collections import deque
from collections.abc import Callable

from gateway import clock
from gateway.errors import Category, GatewayError
from gateway.listeners.connection import Connection
from gateway.listeners.counters import Counters, Times
from gateway.listeners.gate import Gate
from gateway.listeners.intake import Intake
from gateway.listeners.options import MllpOptions
from gateway.listeners.tls import Tls

log = logging.getLogger(__name__)
_STEP = 0.02  # seconds between looks at the answers still due while stopping
_BACKLOG = 1024
_BREATH = 0.2  # seconds before accepting goes on when the system has no more sockets to give


class MllpListener:
    """One port; everything here runs on the event loop except `post`."""

    def __init__(self, options: MllpOptions, intake: Intake, gate: Gate) -> None:
        self.options = options
        self.intake = intake
        self.gate = gate
        self.counters = Counters()
        self.times = Times()
        self.tls = Tls(options.tls) if options.tls else None
        self.port = options.port
        self._connections: set[Connection] = set()
        self._hellos: set[asyncio.Task[None]] = set()
        self._door: socket.socket | None = None
        self._steps: deque[Callable[[], None]] = deque()
        self._woken = False
        self._stopping = False
        self._server: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Listen; GatewayError says which address could not be had."""
        self._loop = loop = asyncio.get_running_loop()
        try:
            self._door = await _listen(loop, self.options.host, self.options.port)
            if self.tls is None:
                self._server = await loop.create_server(self._admitted, sock=self._door, backlog=_BACKLOG)
            else:
                self._keep(loop.create_task(self._accept(loop, self._door, self.tls)))
        except OSError as fault:
            raise GatewayError(
                f"Cannot listen on {self.options.host}:{self.options.port} ({fault.strerror}); "
                "is another gateway running there? Choose another port with --mllp-port.",
                where=self.options.name,
                category=Category.UNAVAILABLE,
            ) from fault
        self.port = self._door.getsockname()[1]

    async def stop(self, grace: float) -> None:
        """Accept and read no more, answer what came whole (within `grace` seconds), then close."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for hello in tuple(self._hellos):
            hello.cancel()
        for connection in tuple(self._connections):
            connection.end()
        limit = clock.monotonic() + grace
        while self._connections and clock.monotonic() < limit:
            await asyncio.sleep(_STEP)
        for connection in tuple(self._connections):
            connection.abort()

    def post(self, step: Callable[[], None]) -> None:
        """Run `step` on the loop; any thread may call, and one wake-up serves a whole batch."""
        self._steps.append(step)
        if not self._woken and self._loop is not None:
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop is gone, and the senders with it
                self._loop.call_soon_threadsafe(self._run_steps)

    def tick(self) -> None:
        """Close senders whose frame is overdue, follow the gate, take new TLS files; about once a second."""
        now = clock.monotonic()
        for connection in tuple(self._connections):
            if connection.overdue(now):
                self.counters.add("frame_deadline")
                log.warning("frame not finished in time, closed: peer %s", connection.who.peer)
                connection.abort()
        if self.intake.stuck(now):
            self._let_go()
        self.follow_gate()
        if self.tls is not None and self.tls.reload():
            self.counters.add("tls_reloads")

    def _let_go(self) -> None:
        waiting = [connection for connection in self._connections if connection.waits()]
        for connection in waiting:
            connection.abort()
        if waiting:
            self.counters.add("closed_unanswered", len(waiting))
            log.warning("the store does not answer: %d senders closed without an answer", len(waiting))

    def follow_gate(self) -> None:
        """Pause or resume every sender as the gate says."""
        shut = self.gate.shut
        for connection in self._connections:
            connection.gated(shut=shut)

    def gone(self, connection: Connection) -> None:
        """Forget a closed connection."""
        self._connections.discard(connection)

    @property
    def connected(self) -> int:
        """Return how many senders are connected now."""
        return len(self._connections)

    def _admitted(self) -> asyncio.Protocol:
        return Connection(self)

    def admit(self, connection: Connection) -> bool:
        """Take a new sender in, or refuse it when the port is full or stopping: old ones are kept."""
        self.counters.add("connections")
        if self._stopping or len(self._connections) >= self.options.max_connections:
            self.counters.add("connections_refused")
            log.warning("connection refused, %d are open: peer %s", self.connected, connection.who.peer)
            return False
        self._connections.add(connection)
        return True

    async def _accept(self, loop: asyncio.AbstractEventLoop, door: socket.socket, tls: Tls) -> None:
        """Accept senders one by one, so that each hello uses the certificate in use at that moment."""
        with door:
            while True:
                try:
                    sock, address = await loop.sock_accept(door)
                except OSError as fault:
                    log.warning("no connection can be accepted: %s", fault.strerror)
                    await asyncio.sleep(_BREATH)
                    continue
                if len(self._hellos) > self.options.max_connections:
                    sock.close()
                    self.counters.add("connections_refused")
                else:
                    self._keep(loop.create_task(self._hello(loop, sock, str(address[0]), tls)))

    async def _hello(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, peer: str, tls: Tls) -> None:
        try:
            await loop.connect_accepted_socket(
                self._admitted, sock, ssl=tls.context, ssl_handshake_timeout=self.options.hello_deadline
            )
        except OSError as fault:  # includes TLS faults and the deadline
            self.counters.add("tls_refused")
            log.warning("tls refused: peer %s: %s", peer, fault)
            sock.close()

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._hellos.add(task)
        task.add_done_callback(self._hellos.discard)

    def _run_steps(self) -> None:
        self._woken = False
        steps = self._steps
        for _ in range(len(steps)):
            steps.popleft()()


async def _listen(loop: asyncio.AbstractEventLoop, host: str, port: int) -> socket.socket:
    """Return a listening socket on the first address `host` stands for."""
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    door = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    door.setblocking(False)
    return door
