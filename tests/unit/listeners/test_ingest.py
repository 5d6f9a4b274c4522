import threading

import pytest

from gateway.errors import GatewayError
from gateway.listeners import ingest as module
from gateway.listeners.ingest import files, ingest
from gateway.listeners.values import Answer, Verdict


class Slow:
    """Stands in for the intake: answers on a thread of its own, and counts what is under way."""

    def __init__(self):
        self.under_way = self.most = 0
        self.feeds = []
        self.lock = threading.Lock()

    def submit(self, raw, who, done, later=None):
        with self.lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self.feeds.append(who.feed)
        threading.Timer(0.002, self._answer, (raw, done)).start()

    def _answer(self, raw, done):
        with self.lock:
            self.under_way -= 1
        word = raw.decode()
        if word == "stored":
            done(Answer(Verdict.STORED, messages=2))
        elif word == "duplicate":
            done(Answer(Verdict.DUPLICATE))
        else:
            done(Answer(Verdict(word), reasons=("because",)))


def make(folder, *words):
    for number, word in enumerate(words):
        (folder / f"{number}.hl7").write_text(word)


def test_files_and_folders_are_taken_in_order_without_hidden_ones(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("z.hl7", "a.hl7", ".hidden", "b/c.hl7", ".git/x"):
        (tmp_path / name).write_text("")
    found = [path.relative_to(tmp_path).as_posix() for path in files([tmp_path / "z.hl7", tmp_path])]
    assert found == ["z.hl7", "a.hl7", "z.hl7", "b/c.hl7"]


def test_the_report_counts_everything_and_names_faults(tmp_path):
    make(tmp_path, "stored", "stored", "duplicate", "refused", "unavailable")
    seen = []
    intake = Slow()
    report = ingest(
        intake, [tmp_path], feed="his", progress=lambda report, path, answer: seen.append((report.files, path.name))
    )
    assert (report.files, report.stored, report.duplicates, report.messages) == (5, 2, 1, 4)
    assert sorted((path.name, text) for path, text in report.faults) == [("3.hl7", "because"), ("4.hl7", "because")]
    assert report.bytes == len("storedstoredduplicaterefusedunavailable")
    assert [number for number, _ in seen] == [1, 2, 3, 4, 5]
    assert set(intake.feeds) == {"his"}


def test_only_so_much_is_under_way(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_UNDER_WAY", 3)
    make(tmp_path, *["stored"] * 20)
    intake = Slow()
    assert ingest(intake, [tmp_path]).stored == 20
    assert intake.most <= 3


def test_a_large_file_goes_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_PAUSE_BYTES", 1)
    make(tmp_path, *["stored"] * 4)
    intake = Slow()
    ingest(intake, [tmp_path])
    assert intake.most == 1


def test_a_path_that_is_not_there_stops_before_anything_is_taken(tmp_path):
    make(tmp_path, "stored")
    intake = Slow()
    with pytest.raises(GatewayError, match=r"no file or folder .*gone"):
        ingest(intake, [tmp_path, tmp_path / "gone"])
    assert intake.feeds == []


def test_a_file_that_cannot_be_read_is_a_fault_and_the_rest_goes_on(tmp_path):
    make(tmp_path, "stored")
    (tmp_path / "1.hl7").symlink_to(tmp_path / "nowhere")
    report = ingest(Slow(), [tmp_path])
    assert report.stored == 1
    assert "cannot be read" in report.faults[0][1]
