"""A small gateway in this process for tests: bytes in through the real intake, worked off by a real worker."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway import settings, wiring
from gateway.pipeline.worker import Worker
from gateway.search.scope import Scope
from gateway.store.engine import Store
from gateway.store.values import State, WorkFilter, WorkRow

ROOT = Path(__file__).resolve().parents[2]
ALL = Scope.everything()


def hl7(*segments: str) -> bytes:
    """Return a message of these segments in UTF-8."""
    return ("\r".join(segments) + "\r").encode()


def msh(control: str, event: str = "ADT^A08", sender: str = "HIS", time: str = "20260105080000") -> str:
    """Return an MSH of the county hospital."""
    return f"MSH|^~\\&|{sender}|QHXRMYY|GW|QH|{time}||{event}|{control}|P|2.4||||||UNICODE UTF-8"


def pid(number: str = "P1", name: str = "张三", birth: str = "19800101", sex: str = "M") -> str:
    """Return a PID of the county hospital."""
    return f"PID|1||{number}^^^^LocalID||{name}||{birth}|{sex}"


def lab(
    control: str, report: str, *results: tuple[str, str], patient: str = "P1", status: str = "F", **given: str
) -> bytes:
    """Return a laboratory report of (code, value) results."""
    day = given.get("day", "20260106")
    lines = [
        msh(control, "ORU^R01", "LIS", given.get("time", f"{day}090000")),
        pid(patient),
        f"OBR|1||{report}|GLU^血糖^QHLIS|||{day}080000|||||||{day}081000||||||||{day}085000|||{status}",
    ]
    lines += [
        f"OBX|{n}|NM|{code}^项目{code}^QHLIS||{value}|mmol/L|3.9-6.1||||{status}|||{day}080000"
        for n, (code, value) in enumerate(results, 1)
    ]
    return hl7(*lines)


class County:
    """The gateway of a test."""

    def __init__(self, gateway: wiring.Gateway, name: str = "test") -> None:
        self.gateway = gateway
        self.store: Store = gateway.store
        self.worker: Worker = gateway.worker(name)

    def send(self, *messages: bytes, feed: str = "") -> list[str]:
        """Store messages as a listener would; return the verdicts."""
        with self.gateway.taking("test") as take:
            return [take(message, feed, "127.0.0.1").verdict.value for message in messages]

    def work(self) -> None:
        """Work until nothing is left to do."""
        while self.worker.step():
            pass

    def run(self, *messages: bytes, feed: str = "") -> list[WorkRow]:
        """Send, work, and return every item, oldest first."""
        self.send(*messages, feed=feed)
        self.work()
        return self.items()

    def items(self) -> list[WorkRow]:
        """Return every item, oldest first."""
        return sorted(self.store.work.list(WorkFilter(limit=1000)), key=lambda row: row.item_id)

    def states(self) -> list[str]:
        """Return the state of every item, with the reason where it was parked."""
        return [
            row.state.name.lower() + (f" {row.reason}" if row.state == State.PARKED else "") for row in self.items()
        ]

    def all(self, kind: str) -> list[dict]:
        """Return every current resource of a type, oldest first."""
        with self.store.read() as tx:
            found = tx.current(range(1, tx.last_pid() + 1)).values()
        return [json.loads(stored.body) for stored in sorted(found) if stored.type == kind]

    def only(self, kind: str) -> dict:
        """Return the one resource of a type."""
        (found,) = self.all(kind)
        return found


@contextmanager
def county(database: str, folder: Path, mappings: Iterable[Path] = (), **given: object) -> Iterator[County]:
    """Give a gateway on a migrated database."""
    chosen = settings.load(
        environment={}, data=str(folder), database=database, insecure_local=True, mappings=list(mappings), **given
    )
    gateway = wiring.open_gateway(chosen, migrate=True)
    try:
        yield County(gateway)
    finally:
        gateway.store.close()
