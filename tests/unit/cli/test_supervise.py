import subprocess
import sys
import threading

import pytest

from gateway.cli import supervise
from gateway.cli.children import Heartbeat
from gateway.cli.supervise import Supervisor


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(supervise.clock, "monotonic", made)
    return made


class Script:
    """Processes of a given Python text in place of the gateway's own."""

    def __init__(self, monkeypatch, text):
        self.started = []
        genuine = subprocess.Popen

        def popen(command, **given):
            self.started.append(command[-1])
            return genuine([sys.executable, "-c", text], **given)

        monkeypatch.setattr(supervise.subprocess, "Popen", popen)


@pytest.fixture
def make(tmp_path):
    said = []
    made = []

    def supervisor():
        made.append(Supervisor({}, tmp_path / "gateway.log", said.append))
        return made[-1], said

    yield supervisor
    for one in made:
        one.stop()


def test_every_role_is_started_and_all_are_stopped(monkeypatch, make):
    script = Script(monkeypatch, "import time; time.sleep(600)")
    supervisor, _ = make()
    supervisor.start()
    assert script.started == list(supervise.ROLES)
    assert len(set(supervisor.pids().values())) == 3
    children = [child.process for child in supervisor._children]
    supervisor.stop()
    assert [child.poll() for child in children] == [-15, -15, -15]


def test_a_child_that_does_not_hear_is_ended(monkeypatch, make):
    Script(
        monkeypatch,
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
    )
    monkeypatch.setattr(supervise, "ROLES", ("_worker",))
    monkeypatch.setattr(supervise, "_STOP_SECONDS", 0.2)
    supervisor, _ = make()
    supervisor.start()
    while "deaf" not in supervisor._log.read_text():
        threading.Event().wait(0.01)
    (child,) = supervisor._children
    supervisor.stop()
    assert child.process.returncode == -9


def test_a_fallen_child_comes_back_after_a_growing_pause(monkeypatch, make, clock):
    script = Script(monkeypatch, "raise SystemExit(3)")
    monkeypatch.setattr(supervise, "ROLES", ("_worker",))
    supervisor, said = make()
    supervisor.start()
    (child,) = supervisor._children
    for pause in (0.2, 1, 5, 15, 15):
        child.process.wait()
        supervisor._tend(child)
        assert said[-1].startswith(f"worker ended with code 3; starting it again in {pause} s")
        count = len(script.started)
        supervisor._tend(child)
        assert len(script.started) == count, "not before its pause is over"
        clock.now += pause
        supervisor._tend(child)
        assert len(script.started) == count + 1


def test_a_child_that_held_long_begins_with_a_short_pause_again(monkeypatch, make, clock):
    Script(monkeypatch, "raise SystemExit(3)")
    monkeypatch.setattr(supervise, "ROLES", ("_web",))
    supervisor, said = make()
    supervisor.start()
    (child,) = supervisor._children
    child.falls = 4
    child.process.wait()
    clock.now += 31
    supervisor._tend(child)
    assert "in 0.2 s" in said[-1]


def test_watching_ends_with_a_signal(monkeypatch, make):
    Script(monkeypatch, "import time; time.sleep(600)")
    supervisor, said = make()
    supervisor.start()
    threading.Timer(0.05, supervisor._on_signal, (15, None)).start()
    supervisor.watch()
    assert said == []


def test_the_heartbeat_is_written_once_a_second(monkeypatch, tmp_path):
    path = tmp_path / "main.worker.json"
    now = iter([0.5, 0.5, 1.0, 2.0, 2.0])
    monkeypatch.setattr("gateway.clock.monotonic", lambda: next(now))
    beat = Heartbeat(path)
    beat(1)
    first = path.read_text()
    beat(2)
    assert path.read_text() == first
    beat(3)
    assert '"processed": 3' in path.read_text()
