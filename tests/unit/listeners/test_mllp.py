import contextlib
import socket
import ssl
import threading
import time

import pytest
import trustme

from gateway import failpoints
from gateway.errors import GatewayError
from gateway.listeners.gate import Gate
from gateway.listeners.mllp import MllpListener
from gateway.listeners.options import GateOptions, MllpOptions, TlsFiles
from gateway.listeners.values import Answer, Verdict

VT, END = b"\x0b", b"\x1c\r"


def framed(*payloads):
    return b"".join(VT + payload + END for payload in payloads)


class Peer:
    def __init__(self, running, sock=None):
        self.socket = sock or socket.create_connection(("127.0.0.1", running.listener.port), timeout=10)
        self.rest = b""

    def send(self, data):
        self.socket.sendall(data)

    def answers(self, number):
        while self.rest.count(END) < number:
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError(self.rest)
            self.rest += data
        *whole, self.rest = self.rest.split(END, number)
        return [answer.removeprefix(VT) for answer in whole]

    def ended(self):
        try:
            return self.socket.recv(100) == b""
        except ConnectionResetError:
            return True

    def quiet(self):
        self.socket.settimeout(0.1)
        try:
            self.socket.recv(1)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(10)
        return False


@contextlib.contextmanager
def connected(running):
    peer = Peer(running)
    try:
        yield peer
    finally:
        peer.socket.close()


def until(condition):
    limit = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.005)


def test_many_frames_of_one_write_are_answered_in_order(serve):
    with connected(serve()) as peer:
        peer.send(framed(*[b"MSH%d" % n for n in range(100)]))
        assert peer.answers(100) == [b"ACK MSH%d" % n for n in range(100)]


def test_answers_keep_the_order_of_the_messages(serve, intake):
    running = serve()
    intake.held = []
    with connected(running) as peer:
        peer.send(framed(b"one", b"two"))
        until(lambda: len(intake.held) == 2)
        for raw, done, _ in reversed(intake.held):
            done(intake.answer(raw))
        assert peer.answers(2) == [b"ACK one", b"ACK two"]


def test_several_answers_and_silence(serve, intake):
    with connected(serve()) as peer:
        intake.answer = lambda raw: Answer(Verdict.STORED, (b"1", b"2") if raw == b"two" else ())
        peer.send(framed(b"none", b"two"))
        assert peer.answers(2) == [b"1", b"2"]


def test_a_store_that_fails_closes_without_an_answer(serve, intake, caplog):
    running = serve()
    intake.held = []
    with connected(running) as peer:
        peer.send(framed(b"good", b"bad", b"after"))
        until(lambda: len(intake.held) == 3)
        (good, done, _), (_, fail, _), (_, after, _) = intake.held
        done(intake.answer(good))
        fail(Answer(Verdict.UNAVAILABLE, reasons=("the disk is full",)))
        after(intake.answer(b"after"))
        assert peer.answers(1) == [b"ACK good"]
        assert peer.ended()
    assert running.call(lambda: running.listener.counters.snapshot()["counts"]["closed_unanswered"]) == 1
    assert "the disk is full" in caplog.text


def test_a_store_that_hangs_closes_those_who_wait_and_no_others(serve, intake, caplog):
    running = serve()
    with connected(running) as idle, connected(running) as waiting:
        idle.send(framed(b"before"))
        assert idle.answers(1)
        intake.held = []
        waiting.send(framed(b"one"))
        until(lambda: intake.held)
        intake.hangs = True
        running.call(running.listener.tick)
        running.call(running.listener.tick)
        assert waiting.ended()
        intake.hangs, intake.held = False, None
        idle.send(framed(b"after"))
        assert idle.answers(1) == [b"ACK after"]
    assert "the store does not answer: 1 senders" in caplog.text


def test_an_oversize_frame_is_refused_and_the_next_is_taken(serve):
    with connected(serve(max_frame=1000)) as peer:
        peer.send(framed(b"x" * 5000, b"next"))
        refused, taken = peer.answers(2)
        assert refused.startswith(b"AR ")
        assert taken == b"ACK next"


def test_a_half_frame_is_neither_taken_nor_answered(serve, intake):
    running = serve()
    with connected(running) as peer:
        peer.send(framed(b"whole") + VT + b"half")
        assert peer.answers(1) == [b"ACK whole"]
    until(lambda: running.call(lambda: running.listener.connected) == 0)
    assert [raw for raw, _ in intake.seen] == [b"whole"]


