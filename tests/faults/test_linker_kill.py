"""The linker is killed inside its transaction and after it; it goes on, and nothing is linked twice or not at all."""

import time

import pytest

from gateway.identity import upkeep
from gateway.store.identity import LINKER_AT
from tests.faults.worker_site import Site, chance
from tests.support.patients import id_number
from tests.support.two_sites import clinic, hospital


def told(persons):
    """Return what two sites tell of some persons; of every fourth the hospital says later that it was another one."""
    first, second, later = [], [], []
    for n in range(persons):
        birth = f"{1950 + n % 50}{1 + n % 12:02d}{1 + n % 28:02d}"
        who = {"name": f"张{chr(0x4E00 + 13 * n)}{chr(0x5E00 + 7 * n)}", "birth": birth, "phone": ""}
        first.append(hospital(f"A{n}", f"P{n}", id_number(birth, 101), **who))
        second.append(clinic(f"B{n}", f"C{n}", id_number(birth, 101), **who))
        if n % 4 == 0:
            other = {"name": "李娜", "birth": "20010203", "sex": "F", "phone": ""}
            later.append(hospital(f"C{n}", f"P{n}", id_number(birth, 101), **other, time="20260107080000"))
    return [*first, *second, *later]


def caught_up(site, seconds=120):
    """Wait until the linker has looked at every change."""
    limit = time.monotonic() + seconds
    while True:
        with site.store.read() as tx:
            if not tx.changes_behind(tx.cursor(LINKER_AT), "Patient", 1)[0]:
                return
        assert site.process.poll() is None, site.log()
        assert time.monotonic() < limit, site.log()
        time.sleep(0.05)


def outcome(site, persons):
    """Return what is wrong in the end, how many links hold, and how many cases are about links that ended."""
    with site.store.read() as tx:
        links, cases = tx.links_after(0, "same", 10 * persons), tx.case_list(limit=10 * persons)
        done = tx.identity_events({pid for link in links for pid in link[2:4]}, 100 * persons)
    found = [str(one) for step in upkeep.check(site.store) for one in step.findings]
    linked = [(event.low_pid, event.high_pid) for event in done if event.action == "linked"]
    found += [f"{pair} was linked twice" for pair in set(linked) if linked.count(pair) > 1]
    return found + site.violations(), len(links), len([case for case in cases if "was-linked" in case.reasons])


def killed(folder, url, points, *, persons):
    site = Site(folder, url, batch_size=4)
    messages = told(persons)
    for at, point in enumerate(points):
        share = -(-len(messages) // len(points))
        site.send(messages[at * share : (at + 1) * share])
        site.killed(point)
    site.start()
    site.drained(180)
    caught_up(site)
    found = outcome(site, persons)
    site.stop()
    return found


def test_the_linker_is_killed_inside_its_transaction(tmp_path, report):
    found, links, cases = killed(tmp_path / "site", "", ["fp13:3"], persons=12)
    report(f"F1  kill -9 of the linker at fp13, SQLite: 1 kill, 12 persons of two sites: {len(found)} violations")
    assert (found, links, cases) == ([], 9, 3)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_the_linker_is_killed_many_times(tmp_path, report, server, database):
    url = server.create("linker_kill") if database == "PostgreSQL" else ""
    luck = chance("fp13")
    points = [f"{luck.choice(('fp13', 'fp14'))}:{luck.randint(1, 4)}" for _ in range(25)]
    found, links, cases = killed(tmp_path / "site", url, points, persons=400)
    report(f"F1  kill -9 of the linker, {database}: 25 kills, 400 persons of two sites: {len(found)} violations")
    assert (found, links, cases) == ([], 300, 100)
