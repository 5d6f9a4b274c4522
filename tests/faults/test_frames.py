"""F9 to F12: half frames, split frames, giant frames, dirty frames."""

import hashlib

import psutil
import pytest

from tests.faults.harness import END, START, Client, Receiver, frame, message, msa

MIB = 1024 * 1024


def exactly(size, control_id="EXACT"):
    """Return a frame of `size` bytes."""
    short = message(control_id, results=1)
    filler = size - len(frame(short)) - len("NTE|1||") - 1
    whole = frame(short + b"NTE|1||" + b"x" * filler + b"\r")
    assert len(whole) == size
    return whole


def test_half_frames_are_neither_stored_nor_answered(door, report):
    whole = exactly(603)
    for cut in range(602):
        with Client(door.port) as client:
            client.socket.sendall(whole[:cut])
            client.socket.shutdown(1)
            assert client.closed()
    door.idle()
    assert door.bodies() == []
    assert door.store.inbox.counts()["rejects"] == 0
    with Client(door.port) as client:  # the last byte alone may be missing: FS ends a frame
        client.socket.sendall(whole[:602])
        assert msa(client.answer()) == ("AA", "EXACT")
    report("F9  602 half frames (cut after each byte before FS): 0 stored, 0 answered; cut after FS: whole")


def test_every_split_in_two(door, report):
    wholes = [exactly(603, f"S{cut:04d}") for cut in range(1, 603)]
    with Client(door.port) as client:
        for cut, whole in enumerate(wholes, 1):
            client.socket.sendall(whole[:cut])
            client.socket.sendall(whole[cut:])
        answers = [msa(client.answer()) for _ in wholes]
    assert answers == [("AA", f"S{cut:04d}") for cut in range(1, 603)]
    assert [arrival.body for arrival in door.bodies()] == [whole[1:-2] for whole in wholes]
    report("F10 602 splits of a 603-byte frame: 602 answers in order")


def pipelined(door, counts):
    with Client(door.port) as client:
        for count in counts:
            ids = [f"P{count}-{number}" for number in range(count)]
            client.socket.sendall(b"".join(frame(message(one)) for one in ids))
            assert [msa(client.answer()) for _ in ids] == [("AA", one) for one in ids]


def test_many_frames_in_one_write(door, report):
    pipelined(door, (2, 3, 10, 100))
    report("F10 2, 3, 10 and 100 frames in one write: exact count and order")


@pytest.mark.long
def test_every_number_of_frames_in_one_write(door, report):
    pipelined(door, range(2, 101))
    report("F10 2 to 100 frames in one write: exact count and order")