def test_a_frame_not_finished_in_time_is_closed_but_idling_between_frames_is_legal(serve):
    running = serve(frame_deadline=0.01)
    with connected(running) as idle, connected(running) as slow:
        idle.send(framed(b"a"))
        assert idle.answers(1)
        slow.send(VT + b"MSH")
        until(lambda: running.call(lambda: any(c._since for c in running.listener._connections)))
        time.sleep(0.02)
        running.call(running.listener.tick)
        assert slow.ended()
        idle.send(framed(b"b"))
        assert idle.answers(1) == [b"ACK b"]
    assert running.listener.counters.snapshot()["counts"]["frame_deadline"] == 1


def test_a_half_closed_sender_gets_its_answers(serve, intake):
    running = serve()
    intake.held = []
    with connected(running) as peer:
        peer.send(framed(b"one", b"two"))
        peer.socket.shutdown(socket.SHUT_WR)
        until(lambda: len(intake.held) == 2)
        for raw, done, _ in intake.held:
            done(intake.answer(raw))
        assert peer.answers(2) == [b"ACK one", b"ACK two"]
        assert peer.ended()


def test_a_sender_that_goes_away_is_forgotten(serve, intake):
    running = serve()
    intake.held = []
    with connected(running) as peer:
        peer.send(framed(b"one"))
        until(lambda: intake.held)
    raw, done, _ = intake.held[0]
    done(intake.answer(raw))
    until(lambda: running.call(lambda: running.listener.connected) == 0)
    assert running.call(lambda: running.listener.gate.held) == 0


def test_a_sender_that_resets_is_forgotten_though_its_answer_is_due(serve, intake):
    running = serve()
    intake.held = []
    with connected(running) as peer:
        peer.send(framed(b"one"))
        until(lambda: intake.held)
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    until(lambda: running.call(lambda: running.listener.connected) == 0)
    raw, done, later = intake.held[0]
    done(intake.answer(raw))
    later(b"AA")
    assert running.call(lambda: running.listener.gate.held) == 0


def test_reading_pauses_while_answers_are_due(serve, intake):
    running = serve(max_unanswered=10_000)
    intake.held = []
    with connected(running) as peer:
        peer.socket.settimeout(0.15)
        with contextlib.suppress(TimeoutError):
            for _ in range(100):
                peer.send(framed(b"x" * 200_000))
        until(lambda: len(intake.held) >= 1)
        assert running.call(lambda: running.listener.gate.held) < 2_000_000
        assert len(intake.held) < 10
        peer.socket.settimeout(10)
        held, intake.held = intake.held, None
        for raw, done, _ in held:
            done(intake.answer(raw))
        assert len(peer.answers(len(held))) == len(held)


def test_reading_pauses_while_the_sender_reads_no_answers(serve, intake):
    running = serve(max_unread=1000)
    intake.answer = lambda raw: Answer(Verdict.STORED, (b"y" * 100_000,))
    with connected(running) as peer:
        peer.socket.settimeout(0.15)
        sent = 0
        with contextlib.suppress(TimeoutError):
            for _ in range(3000):
                peer.send(framed(b"x" * 3000))
                sent += 1
        assert sent < 3000
        peer.socket.settimeout(10)
        got = len(peer.answers(50))
        assert got == 50


def test_the_gate_stops_reading_and_lets_it_go_on(serve, intake):
    running = serve()
    gate = running.listener.gate
    with connected(running) as peer:
        peer.send(framed(b"before"))
        assert peer.answers(1)
        running.call(lambda: gate.reasons.update(disk="full"))
        running.call(running.listener.tick)
        peer.send(framed(b"while shut"))
        assert peer.quiet()
        with connected(running) as late:
            late.send(framed(b"late"))
            assert late.quiet()
            running.call(gate.reasons.clear)
            running.call(running.listener.tick)
            assert late.answers(1) == [b"ACK late"]
        assert peer.answers(1) == [b"ACK while shut"]


def test_memory_over_all_senders_shuts_the_gate_and_answers_open_it(serve, intake):
    running = serve(max_held=50_000, max_unanswered=1 << 30)
    intake.held = []
    with connected(running) as one, connected(running) as two:
        one.send(framed(b"x" * 60_000))
        until(lambda: running.call(lambda: running.listener.gate.shut))
        two.send(framed(b"two"))
        assert two.quiet()
        held, intake.held = intake.held, None
        for raw, done, _ in held:
            done(intake.answer(raw))
        assert two.answers(1) == [b"ACK two"]
        assert one.answers(1)
    assert not running.listener.gate.shut


def test_connections_over_the_cap_are_refused_and_old_ones_kept(serve):
    running = serve(max_connections=2)
    with connected(running) as one, connected(running) as two:
        for peer in (one, two):
            peer.send(framed(b"hello"))
            assert peer.answers(1)
        with connected(running) as three:
            assert three.ended()
        one.send(framed(b"still here"))
        assert one.answers(1) == [b"ACK still here"]
    until(lambda: running.call(lambda: running.listener.connected) == 0)
    with connected(running) as again:
        again.send(framed(b"room"))
        assert again.answers(1)


