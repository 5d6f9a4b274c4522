"""A store with a real worker process that tests kill, senders in this process, and the promises I1 to I6 as a check."""

import hashlib
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

from gateway import settings, wiring
from gateway.record import fsck
from gateway.store.values import Arrival, State, Stored, WorkFilter, WorkRow
from tests.faults.harness import STARTED
from tests.support.county import ROOT, hl7, lab, msh, pid

KILLED = -signal.SIGKILL


def messages(sender: int, count: int, *, patients: int = 5) -> list[bytes]:
    """Return what one sender sends: turn by turn a changed name and a report of two results, of its own patients."""
    made = []
    for n in range(count):
        number, control = f"S{sender}P{n % patients}", f"S{sender}M{n}"
        if n % 2:
            made.append(lab(control, f"R{control}", ("GLU", f"5.{n}"), ("K", "3.5"), patient=number))
        else:
            made.append(
                hl7(msh(control, time=f"20260105{n // 3600:02d}{n // 60 % 60:02d}{n % 60:02d}"), pid(number, f"名{n}"))
            )
    return made


class Site:
    """One store; `start` gives it a worker process, `send` feeds it, `violations` holds it against the promises."""

    def __init__(self, folder: Path, url: str = "", **given: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        database = url or f"sqlite:///{folder / 'gateway.db'}"
        chosen = {"data": str(folder), "database": database, "insecure_local": True, "batch_size": 16, **given}
        self.settings = settings.load(environment={}, **chosen)
        self.gateway = wiring.open_gateway(self.settings, migrate=True)
        self.store = self.gateway.store
        self.process: subprocess.Popen[bytes] | None = None
        self.sent: list[bytes] = []
        self.answers: Counter[str] = Counter()
        self._lock = threading.Lock()

    def start(self, failpoint: str = "", **environment: str) -> subprocess.Popen[bytes]:
        """Start the worker process of `gateway serve`, to be killed at a failpoint if one is named."""
        variables = {**self.settings.environment(), "GATEWAY_FAILPOINT": failpoint, **environment}
        with (self.folder / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "gateway", "_worker"]
            self.process = subprocess.Popen(command, env=variables, cwd=ROOT, stdout=log, stderr=log)
        STARTED.append(self.process)
        return self.process

    def killed(self, failpoint: str) -> None:
        """Run a worker until it kills itself at a failpoint."""
        assert self.start(failpoint).wait(120) == KILLED, self.log()

    def stop(self) -> None:
        """End the worker in an orderly way and close the store."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(30) == 0, self.log()
        self.store.close()

    def log(self) -> str:
        path = self.folder / "worker.log"
        return path.read_text(encoding="utf-8", errors="replace")[-3000:] if path.exists() else ""

    def send(self, raws: list[bytes]) -> None:
        """Store messages one by one through the intake, as a listener does for one connection."""
        with self.gateway.taking("test") as take:
            for raw in raws:
                verdict = take(raw, "", "127.0.0.1").verdict.value
                with self._lock:
                    self.answers[verdict] += 1
                    self.sent.append(raw)

    def senders(self, number: int, count: int) -> list[threading.Thread]:
        """Start `number` senders of `count` messages each."""
        threads = [threading.Thread(target=self.send, args=(messages(n, count),), daemon=True) for n in range(number)]
        for thread in threads:
            thread.start()
        return threads

    def drained(self, seconds: float = 60) -> None:
        """Wait until no item waits for a worker (I4)."""
        limit = time.monotonic() + seconds
        while self.waiting():
            assert self.process is not None
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < limit, f"{self.waiting()} still waiting: {self.log()}"
            time.sleep(0.05)

    def waiting(self) -> int:
        """Return how many messages were stored but neither applied nor set aside."""
        counts = self.store.work.counts()
        parked = any(number for (_, state), number in counts.items() if state == State.PARKED)
        under_way = {State.QUEUED, State.RETRY} | (set() if parked else {State.HELD})
        open_ = sum(number for (_, state), number in counts.items() if state in under_way)
        with self.store.read() as tx:
            return open_ + self.store.inbox.last_id() - tx.cursor("arrivals")

    def rows(self) -> list[WorkRow]:
        """Return every item in inbox order."""
        found: list[WorkRow] = []
        while page := self.store.work.list(WorkFilter(before_id=found[-1].item_id if found else 0, limit=1000)):
            found += page
        return found[::-1]

    def arrivals(self) -> list[Arrival]:
        """Return every arrival in inbox order."""
        found: list[Arrival] = []
        while page := self.store.inbox.unpicked(found[-1].id if found else 0, 1000):
            found += page
        return found

    def violations(self, *, deep: bool = True) -> list[str]:
        """Hold the store against the promises; `deep` lets fsck read every byte, version and search row."""
        rows = self.rows()
        found = [*_kept(self.sent, self.arrivals()), *_stuck(rows), *_order(rows)]
        if deep:
            found += [*self._effects(), *(str(one) for step in fsck.check(self.store) for one in step.findings)]
        return found

    def _effects(self) -> list[str]:
        """I2: each message changed each resource once at most; I3: versions follow each other in inbox order."""
        wrong = []
        with self.store.read() as tx:
            versions = [tx.versions(number) for number in range(1, tx.last_pid() + 1)]
        for history in versions:
            wrong += _history(history)
        return wrong

    def count(self, kind: str) -> int:
        """Return how many current resources of a type there are."""
        with self.store.read() as tx:
            return sum(stored.type == kind for stored in tx.current(range(1, tx.last_pid() + 1)).values())


def _kept(sent: list[bytes], arrivals: list[Arrival]) -> list[str]:
    """I1 and I5: what was answered is in the inbox once, byte for byte."""
    stored = Counter(arrival.digest for arrival in arrivals)
    wrong = [f"I1 {raw[:60]!r} is not in the inbox" for raw in sent if not stored[hashlib.sha256(raw).digest()]]
    return wrong + [f"I2 {number} arrivals of one message" for number in stored.values() if number > 1]


def _stuck(rows: list[WorkRow]) -> list[str]:
    """I4: every item came to an end; of one arrival every message has a row."""
    return [f"I4 item {row.item_id} is {row.state.name} {row.reason}" for row in rows if row.state != State.APPLIED]


def _order(rows: list[WorkRow]) -> list[str]:
    """I3: within a lane items were applied in inbox order."""
    lanes: defaultdict[int, list[WorkRow]] = defaultdict(list)
    for row in rows:
        if row.applied_us is not None:
            lanes[row.lane].append(row)
    return [
        f"I3 item {later.item_id} was applied before {earlier.item_id} of its lane"
        for lane in lanes.values()
        for earlier, later in itertools.pairwise(lane)
        if (later.applied_us or 0) < (earlier.applied_us or 0)
    ]


def _history(history: list[Stored]) -> list[str]:
    name = f"{history[0].type}/{history[0].fid}" if history else ""
    items = [version.item_id or 0 for version in history]
    wrong = [] if len(set(items)) == len(items) else [f"I2 {name} was changed twice by one message"]
    if items != sorted(items) or [one.seq for one in history] != sorted(one.seq for one in history):
        wrong.append(f"I3 the versions of {name} are not in inbox order")
    return wrong


def batch_file(name: str, count: int) -> bytes:
    """Return a batch file of many messages, each of a patient of its own."""
    body = b"".join(hl7(msh(f"{name}-{n}"), pid(f"{name}P{n}")) for n in range(count))
    head = b"FHS|^~\\&|HIS|QHXRMYY\rBHS|^~\\&|HIS|QHXRMYY\r"
    return head + body + f"BTS|{count}\rFTS|1\r".encode()


def chance(seed: str) -> random.Random:
    """Return a source of chance that is the same in every run, unless FAULTS_SEED says otherwise."""
    return random.Random(os.environ.get("FAULTS_SEED", "") + seed)