def giant(control_id, size):
    short = message(control_id)
    return short + b"OBX|9|ED|PDF||" + b"QUJD" * ((size - len(short) - 20) // 4) + b"\r"


def test_giant_frames(small_door, report):
    taken, refused = giant("FITS", 60_000), giant("GIANT", 80_000)
    with Client(small_door.port) as client:
        assert msa(client.ask(taken)) == ("AA", "FITS")
        assert msa(client.ask(refused)) == ("AR", "GIANT")
        assert msa(client.ask(message("AFTER"))) == ("AA", "AFTER")
    (row,) = small_door.store.inbox.rejects()
    assert (len(row.head), row.size) == (4096, len(refused))
    assert row.reason.startswith("over-size: ")
    report("F11 at the limit: stored; above: AR with its MSA-2, head of 4 KiB kept, the next message taken")


@pytest.mark.long
def test_giant_frames_in_full(tmp_path, report):
    folder = tmp_path / "run"
    folder.mkdir()
    receiver = Receiver(folder).start()
    process = psutil.Process(receiver.process.pid)
    base = process.memory_info().rss
    peaks = {}
    for size in (1, 10, 30, 33):
        payloads = [giant(f"G{size}-{number}", size * MIB) for number in range(10)]
        clients = [Client(receiver.port, timeout=120) for _ in payloads]
        for client, payload in zip(clients, payloads, strict=True):
            client.socket.settimeout(120)
            client.send(payload)
        peaks[size] = process.memory_info().rss - base
        expected = "AA" if size <= 32 else "AR"
        for number, client in enumerate(clients):
            assert msa(client.answer()) == (expected, f"G{size}-{number}")
            peaks[size] = max(peaks[size], process.memory_info().rss - base)
            client.close()
    receiver.stop()
    told = ", ".join(f"{size} MiB: {peak // MIB} MiB" for size, peak in peaks.items())
    report(f"F11 10 frames at once, memory above idle (33 MiB is refused): {told}")
    assert all(peak <= 10 * (32 + 16) * MIB for peak in peaks.values()), peaks


HELLO = message("D1")
DIRTY = {
    "junk before the frame": (b"GET / HTTP/1.1\r\n\r\n" + frame(HELLO), [("AA", "D1")]),
    "line ends before the frame": (b"\r\n\r\n" + frame(HELLO), [("AA", "D1")]),
    "VT inside": (START + HELLO.replace(b"COUNTY", b"COUN\x0bTY") + END, [("AA", "D1")]),
    "no CR after FS": (START + HELLO + b"\x1c" + frame(message("D2")), [("AA", "D1"), ("AA", "D2")]),
    "a new frame in a half one": (START + HELLO[:50] + frame(message("D2")), [("AA", "D2")]),
    "LF": (frame(HELLO.replace(b"\r", b"\n")), [("AA", "D1")]),
    "CRLF": (frame(HELLO.replace(b"\r", b"\r\n")), [("AA", "D1")]),
    "no last CR": (frame(HELLO.rstrip(b"\r")), [("AA", "D1")]),
    "empty": (frame(b""), [("AR", "")]),
    "blank": (frame(b"\r\n "), [("AR", "")]),
    "not HL7": (frame(b"<ClinicalDocument/>"), [("AR", "")]),
    "MSH alone": (frame(b"MSH"), [("AR", "")]),
    "header without fields": (frame(b"MSH|^~\\&|"), [("AA", "")]),
    "other delimiters": (frame(HELLO.replace(b"|", b"!")), [("AA", "D1")]),
    "two messages in a frame": (frame(HELLO + message("D2")), [("AA", "D1"), ("AA", "D2")]),
    "BOM": (frame(b"\xef\xbb\xbf" + HELLO), [("AA", "D1")]),
    "NUL bytes": (frame(HELLO.replace(b"COUNTY", b"COUN\x00TY")), [("AA", "D1")]),
    "undecodable bytes": (frame(HELLO.replace("测试".encode(), b"\xff\xfe\xfd")), [("AA", "D1")]),
    "200,000 segments": (frame(HELLO + b"NTE|1\r" * 200_000), [("AA", "D1")]),
    "100,000 escapes": (frame(HELLO + b"NTE|1||" + b"\\" * 100_000 + b"\r"), [("AA", "D1")]),
    "100,000 repetitions of components": (frame(HELLO + b"ZZZ|" + b"~^&" * 100_000 + b"\r"), [("AA", "D1")]),
    "a field of 1 MB": (frame(HELLO.replace(b"FAULTS", b"F" * 1_000_000)), None),
    "FHS without messages": (frame(b"FHS|^~\\&\rFTS|0\r"), [("AR", "")]),
}


@pytest.mark.parametrize("name", DIRTY)
def test_dirty_frames(door, report, name):
    sent, expected = DIRTY[name]
    with Client(door.port) as client:
        client.socket.sendall(sent)
        if expected is None:
            assert msa(client.answer())[0] in ("AA", "AR")
        else:
            answers = []
            for _ in expected:
                answers.append(msa(msa_of(client.answer())))
            assert answers == expected
        assert msa(client.ask(message("NEXT"))) == ("AA", "NEXT")
    report(f"F12 {name}: {expected or 'answered'}, the next message taken")


def msa_of(answer):
    """Return an answer with the delimiters every other test uses."""
    return answer.replace(b"!", b"|") if answer.startswith(b"MSH!") else answer


@pytest.mark.long
def test_a_million_segments(door, report):
    raw = HELLO + b"NTE|1\r" * 1_000_000
    with Client(door.port) as client:
        client.socket.settimeout(60)
        assert msa(client.ask(raw)) == ("AA", "D1")
    assert hashlib.sha256(door.bodies()[0].body).digest() == hashlib.sha256(raw).digest()
    report("F12 a million segments: stored byte for byte")
