"""Bytes in over a real socket and a real store, answers out."""

import asyncio
import os
import signal
import socket
import sys
import threading
import time

import pytest
import trustme
from hl7.client import MLLPClient

from gateway.listeners import snapshot
from gateway.listeners.options import FolderOptions, GateOptions, MllpOptions, ReceiveOptions, TlsFiles
from gateway.listeners.process import Receiver, loop_factory, run_receive
from gateway.mapping.feeds import Feed, FeedBook
from gateway.store.engine import open_store
from gateway.store.values import State, WorkRow, item_id
from tests.faults.harness import Client, frame, message, msa

BOOK = FeedBook(
    [
        Feed("flow", "county", match={"msh3": ("FLOW",)}, test_traffic="real"),
        Feed("two", "county", match={"msh3": ("TWO",)}, ack="enhanced"),
        Feed("files", "town", match={"listener": ("folder",)}),
    ]
)


class Running:
    def __init__(self, data, **options):
        self.data = data
        self.store = open_store(f"sqlite:///{data}/gateway.db", data)
        self.store.migrate()
        chosen = {"gate": GateOptions(min_free_bytes=1, min_free_share=0), "mllp": (MllpOptions(port=0),)} | options
        self.receiver = Receiver(ReceiveOptions(data, **chosen), self.store, BOOK)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self.receiver.ready.wait(20)
        self.port = self.receiver.mllp[0].port if self.receiver.mllp else 0

    def _run(self):
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(self.receiver.run())

    def stop(self):
        self.receiver.stop()
        self.thread.join(20)
        self.store.close()


@pytest.fixture
def run(tmp_path):
    running = []

    def start(**options):
        running.append(Running(tmp_path, **options))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def test_a_stock_client_sends_and_is_answered(run):
    running = run()
    raw = message("C1", sender="FLOW")
    with MLLPClient("127.0.0.1", running.port) as client:
        answers = [client.send_message(raw) for _ in range(3)]
    assert {msa(answer.strip(b"\x0b\x1c\r") + b"\r") for answer in answers} == {("AA", "C1")}
    assert len(set(answers)) == 1
    assert running.store.inbox.raw(1) == raw
    assert running.store.inbox.last_id() == 1


def test_many_connections_share_commits(run):
    running = run()
    clients = [Client(running.port) for _ in range(16)]
    for number, client in enumerate(clients):
        client.socket.sendall(b"".join(frame(message(f"{number}-{n}", sender="FLOW")) for n in range(20)))
    for number, client in enumerate(clients):
        assert [msa(client.answer()) for _ in range(20)] == [("AA", f"{number}-{n}") for n in range(20)]
        client.close()
    assert running.store.inbox.last_id() == 320


def test_an_application_answer_comes_later_on_the_same_connection(run):
    running = run()
    raw = message("E1", sender="TWO").replace(b"|2.4||||||UTF-8", b"|2.4|||AL|AL||UTF-8")
    with Client(running.port) as client:
        assert msa(client.ask(raw)) == ("CA", "E1")
        row = WorkRow(item_id(1, 0), "two", "county", 0, "", State.PARKED, 1, "invalid", issues='[{"text": "PID-7"}]')
        with running.store.write() as tx:
            tx.work_put([row])
        answer = client.answer()
        assert msa(answer) == ("AE", "E1")
        assert b"invalid: PID-7" in answer


def test_no_answer_when_nothing_is_wanted(run):
    running = run()
    raw = message("E2", sender="TWO").replace(b"|2.4||||||UTF-8", b"|2.4|||NE|NE||UTF-8")
    with Client(running.port) as client:
        client.send(raw)
        assert client.silent()
        assert msa(client.ask(message("C2", sender="FLOW"))) == ("AA", "C2")
    assert running.store.inbox.last_id() == 2


def test_the_numbers_and_the_stop(run, tmp_path):
    running = run(ready_file=tmp_path / "ready")
    assert (tmp_path / "ready").read_text() == f"mllp {running.port}\n"
    with Client(running.port) as client:
        client.ask(message("C1", sender="FLOW"))
        client.ask(b"hello")
        running.stop()
        assert client.closed()
    numbers = snapshot.read(tmp_path)
    assert numbers["counts"]["stored"] == 1
    assert numbers["counts"]["refused:not-hl7"] == 1
    assert numbers["feeds"]["flow"]["stored"] == 1
    assert numbers["answer_seconds"]["count"] == 2
    assert (numbers["ready"], numbers["shut"]) == (False, {})
    assert numbers["listeners"]["mllp"]["port"] == running.port
    assert not (tmp_path / "ready").exists()