def test_stopping_answers_what_came_and_reads_no_more(serve, intake):
    running = serve()
    intake.held = []
    with connected(running) as peer:
        peer.send(framed(b"one"))
        until(lambda: intake.held)
        running.loop.call_soon_threadsafe(running.down.set)
        until(lambda: running.listener._stopping)
        raw, done, _ = intake.held[0]
        done(intake.answer(raw))
        assert peer.answers(1) == [b"ACK one"]
        assert peer.ended()


def test_stopping_does_not_wait_for_ever(serve, intake):
    running = serve()
    intake.held = []
    with connected(running) as peer:
        peer.send(framed(b"one"))
        until(lambda: intake.held)

        async def stop():
            await running.listener.stop(0.05)

        import asyncio

        asyncio.run_coroutine_threadsafe(stop(), running.loop).result(10)
        assert peer.ended()


def test_a_late_answer_follows_the_first(serve, intake):
    running = serve()
    intake.held = []
    with connected(running) as peer:
        peer.send(framed(b"one"))
        until(lambda: intake.held)
        _, done, later = intake.held[0]
        later(b"AA too early")
        done(Answer(Verdict.STORED, (b"CA",)))
        later(b"AA again")
        assert peer.answers(3) == [b"CA", b"AA too early", b"AA again"]


def test_a_taken_port_is_told(serve, intake, tmp_path):
    running = serve()
    second = MllpListener(MllpOptions(port=running.listener.port), intake, Gate(GateOptions(), tmp_path))
    import asyncio

    with pytest.raises(GatewayError, match="another gateway"):
        asyncio.run_coroutine_threadsafe(second.start(), running.loop).result(10)


def test_junk_and_half_frames_are_counted(serve, intake):
    running = serve()
    with connected(running) as peer:
        peer.send(b"junk" + VT + b"MSH|half" + VT + b"MSH|whole" + END)
        assert peer.answers(1) == [b"ACK MSH|whole"]
    counts = running.listener.counters.snapshot()["counts"]
    assert (counts["junk_bytes"], counts["frames_aborted"]) == (4, 1)


def test_nothing_is_read_from_a_sender_that_is_being_let_go(serve, intake):
    running = serve()
    intake.held = []
    with connected(running) as peer:
        peer.send(framed(b"one"))
        until(lambda: intake.held)
        (connection,) = running.listener._connections
        running.call(connection.end)
        running.call(lambda: connection.data_received(framed(b"two")))
        raw, done, _ = intake.held[0]
        done(intake.answer(raw))
        assert peer.answers(1) == [b"ACK one"]
        assert peer.ended()
    assert len(intake.held) == 1


def test_bytes_that_come_before_the_loop_pauses_wait_for_the_gate(serve, intake):
    running = serve()
    gate = running.listener.gate
    with connected(running) as peer:
        peer.send(framed(b"first"))
        assert peer.answers(1)
        running.call(lambda: gate.reasons.update(disk="full"))
        running.call(running.listener.tick)
        (connection,) = running.listener._connections
        running.call(lambda: connection.data_received(framed(b"early")))
        assert len(intake.seen) == 1
        running.call(gate.reasons.clear)
        running.call(running.listener.tick)
        assert peer.answers(1) == [b"ACK early"]


def test_the_failpoint_cuts_an_answer_in_two(serve, intake, monkeypatch):
    died = threading.Event()
    monkeypatch.setattr(failpoints, "die", died.set)
    failpoints.arm("fp4:2")
    try:
        with connected(serve()) as peer:
            peer.send(framed(b"one"))
            assert peer.answers(1) == [b"ACK one"]
            peer.send(framed(b"two"))
            assert died.wait(5)
            until(lambda: peer.socket.recv(1 << 16, socket.MSG_PEEK).startswith(VT + b"ACK " + VT))
    finally:
        failpoints.arm("")


