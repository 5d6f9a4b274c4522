"""One MLLP sender: frames in, answers out in the same order, and never more held than agreed."""

import asyncio
import contextlib
import logging
import os
import socket
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from gateway import clock, failpoints
from gateway.formats import mllp
from gateway.listeners import tls
from gateway.listeners.values import Answer, Verdict, Who

if TYPE_CHECKING:
    from gateway.listeners.mllp import MllpListener

log = logging.getLogger(__name__)

# Why reading is paused; zero means it is not.
_UNANSWERED, _UNREAD, _GATE, _ENDING = 1, 2, 4, 8


class Slot:
    """One received frame and, once known, its answer; slots are answered in order of arrival."""

    __slots__ = ("answer", "late", "sent", "since", "size")

    def __init__(self, size: int, since: float) -> None:
        self.size = size
        self.since = since
        self.answer: Answer | None = None
        self.late: list[bytes] = []
        self.sent = False


class Connection(asyncio.Protocol):
    """An open connection; lives on the event loop only, other threads reach it through `home.post`."""

    def __init__(self, home: "MllpListener") -> None:
        self._home = home
        self._decoder = mllp.Decoder(home.options.max_frame)
        self._slots: deque[Slot] = deque()
        self._transport: asyncio.Transport | None = None
        self._early = b""  # read before the event loop would pause; kept until the gate opens
        self._secret: Any = None
        self._paused = 0
        self._unanswered = 0
        self._held = 0
        self._since: float | None = None
        self._lost = False
        self.who = Who(home.options.name)

    # -- the transport calls these -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, after the TLS hello where there is one; a sender too many is closed at once."""
        self._transport = cast(asyncio.Transport, transport)
        options = self._home.options
        self._secret = transport.get_extra_info("ssl_object")
        certificate = tls.peer_certificate(self._secret) if self._secret is not None else ""
        self.who = Who(options.name, _peer(transport), certificate)
        if not self._home.admit(self):
            self.abort()
            return
        _keep_alive(transport)
        self._transport.set_write_buffer_limits(high=options.max_unread)
        if self._home.gate.shut:
            self._paused |= _GATE
            # Both event loops begin to read after this call, whatever is said in it.
            asyncio.get_running_loop().call_soon(self._pause_again)

    def data_received(self, data: bytes) -> None:
        """Take bytes; every whole frame goes to the intake at once."""
        if self._paused & _ENDING:
            return
        if self._paused & _GATE:
            self._early += data
            return
        frames = self._decoder.feed(data)
        now = clock.monotonic()
        for frame in frames:
            self._take(frame, now)
        if not self._decoder.in_frame:
            self._since = None
        elif frames or self._since is None:
            self._since = now
        self._account()

    def eof_received(self) -> bool:
        """Keep the writing half open while answers are due (a sender may half-close after its last frame)."""
        self.end()
        return bool(self._slots) and self._secret is None

    def pause_writing(self) -> None:
        """Stop reading from a sender that does not read its answers."""
        self.pause(_UNREAD)

    def resume_writing(self) -> None:
        """Read again: the sender has read its answers."""
        self.resume(_UNREAD)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the sender; what it sent is stored all the same, and a resend is answered alike."""
        self._lost = True
        self._home.gate.hold(-self._held)
        self._held = 0
        self._home.gone(self)

    # -- frames and answers --------------------------------------------------------------------------

    def _take(self, frame: mllp.Frame, now: float) -> None:
        if frame.junk:
            self._home.counters.add("junk_bytes", frame.junk)
        if frame.kind == "aborted":  # the sender began anew; it knows that the half was not answered
            self._home.counters.add("frames_aborted")
            return
        slot = Slot(len(frame.payload), now)
        self._slots.append(slot)
        self._unanswered += slot.size
        if self._unanswered >= self._home.options.max_unanswered:
            self.pause(_UNANSWERED)
        post = self._home.post
        done = partial(_post_answer, post, self, slot)
        if frame.kind == "oversize":
            limit = self._home.options.max_frame
            self._home.intake.oversize(frame.payload, frame.size, limit, self.who, done)
        else:
            self._home.intake.submit(frame.payload, self.who, done, partial(_post_late, post, self, slot))

    def answered(self, slot: Slot, answer: Answer) -> None:
        """Note the answer to one frame and send whatever is now due, in order."""
        slot.answer = answer
        out: list[bytes] = []
        while self._slots and (due := self._slots[0].answer) is not None:
            head = self._slots.popleft()
            self._unanswered -= head.size
            self._home.times.add(clock.monotonic() - head.since)
            if due.verdict is Verdict.UNAVAILABLE:
                self._send(out)
                self._break_off(due)
                return
            head.sent = True
            out += due.payloads
            out += head.late
        self._send(out)
        self._account()
        if self._unanswered < self._home.options.max_unanswered:
            self.resume(_UNANSWERED)
        if self._paused & _ENDING and not self._slots:
            self.close()

    def late(self, slot: Slot, payload: bytes) -> None:
        """Send an application acknowledgement, never before the accept acknowledgement it follows."""
        if slot.sent:
            self._send([payload])
        else:
            slot.late.append(payload)

    def _send(self, payloads: list[bytes]) -> None:
        if not payloads or self._lost or self._transport is None or self._transport.is_closing():
            return
        data = b"".join([mllp.wrap(payload) for payload in payloads])
        if failpoints.due("fp4"):
            os.write(self._transport.get_extra_info("socket").fileno(), data[: len(data) // 2])
            failpoints.die()
        self._transport.write(data)

    def _break_off(self, answer: Answer) -> None:
        self._home.counters.add("closed_unanswered")
        log.warning("closed without an answer: peer %s: %s", self.who.peer, "; ".join(answer.reasons))
        self._slots.clear()
        self.close()

    # -- pausing and ending --------------------------------------------------------------------------

    def pause(self, why: int) -> None:
        """Stop reading for one more reason."""
        before, self._paused = self._paused, self._paused | why
        if not before and self._open():
            cast(asyncio.Transport, self._transport).pause_reading()

    def resume(self, why: int) -> None:
        """Take one reason back; read again when none is left."""
        before, self._paused = self._paused, self._paused & ~why
        if before and not self._paused and self._open():
            cast(asyncio.Transport, self._transport).resume_reading()

    def gated(self, *, shut: bool) -> None:
        """Follow the gate of the whole process."""
        if shut:
            self.pause(_GATE)
            return
        self.resume(_GATE)
        if self._early:
            early, self._early = self._early, b""
            self.data_received(early)

    def overdue(self, now: float) -> bool:
        """Return whether a frame was begun and not finished within the deadline."""
        return self._since is not None and now - self._since > self._home.options.frame_deadline

    def waits(self) -> bool:
        """Return whether a frame is still without its answer."""
        return bool(self._slots)

    def end(self) -> None:
        """Read nothing more; close as soon as all that came whole is answered."""
        self._paused |= _ENDING
        if not self._slots:
            self.close()

    def close(self) -> None:
        """Close after what is written has gone out."""
        self._paused |= _ENDING
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._paused |= _ENDING
        if self._transport is not None:
            self._transport.abort()

    def _open(self) -> bool:
        return self._transport is not None and not self._lost and not self._transport.is_closing()

    def _pause_again(self) -> None:
        if self._paused and self._open():
            cast(asyncio.Transport, self._transport).pause_reading()

    def _account(self) -> None:
        if self._lost:
            return
        held = self._decoder.pending + self._unanswered
        moved = self._home.gate.hold(held - self._held)
        self._held = held
        if moved:
            self._home.follow_gate()


Post = Callable[[Callable[[], None]], None]


def _post_answer(post: Post, connection: Connection, slot: Slot, answer: Answer) -> None:
    post(partial(connection.answered, slot, answer))


def _post_late(post: Post, connection: Connection, slot: Slot, payload: bytes) -> None:
    post(partial(connection.late, slot, payload))


def _peer(transport: asyncio.BaseTransport) -> str:
    """Return the sender's address as text, without the port."""
    name = transport.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) and name else ""


def _keep_alive(transport: asyncio.BaseTransport) -> None:
    """Find a dead peer within 180 s: 60 s idle, then four probes 30 s apart."""
    sock = transport.get_extra_info("socket")
    if sock is None:
        return
    with contextlib.suppress(OSError, AttributeError):  # an option this system lacks
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)
