"""F15 and F16: duplicate storms, and a clock that jumps."""

import threading

import pytest

from gateway import clock
from tests.faults.harness import Client, frame, message, msa


def storm(door, raws_of, connections):
    """Send each connection's messages at once and return every answer."""
    answers, lock = [], threading.Lock()

    def send(number):
        raws = raws_of(number)
        with Client(door.port) as client:
            client.socket.sendall(b"".join(map(frame, raws)))
            found = [client.answer() for _ in raws]
        with lock:
            answers.extend(found)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


def one_message(door, report, connections, each):
    raw = message("SAME")
    answers = storm(door, lambda _: [raw] * each, connections)
    rows = len(door.bodies())
    report(
        f"F15 one message x {connections * each:,} over {connections} connections: {rows} stored, "
        f"{len(answers):,} answers, {len(set(answers))} different"
    )
    assert len(answers) == connections * each
    assert len(set(answers)) == 1
    assert msa(answers[0]) == ("AA", "SAME")
    assert rows == 1


def one_id(door, report, connections, each):
    answers = storm(door, lambda conn: [message("SAME", extra=f"NTE|1||{conn}-{n}") for n in range(each)], connections)
    rows = len(door.bodies())
    report(f"F15 one control id, {connections * each:,} bodies: {rows:,} stored")
    assert {msa(answer) for answer in answers} == {("AA", "SAME")}
    assert rows == connections * each


def test_one_message_many_times(door, report):
    one_message(door, report, 16, 20)


def test_one_control_id_with_many_bodies(door, report):
    one_id(door, report, 10, 5)


@pytest.mark.long
def test_one_message_ten_thousand_times(door, report):
    one_message(door, report, 64, 157)


@pytest.mark.long
def test_one_control_id_with_a_thousand_bodies(door, report):
    one_id(door, report, 10, 100)


HOUR, DAY = 3600 * 1_000_000, 24 * 3600 * 1_000_000


@pytest.mark.parametrize("jump", [-HOUR, -DAY, DAY], ids=["an hour back", "a day back", "a day ahead"])
def test_a_clock_that_jumps_changes_no_order(door, report, monkeypatch, jump):
    real = clock.now_us
    ids = [f"T{number}" for number in range(40)]
    with Client(door.port) as client:
        first = client.ask(message(ids[0]))
        for number, control_id in enumerate(ids):
            if number == 20:
                monkeypatch.setattr(clock, "now_us", lambda: real() + jump)
            assert msa(client.ask(message(control_id))) == ("AA", control_id)
        assert client.ask(message(ids[0])) == first
    stored = door.bodies()
    assert [arrival.control_id for arrival in stored] == ids
    assert [arrival.id for arrival in stored] == list(range(1, 41))
    report(f"F16 the clock jumps {jump // HOUR:+d} h among 40 messages: inbox order = order of sending")
