"""A worker is killed amid a file, at every place where something is half done: each row is there, and there once."""

import time

import pytest

from gateway.store.rows import FileState
from gateway.store.values import State
from tests.faults.worker_site import Site, chance
from tests.support.exports import csv, mappings, person

FEED = "village-csv"


class Village(Site):
    """A site whose worker takes exports."""

    def __init__(self, folder, url=""):
        super().__init__(folder, url, mappings=[mappings(folder.parent / f"{folder.name}-mappings")])

    def drop(self, name, rows, **given):
        with self.gateway.taking("test") as take:
            assert take(csv(rows, **given), FEED, name).verdict == "stored"

    def waiting(self):
        """Count files that are not done beside what waits anyway."""
        return super().waiting() + self.store.files.counts().get((FEED, FileState.WAITING), 0)

    def rows_told(self):
        with self.store.read() as tx:
            return {row.key: row for row in tx.rows_after(FEED, "people", "", 1_000_000)}


def killed_amid_files(folder, url, points, *, rows, files=1):
    """Take files while the worker is killed at each of `points`, with work at hand; return what is wrong at the end."""
    site = Village(folder, url)
    for number, point in enumerate(points):
        if number < files:
            told = [person(n, f"第{number}版{n}", day=f"2026-10-{number + 1:02}") for n in range(rows)]
            site.drop(f"people{number}.csv", told)
        site.killed(point)
    site.start()
    site.drained(600)
    found = [*_wrong(site, rows, files), *site.violations(deep=rows * files < 20_000)]
    site.stop()
    return found


def _wrong(site, rows, files):
    wrong = []
    reports = site.store.files.list(limit=1000)[::-1]
    for number, report in enumerate(reports):
        told = (report.state, report.taken, report.fresh, report.changed, report.unchanged)
        expected = (FileState.DONE, rows, 0 if number else rows, rows if number else 0, 0)
        wrong += [] if told == expected else [f"file {number} says {told}"]
    states = [row.state for row in site.rows()]
    wrong += [] if states == [State.APPLIED] * (rows * files) else [f"{len(states)} items, {set(states)}"]
    wrong += [] if site.count("Patient") == rows else [f"{site.count('Patient')} patients"]
    wrong += [] if len(site.rows_told()) == rows else ["rows are not known"]
    with site.store.read() as tx:
        histories = [tx.versions(pid) for pid in range(1, tx.last_pid() + 1)]
    wrong += [f"a patient with {len(one)} versions" for one in histories if len(one) not in (0, files)]
    return wrong


def test_a_worker_is_killed_amid_a_file(tmp_path, report):
    found = killed_amid_files(tmp_path / "site", "", ["fp8:2", "fp9:1", "fp6:2", "fp7:2"], rows=2300)
    report(f"F1  kill -9 of the worker amid a file of 2,300 rows, SQLite: 4 kills: {len(found)} violations")
    assert found == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("database", ["SQLite", "PostgreSQL"])
def test_a_worker_is_killed_amid_files_many_times(tmp_path, report, server, database):
    url = server.create("table_kills") if database == "PostgreSQL" else ""
    luck = chance("tables")
    places = [luck.choice(["fp5", "fp6", "fp7", "fp8", "fp9"]) for _ in range(25)]
    points = [f"{place}:{luck.randint(2, 4) if place in ('fp5', 'fp6', 'fp7') else 2}" for place in places]
    found = killed_amid_files(tmp_path / "site", url, points, rows=1200, files=25)
    report(f"F1  kill -9 of the worker amid 25 files of 1,200 rows, {database}: 25 kills: {len(found)} violations")
    assert found == []


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_huge_file_is_worked_off_and_sent_again_costs_little(tmp_path, report):
    site = Village(tmp_path / "site")
    rows = [person(n) for n in range(100_000)]
    site.drop("people1.csv", rows)
    began = time.monotonic()
    site.start()
    site.drained(900)
    first = time.monotonic() - began
    site.drop("people2.csv", rows, encoding="gb18030")
    began = time.monotonic()
    site.drained(900)
    again = time.monotonic() - began
    report(f"F1  a file of 100,000 rows: {100_000 / first:,.0f} rows/s, unchanged {100_000 / again:,.0f} rows/s")
    assert [one.unchanged for one in site.store.files.list()] == [100_000, 0]
    assert site.count("Patient") == 100_000
    site.stop()
