"""A seeded record and the application over it: one patient with eight results, a merged and a deleted one."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from gateway import settings
from gateway.mapping.draft import Merge
from gateway.mapping.feeds import Feed, FeedBook
from gateway.store.engine import Store
from gateway.store.values import AliasKey, NewVersion, Op, State, WorkRow, item_id
from gateway.web.app import Parts, create
from gateway.web.intake import Taken
from tests.unit.record.make import DAY_US, START_US, draft, key, observation, patient, plans, told

LOCAL = "http://127.0.0.1:8000"
POTASSIUM = {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]}
HISTORY = 4  # versions of the first result


@dataclass
class Web:
    """The application, its store, and the ids of what was seeded."""

    app: FastAPI
    store: Store
    data: Path
    patient: str = ""
    results: list[str] = field(default_factory=list)
    taken: list[tuple[bytes, str, str]] = field(default_factory=list)

    def ask(self, method: str, path: str, *, client: str = "127.0.0.1", base: str = LOCAL, **given: Any) -> Any:
        """Send one request and return its answer."""

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(client, 5000))
            async with httpx.AsyncClient(transport=transport, base_url=base) as asker:
                return await asker.request(method, path, **given)

        return asyncio.run(send())

    def get(self, path: str, **given: Any) -> Any:
        """Ask by GET."""
        return self.ask("GET", path, **given)

    def fhir(self, path: str, **given: Any) -> Any:
        """Return the JSON of a successful FHIR request."""
        answer = self.get(path if path.startswith("http") else f"/fhir/{path}", **given)
        assert answer.status_code == 200, answer.text
        return answer.json()


def make(store: Store, data: Path, **given: Any) -> Web:
    """Return an application on a store."""
    values = {"data": str(data), "insecure_local": True, "page_size": 3, "max_page_size": 50, **given}
    web = Web(FastAPI(), store, data)
    feeds = FeedBook([Feed(name="county-his", site="county")], insecure_local=True)
    web.app = create(Parts(settings.load(None, {}, **values), store, feeds, _taker(web), b"k" * 32))
    return web


def _taker(web: Web) -> Callable[[bytes, str, str, str], Taken]:
    """Answer as the intake would, by what the bytes say."""

    def take(raw: bytes, feed: str, peer: str, file: str) -> Taken:
        web.taken.append((raw, feed, peer))
        if file:
            return Taken("refused" if raw == b"bad" else "stored", b"", (f"{file} was seen",))
        if raw == b"down":
            return Taken("unavailable", b"")
        return Taken("refused" if raw == b"bad" else "stored", b"MSH|ack\r")

    return take


def seed(store: Store) -> tuple[str, list[str]]:
    """Fill a store; return the patient's id and the results' ids, first to last."""
    person = patient("P1", gender="male", birthDate="1990-01-01", name=[{"text": "测试"}])
    results = [
        observation(
            f"R{n}",
            f"o{n}",
            code={"text": "other"} if n % 2 else POTASSIUM,
            valueQuantity={"value": n},
            effectiveDateTime=f"2026-01-0{n + 1}",
        )
        for n in range(8)
    ]
    corrections = [
        told(
            person, observation("R0", code=POTASSIUM, valueQuantity={"value": n}), number=n, at_us=START_US + n * DAY_US
        )
        for n in range(2, HISTORY + 1)
    ]
    merge = Merge((key("P2"),), "patient", "MRG[1]-1")
    _seed_deleted(store)
    plans(store, told(person, *results))
    for correction in corrections:
        plans(store, correction)
    plans(
        store,
        told(patient("P2"), number=9),
        told(draft(keys="P1"), merges=[merge], number=10, at_us=START_US + 9 * DAY_US),
    )
    with store.read() as tx:
        keys = [AliasKey("Observation", "urn:county:report", f"R{n}") for n in range(8)]
        found = tx.aliases("county", [*keys, AliasKey("Patient", "urn:county:mrn", "P1")])
    return found[AliasKey("Patient", "urn:county:mrn", "P1")].fid, [found[each].fid for each in keys]


def _seed_deleted(store: Store) -> None:
    with store.write() as tx:
        mapping = tx.mapping_version("d1gest", "rules", START_US)
        row = WorkRow(item_id(2, 0), "county-his", "county", 1, "P1", State.APPLIED, START_US)
        tx.work_put([row._replace(control_id="MSG2", type="ORU", event="R01")])
        pid = tx.allocate(1)[0]
        created = NewVersion(
            pid=pid,
            ver=1,
            type="Patient",
            fid="gone",
            op=Op.CREATE,
            body=b'{"resourceType":"Patient","id":"gone"}',
            digest=b"1" * 16,
            site="county",
            updated_us=START_US,
            patient_pid=pid,
            source_us=START_US,
            mode="replace",
            item_id=item_id(2, 0),
            mapping_id=mapping,
        )
        tx.put([created])
        tx.put([created._replace(ver=2, op=Op.DELETE, body=None, actor="dr", reason="wrong", updated_us=START_US + 1)])
