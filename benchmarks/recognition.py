"""Recognition: from an order to its advice, asked of a store of --results laboratory results, in one process.

The store holds invented patients with reports of 20 results of the county hospital and now and then a chest CT; every
second patient has a second record at the township centre, linked to the first. Then orders of random patients are asked
one after another as $recognise answers them, Parameters in and Parameters out: look-up in the reader's scope, gates,
audit trail. The processor time of all threads is told beside the time that passes; the yardsticks are a read of one
Patient by its id and the commit of one row of the audit trail.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # the folder of this file would hide the standard csv

import argparse
import hashlib
import json
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import psutil

from gateway import clock, settings, wiring
from gateway.access.actor import Actor
from gateway.fhir import resource, temporal
from gateway.hooks import Call
from gateway.record import trail
from gateway.search import extract
from gateway.search.scope import Scope
from gateway.store import index
from gateway.store.values import NewLink, NewVersion, Op

Json = dict[str, Any]
HOSPITAL, CENTRE = "county-hospital", "township-centre"
LAB = f"https://yigong.example/fhir/CodeSystem/{HOSPITAL}/lab-item"
PICTURES = f"https://yigong.example/fhir/CodeSystem/{HOSPITAL}/imaging-item"
PANELS = {
    "3001": ["WBC", "RBC", "HGB", "HCT", "PLT", "MCV", "MCH", "MCHC", "NEUT", "LYMPH", "MONO", "EO", "BASO", "MPV",
             "PDW", "RDWCV", "NEUTP", "LYMPHP", "MONOP", "CRP"],
    "3002": ["ALT", "AST", "GLU", "BUN", "CR", "UA", "K", "NA", "TC", "TG", "HDL", "LDL", "HBA1C", "PCT", "CRP",
             "X1", "X2", "X3", "X4", "X5"],
}  # fmt: skip
ORDERS = [(LAB, "K"), (LAB, "GLU"), (LAB, "HBA1C"), (LAB, "3001"), (LAB, "3002"), (PICTURES, "CT0102"), (LAB, "CR")]
OF_REPORT = 20
BATCH = 100
_DAY_US = 86_400_000_000


def main() -> None:
    """Run the benchmark and print one table."""
    asked = _arguments()
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as home:
        run = Run(asked, Path(home))
        try:
            table = run.table()
        finally:
            run.stop()
    print(json.dumps(table, indent=1, ensure_ascii=False))


def _arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="sqlite", help="sqlite, or postgresql (a server is started)")
    parser.add_argument("--results", type=int, default=1_000_000, help="Observations in the store before asking")
    parser.add_argument("--each", type=int, default=60, help="results of a patient, on average")
    parser.add_argument("--asked", type=int, default=1000, help="orders in each of the runs")
    parser.add_argument("--runs", type=int, default=3, help="the median of so many is told")
    return parser.parse_args(words)


class Run:
    """One store, and what is measured on it."""

    def __init__(self, asked: argparse.Namespace, home: Path) -> None:
        self.asked = asked
        self.server = None
        url = f"sqlite:///{home}/gateway.db"
        if asked.database == "postgresql":
            from tests.support import postgres  # noqa: PLC0415

            self.server = postgres.start({"fsync": "on", "full_page_writes": "on", "shared_buffers": "512MB"})
            url = self.server.create("bench")
        chosen = settings.load(environment={}, data=str(home), database=url, insecure_local=True)
        self.gateway = wiring.open_gateway(chosen, migrate=True)
        self.store = self.gateway.store
        (self.recognise,) = (one for one in self.gateway.operations() if one.name == "$recognise")
        self.actor = Actor("dr", "TREAT", Scope(sites=frozenset({HOSPITAL, CENTRE})), CENTRE)
        self.patients = max(asked.results // asked.each, 1)
        self.counted: Counter[str] = Counter()

    def table(self) -> Json:
        """Fill the store and return the table of what was measured."""
        begun = time.monotonic()
        self._fill()
        filled = time.monotonic() - begun
        return {
            "database": self.asked.database,
            "results": self.asked.results,
            "patients": self.patients,
            "filled in s": round(filled),
            **self._measured(),
            "memory MB of this process": round(psutil.Process().memory_full_info().uss / 1e6),
            "machine": f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}",
        }

    def stop(self) -> None:
        """Close the store and stop the server."""
        self.store.close()
        if self.server is not None:
            self.server.stop()

    # --- the store ----------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        chance = random.Random(7)
        people = _people(self.patients, chance)
        for groups in (people, _reports(self.asked.results // OF_REPORT, self.patients, chance)):
            while some := list(islice(groups, BATCH)):
                self._put(one for group in some for one in group)
        if self.gateway.store.is_sqlite:
            self.store.checkpoint()

    def _put(self, given: Iterable[tuple[str, Json]]) -> None:
        told = list(given)
        with self.store.write() as tx:
            pids = list(tx.allocate(len(told)))
            tx.put([_version(pid, site, body) for pid, (site, body) in zip(pids, told, strict=True)])
            index.replace(tx, [_entry(pid, body) for pid, (_, body) in zip(pids, told, strict=True)])
            people = {body["id"]: pid for pid, (_, body) in zip(pids, told, strict=True) if body["id"][0] in "ht"}
            pairs = [(people[f"h{fid[1:]}"], pid) for fid, pid in people.items() if fid[0] == "t"]
            evidence = json.dumps({"grade": "certain"})
            tx.links_add([NewLink("same", min(pair), max(pair), "active", 1, evidence) for pair in pairs])

    # --- the questions ------------------------------------------------------------------------------------------------

    def _measured(self) -> Json:
        chance = random.Random(11)
        runs: list[list[float]] = []
        used: list[float] = []
        for turn in range(self.asked.runs + 1):
            orders = [self._order(chance) for _ in range(self.asked.asked if turn else 100)]
            self.counted.clear()
            spent = time.process_time()
            times = [_timed(partial(self._ask, call)) for call in orders]
            if turn:
                runs.append(times)
                used.append((time.process_time() - spent) / len(times))
        told = self.counted.total()
        reads = [_timed(self._read) for _ in range(300)]
        commits = [_timed(lambda: trail.note(self.store, self.actor, "benchmark")) for _ in range(300)]
        return {
            "order to advice ms p50 p95 p99": _marks(runs),
            "processor ms of it, mean": round(statistics.median(used) * 1000, 2),
            "max ms": round(max(max(each) for each in runs) * 1000, 1),
            "outcomes": {code: round(count / told, 3) for code, count in self.counted.most_common()},
            "a read by id ms p50 (yardstick)": round(statistics.median(reads) * 1000, 3),
            "a commit of the audit trail ms p50 p95 p99": _marks([commits]),
        }

    def _order(self, chance: random.Random) -> Call:
        """Return an order of the township centre for a random patient, half of them by its own record."""
        patient = chance.randrange(self.patients)
        fid = f"t{patient}" if patient % 2 and chance.random() < 0.5 else f"h{patient}"
        system, code = chance.choice(ORDERS)
        body = {"resourceType": "ServiceRequest", "status": "draft", "intent": "order",
                "code": {"coding": [{"system": system, "code": code}]}}  # fmt: skip
        return Call(self.actor, "Patient", fid, {"resourceType": "Parameters", "parameter": [
            {"name": "order", "resource": body}]}, "http://127.0.0.1/fhir")  # fmt: skip

    def _ask(self, call: Call) -> None:
        answer = self.recognise.run(call)
        parts = answer["parameter"][-1]["part"]
        self.counted[next(one["valueCode"] for one in parts if one["name"] == "code")] += 1

    def _read(self) -> None:
        self.store.resources.read("Patient", f"h{random.Random().randrange(self.patients)}", self.actor.scope)


def _people(patients: int, chance: random.Random) -> Iterator[list[tuple[str, Json]]]:
    """Yield patients of the hospital; every second one has a record at the township centre too."""
    for number in range(patients):
        body = {
            "resourceType": "Patient",
            "name": [{"text": f"张{number}"}],
            "birthDate": f"19{chance.randrange(10, 99)}",
        }
        second = [(CENTRE, body | {"id": f"t{number}"})] if number % 2 else []
        yield [(HOSPITAL, body | {"id": f"h{number}"}), *second]


def _reports(count: int, patients: int, chance: random.Random) -> Iterator[list[tuple[str, Json]]]:
    """Yield reports with their results, of the last 60 days; every twentieth has pictures with a report beside it."""
    now = clock.now_us()
    for number in range(count):
        subject = {"reference": f"Patient/h{chance.randrange(patients)}"}
        when = temporal.instant(now - chance.randrange(60 * _DAY_US), temporal.fixed_zone(8))
        panel = chance.choice(list(PANELS))
        common = {"status": "final", "subject": subject, "effectiveDateTime": when}
        values = [_value(f"o{number}-{n}", code, common, chance) for n, code in enumerate(PANELS[panel])]
        told = [{"reference": f"Observation/{one['id']}"} for one in values]
        report = {"resourceType": "DiagnosticReport", "id": f"r{number}", "code": _code(LAB, panel), "result": told}
        made = [*values, report | common, *(_pictures(number, common) if number % 20 == 0 else [])]
        yield [(HOSPITAL, one) for one in made]


def _value(fid: str, code: str, common: Json, chance: random.Random) -> Json:
    unit = {"K": "mmol/L", "GLU": "mmol/L", "HBA1C": "%", "CR": "umol/L"}.get(code, "1")
    quantity = {
        "value": round(chance.uniform(3, 6), 1),
        "unit": unit,
        "system": "http://unitsofmeasure.org",
        "code": unit,
    }
    told = {"resourceType": "Observation", "id": fid, "code": _code(LAB, code), "valueQuantity": quantity}
    return told | common | {"referenceRange": [{"text": "3-6"}]}


def _pictures(number: int, common: Json) -> list[Json]:
    names = {"imagingStudy": [{"reference": f"ImagingStudy/s{number}"}], "code": _code(PICTURES, "CT0103")}
    where = [{"reference": f"Endpoint/e{number}"}]
    modality = [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}]
    return [
        {"resourceType": "Endpoint", "id": f"e{number}", "status": "active", "address": f"http://127.0.0.1/{number}"},
        {"resourceType": "ImagingStudy", "id": f"s{number}", "status": "available", "subject": common["subject"],
         "started": common["effectiveDateTime"], "modality": modality, "endpoint": where},
        {"resourceType": "DiagnosticReport", "id": f"x{number}", **names, **common},
    ]  # fmt: skip


def _code(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def _entry(pid: int, body: Json) -> index.Entry:
    return (pid, body["resourceType"], extract.rows(body, body["resourceType"]), True)


def _version(pid: int, site: str, body: Json) -> NewVersion:
    text = resource.dumps(body)
    digest = hashlib.blake2b(text, digest_size=16).digest()
    return NewVersion(
        pid=pid, ver=1, type=body["resourceType"], fid=body["id"], op=Op.CREATE, body=text, digest=digest, site=site,
        updated_us=pid,
    )  # fmt: skip


def _timed(answer: Callable[[], object]) -> float:
    start = time.perf_counter()
    answer()
    return time.perf_counter() - start


def _marks(runs: Sequence[Sequence[float]]) -> list[float]:
    """Return the medians over the runs of p50, p95 and p99 in ms."""
    marks = [[sorted(each)[int(len(each) * part)] for each in runs] for part in (0.5, 0.95, 0.99)]
    return [round(statistics.median(each) * 1000, 2) for each in marks]


if __name__ == "__main__":
    main()
