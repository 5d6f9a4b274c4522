"""Identity: who an incoming record is, asked of a store of --persons invented persons, and what linking costs ingest.

The store is filled with the records of `gateway simulate --population`, some 2.5 of each person at thirty sites; some
of them are held back and are the incoming ones. Of each the evidence is read, the candidates are found and every one of
them is decided, as the linker does; the yardstick is a read of one Patient by its id in the same store. Then laboratory
reports of 20 results come in, --known of them of persons whom the hospital knows by then, the others of new ones, whom
other sites know: with linking and without, in turn. What is compared is the processor time of the worker's process.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # the folder of this file would hide the standard csv

import argparse
import cProfile
import hashlib
import json
import os
import random
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple

import psutil

from benchmarks.messages import Reports
from gateway import settings, wiring
from gateway.identity import candidates, evidence
from gateway.identity.judging import judging
from gateway.identity.linker import AT, Fence, Linker, read
from gateway.search.scope import Scope
from gateway.simulate.population import TRUTH, populate
from gateway.store.values import NewVersion, Op

ALL = Scope.everything()
RESIDENT = "urn:oid:2.16.156.10011.1.3"
BATCH = 2000
_NUMBERED = re.compile(rb"\|B(\d+)\^")
Json = dict[str, Any]


class Record(NamedTuple):
    """One Patient of the population, and the site that keeps it."""

    site: str
    text: bytes

    @property
    def body(self) -> Json:
        found: Json = json.loads(self.text)
        return found


def main() -> None:
    """Run the benchmark and print one table."""
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as home:
        run = Run(asked, asked.store or Path(home))
        try:
            table = run.table()
        finally:
            run.stop()
    print(json.dumps(table, indent=1, ensure_ascii=False))


def _arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="sqlite", help="sqlite, or postgresql (a server is started)")
    parser.add_argument("--persons", type=int, default=1_000_000, help="invented persons whose records are stored")
    parser.add_argument("--asked", type=int, default=1000, help="records held back and asked for, in each of the runs")
    parser.add_argument("--runs", type=int, default=3, help="the median of so many is told")
    parser.add_argument(
        "--messages", type=int, default=1000, help="reports that come in, in each of the runs; 0 for none"
    )
    parser.add_argument("--known", type=float, default=0.7, help="share of the reports that are of known patients")
    parser.add_argument("--population", type=Path, help="folder of an earlier population, or where to keep a new one")
    parser.add_argument("--store", type=Path, help="folder of a store that an earlier run filled, or to keep one in")
    parser.add_argument("--profile", type=Path, help="write a profile of the matching and one of the linking there")
    return parser.parse_args(words)


class Run:
    """One store of the population, and what is measured on it."""

    def __init__(self, asked: argparse.Namespace, home: Path) -> None:
        self.asked = asked
        self.home = home
        self.server = None
        url = f"sqlite:///{home}/gateway.db"
        if asked.database == "postgresql":
            from tests.support import postgres  # noqa: PLC0415

            self.server = postgres.start({"fsync": "on", "full_page_writes": "on", "shared_buffers": "512MB"})
            url = self.server.create("bench")
        self.given: Json = {"data": str(home), "database": url, "insecure_local": True}
        self.gateway = wiring.open_gateway(settings.load(environment={}, **self.given), migrate=True)
        self.store = self.gateway.store
        self.judge, self.model = judging(self.gateway.settings.profiles)
        self.held: list[Record] = []
        self.counted: Counter[str] = Counter()

    def table(self) -> Json:
        """Fill the store and return the table of what was measured."""
        filled = self._filled()
        matches = self._matches()
        print(json.dumps(matches, indent=1), file=sys.stderr)  # the rest takes a while
        return {
            "database": self.asked.database,
            "persons": self.asked.persons,
            **filled,
            **matches,
            **(self._ingest() if self.asked.messages else {}),
            "memory MB of this process": round(psutil.Process().memory_full_info().uss / 1e6),
            "machine": f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}",
        }

    def stop(self) -> None:
        """Close the store and stop the server."""
        self.store.close()
        if self.server is not None:
            self.server.stop()

    # --- the store ----------------------------------------------------------------------------------------------------

    def _filled(self) -> Json:
        """Fill the store, unless an earlier run did, and return what is told of it."""
        folder = self.asked.population or self.home / "population"
        if not (folder / TRUTH).exists():
            populate(folder, persons=self.asked.persons, seed=5)
        chance, note = random.Random(5), self.home / "filled.json"
        total = sum(1 for _ in records(folder))
        if self._wanted() > total // 4:
            sys.exit(f"{total} records are too few to hold back {self._wanted()}: take more persons, or ask for fewer")
        held = set(chance.sample(range(total), self._wanted()))
        kept, started = self._apart(iter(records(folder)), held), time.monotonic()
        if note.exists():
            for _ in kept:
                pass
        else:
            while batch := list(islice(kept, BATCH)):
                self._put(batch)
            self._skip()
            self.store.checkpoint()
            records_, keys = self.counted["records"], self.counted["keys"]
            told = {"records": records_, "keys a record": round(keys / records_, 1)}
            told |= {"bytes a record, all tables": round(sum(self.store.sizes().values()) / records_)}
            note.write_text(json.dumps(told | {"filled in s": round(time.monotonic() - started)}), "utf-8")
        chance.shuffle(self.held)
        found: Json = json.loads(note.read_text("utf-8"))
        return found

    def _wanted(self) -> int:
        fresh = round(self.asked.messages * (1 - self.asked.known)) * (2 * self.asked.runs + 2)
        return int(self.asked.asked * self.asked.runs + fresh + 100)

    def _apart(self, stored: Iterator[Record], held: set[int]) -> Iterator[Record]:
        for number, record in enumerate(stored):
            if number in held:
                self.held.append(record)
            else:
                yield record

    def _put(self, batch: Sequence[Record]) -> None:
        with self.store.write() as tx:
            pids = tx.allocate(len(batch))
            versions = [_version(pid, record) for pid, record in zip(pids, batch, strict=True)]
            tx.put(versions)
            found = {pid: read(stored) for pid, stored in tx.current(pids).items()}
            told = [one.stored(pid, one.keys()) for pid, one in found.items()]
            tx.evidence_put(told)
        self.counted["records"] += len(batch)
        self.counted["keys"] += sum(len(one.keys) for one in told)

    # --- who is it? ---------------------------------------------------------------------------------------------------

    def _matches(self) -> Json:
        asked = [self.held[n * self.asked.asked : (n + 1) * self.asked.asked] for n in range(self.asked.runs)]
        for record in self.held[-100:]:
            self._match(record)
        self.counted.clear()
        with _profiled(self.asked.profile, "matching"):
            runs = [_timed(each, self._match) for each in asked]
            used = [_timed(each, self._match, time.thread_time) for each in asked]
        last = self._last_pid()
        some = [random.Random(7).randrange(1, last) for _ in range(self.asked.asked)]
        reads = _timed([self._name(pid) for pid in some], lambda fid: self.store.resources.read("Patient", fid, ALL))
        count = 2 * sum(len(each) for each in asked)
        one_read = statistics.median(reads)
        return {
            "match ms p50 p95 p99": _marks(runs),
            "processor ms of it p50 p95 p99": _marks(used),
            "match ms max": round(max(max(each) for each in runs) * 1000, 1),
            "a read by id ms (yardstick)": round(one_read * 1000, 3),
            "match p50 in reads": round(statistics.median(map(statistics.median, runs)) / one_read, 1),
            "candidates mean, most": [round(self.counted["candidates"] / count, 1), self.counted["most"]],
            "found the same, for review, nobody": [
                round(self.counted[word] / count, 3) for word in ("same", "review", "nobody")
            ],
            "blocks cut": self.counted["cut"],
        }

    def _match(self, record: Record) -> None:
        sought = evidence.of_patient(record.body, record.site)
        with self.store.read() as tx:
            found = candidates.match(tx, sought, ALL, self.judge)
        verdicts = {decision.verdict.value for _, decision in found.found}
        self.counted[next((word for word in ("same", "review") if word in verdicts), "nobody")] += 1
        self.counted["candidates"] += len(found.found)
        self.counted["most"] = max(self.counted["most"], len(found.found))
        self.counted["cut"] += len(found.cut)

    def _last_pid(self) -> int:
        with self.store.read() as tx:
            return tx.last_pid()

    def _name(self, pid: int) -> str:
        with self.store.read() as tx:
            return tx.heads_by_pid([pid])[pid].fid

    # --- what linking costs -------------------------------------------------------------------------------------------

    def _ingest(self) -> Json:
        """Work off reports with linking and without in turn, and return what the worker's process used for each."""
        used: dict[bool, list[float]] = {True: [], False: []}
        linking: list[float] = []
        patients = iter(self.held[self.asked.asked * self.asked.runs :])
        with _profiled(self.asked.profile, "ingest"):
            for turn in range(2 * self.asked.runs + 2):
                linked = bool(turn % 2)
                messages = self._messages(patients, turn)
                seconds, inside = self._work(messages, linked=linked)
                if turn > 1:  # the first two read definitions and fill caches
                    used[linked].append(seconds / len(messages))
                    linking += [inside / seconds] if linked else []
        off, on = statistics.median(used[False]), statistics.median(used[True])
        return {
            "reports of 20 results, share of new patients": [self.asked.messages, round(1 - self.asked.known, 2)],
            "processor ms a report, linking off": round(off * 1000, 2),
            "processor ms a report, linking on": round(on * 1000, 2),
            "cost of linking, % of the line": round((on - off) / off * 100, 1),
            "of it in the linker itself, %": round(statistics.median(linking) * 100, 1),
        }

    def _messages(self, patients: Iterator[Record], turn: int) -> list[bytes]:
        """Return reports of patients whom the hospital meets for the first time in them, and again and again."""
        fresh = list(islice(patients, round(self.asked.messages * (1 - self.asked.known))))
        segments = [_pid(record.body, f"{turn}-{number}").encode() for number, record in enumerate(fresh)]
        found = []
        for report in islice(Reports(seed=turn + 1, patients=len(fresh)), self.asked.messages):
            lines = report.split(b"\r")
            lines[1] = segments[int(_NUMBERED.search(lines[1])[1])]  # type: ignore[index]  # it is always there
            found.append(b"\r".join(lines))
        return found

    def _work(self, messages: list[bytes], *, linked: bool) -> tuple[float, float]:
        """Return processor seconds of working off messages, and those of them that were spent in the linker."""
        gateway = wiring.Gateway(
            settings.load(environment={}, **self.given, linking=linked), self.gateway.catalog, self.store
        )
        with gateway.taking("bench") as take:
            for message in messages:
                take(message, "generic", "127.0.0.1")
        worker, clock = gateway.worker("bench"), Clock()
        with clock:
            while worker.step():
                pass
        self._skip()  # what was not linked now is not to be linked in the next turn
        return clock.whole, clock.inside

    def _skip(self) -> None:
        with self.store.write() as tx:
            tx.cursor_set(AT, int(tx.session.value("SELECT coalesce(max(seq), 0) FROM change")))


