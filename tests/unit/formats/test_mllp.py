"""Framing: the same frames however the bytes arrive, nothing lost, nothing unbounded."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats.mllp import HEAD, Decoder, Frame, wrap


def frames(*pieces: bytes, max_size: int = 1 << 20) -> tuple[list[Frame], Frame | None]:
    decoder = Decoder(max_size)
    found = [frame for piece in pieces for frame in decoder.feed(piece)]
    return found, decoder.finish()


def payloads(*pieces: bytes) -> list[bytes]:
    return [frame.payload for frame in frames(*pieces)[0]]


STREAM = (
    b"\r\njunk\x0bMSH|1\r\x1c\r\x0bMSH|2\x1c\x0bMSH|half\x0bMSH|3 a\x0bb\x0bMS\x1c\r\r\n\x0b\x1c\r"
    b"\x0bFHS|x\rBHS|y\x1cx\x0b\x0bMSH|" + b"4" * 90 + b"\x1c\r\x0bMSH|5 \x0bMSH|" + b"6" * 90 + b"\x1c\r\x0bMSH|left"
)


def test_every_split_gives_the_same_frames():
    for limit in (1 << 20, 60):
        whole = frames(STREAM, max_size=limit)
        assert len(whole[0]) >= 8
        for at in range(len(STREAM)):
            assert frames(STREAM[:at], STREAM[at:], max_size=limit) == whole
        assert frames(*[STREAM[i : i + 1] for i in range(len(STREAM))], max_size=limit) == whole


def test_frames_of_a_hard_stream():
    found, rest = frames(STREAM)
    assert [(f.kind, f.payload[:12]) for f in found[:6]] == [
        ("message", b"MSH|1\r"),
        ("message", b"MSH|2"),
        ("aborted", b"MSH|half"),
        ("message", b"MSH|3 a\x0bb\x0bMS"),
        ("message", b""),
        ("message", b"FHS|x\rBHS|y"),
    ]
    assert found[0].junk == 4
    assert rest == Frame(b"MSH|left", "aborted", 8)


def test_half_of_a_603_byte_frame_is_reported_when_the_connection_ends():
    payload = b"MSH|^~\\&|" + b"a" * 594
    assert len(payload) == 603
    found, rest = frames(wrap(payload)[:300])
    assert (found, rest) == ([], Frame(payload[:299], "aborted", 299))
    for at in range(1, len(wrap(payload))):
        assert payloads(wrap(payload)[:at], wrap(payload)[at:]) == [payload]


def test_pipelined_messages_and_several_messages_in_a_frame():
    assert payloads(wrap(b"MSH|1") * 100) == [b"MSH|1"] * 100
    assert payloads(wrap(b"MSH|1\rPID|1\rMSH|2\rPID|2\r")) == [b"MSH|1\rPID|1\rMSH|2\rPID|2\r"]


def test_an_oversize_frame_keeps_its_head_and_the_next_frame_is_read():
    big = b"MSH|" + b"x" * 50_000
    stream = wrap(big) + wrap(b"MSH|2")
    found, _ = frames(stream, max_size=10_000)
    assert found[0] == Frame(big[:HEAD], "oversize", len(big))
    assert found[1].payload == b"MSH|2"
    assert frames(*[stream[i : i + 700] for i in range(0, len(stream), 700)], max_size=10_000)[0] == found


def test_memory_stays_bounded_for_an_endless_frame():
    decoder = Decoder(max_size=10_000)
    decoder.feed(b"\x0bMSH|")
    for _ in range(2_000):
        decoder.feed(b"y" * 1_000)
        assert len(decoder._buffer) <= 11_000
    assert (decoder.in_frame, decoder.pending) == (True, 2_000_004)
    assert decoder.finish() == Frame((b"MSH|" + b"y" * HEAD)[:HEAD], "aborted", 2_000_004)


def test_33_mebibytes_are_oversize_by_default():
    size = 33 * 1024 * 1024
    decoder = Decoder()
    found = decoder.feed(b"\x0b") + decoder.feed(b"z" * size) + decoder.feed(b"\x1c\r")
    assert [(f.kind, f.size, len(f.payload)) for f in found] == [("oversize", size, HEAD)]


def test_bytes_one_by_one_cost_no_more_than_their_number():
    payload = b"MSH|" + b"a" * 60_000
    decoder = Decoder()
    found = []
    for byte in wrap(payload):
        found += decoder.feed(bytes((byte,)))
    assert [frame.payload for frame in found] == [payload]


def test_junk_is_skipped_and_counted_but_line_ends_are_not_junk():
    decoder = Decoder()
    found = decoder.feed(b"HELO\r\n" + wrap(b"a") + b"\r\n" + wrap(b"b") + b"xyz")
    assert [(f.payload, f.junk) for f in found] == [(b"a", 4), (b"b", 0)]
    assert decoder.junk == 7
    assert (decoder.in_frame, decoder.pending, decoder.finish()) == (False, 0, None)


@given(st.lists(st.binary(max_size=60), max_size=6), st.data())
def test_any_payload_without_markers_comes_back_whatever_the_chunks(contents, data):
    clean = [content.replace(b"\x0b", b"").replace(b"\x1c", b"") for content in contents]
    stream = b"".join(map(wrap, clean))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    edges = [0, *cuts, len(stream)]
    assert payloads(*[stream[a:b] for a, b in pairwise(edges)]) == clean


@given(st.lists(st.sampled_from([b"\x0b", b"\x1c", b"\r", b"MSH|", b"M", b"S", b"x" * 30, b"BHS|"]), max_size=30))
def test_chunks_never_change_the_result(parts):
    stream = b"".join(parts)
    assert frames(*parts, max_size=50) == frames(stream, max_size=50)
    assert frames(*[stream[i : i + 1] for i in range(len(stream))], max_size=50) == frames(stream, max_size=50)


@pytest.mark.parametrize("at", range(1, 6))
def test_a_restart_marker_cut_in_two_is_still_seen(at):
    stream = b"\x0bMSH|old\x0bMSH|new\x1c"
    cut = stream.index(b"\x0b", 1) + at
    found, _ = frames(stream[:cut], stream[cut:])
    assert [(f.kind, f.payload) for f in found] == [("aborted", b"MSH|old"), ("message", b"MSH|new")]
