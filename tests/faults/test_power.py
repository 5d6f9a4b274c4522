"""F3 and F19: what survives a power cut, and that no answer leaves before its row is on the disk.

The receiver runs under strace; the disk is rebuilt from the recorded calls as a power cut could leave it.
"""

import random
import shutil

import pytest

from tests.faults import trace
from tests.faults.harness import Ledger, Receiver, check, join, run_senders

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        shutil.which("strace") is None,
        reason="NOT TESTED AGAINST POWER LOSS: strace is not installed (apt-get install strace)",
    ),
]


class Recorded:
    """One run of a receiver, every write and sync of it, and its files before it began."""

    def __init__(self, folder, *, connections, messages, synchronous=""):
        self.folder = folder / "run"
        self.folder.mkdir()
        Receiver(self.folder).start().stop()
        self.before = {path.name: path.read_bytes() for path in self.folder.iterdir() if path.suffix == ".db"}
        receiver = Receiver(self.folder, wrapper=trace.wrapper(folder / "trace"), synchronous=synchronous).start()
        self.ledger = Ledger(folder / "ledger")
        join(run_senders(receiver, self.ledger, connections=connections, messages=messages), 240)
        receiver.kill()
        self.calls = trace.parse((folder / "trace").read_text())
        self.answers = trace.answers(self.calls)
        assert {control_id for control_id, _ in self.answers} == set(self.ledger.sent)

    def cut(self, line, place, chance=None):
        """Rebuild the disk as of trace line `line` in `place` and hold it against what was answered by then."""
        place.mkdir()
        for name, content in self.before.items():
            (place / name).write_bytes(content)
        for name, content in trace.synced(self.calls, self.folder, line, chance).items():
            if name.endswith((".db", "-wal")) and (content or name.endswith("-wal")):
                (place / name).write_bytes(content)
        ledger = Ledger(place / "ledger")
        ledger.sent = dict(self.ledger.sent)
        ledger.answered = {control_id: "AA" for control_id, call in self.answers if call.begun <= line}
        return check(place, ledger)


def cuts(recorded, place, number, seed):
    """Cut the power at random moments; return violations in all, and how many messages had been answered in all."""
    chance = random.Random(seed)
    last = max(call.done for call in recorded.calls)
    violations = 0
    for run in range(number):
        moment = chance.randint(recorded.answers[0][1].begun, last)
        torn = chance if run % 2 else None
        violations += recorded.cut(moment, place / str(run), torn).violations
        shutil.rmtree(place / str(run))
    return violations


def test_power_loss(tmp_path, report):
    recorded = Recorded(tmp_path, connections=4, messages=60)
    (tmp_path / "cuts").mkdir()
    violations = cuts(recorded, tmp_path / "cuts", 200, 3)
    report(f"F3  200 power cuts at random moments of 240 messages: {violations} violations")
    assert violations == 0


def test_power_loss_is_seen_when_commits_are_not_synced(tmp_path, report):
    recorded = Recorded(tmp_path, connections=4, messages=60, synchronous="NORMAL")
    (tmp_path / "cuts").mkdir()
    violations = cuts(recorded, tmp_path / "cuts", 20, 3)
    report(f"F3  negative control (synchronous=NORMAL), 20 cuts: {violations} messages lost, as must be")
    assert violations > 0


def uncovered(recorded):
    """Return the answers that left before a sync that covers their row, and the number of syncs."""
    log = f"{recorded.folder}/inbox.db-wal"
    writes = [call for call in recorded.calls if call.path == log and call.name == "pwrite64"]
    syncs = [call for call in recorded.calls if call.path == log and call.name == "fdatasync"]
    early = []
    for control_id, answer in recorded.answers:
        row = next(call for call in writes if f"|{control_id}|".encode() in call.data)
        if not any(row.done < sync.begun and sync.done < answer.begun for sync in syncs):
            early.append(control_id)
    return early, len(syncs)


def test_every_answer_follows_a_sync_that_covers_its_row(tmp_path, report):
    recorded = Recorded(tmp_path, connections=5, messages=100)
    early, syncs = uncovered(recorded)
    report(f"F19 500 answers, {syncs} syncs of the inbox's log: {len(early)} answers before their sync")
    assert early == []


def test_answers_before_their_sync_are_seen(tmp_path, report):
    recorded = Recorded(tmp_path, connections=5, messages=20, synchronous="NORMAL")
    early, syncs = uncovered(recorded)
    report(f"F19 negative control (synchronous=NORMAL), 100 answers, {syncs} syncs: {len(early)} early, as must be")
    assert early