class Clock:
    """Processor time of this process while the block lasts, and how much of it the linker's steps took."""

    def __init__(self) -> None:
        self.whole = self.inside = 0.0

    def __enter__(self) -> None:
        self._step, clock = Linker.step, self

        def step(linker: Linker, fence: Fence) -> int:
            begun = time.process_time()
            try:
                return clock._step(linker, fence)
            finally:
                clock.inside += time.process_time() - begun

        Linker.step = step  # type: ignore[assignment, method-assign]
        self._begun = time.process_time()

    def __exit__(self, *_: object) -> None:
        self.whole = time.process_time() - self._begun
        Linker.step = self._step  # type: ignore[method-assign]


def records(folder: Path) -> Iterator[Record]:
    """Yield the records of a population, site by site."""
    for file in sorted(folder.glob("*.ndjson")):
        if file.name != TRUTH:
            with file.open("rb") as lines:
                yield from (Record(file.stem, line) for line in lines)


def _version(pid: int, record: Record) -> NewVersion:
    digest = hashlib.blake2b(record.text, digest_size=16).digest()
    return NewVersion(
        pid=pid, ver=1, type="Patient", fid=record.body["id"], op=Op.CREATE, body=record.text, digest=digest,
        site=record.site, updated_us=pid, patient_pid=pid,
    )  # fmt: skip


