"""F1: the worker is killed with its lanes leased, inside its transaction, after it, and amid a batch file."""

import time

import pytest

from tests.faults.worker_site import Site, batch_file, chance, messages


def databases(server, name):
    """Return each database's name and URL."""
    return [("SQLite", ""), ("PostgreSQL", server.create(name))]


def stream(folder, url, points, *, senders, each):
    """Kill a worker at each of `points` in turn while senders go on; return the violations found at the end."""
    site = Site(folder, url, batch_size=4)  # small, so that there are more batches than kills
    threads = site.senders(senders, each)
    for point in points:
        site.killed(point)
    for thread in threads:
        thread.join(120)
    site.start()
    site.drained(180)
    found = site.violations()
    expected = (senders * each // 2, senders * each)
    assert (site.answers["stored"], site.count("DiagnosticReport"), site.count("Observation")) == (
        senders * each,
        *expected,
    )
    site.stop()
    return found


def test_a_worker_is_killed_at_each_point(tmp_path, report, server):
    for name, url in databases(server, "worker_kill"):
        found = stream(tmp_path / name, url, ["fp5:2", "fp6:3", "fp7:2"], senders=4, each=40)
        report(f"F1  kill -9 of the worker at fp5, fp6, fp7, {name}: 3 kills, 4 senders x 40: {len(found)} violations")
        assert found == []


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
@pytest.mark.parametrize("point", ["fp5", "fp6", "fp7"])
def test_a_worker_is_killed_at_a_point_many_times(tmp_path, report, server, point, database):
    url = server.create(f"worker_{point}") if database == "PostgreSQL" else ""
    luck = chance(point)
    # The second hit at the earliest: a message that kills three workers on end is set aside, as it should be.
    points = [f"{point}:{luck.randint(2, 4)}" for _ in range(25)]
    found = stream(tmp_path / "site", url, points, senders=8, each=200)
    report(f"F1  kill -9 of the worker at {point}, {database}: 25 kills, 8 senders x 200: {len(found)} violations")
    assert found == []


def files(folder, url, kills, *, number, each):
    """Send batch files and kill the worker at each of `kills` while it queues their messages."""
    site = Site(folder, url)
    for n in range(number):
        site.send([batch_file(f"F{n}", each)])
    for point in kills:
        site.killed(point)
    site.start()
    site.drained(300)
    found = site.violations(deep=number * each < 5000)
    assert len(site.rows()) == number * each
    assert {row.control_id for row in site.rows()} == {f"F{n}-{k}" for n in range(number) for k in range(each)}
    site.stop()
    return found


def test_a_worker_is_killed_amid_a_batch_file(tmp_path, report):
    found = files(tmp_path / "site", "", ["fp9"], number=1, each=90)
    report(f"F1  kill -9 of the worker at fp9, SQLite: 1 kill amid a file of 90: {len(found)} violations")
    assert found == []


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_a_worker_is_killed_amid_batch_files_many_times(tmp_path, report, server, database):
    url = server.create("worker_fp9") if database == "PostgreSQL" else ""
    luck = chance("fp9")
    kills = [f"fp9:{luck.randint(1, 3)}" for _ in range(25)]
    found = files(tmp_path / "site", url, kills, number=20, each=2100)
    report(f"F1  kill -9 of the worker at fp9, {database}: 25 kills amid 20 files of 2,100: {len(found)} violations")
    assert found == []


def test_a_lane_of_a_dead_worker_goes_to_another(tmp_path, server, report):
    """A worker that is killed and does not come back loses its lanes after 15 s; another finishes its work."""
    site = Site(tmp_path / "site", server.create("worker_lanes"))
    site.send(messages(1, 60))
    site.killed("fp5:2")
    other = site.gateway.worker("other")
    began = time.monotonic()
    with site.store.write() as tx:  # as if 15 s had passed: nobody sleeps in a test
        tx.session.do("UPDATE lane SET heartbeat_us = heartbeat_us - 15000000")
        tx.session.do("UPDATE worker SET heartbeat_us = heartbeat_us - 15000000")
    while other.step():
        pass
    found = site.violations()
    report(f"F1  a worker dead for 15 s: another took its lanes over: {len(found)} violations")
    assert (site.waiting(), found) == (0, [])
    assert time.monotonic() - began < 60
    site.stop()
