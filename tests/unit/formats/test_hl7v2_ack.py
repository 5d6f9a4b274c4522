"""Answers: the sender can match them to its message and read why something was refused."""

import pytest

from gateway.formats import hl7v2, hl7v2_ack, hl7v2_envelope
from gateway.formats.hl7v2_ack import AckError


def sent(version: str = "2.4", type_: str = "ADT^A04", charset: str = "", head: str = "MSH|^~\\&|HIS^1|县医院|GW|YG|"):
    text = f"{head}2024||{type_}|M1|P|{version}|||||CHN|{charset}\rPID|1||P1\r"
    if head[3] != "|":
        text = text.replace("|", head[3]).replace("^", head[4])
    return hl7v2_envelope.read(text.encode("gb18030" if charset == "GBK" else "utf-8"))


def answer(envelope, code="AA", text="", **more) -> bytes:
    return hl7v2_ack.build(envelope, code, text, ack_id="Y1", time="20240102030405", **more)


def test_the_answer_goes_back_to_where_the_message_came_from():
    ack = hl7v2.parse(answer(sent()).decode())
    header, msa = ack.segments
    assert [header.raw(n) for n in range(3, 8)] == ["GW", "YG", "HIS^1", "县医院", "20240102030405"]
    assert [header.raw(n) for n in (9, 10, 11, 12, 18)] == ["ACK^A04^ACK", "Y1", "P", "2.4", ""]
    assert [msa.raw(n) for n in (1, 2, 3)] == ["AA", "M1", ""]
    assert answer(sent()).endswith(b"\rMSA|AA|M1\r")


@pytest.mark.parametrize(
    ("version", "type_", "expected"),
    [
        ("2.3", "ADT^A04", "ACK^A04"),
        ("2.3.1", "ADT^A04^ADT_A01", "ACK^A04^ACK"),
        ("2.5.1", "ORU^R01", "ACK^R01^ACK"),
        ("2.2", "ADT", "ACK"),
        ("", "ORU^R01", "ACK^R01^ACK"),
    ],
)
def test_the_trigger_is_echoed_in_the_terms_of_the_version(version, type_, expected):
    header = hl7v2.parse(answer(sent(version, type_)).decode()).header
    assert (header.raw(9), header.raw(12)) == (expected, version or "2.4")


def test_errors_of_2_5_name_segment_field_and_reason():
    error = AckError("101", "姓名|不能为空", "PID[2]-5[1].1")
    err = hl7v2.parse(answer(sent("2.5.1"), "AE", "见 ERR", error=error).decode()).first("ERR")
    assert [err.raw(n) for n in (2, 3, 4)] == ["PID^2^5^1^1", "101^Required field missing^HL70357", "E"]
    assert err.value(8) == "姓名|不能为空"
    short = AckError("207", "no place", severity="W")
    assert hl7v2.parse(answer(sent("2.6"), "AR", error=short).decode()).first("ERR").raw(2) == ""
    field = AckError("102", "x", "PID[1]-7")
    assert hl7v2.parse(answer(sent("2.5"), "AE", error=field).decode()).first("ERR").raw(2) == "PID^1^7^1"


def test_errors_of_older_versions_fit_in_one_field():
    error = AckError("101", "no name & no id", "PID[1]-5")
    err = hl7v2.parse(answer(sent("2.3"), "AE", error=error).decode()).first("ERR")
    assert err.raw(1) == "PID^1^5^101&no name \\T\\ no id&HL70357"
    assert (
        hl7v2.parse(answer(sent("2.3"), "AE", error=AckError("0", "x")).decode()).first("ERR").raw(1)
        == "^^^0&x&HL70357"
    )


def test_the_answer_is_in_the_charset_of_the_message():
    assert "县医院".encode("gb18030") in answer(sent(charset="GBK"), text="已收到")
    assert "|||||||GBK\r" not in answer(sent(charset="GBK")).decode("gb18030")
    assert answer(sent(charset="GBK")).decode("gb18030").split("\r")[0].endswith("|2.4||||||GBK")
    assert answer(sent(), text="姓名", encoding="gb18030").endswith("姓名\r".encode("gb18030"))


def test_what_the_charset_cannot_say_is_named_not_replaced():
    ack = answer(sent(head="MSH|^~\\&|HIS|H|GW|YG|"), text="张 ok", encoding="ascii")
    assert ack.endswith(b"MSA|AA|M1|[U+5F20] ok\r")
    raw = hl7v2_envelope.read(b"MSH|^~\\&|\xff\xff|H|GW|YG|2024||ADT^A04|M1|P|2.4")
    assert b"|GW|YG|\xff\xff|H|" in answer(raw)


def test_own_delimiters_are_answered_in_kind():
    ack = answer(sent(head="MSH$%~\\&$HIS$H$GW$YG$"), text="a$b")
    assert ack.startswith(b"MSH$%~\\&$GW$YG$HIS$H$")
    assert ack.endswith(b"MSA$AA$M1$a\\F\\b\r")


def test_a_message_without_a_header_is_answered_all_the_same():
    assert hl7v2_ack.build(None, "AR", "not HL7", ack_id="Y1", time="2024", control_id="M|9") == (
        b"MSH|^~\\&|||||2024||ACK|Y1|P|2.4\rMSA|AR|M\\F\\9|not HL7\r"
    )


def test_text_from_people_cannot_break_the_answer():
    ack = hl7v2.parse(answer(sent(), "AE", "line\rPID|1\nx\x0b\x1c").decode())
    assert [segment.name for segment in ack.segments] == ["MSH", "MSA"]
    assert ack.segments[1].value(3) == "line\rPID|1\nx\x0b\x1c"