def _pid(body: Json, number: str) -> str:
    """Return the PID segment of a Patient as the generic feed reads it: a number of the hospital, the ID where told."""
    resident = next((one["value"] for one in body.get("identifier", ()) if one["system"] == RESIDENT), "")
    name = body.get("name", [{}])[0].get("text", "")
    birth, sex = body.get("birthDate", "").replace("-", ""), body.get("gender", "")[:1].upper()
    phone = next((one["value"] for one in body.get("telecom", ())), "")
    address = next((one.get("text", "") for one in body.get("address", ())), "")
    numbers = f"N{number}^^^^LocalID" + (f"~{resident}^^^^IdentifyNO" if resident else "")
    return f"PID|1||{numbers}||{name}||{birth}|{sex}|||{address}||{phone}"


def _timed(
    asked: Sequence[Any], answer: Callable[[Any], object], clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Return the seconds each answer took by a clock, which may be that of the processor."""
    times = []
    for one in asked:
        start = clock()
        answer(one)
        times.append(clock() - start)
    return times


def _marks(runs: Sequence[Sequence[float]]) -> list[float]:
    """Return the medians over the runs of p50, p95 and p99 in ms."""
    marks = [[sorted(each)[int(len(each) * part)] for each in runs] for part in (0.5, 0.95, 0.99)]
    return [round(statistics.median(each) * 1000, 2) for each in marks]


@contextmanager
def _profiled(folder: Path | None, name: str) -> Iterator[None]:
    """Write a profile of the block where a folder is given; the times are then too long."""
    if folder is None:
        yield
        return
    profile = cProfile.Profile()
    with profile:
        yield
    folder.mkdir(parents=True, exist_ok=True)
    profile.dump_stats(folder / f"{name}.prof")


if __name__ == "__main__":
    main()
