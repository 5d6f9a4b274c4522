import os
import signal
import threading
import time

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


def sleeps(role, name):
    time.sleep(600)


def falls(role, name):
    raise SystemExit(3)


def deaf(role, name):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.write(1, b"deaf")  # past the capturing of the tests, as the log is
    time.sleep(600)


@pytest.fixture
def make(tmp_path):
    said = []
    made = []

    def supervisor(run, workers=1):
        made.append(Supervisor(run, tmp_path / "gateway.log", said.append, workers))
        return made[-1], said

    yield supervisor
    for one in made:
        one.stop()


def test_every_role_is_started_and_all_are_stopped(make):
    supervisor, _ = make(sleeps, workers=2)
    supervisor.start()
    assert set(supervisor.pids()) == {"_receive", "_worker", "_worker worker-2", "_web"}
    children = [child.process for child in supervisor._children]
    supervisor.stop()
    assert [child.returncode for child in children] == [-signal.SIGTERM] * 4


def test_a_child_that_does_not_hear_is_ended(monkeypatch, make):
    monkeypatch.setattr(supervise, "ROLES", ("_worker",))
    monkeypatch.setattr(supervise, "_STOP_SECONDS", 0.2)
    supervisor, _ = make(deaf)
    supervisor.start()
    while not supervisor._log.exists() or "deaf" not in supervisor._log.read_text():
        threading.Event().wait(0.01)
    (child,) = supervisor._children
    supervisor.stop()
    assert child.process.returncode == -signal.SIGKILL


def test_a_fallen_child_comes_back_after_a_growing_pause(monkeypatch, make, clock):
    monkeypatch.setattr(supervise, "ROLES", ("_worker",))
    supervisor, said = make(falls)
    supervisor.start()
    (child,) = supervisor._children
    for pause in (0.2, 1, 5, 15, 15):
        fallen = child.process
        assert fallen.wait(20)
        supervisor._tend(child)
        assert said[-1].startswith(f"worker ended with code 3; starting it again in {pause} s")
        supervisor._tend(child)
        assert child.process is fallen, "not before its pause is over"
        clock.now += pause
        supervisor._tend(child)
        assert child.process is not fallen


def test_a_child_that_held_long_begins_with_a_short_pause_again(monkeypatch, make, clock):
    monkeypatch.setattr(supervise, "ROLES", ("_web",))
    supervisor, said = make(falls)
    supervisor.start()
    (child,) = supervisor._children
    child.falls = 4
    assert child.process.wait(20)
    clock.now += 31
    supervisor._tend(child)
    assert "in 0.2 s" in said[-1]


def test_watching_ends_with_a_signal(make):
    supervisor, said = make(sleeps)
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
