"""What each process of the gateway does, run in this one."""

import os
import signal
import threading

import pytest

from gateway import failpoints, settings, wiring
from gateway.cli import children, options
from gateway.errors import Transient
from gateway.pipeline import limits
from gateway.store.values import AuditRow
from tests.support.county import county, hl7, msh, pid


@pytest.fixture
def town(tmp_path):
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path) as made:
        yield made


@pytest.fixture
def quiet(monkeypatch):
    """Spare this process what belongs to processes of the gateway only."""
    for name in ("die_with_parent", "name_process"):
        monkeypatch.setattr(children, name, lambda *_: None)


@pytest.mark.parametrize(
    ("role", "runs"), [("_receive", "run_receive"), ("_web", "run_web"), ("_worker", "run_worker")]
)
def test_each_role_runs_its_part_and_the_store_is_closed(town, tmp_path, monkeypatch, quiet, role, runs):
    seen = []
    monkeypatch.setattr(children, runs, lambda gateway, *name: seen.append((gateway, *name)))
    chosen = settings.load(environment={}, data=str(tmp_path))
    children.run(chosen, town.gateway.catalog, role)
    ((gateway, *name),) = seen
    assert gateway.catalog is town.gateway.catalog, "what the parent has activated"
    assert name == (["main"] if role == "_worker" else [])
    with pytest.raises(Transient, match="closed"):
        gateway.store.audit.record([AuditRow(1, "somebody", "read", "success")])


@pytest.mark.parametrize("verb", [children.receive, children.web, children.worker])
def test_the_hidden_verbs_take_their_settings_from_the_environment(monkeypatch, tmp_path, verb):
    seen = []
    monkeypatch.setattr(children, "run", lambda chosen, catalog, role, *name: seen.append((chosen.data, catalog, role)))
    monkeypatch.setenv("GATEWAY_DATA", str(tmp_path))
    verb.main([], standalone_mode=False)
    assert seen == [(tmp_path, None, f"_{verb.name}")]


def test_a_worker_works_until_its_signal_and_leaves_a_heartbeat(town, monkeypatch):
    monkeypatch.setattr(limits, "cap_memory", lambda: None)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    town.send(hl7(msh("M1"), pid("P1")))

    def end_when_done():
        while town.states() != ["applied"]:
            threading.Event().wait(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=end_when_done)
    thread.start()
    try:
        children.run_worker(town.gateway, "unit")
    finally:
        thread.join()
        failpoints.arm("")
        for number, handler in before.items():
            signal.signal(number, handler)
    assert (town.gateway.settings.data / "unit.worker.json").exists()
    assert {owner for owner, _ in town.store.lanes.owners().values()} == {""}


def test_the_web_process_takes_messages_through_its_own_intake(town, monkeypatch):
    answers = []

    def serve(parts):
        assert parts.page_key == wiring.page_key(town.gateway.settings.installation_key_file)
        for raw in (hl7(msh("M1"), pid("P1")), hl7(msh("M1"), pid("P1")), b"not a message"):
            answers.append(parts.take(raw, "county-his", "10.0.0.1"))

    monkeypatch.setattr("gateway.web.server.run_web", serve)
    children.run_web(town.gateway)
    assert [answer.verdict for answer in answers] == ["stored", "stored", "refused"]
    assert b"MSA|AA|M1" in answers[0].acknowledgement


@pytest.mark.parametrize("code", [0, 3])
def test_the_receive_process_ends_with_the_code_of_its_listeners(town, monkeypatch, code):
    seen = []
    monkeypatch.setattr("gateway.listeners.process.run_receive", lambda *given: seen.append(given) or code)
    if code:
        with pytest.raises(SystemExit) as ended:
            children.run_receive(town.gateway)
        assert ended.value.code == code
    else:
        children.run_receive(town.gateway)
    chosen, store, book = seen[0]
    assert store is town.store
    assert chosen.ready_file == town.gateway.settings.data / "receive.ready"
    assert book.get("county-his") is not None


def test_a_process_asks_to_end_with_its_parent(monkeypatch):
    asked = []

    class Library:
        def prctl(self, *words):
            asked.append(words)

    monkeypatch.setattr(options.ctypes, "CDLL", lambda _: Library())
    options.die_with_parent()
    options.name_process("_worker")
    assert asked[0] == (1, signal.SIGTERM)
    assert asked[1][1] == b"gateway_worker"
    monkeypatch.setattr(options.os, "getppid", lambda: 1)
    with pytest.raises(SystemExit):
        options.die_with_parent()
