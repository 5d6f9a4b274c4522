"""F21: the worker is away while messages pile up: answers stay quick, and what piled up is worked off in order."""

import subprocess
import sys
import threading
import time

import pytest

from tests.faults.harness import STARTED, Client, msa
from tests.faults.worker_site import Site
from tests.faults.worker_tree import free_port
from tests.support.county import ROOT, hl7, msh, pid


def receiving(site):
    """Start the receive process of `gateway serve`, and no other; return it once it listens."""
    with (site.folder / "receive.log").open("ab") as log:
        command = [sys.executable, "-m", "gateway", "_receive"]
        process = subprocess.Popen(command, env=site.settings.environment(), cwd=ROOT, stdout=log, stderr=log)
    STARTED.append(process)
    limit = time.monotonic() + 60
    while not (site.folder / "receive.ready").exists():
        assert process.poll() is None, (site.folder / "receive.log").read_text()
        assert time.monotonic() < limit
        time.sleep(0.02)
    return process


def pile_up(port, senders, each):
    """Send from many connections at once; return how long each answer took, in seconds."""
    waits, lock = [], threading.Lock()

    def send(sender):
        mine = []
        with Client(port) as client:
            for n in range(each):
                number = f"S{sender}M{n}"
                raw = hl7(msh(number), pid(f"S{sender}P{n % 50}", f"名{n}"))
                began = time.monotonic()
                assert msa(client.ask(raw)) == ("AA", number)
                mine.append(time.monotonic() - began)
        with lock:
            waits.extend(mine)

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(waits)


def backlog(tmp_path, report, url, name, *, senders, each):
    port = free_port()
    site = Site(tmp_path / "site", url, mllp_port=port, min_free_bytes=1, batch_size=64)
    receiver = receiving(site)
    waits = pile_up(port, senders, each)
    total = senders * each
    assert (len(waits), site.waiting()) == (total, total)
    receiver.terminate()
    assert receiver.wait(30) == 0
    began = time.monotonic()
    site.start()
    site.drained(1800)
    rate = total / (time.monotonic() - began)
    found = site.violations(deep=total < 10_000)
    p99 = waits[int(total * 0.99)] * 1000
    report(
        f"F21 {total:,} stored with the worker away, {name}: ACK p99 {p99:.0f} ms over {senders} connections; "
        f"worked off at {rate:.0f}/s, order kept: {len(found)} violations"
    )
    assert found == []
    site.stop()


def test_a_backlog(tmp_path, report):
    backlog(tmp_path, report, "", "SQLite", senders=8, each=250)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_a_backlog_of_a_hundred_thousand(tmp_path, report, server, database):
    url = server.create("worker_backlog") if database == "PostgreSQL" else ""
    backlog(tmp_path, report, url, database, senders=20, each=5000)