def test_accepting_goes_on_when_the_system_had_no_socket_to_give(serve, authority, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("gateway.listeners.mllp._BREATH", 0.001)
    running = serve(tls=tls_files(authority, tmp_path))
    real, failures = running.loop.sock_accept, [OSError(24, "Too many open files")] * 2

    class Loop:
        def __getattr__(self, name):
            return getattr(running.loop, name)

        async def sock_accept(self, door):
            if failures:
                raise failures.pop()
            return await real(door)

    door = socket.create_server(("127.0.0.1", 0))
    door.setblocking(False)
    listener = running.listener

    def accept():
        listener._keep(running.loop.create_task(listener._accept(Loop(), door, listener.tls)))

    running.call(accept)
    listener.port = door.getsockname()[1]
    peer = secure(running, authority)
    peer.send(framed(b"one"))
    assert peer.answers(1) == [b"ACK one"]
    peer.socket.close()
    assert "Too many open files" in caplog.text


def test_hellos_over_the_cap_are_refused(serve, authority, tmp_path):
    running = serve(tls=tls_files(authority, tmp_path), max_connections=2)
    with connected(running) as one, connected(running) as two:
        until(lambda: running.call(lambda: len(running.listener._hellos)) == 3)
        with connected(running) as three:
            assert three.ended()
        assert one.quiet() and two.quiet()


# -- TLS ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


def tls_files(authority, folder, client_ca=None):
    certificate = authority.issue_cert("127.0.0.1", "localhost")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    if client_ca is not None:
        client_ca.cert_pem.write_to_path(folder / "clients.pem")
    return TlsFiles(folder / "cert.pem", folder / "key.pem", folder / "clients.pem" if client_ca else None)


def secure(running, authority, client=None, maximum=None):
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if client is not None:
        client.configure_cert(context)
    if maximum is not None:
        context.minimum_version = context.maximum_version = maximum
    with contextlib.ExitStack() as on_fault:
        sock = on_fault.enter_context(socket.create_connection(("127.0.0.1", running.listener.port), timeout=10))
        peer = Peer(running, context.wrap_socket(sock, server_hostname="localhost"))
        on_fault.pop_all()
    return peer


def test_tls_senders_are_served_at_once(serve, authority, tmp_path):
    running = serve(tls=tls_files(authority, tmp_path))
    peer = secure(running, authority)
    peer.send(framed(b"one", b"two"))
    assert peer.answers(2) == [b"ACK one", b"ACK two"]
    peer.socket.close()


def test_mutual_tls_names_the_sender(serve, authority, intake, tmp_path):
    clients = trustme.CA()
    running = serve(tls=tls_files(authority, tmp_path, clients))
    peer = secure(running, authority, clients.issue_cert("lis.county.example"))
    peer.send(framed(b"one"))
    assert peer.answers(1) == [b"ACK one"]
    assert "sha256:" in intake.seen[0][1].certificate
    peer.socket.close()


def test_senders_without_or_with_a_strange_certificate_are_refused_with_a_reason(
    serve, authority, intake, tmp_path, caplog
):
    running = serve(tls=tls_files(authority, tmp_path, trustme.CA()))
    for client in (None, trustme.CA().issue_cert("stranger.example")):
        with pytest.raises((ssl.SSLError, ConnectionError, EOFError)):
            peer = secure(running, authority, client)
            with peer.socket:
                peer.send(framed(b"one"))
                peer.answers(1)
    until(lambda: running.listener.counters.snapshot()["counts"].get("tls_refused") == 2)
    assert not intake.seen
    assert "tls refused: peer 127.0.0.1" in caplog.text
    assert running.call(lambda: running.listener.connected) == 0


def test_plain_bytes_on_a_tls_port_are_refused(serve, authority, intake, tmp_path):
    running = serve(tls=tls_files(authority, tmp_path))
    with connected(running) as peer:
        peer.send(framed(b"one"))
        with contextlib.suppress(ConnectionResetError):
            assert END not in peer.socket.recv(1000)
    until(lambda: running.listener.counters.snapshot()["counts"].get("tls_refused") == 1)
    assert not intake.seen


def test_a_silent_hello_is_closed(serve, authority, tmp_path):
    running = serve(tls=tls_files(authority, tmp_path), hello_deadline=0.05)
    with connected(running) as peer:
        assert peer.ended()


def test_a_new_certificate_is_used_for_new_connections_and_drops_none(serve, authority, tmp_path):
    running = serve(tls=tls_files(authority, tmp_path))
    old = secure(running, authority)
    old.send(framed(b"one"))
    assert old.answers(1)
    other = trustme.CA()
    tls_files(other, tmp_path)
    running.call(running.listener.tick)
    new = secure(running, other)
    new.send(framed(b"new"))
    assert new.answers(1) == [b"ACK new"]
    old.send(framed(b"still"))
    assert old.answers(1) == [b"ACK still"]
    assert running.listener.counters.snapshot()["counts"]["tls_reloads"] == 1
    for peer in (old, new):
        peer.socket.close()


def test_a_hello_under_way_is_ended_by_stopping(serve, authority, tmp_path):
    running = serve(tls=tls_files(authority, tmp_path))
    with connected(running) as peer:
        until(lambda: running.call(lambda: len(running.listener._hellos)) == 2)
        running.stop()
        assert peer.ended()
