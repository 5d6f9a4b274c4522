import pytest

from gateway.errors import GatewayError
from gateway.listeners.folder import Folder, free_name
from gateway.listeners.gate import Gate
from gateway.listeners.options import FolderOptions, GateOptions
from gateway.listeners.values import Answer, Verdict


class Door:
    """Stands in for the intake: answers as told, remembers what came."""

    def __init__(self):
        self.answer = Answer(Verdict.STORED)
        self.taken = []

    def __call__(self, raw, who):
        self.taken.append((raw, who))
        return self.answer


@pytest.fixture
def door():
    return Door()


@pytest.fixture
def folder(tmp_path, door):
    gate = Gate(GateOptions(min_free_bytes=1, min_free_share=0), tmp_path)
    found = Folder(FolderOptions(tmp_path / "lis", feed="county-lis", settle=0, max_file=1000), door, gate)
    found.prepare()
    return found


def put(folder, name, content=b"MSH|"):
    path = folder.inbox / name
    path.write_bytes(content)
    return path


def test_a_stored_file_moves_to_done(folder, door):
    put(folder, "a.hl7", b"bytes")
    assert folder.look() == 1
    assert [(raw, who.feed, who.peer) for raw, who in door.taken] == [(b"bytes", "county-lis", "a.hl7")]
    assert [path.name for path in folder.done.iterdir()] == ["a.hl7"]
    assert not list(folder.inbox.iterdir())


def test_a_refused_file_moves_to_failed_with_a_report(folder, door):
    door.answer = Answer(Verdict.REFUSED, reasons=("No MSH segment: is this an HL7 file?",))
    put(folder, "b.hl7")
    folder.look()
    assert sorted(path.name for path in folder.failed.iterdir()) == ["b.hl7", "b.hl7.report.txt"]
    assert "is this an HL7 file?" in (folder.failed / "b.hl7.report.txt").read_text()


def test_a_duplicate_is_done(folder, door):
    door.answer = Answer(Verdict.DUPLICATE)
    put(folder, "c.hl7")
    folder.look()
    assert (folder.done / "c.hl7").exists()


def test_a_store_that_cannot_answer_leaves_the_file(folder, door):
    door.answer = Answer(Verdict.UNAVAILABLE, reasons=("disk full",))
    path = put(folder, "d.hl7")
    assert folder.look() == 0
    assert path.exists()
    door.answer = Answer(Verdict.STORED)
    assert folder.look() == 1


def test_a_growing_file_is_left_until_it_stands_still(tmp_path, door):
    gate = Gate(GateOptions(min_free_bytes=1, min_free_share=0), tmp_path)
    folder = Folder(FolderOptions(tmp_path, settle=1e-6), door, gate)
    folder.prepare()
    path = put(folder, "e.hl7", b"half")
    assert folder.look() == 0
    path.write_bytes(b"half and half")
    assert folder.look() == 0
    assert folder.look() == 1
    assert door.taken[0][0] == b"half and half"


@pytest.mark.parametrize("name", [".hidden", "x.hl7.tmp", "x.PART", "x.filepart", "x~"])
def test_unfinished_names_are_left(folder, door, name):
    put(folder, name)
    assert folder.look() == 0
    assert not door.taken


def test_folders_and_links_are_left(folder, door):
    (folder.inbox / "sub").mkdir()
    (folder.inbox / "link.hl7").symlink_to("/dev/zero")
    assert folder.look() == 0


def test_a_taken_name_gets_a_number(folder, door):
    for _ in range(3):
        put(folder, "f.hl7")
        folder.look()
    assert sorted(path.name for path in folder.done.iterdir()) == ["f-2.hl7", "f-3.hl7", "f.hl7"]
    assert free_name(folder.done / "new.hl7") == folder.done / "new.hl7"


def test_a_giant_file_fails_unread(folder, door):
    put(folder, "g.hl7", b"x" * 1001)
    folder.look()
    assert not door.taken
    assert "1,001 bytes" in (folder.failed / "g.hl7.report.txt").read_text()


def test_nothing_is_taken_while_the_gate_is_shut(folder, door):
    folder._gate.reasons["disk"] = "full"
    put(folder, "h.hl7")
    assert folder.look() == 0


def test_a_file_that_cannot_be_moved_waits(folder, door, monkeypatch, caplog):
    path = put(folder, "i.hl7")
    monkeypatch.setattr(type(path), "rename", lambda *_: (_ for _ in ()).throw(PermissionError(13, "denied")))
    assert folder.look() == 0
    assert "denied" in caplog.text
    assert folder.counters.snapshot()["counts"] == {"files_waiting": 1}


def test_watches_until_stopped(folder, door, monkeypatch):
    monkeypatch.setattr("gateway.listeners.folder._POLL", 0.005)
    put(folder, "j.hl7")
    folder.start()
    for _ in range(400):
        if (folder.done / "j.hl7").exists():
            break
        folder._stopping.wait(0.01)
    folder.stop(5)
    assert (folder.done / "j.hl7").exists()


def test_a_fault_does_not_end_the_watch(folder, monkeypatch, caplog):
    monkeypatch.setattr("gateway.listeners.folder._POLL", 0.005)
    calls = []

    def look():
        calls.append(1)
        raise RuntimeError("odd")

    monkeypatch.setattr(folder, "look", look)
    folder.start()
    while len(calls) < 2:
        folder._stopping.wait(0.005)
    folder.stop(5)
    assert "could not be looked at" in caplog.text


def test_a_folder_that_cannot_be_made_is_named(tmp_path, door):
    (tmp_path / "file").write_text("")
    folder = Folder(FolderOptions(tmp_path / "file"), door, Gate(GateOptions(), tmp_path))
    with pytest.raises(GatewayError, match="cannot be made"):
        folder.prepare()


def test_a_file_that_vanishes_before_it_is_read_waits_for_nothing(folder, door, monkeypatch, caplog):
    path = put(folder, "k.hl7")
    found = folder._files()
    path.unlink()
    monkeypatch.setattr(folder, "_files", lambda: found)
    assert folder.look() == 0
    assert not door.taken
    assert "cannot be taken now" in caplog.text
