"""The whole gateway as processes: ready, fed through each door, a child killed, stopped."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from gateway import settings
from gateway.cli import serve
from gateway.cli.send import Sender
from gateway.errors import GatewayError, Transient
from tests.faults.harness import end_all
from tests.faults.worker_tree import Tree, free_port
from tests.support.county import ROOT, county, hl7, msh, pid


@pytest.fixture(autouse=True)
def _no_process_left():
    yield
    end_all()


def until(condition, seconds=60):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.05)


def get(tree, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{tree.web}{path}", timeout=10) as answer:
        return json.load(answer)


def post(tree, path, body):
    request = urllib.request.Request(
        f"http://127.0.0.1:{tree.web}{path}", body, {"Content-Type": "x-application/hl7-v2+er7"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as fault:
        fault.close()
        return fault.code


def test_the_gateway_serves_survives_a_child_and_stops(tmp_path):
    tree = Tree(tmp_path / "var").start().ready()
    with Sender("127.0.0.1", tree.port) as sender:
        assert b"MSA|AA|M1" in sender.send(hl7(msh("M1"), pid("P1")))
        assert b"MSA|AA|M2" in sender.send(hl7(msh("M2"), pid("P2", "李四")))
    assert post(tree, "/feeds/county-his", hl7(msh("M3"), pid("P3"))) in (200, 202)
    assert 400 <= post(tree, "/feeds/county-his", b"not a message") < 500
    workers = tree.running("_worker")
    assert len(workers) == tree.settings.workers
    killed = workers.pop()
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(tree.running("_worker") - {killed}) == tree.settings.workers)
    with Sender("127.0.0.1", tree.port) as sender:
        assert b"MSA|AA|M4" in sender.send(hl7(msh("M4"), pid("P4")))
    until(lambda: len(get(tree, "/fhir/Patient").get("entry", [])) == 4)
    assert tree.stop() == 0
    log = (tree.folder / "serve.log").read_text(encoding="utf-8")
    assert f"serving  FHIR http://127.0.0.1:{tree.web}/fhir  MLLP 127.0.0.1:{tree.port}" in log
    assert "worker ended with code -9; starting it again in 0.2 s" in log


def test_the_children_end_when_their_supervisor_is_killed(tmp_path):
    tree = Tree(tmp_path / "var").start().ready()
    children = tree.children()
    os.kill(tree.process.pid, signal.SIGKILL)
    tree.process.wait()
    until(lambda: not any(child.is_running() and child.status() != "zombie" for child in children))


def test_another_worker_takes_its_share_and_ends_on_sigterm(tmp_path):
    database = f"sqlite:///{tmp_path}/gateway.db"
    with county(database, tmp_path) as town:
        town.send(hl7(msh("M1"), pid("P1")))
        command = [sys.executable, "-m", "gateway", "worker", "--name", "second", "--data", str(tmp_path)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline().endswith("/second; Ctrl-C ends it\n")
            until(lambda: town.states() == ["applied"])
            until((tmp_path / "second.worker.json").exists)
            process.terminate()
            assert process.wait(30) == 0
        assert json.loads((tmp_path / "second.worker.json").read_text())["at_us"] > 0
        assert set(town.store.lanes.owners().values()) == {("", 1)}, "it gave every lane back"


def test_addresses_of_ipv6_are_in_brackets():
    chosen = settings.load(environment={}, host="::1", port=8123)
    assert serve.address(chosen) == "http://[::1]:8123"


def test_the_mllp_port_the_system_chose_is_told(tmp_path):
    (tmp_path / "receive.ready").write_text("mllp 40123\n", encoding="utf-8")
    assert serve.mllp_port(settings.load(environment={}, data=str(tmp_path), mllp_port=0)) == 40123


def test_a_gateway_that_does_not_become_ready_says_where_to_look(tmp_path, monkeypatch):
    monkeypatch.setattr(serve, "_READY_SECONDS", 0.1)
    chosen = settings.load(environment={}, data=str(tmp_path), port=free_port())
    with pytest.raises(GatewayError, match="not every process became ready") as failed:
        serve.announce(chosen)
    assert failed.value.where.endswith("gateway.log")


def test_a_door_that_closes_without_an_answer_is_told(tmp_path):
    import socket
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up():
            server.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises((Transient, ConnectionResetError)), Sender(*server.getsockname()) as sender:
            sender.send(b"MSH|")
