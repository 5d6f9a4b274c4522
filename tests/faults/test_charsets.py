"""F13: names whose bytes look like delimiters, under every spelling of the charset and under lies."""

import hashlib

import pytest

from gateway.formats import charset, hl7v2
from tests.faults.harness import Client, frame, msa

COLLIDING = [chr(point) for point in range(0x4E00, 0x9FA6) if chr(point).encode("gbk")[-1] in b"|^~\\"]
SPELLINGS = ("GB18030", "GBK", "GB2312", "GB 18030-2000", "gb18030", "CP936", "")
LIES = ("8859/1", "ASCII", "UNICODE UTF-8")


def gbk(control_id, name, declared):
    return (
        f"MSH|^~\\&|收费处|县医院|GW|REGION|20260105093000||ADT^A08|{control_id}|P|2.4||||||{declared}\r"
        f"PID|1||P1^^^COUNTY^MR||{name}||19900307|F\r"
        "PV1|1|O|内科门诊^诊室一\r"
    ).encode("gb18030")


def through_the_door(door, messages):
    with Client(door.port) as client:
        for start in range(0, len(messages), 64):
            group = messages[start : start + 64]
            client.socket.sendall(b"".join(map(frame, (raw for _, _, raw in group))))
            for control_id, _, _ in group:
                assert msa(client.answer()) == ("AA", control_id)
    wrong = 0
    for arrival, (control_id, name, raw) in zip(door.bodies(), messages, strict=True):
        assert arrival.control_id == control_id
        assert arrival.digest == hashlib.sha256(raw).digest()
        assert arrival.body == raw
        text = charset.decode(arrival.body, None, arrival.charset or None).text
        wrong += hl7v2.parse(text).first("PID").value(5) != name
    return wrong


def messages(names, spellings):
    return [
        (f"{which}-{number}", f"李{name}", gbk(f"{which}-{number}", f"李{name}", spelling))
        for which, spelling in enumerate(spellings)
        for number, name in enumerate(names)
    ]


def test_there_are_464_such_ideographs():
    assert len(COLLIDING) == 464


def test_some_names_under_every_spelling_and_lie(door, report):
    sent = messages(COLLIDING[::24], SPELLINGS + LIES)
    wrong = through_the_door(door, sent)
    report(f"F13 {len(sent)} messages, names ending in a delimiter byte: {wrong} names wrong, bytes equal")
    assert wrong == 0


@pytest.mark.long
def test_every_name_under_every_spelling_and_lie(door, report):
    sent = messages(COLLIDING, SPELLINGS + LIES)
    wrong = through_the_door(door, sent)
    report(f"F13 464 ideographs x {len(SPELLINGS)} spellings and {len(LIES)} lies: {wrong} names wrong, bytes equal")
    assert wrong == 0


def test_undecodable_bytes_are_stored_as_they_came(door, report):
    raw = gbk("U1", "李明", "GBK").replace("李明".encode("gbk"), b"\xff\xff\x80")
    with Client(door.port) as client:
        assert msa(client.ask(raw)) == ("AA", "U1")
    assert door.bodies()[0].body == raw
    report("F13 undecodable bytes: stored as they came, for the line to park")


def test_an_answer_carries_the_senders_own_bytes_back(door):
    with Client(door.port) as client:
        answer = client.ask(gbk("B1", "李珅", "GBK"))
    assert "县医院".encode("gbk") in answer
