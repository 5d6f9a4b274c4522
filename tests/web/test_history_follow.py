"""The promise of docs/decisions/0008: who follows a history among many writers misses nothing and gets nothing twice."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.store.values import Op
from tests.store.conftest import database_url, new_store  # noqa: F401  the stores on both databases
from tests.store.make import version
from tests.web.county import make
from tests.web.test_search import link

WRITERS = 8
KINDS = ("Patient", "Observation")


def write(store, number, rounds):
    """Make, change and delete, in transactions that take their time between their beginning and their end."""
    pids = []
    for n in range(rounds):
        with store.write() as tx:
            moment = tx.moment(time.time_ns() // 1000)
            time.sleep(0.001 * ((n + number) % 4))
            new = list(tx.allocate(1 + n % 2))
            kind = KINDS[n % 2]
            batch = [version(pid, f"w{number}-{pid}", type=kind, updated_us=moment) for pid in new]
            if pids:
                pid, old_kind = pids.pop()
                op, body = (Op.DELETE, None) if n % 3 else (Op.UPDATE, b'{"resourceType":"%b"}' % old_kind.encode())
                batch.append(version(pid, f"w{number}-{pid}", 2, type=old_kind, op=op, body=body, updated_us=moment))
            tx.put(batch)
        pids += [(pid, kind) for pid in new]


def entries(bundle):
    return [(one["fullUrl"].rpartition("/fhir/")[2], one["response"]["etag"]) for one in bundle.get("entry", [])]


def round_of(web, address):
    """One round of a poller: all pages, and where to go on by link and by moment."""
    seen = []
    while address:
        bundle = web.fhir(address)
        seen += entries(bundle)
        address = link(bundle, "next")
    return seen, link(bundle, "monitor"), bundle["meta"]["lastUpdated"]


def follow(web, place, done, *, by_link):
    """Poll until the writers are done and one more round brought nothing."""
    seen, address = [], f"{place}?_count=7"
    while True:
        finished = done.is_set()
        new, by_link_next, moment = round_of(web, address)
        seen += new
        address = by_link_next if by_link else f"{place}?_count=7&_since={moment}"
        if finished and not new:
            return seen


@pytest.mark.parametrize("rounds", [6, pytest.param(60, marks=pytest.mark.long)])
def test_a_poller_misses_nothing_and_gets_nothing_twice(new_store, tmp_path, rounds):  # noqa: F811
    stores = [new_store() for _ in range(WRITERS)]
    done = threading.Event()
    webs = [make(new_store(), tmp_path) for _ in range(3)]
    places = [("_history", True), ("_history", False), ("Observation/_history", False)]
    with ThreadPoolExecutor(WRITERS + len(webs)) as pool:
        polling = [
            pool.submit(follow, web, place, done, by_link=by_link)
            for web, (place, by_link) in zip(webs, places, strict=True)
        ]
        list(pool.map(lambda number: write(stores[number], number, rounds), range(WRITERS)))
        done.set()
        by_link, by_moment, results = [one.result(120) for one in polling]
    everything = [
        (f"{one.type}/{fid_of(stores[0], one.pid)}", f'W/"{one.ver}"') for one in stores[0].outbox.since(0, 9999)
    ]
    assert len(everything) >= WRITERS * rounds
    assert sorted(by_link) == sorted(by_moment) == sorted(everything)
    assert sorted(results) == sorted(one for one in everything if one[0].startswith("Observation/"))


def fid_of(store, pid):
    with store.read() as tx:
        return tx.heads_by_pid([pid])[pid].fid
