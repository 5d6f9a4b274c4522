"""F1 and F2: kill -9 at named points and at random times; a sender that goes on until all is answered."""

import random
import time
from hashlib import sha256

import pytest

from gateway.store.engine import open_store
from gateway.store.values import NewArrival
from tests.faults.harness import Client, Ledger, Receiver, check, join, message, msa, run_senders

POINTS = ("fp1", "fp2", "fp3", "fp4")


def killed_at(folder, point, hits, *, connections, messages, url=""):
    """Run one kill at a failpoint; return what the promises say before and after the restart."""
    folder.mkdir(parents=True)
    receiver = Receiver(folder, url=url).start(failpoint=f"{point}:{hits}")
    ledger = Ledger(folder.parent / f"{folder.name}.ledger")
    senders = run_senders(receiver, ledger, connections=connections, messages=messages)
    receiver.process.wait(60)
    before = check(folder, ledger, url)
    receiver.start(failpoint="")
    join(senders)
    after = check(folder, ledger, url)
    receiver.stop()
    assert len(ledger.answered) == after.stored == connections * messages
    return before, after


@pytest.mark.parametrize("point", POINTS)
def test_kill_at_a_point(tmp_path, report, point):
    before, after = killed_at(tmp_path / "run", point, 5, connections=4, messages=10)
    assert (before.violations, after.violations) == (0, 0), (before, after)
    report(f"F1  kill -9 at {point}: 1 run, 4 connections x 10 messages: 0 violations")


def test_kill_between_storing_a_file_and_moving_it(tmp_path, report):
    folder, place = tmp_path / "run", tmp_path / "village"
    folder.mkdir()
    (place / "in").mkdir(parents=True)
    raw = b"BHS|^~\\&|X\r" + message("F1") + message("F2") + b"BTS|2\r"
    (place / "in" / "day.hl7").write_bytes(raw)
    receiver = Receiver(folder, folder=place).start(failpoint="fp10")
    receiver.process.wait(60)
    assert (place / "in" / "day.hl7").exists()
    receiver.start(failpoint="")
    limit = time.monotonic() + 20
    while not (place / "done" / "day.hl7").exists():
        assert time.monotonic() < limit
        time.sleep(0.02)
    receiver.stop()
    store = open_store(f"sqlite:///{folder / 'gateway.db'}", folder)
    assert [arrival.body for arrival in store.inbox.unpicked(0, 10)] == [raw]
    store.close()
    assert not list((place / "in").iterdir())
    report("F1  kill -9 at fp10 (file stored, not yet moved): moved at restart, stored once")


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("point", POINTS)
def test_kill_at_a_point_many_times(tmp_path, report, point):
    chance = random.Random(point)
    violations = 0
    for run in range(25):
        before, after = killed_at(tmp_path / str(run), point, chance.randint(1, 100), connections=8, messages=200)
        violations += before.violations + after.violations
    report(f"F1  kill -9 at {point}: 25 runs, 8 connections x 200 messages: {violations} violations")
    assert violations == 0


def test_kill_at_a_point_on_postgresql(tmp_path, report, server):
    url = server.create("kill_once")
    before, after = killed_at(tmp_path / "run", "fp3", 5, connections=4, messages=10, url=url)
    server.drop("kill_once")
    assert (before.violations, after.violations) == (0, 0), (before, after)
    report("F1  kill -9 at fp3 on PostgreSQL: 1 run, 4 connections x 10 messages: 0 violations")


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("point", POINTS)
def test_kill_at_a_point_many_times_on_postgresql(tmp_path, report, server, point):
    chance = random.Random(point)
    violations = 0
    for run in range(25):
        name = f"{point}_{run}"
        found = killed_at(
            tmp_path / str(run), point, chance.randint(1, 100), connections=8, messages=200, url=server.create(name)
        )
        server.drop(name)
        violations += sum(one.violations for one in found)
    report(f"F1  kill -9 at {point} on PostgreSQL: 25 runs, 8 connections x 200 messages: {violations} violations")
    assert violations == 0


def killed_after(folder, seconds, *, connections, messages):
    """Kill at a moment of no meaning; return violations and the seconds from restart to the first answer."""
    folder.mkdir(parents=True)
    receiver = Receiver(folder).start()
    ledger = Ledger(folder.parent / f"{folder.name}.ledger")
    senders = run_senders(receiver, ledger, connections=connections, messages=messages, window=4)
    time.sleep(seconds)
    receiver.kill()
    violations = check(folder, ledger).violations
    restarted = time.monotonic()
    receiver.start()
    with Client(receiver.port) as client:
        client.ask(message("FIRST"))
    waited = time.monotonic() - restarted
    join(senders)
    violations += check(folder, ledger).violations
    receiver.stop()
    return violations, waited


def test_kill_at_a_random_time(tmp_path, report):
    violations, waited = killed_after(tmp_path / "run", random.uniform(0, 0.15), connections=4, messages=100)
    assert violations == 0
    report(f"F2  kill -9 at a random time: 1 run: 0 violations, first answer {waited:.1f} s after restart")


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_kill_at_random_times(tmp_path, report):
    chance = random.Random(2)
    found = [killed_after(tmp_path / str(run), chance.uniform(0, 2), connections=8, messages=300) for run in range(100)]
    violations, slowest = sum(number for number, _ in found), max(waited for _, waited in found)
    report(f"F2  kill -9 at random times: 100 runs: {violations} violations, first answer within {slowest:.1f} s")
    assert violations == 0
    assert slowest <= 5


@pytest.mark.long
def test_restart_with_a_backlog(tmp_path, report):
    folder = tmp_path / "run"
    folder.mkdir()
    store = open_store(f"sqlite:///{folder / 'gateway.db'}", folder)
    store.migrate()
    for start in range(0, 100_000, 1000):
        bodies = [message(f"B{number}") for number in range(start, start + 1000)]
        store.inbox.append([NewArrival("faults", "county", body, sha256(body).digest()) for body in bodies])
    store.close()
    receiver = Receiver(folder).start()
    receiver.kill()
    restarted = time.monotonic()
    receiver.start()
    with Client(receiver.port) as client:
        assert msa(client.ask(message("FIRST"))) == ("AA", "FIRST")
    waited = time.monotonic() - restarted
    receiver.stop()
    report(f"F2  restart with 100,000 stored messages waiting: first answer after {waited:.1f} s")
    assert waited <= 5


def test_sigterm_answers_what_it_stored(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    receiver = Receiver(folder).start()
    ledger = Ledger(tmp_path / "ledger")
    senders = run_senders(receiver, ledger, connections=4, messages=100)
    while len(ledger.answered) < 20:
        time.sleep(0.005)
    assert receiver.stop() == 0
    receiver.start()
    join(senders)
    findings = check(folder, ledger)
    receiver.stop()
    assert (findings.violations, findings.stored) == (0, 400)
