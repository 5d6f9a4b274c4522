"""F20: definitions that loop for ever, hoard memory or kill the process: three tries, then set aside; all else goes on."""

import threading
import time

import pytest

from gateway.store.values import State
from tests.faults.harness import Client, msa
from tests.faults.worker_site import Site
from tests.faults.worker_tree import Tree, poison
from tests.support.county import hl7, msh, pid

KINDS = ("LOOP", "HOARD", "DIE")


class Neighbour(threading.Thread):
    """Sends messages of other patients the whole time, and notes how long each answer took."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.through = threading.Event()
        self.waits = []

    def run(self):
        with Client(self.port) as client:
            while not self.through.is_set():
                number = f"N{len(self.waits)}"
                began = time.monotonic()
                assert msa(client.ask(hl7(msh(number), pid(number)))) == ("AA", number)
                self.waits.append(time.monotonic() - began)
                time.sleep(0.05)

    def p99(self):
        return sorted(self.waits)[int(len(self.waits) * 0.99)] * 1000


def poisoned(tmp_path, url, seconds, quiet):
    """Send one poisonous message of each kind, each with a later one of its patient; return the rows and waits."""
    tree = (
        Tree(tmp_path / "site", url, PYTHONPATH=poison(tmp_path / "poison"), POISON_SECONDS=str(seconds))
        .start()
        .ready()
    )
    calm, neighbour = Neighbour(tree.port), Neighbour(tree.port)
    calm.start()
    calm.through.wait(quiet)
    calm.through.set()
    calm.join()
    with Client(tree.port) as client:
        for kind in KINDS:
            assert msa(client.ask(hl7(msh(f"{kind}1"), pid(f"{kind}P")))) == ("AA", f"{kind}1")
            assert msa(client.ask(hl7(msh(f"AFTER{kind}"), pid(f"{kind}P")))) == ("AA", f"AFTER{kind}")
    neighbour.start()
    site = Site(tmp_path / "site", url)
    limit = time.monotonic() + 60 + 20 * seconds
    while sum(row.state == State.PARKED for row in site.rows()) < len(KINDS):
        assert time.monotonic() < limit, (site.rows(), tree.log())
        assert neighbour.is_alive()
        time.sleep(0.1)
    neighbour.through.set()
    neighbour.join()
    site.process = tree.process
    site.drained(60)
    rows = {row.control_id: row for row in site.rows()}
    assert tree.stop() == 0
    site.store.close()
    return rows, calm, neighbour


def verdict(rows, report, name, calm, neighbour):
    parked = {kind: rows[f"{kind}1"] for kind in KINDS}
    report(
        f"F20 endless loop, 2 GiB, abort, {name}: each set aside ('poison'); {len(neighbour.waits)} other messages "
        f"applied; ACK p99 {calm.p99():.0f} ms before, {neighbour.p99():.0f} ms meanwhile"
    )
    assert {row.reason for row in parked.values()} == {"poison"}
    assert [parked[kind].attempts for kind in ("LOOP", "HOARD")] == [3, 3]
    assert "Overtime" in parked["LOOP"].issues
    assert "MemoryError" in parked["HOARD"].issues
    assert "3 workers died" in parked["DIE"].issues
    assert {rows[f"AFTER{kind}"].state for kind in KINDS} == {State.HELD}, "what follows of the same patient waits"
    others = [row for number, row in rows.items() if number.startswith("N")]
    assert {row.state for row in others} == {State.APPLIED}


def test_poisonous_definitions(tmp_path, report):
    verdict(*_shuffled(poisoned(tmp_path, "", 0.3, 0.2), report, "SQLite"))


def _shuffled(found, report, name):
    rows, calm, neighbour = found
    return rows, report, name, calm, neighbour


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_poisonous_definitions_at_full_limits(tmp_path, report, server, database):
    url = server.create("worker_poison") if database == "PostgreSQL" else ""
    verdict(*_shuffled(poisoned(tmp_path, url, 5, 20), report, database))