def test_a_full_disk_stops_reading_and_is_shown(run, tmp_path, monkeypatch):
    running = run(gate=GateOptions(min_free_bytes=1 << 60, min_free_share=0))
    with Client(running.port) as client:
        client.send(message("C1", sender="FLOW"))
        assert client.silent()
        numbers = snapshot.read(tmp_path)
        assert numbers["ready"] is False
        assert "are free" in numbers["shut"]["disk"]
    assert running.store.inbox.last_id() == 0


def test_a_backlog_stops_reading_until_it_is_worked_off(run, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.listeners.process._TICK", 0.02)
    running = run(gate=GateOptions(min_free_bytes=1, min_free_share=0, max_backlog=9))
    with Client(running.port) as client:
        for number in range(10):
            client.ask(message(f"C{number}", sender="FLOW"))
        while not snapshot.read(tmp_path)["shut"]:
            time.sleep(0.005)
        client.send(message("C10", sender="FLOW"))
        assert client.silent(0.1)
        with running.store.write() as tx:
            tx.cursor_set("arrivals", 10)
        assert msa(client.answer()) == ("AA", "C10")


def test_files_put_into_a_watched_folder_are_stored_once(run, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.listeners.folder._POLL", 0.01)
    place = tmp_path / "village"
    running = run(mllp=(), folders=(FolderOptions(place, settle=0.0),))
    raw = b"BHS|^~\\&|X\r" + message("F1", sender="X") + message("F2", sender="X") + b"BTS|2\r"
    for name, content in (("a.hl7", raw), ("b.hl7", raw), ("c.txt", b"not a message")):
        part = place / f"{name}.part"
        part.write_bytes(content)
        part.rename(place / "in" / name)
    limit = time.monotonic() + 20
    while not ((place / "failed" / "c.txt").exists() and len(list((place / "done").iterdir())) == 2):
        assert time.monotonic() < limit
        time.sleep(0.01)
    assert "begins with" in (place / "failed" / "c.txt.report.txt").read_text()
    assert running.store.inbox.last_id() == 1
    assert running.store.inbox.raw(1) == raw
    assert running.store.inbox.arrival(1).feed == "files"


def test_sighup_takes_new_tls_files_into_use(run, tmp_path):
    certificate = trustme.CA().issue_cert("localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    (tmp_path / "cert.pem").write_bytes(certificate.cert_chain_pems[0].bytes())
    running = run(mllp=(MllpOptions(port=0, tls=TlsFiles(tmp_path / "cert.pem", tmp_path / "key.pem")),))
    before = running.receiver.mllp[0].tls.context
    running.receiver.reload()
    assert running.receiver.mllp[0].tls.context is not before
    assert running.receiver.numbers(ready=True)["counts"]["tls_reloads"] == 1


def test_numbers_that_cannot_be_written_do_not_stop_the_door(run, monkeypatch, caplog):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(snapshot, "write", fail)
    running = run()
    with Client(running.port) as client:
        assert msa(client.ask(message("C1", sender="FLOW"))) == ("AA", "C1")
    assert "No space left" in caplog.text


def test_without_uvloop_the_standard_loop_serves(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory() is asyncio.new_event_loop


def test_a_port_that_is_taken_ends_the_process_with_a_sentence(tmp_path, caplog):
    store = open_store(f"sqlite:///{tmp_path}/gateway.db", tmp_path)
    store.migrate()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        options = ReceiveOptions(tmp_path, mllp=(MllpOptions(port=taken.getsockname()[1]),))
        assert run_receive(options, store, BOOK) == 1
    store.close()
    assert "is another gateway running there?" in caplog.text


def test_sigterm_ends_the_process_cleanly_and_sighup_does_not(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/gateway.db", tmp_path)
    store.migrate()
    ready = tmp_path / "ready"

    def signals():
        while not ready.exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGHUP)
        with Client(int(ready.read_text().split()[1])) as client:
            client.ask(message("C1", sender="FLOW"))
        os.kill(os.getpid(), signal.SIGTERM)

    sender = threading.Thread(target=signals)
    sender.start()
    options = ReceiveOptions(tmp_path, mllp=(MllpOptions(port=0),), ready_file=ready)
    assert run_receive(options, store, BOOK) == 0
    sender.join(10)
    assert store.inbox.last_id() == 1
    store.close()
