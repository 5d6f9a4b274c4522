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
JSON = {"content-type": "application/fhir+json"}


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


def write_over_http(web, number, rounds):
    """Change a resource of one's own and one that all change, as clients do, and delete now and then."""
    for n in range(rounds):
        for fid in (f"own{number}", "shared"):
            body = {"resourceType": "Observation", "id": fid, "status": "final", "code": {"text": f"{number}.{n}"}}
            answer = web.ask("PUT", f"/fhir/Observation/{fid}", json=body, headers=JSON)
            assert answer.status_code in (200, 201), answer.text
        if n % 3 == 2:
            assert web.ask("DELETE", f"/fhir/Observation/own{number}").status_code in (200, 204)


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


def polled_while(another, tmp_path, write_one):
    """What three pollers were told while eight wrote, and all there is to be told, as (type/id, ETag)."""
    done = threading.Event()
    webs = [make(another(), tmp_path) for _ in range(3)]
    places = [("_history", True), ("_history", False), ("Observation/_history", False)]
    with ThreadPoolExecutor(WRITERS + len(webs)) as pool:
        polling = [
            pool.submit(follow, web, place, done, by_link=by_link)
            for web, (place, by_link) in zip(webs, places, strict=True)
        ]
        list(pool.map(write_one, range(WRITERS)))
        done.set()
        told = [one.result(120) for one in polling]
    store = webs[0].store
    changes = store.outbox.since(0, 99999)
    return told, [(f"{one.type}/{fid_of(store, one.pid)}", f'W/"{one.ver}"') for one in changes]


def fid_of(store, pid):
    with store.read() as tx:
        return tx.heads_by_pid([pid])[pid].fid


@pytest.mark.parametrize("rounds", [6, pytest.param(60, marks=pytest.mark.long)])
def test_a_poller_misses_nothing_and_gets_nothing_twice(new_store, tmp_path, rounds):  # noqa: F811
    stores = [new_store() for _ in range(WRITERS)]
    told, made = polled_while(new_store, tmp_path, lambda number: write(stores[number], number, rounds))
    by_link, by_moment, results = told
    assert len(made) >= WRITERS * rounds
    assert sorted(by_link) == sorted(by_moment) == sorted(made)
    assert sorted(results) == sorted(one for one in made if one[0].startswith("Observation/"))


@pytest.mark.parametrize("rounds", [3, pytest.param(30, marks=pytest.mark.long)])
def test_the_same_where_clients_write(new_store, tmp_path, rounds):  # noqa: F811
    writers = [make(new_store(), tmp_path) for _ in range(WRITERS)]
    told, made = polled_while(new_store, tmp_path, lambda number: write_over_http(writers[number], number, rounds))
    assert len(made) == WRITERS * (2 * rounds + rounds // 3)
    assert [sorted(each) for each in told] == [sorted(made)] * 3
    versions = [int(tag[3:-1]) for name, tag in made if name == "Observation/shared"]
    assert versions == list(range(1, WRITERS * rounds + 1))  # of one resource, numbers rise with versions
