"""Exports through the real doors to the record: unchanged, changed, missing and broken rows, on every database (R6)."""

import json

import pytest

from gateway.errors import GatewayError
from gateway.listeners.folder import Folder
from gateway.listeners.gate import Gate
from gateway.listeners.ingest import ingest
from gateway.listeners.options import FolderOptions, GateOptions
from gateway.pipeline import files as taking
from gateway.pipeline import shelf as shelves
from gateway.store.rows import FileState
from gateway.store.values import FILE_INDEX, State, WorkFilter, arrival_of, item_id
from tests.support import exports
from tests.support.county import county, hl7, msh, pid
from tests.support.exports import csv, person

FEED = "village-csv"
FULL = [person(n) for n in range(12)]


@pytest.fixture
def town(database_url, tmp_path):
    with county(database_url, tmp_path, [exports.mappings(tmp_path / "mappings")]) as made:
        yield made


@pytest.fixture
def village(tmp_path):
    """The same on SQLite alone, for what no database can tell apart."""
    url = f"sqlite:///{tmp_path}/gateway.db"
    with county(url, tmp_path, [exports.mappings(tmp_path / "mappings")]) as made:
        yield made


def send(town, rows, name="people.csv", **given):
    """Store one file under a name, take it, and return its report."""
    raw = rows if isinstance(rows, bytes) else csv(rows, **given)
    with town.gateway.taking("test") as take:
        take(raw, FEED, "127.0.0.1")
    town.work()
    return town.store.files.list()[0]


def counts(report):
    return report.fresh, report.changed, report.unchanged, report.quarantined, report.missing, report.returned


def versions(town):
    with town.store.read() as tx:
        return sum(len(tx.versions(pid)) for pid in range(1, tx.last_pid() + 1))


def test_a_file_becomes_resources_and_a_report(town):
    report = send(town, csv(FULL, last="合计,12人,,,18.00,\r\n"))
    assert counts(report) == (12, 0, 0, 0, 0, 0)
    assert (report.state, report.table, report.mode, report.taken) == (FileState.DONE, "people", "full", 12)
    assert set(town.states()) == {"applied"}
    assert [one["name"][0]["text"] for one in town.all("Patient")] == [row[1] for row in FULL]
    first = town.items()[0]
    assert (first.item_id, first.offset, first.length) == (item_id(1, 0), 2, 1)
    assert (first.type, first.event, first.control_id) == ("TABLE", "people", "V00000")
    told = json.loads(report.facts)
    assert told["reconciled"] is True
    assert told["totals"][0]["checks"] == [["rows", "12", "12", True], ["费用", "18.00", "18.00", True]]


def test_the_same_rows_again_make_no_item_and_no_version(town):
    send(town, FULL)
    before = versions(town)
    report = send(town, FULL, encoding="gb18030")
    assert counts(report) == (0, 0, 12, 0, 0, 0)
    assert (versions(town), len(town.items())) == (before, 12)


def test_three_changed_rows_make_three_versions(town):
    send(town, FULL)
    before = versions(town)
    changed = [person(n, f"新{n}", day="2026-11-01") if n in (1, 5, 7) else row for n, row in enumerate(FULL)]
    report = send(town, changed)
    assert counts(report) == (0, 3, 9, 0, 0, 0)
    assert versions(town) == before + 3
    assert len(town.all("Patient")) == 12


def test_five_encodings_of_one_file_are_one_file(town):
    send(town, FULL)
    before = versions(town)
    text = csv(FULL).decode()
    raws = [b"\xef\xbb\xbf" + text.encode(), text.encode("gb18030"), b"\xef\xbb\xbf" + text.encode("gbk")]
    raws += [b"\xff\xfe" + text.replace(",", "\t").encode("utf-16-le"), text.replace(",", "|").encode("gbk")]
    assert [counts(send(town, raw)) for raw in raws] == [(0, 0, 12, 0, 0, 0)] * 5
    assert versions(town) == before


def test_rows_missing_from_a_full_file_are_missing_since_and_come_back(town):
    send(town, FULL)
    report = send(town, FULL[:9])
    assert counts(report) == (0, 0, 9, 0, 3, 0)
    missing = town.store.files.lacking(FEED, "people")
    assert [row.key for row in missing] == ["V00009", "V00010", "V00011"]
    assert len(town.all("Patient")) == 12, "nothing is deleted"
    assert counts(send(town, FULL[:9], encoding="gb18030")) == (0, 0, 9, 0, 0, 0), "missing since then, not since now"
    assert town.store.files.lacking(FEED, "people") == missing
    assert counts(send(town, FULL[:11])) == (0, 0, 11, 0, 0, 2)
    assert [row.key for row in town.store.files.lacking(FEED, "people")] == ["V00011"]


def test_under_half_of_the_last_file_waits_for_a_person_who_confirms(town):
    send(town, FULL)
    report = send(town, FULL[:5])
    assert (report.state, counts(report)) == (FileState.PARKED, (0, 0, 0, 0, 0, 0))
    (item,) = town.store.work.list(WorkFilter((State.PARKED,)))
    assert (item.reason, item.item_id & FILE_INDEX) == ("half-file", FILE_INDEX)
    assert "has 5 rows, the last one had 12" in item.issues
    assert town.store.files.missing() == {}
    town.store.work.retry([item.item_id])
    town.work()
    report = town.store.files.show(report.arrival)
    assert (report.state, counts(report)) == (FileState.DONE, (0, 0, 5, 0, 7, 0))
    assert town.store.files.missing() == {(FEED, "people"): 7}
    assert town.store.work.show(item.item_id).state == State.APPLIED


def test_a_half_file_that_is_discarded_changes_nothing(village):
    send(village, FULL)
    report = send(village, FULL[:2])
    village.store.work.discard([item_id(report.arrival, FILE_INDEX)], "cut off")
    village.work()
    assert counts(send(village, FULL, encoding="gb18030")) == (0, 0, 12, 0, 0, 0)


def test_a_half_file_is_not_taken_after_a_later_one(village):
    send(village, FULL)
    half = send(village, FULL[:2])
    send(village, FULL[:11])
    village.store.work.retry([item_id(half.arrival, FILE_INDEX)])
    village.work()
    row = village.store.work.show(item_id(half.arrival, FILE_INDEX))
    assert (row.state, row.reason) == (State.PARKED, "overtaken")
    assert village.store.files.missing() == {(FEED, "people"): 1}


def test_nothing_goes_missing_from_a_delta(village):
    header = "visits"
    raw = csv(FULL)
    with village.gateway.taking("test") as take:
        take(raw, FEED, header)
    village.work()
    assert village.store.files.list()[0].table == "people", "without a name the header tells, and all tables fit"


def test_a_broken_row_is_set_aside_with_its_line_and_the_others_go_on(town):
    lines = csv(FULL).decode().split("\r\n")
    lines[3] += ",one,too,many"
    lines[6] = ",无编号,1,1980-01-01,1.50,2026-10-01"
    report = send(town, "\r\n".join(lines).encode())
    assert counts(report) == (10, 0, 0, 2, 0, 0)
    parked = [row for row in town.items() if row.state == State.PARKED]
    assert [(row.reason, row.offset) for row in parked] == [("quarantined", 4), ("quarantined", 7)]
    assert [json.loads(row.issues)[0][3] for row in parked] == ["line 4", "line 7"]
    again = send(town, "\n".join(lines).encode())
    assert counts(again) == (0, 0, 12, 0, 0, 0), "the same broken rows are not set aside every night"
    assert len(town.items()) == 12


def test_a_corrected_row_replaces_the_one_that_was_parked(village, monkeypatch):
    mapper = type(village.gateway.catalog.mapper(FEED))
    genuine = mapper.map
    with monkeypatch.context() as broken:
        broken.setattr(mapper, "map", _no_drafts_for(genuine, "V00002"))
        send(village, FULL)
    assert village.states().count("parked unmapped") == 1
    send(village, [person(2, "改正", day="2026-11-01") if n == 2 else row for n, row in enumerate(FULL)])
    states = village.states()
    assert (states.count("applied"), states.count("discarded")) == (12, 1)
    assert "改正" in {one["name"][0]["text"] for one in village.all("Patient")}


def _no_drafts_for(genuine, key):
    def mapped(self, message, **given):
        found = genuine(self, message, **given)
        if message.control_id.endswith(key):
            found.drafts = []
        return found

    return mapped


def test_single_rows_are_retried_and_replayed(village, monkeypatch):
    mapper = type(village.gateway.catalog.mapper(FEED))
    with monkeypatch.context() as broken:
        broken.setattr(mapper, "map", _no_drafts_for(mapper.map, "V00003"))
        send(village, FULL)
    (parked,) = [row for row in village.items() if row.state == State.PARKED]
    village.store.work.retry([parked.item_id])
    village.work()
    assert set(village.states()) == {"applied"}
    before = versions(village)
    village.store.work.replay([row.item_id for row in village.items()])
    village.work()
    assert set(village.states()) == {"applied"}
    assert versions(village) == before


def test_a_file_nobody_can_read_waits_whole_and_is_read_once_mended(village):
    report = send(village, b"a letter, not a table\r\n")
    item = village.store.work.show(item_id(report.arrival, FILE_INDEX))
    assert (report.state, item.state, item.reason) == (FileState.PARKED, State.PARKED, "unreadable")
    village.store.work.retry([item.item_id])
    village.work()
    item = village.store.work.show(item.item_id)
    assert (item.state, item.reason, item.attempts) == (State.PARKED, "unreadable", 2)


def test_the_rows_of_one_patient_keep_their_order(village):
    rows = [person(n % 3, f"名{n}", day=f"2026-10-{n + 1:02}") for n in range(12)]
    report = send(village, rows)
    assert counts(report)[:3] == (3, 9, 0)
    assert sorted(one["name"][0]["text"] for one in village.all("Patient")) == ["名10", "名11", "名9"]
    assert counts(send(village, rows, encoding="gb18030")) == (0, 0, 12, 0, 0, 0), (
        "a key on several rows is one content"
    )


def test_two_workers_share_the_rows(town):
    town.worker.step()
    both = [town.worker, town.gateway.worker("other")]
    for _ in range(2):
        for each in both:
            each._renew(now=True)
    rows = [person(n) for n in range(200)]
    town.send(csv(rows), feed=FEED)
    while sum(each.step() for each in both):
        pass
    assert set(town.states()) == {"applied"}
    assert len(town.all("Patient")) == 200
    assert min(each.processed for each in both) > 0


def test_messages_do_not_wait_for_a_huge_file(village, monkeypatch):
    monkeypatch.setattr(taking, "CHUNK", 50)
    village.send(csv([person(n) for n in range(2000)]), feed=FEED)
    for _ in range(3):
        village.worker.step()
    village.send(hl7(msh("M1"), pid("P1")))
    steps = 0
    while not village.store.work.list(WorkFilter(control_id="M1")):
        village.worker.step()
        steps += 1
    assert steps <= 3
    assert village.store.files.list()[0].state == FileState.WAITING, "the file goes on afterwards"


def test_a_chunk_ends_where_the_next_begins_whatever_happens_between(village, monkeypatch):
    """A worker is gone after each chunk: the next one goes on, and every row is there once."""
    monkeypatch.setattr(taking, "CHUNK", 5)
    village.send(csv(FULL), feed=FEED)
    while village.store.files.counts() != {(FEED, FileState.DONE): 1}:
        village.store.lanes.release(village.worker._tools.owner)
        village.worker = village.gateway.worker("test")
        village.worker.step()
        village.worker.step()
    village.work()
    assert len(village.items()) == 12
    assert set(village.states()) == {"applied"}


def test_the_bytes_of_a_file_gone_by_retention_are_told(village):
    village.send(csv(FULL), feed=FEED)
    village.store.inbox.prune(1 << 62)
    village.work()
    (item,) = village.items()
    assert (item.state, item.reason) == (State.PARKED, "unknown-feed")
    assert "past retention" in item.issues


def test_a_watched_folder_and_ingest_keep_the_name_of_the_file(village, tmp_path):
    intake = village.gateway.intake()
    intake.start()
    options = FolderOptions(tmp_path / "drop", FEED, settle=0.0)
    folder = Folder(options, intake.take, Gate(GateOptions(min_free_bytes=1), tmp_path, lambda: 0))
    folder.prepare()
    (folder.inbox / "visits_1101.csv").write_bytes(csv(FULL))
    (tmp_path / "weights.csv").write_bytes(csv(FULL[:3]))
    folder.look()
    ingest(intake, [tmp_path / "weights.csv"], feed=FEED)
    intake.stop(5)
    village.work()
    assert [(one.name, one.table, one.mode) for one in village.store.files.list()] == [
        ("weights.csv", "weights", "window"),
        ("visits_1101.csv", "visits", "delta"),
    ]
    assert {arrival_of(row.item_id) for row in village.items()} == {1, 2}


def test_a_large_file_is_read_beside_the_messages(village, monkeypatch):
    monkeypatch.setattr(shelves, "LARGE", 1)
    village.send(csv(FULL), feed=FEED)
    village.send(hl7(msh("M1"), pid("P1")))
    while len(village.all("Patient")) < 13:
        village.worker.step()
    village.work()
    assert set(village.states()) == {"applied"}
    assert village.store.files.list()[0].state == FileState.DONE


def test_a_file_that_kills_workers_while_it_is_read_is_set_aside(village, monkeypatch):
    village.send(csv(FULL), feed=FEED)
    village.worker.step()
    village.worker._diary.open([-item_id(1, 0)], 2)
    village.worker = village.gateway.worker("test")
    village.work()
    (item,) = village.items()
    assert (item.state, item.reason) == (State.PARKED, "poison")
    assert "3 workers died" in item.issues


def test_a_reader_that_fails_parks_the_file(village, monkeypatch):
    monkeypatch.setattr(type(village.gateway.catalog.tables(FEED)), "read", lambda *given: 1 / 0)
    report = send(village, FULL)
    item = village.store.work.show(item_id(report.arrival, FILE_INDEX))
    assert (item.reason, report.state) == ("poison", FileState.PARKED)
    assert "ZeroDivisionError" in item.issues


def test_the_shelf_keeps_few_files(village):
    shelf = shelves.Shelf(village.store, village.gateway.catalog, cells=100)
    village.send(*(csv(FULL, last="," * number + "\r\n") for number in range(6)), feed=FEED)
    for number in range(1, 4):
        assert len(shelf.file(number, FEED).records) == 12
    assert list(shelf._files) == [3], "72 cells a file"
    with pytest.raises(GatewayError, match="sends no tables"):
        shelf.file(1, "county-his")


def test_a_window_misses_only_what_lies_in_its_span(village, tmp_path):
    intake = village.gateway.intake()
    intake.start()

    def drop(name, rows):
        (tmp_path / name).write_bytes(csv(rows))
        ingest(intake, [tmp_path / name], feed=FEED)
        village.work()
        return village.store.files.list()[0]

    days = [person(n, day=f"2026-10-{n + 1:02}") for n in range(10)]
    drop("weights1.csv", days)
    report = drop("weights2.csv", [days[4], days[7], person(20, day="2026-10-09")])
    intake.stop(5)
    assert (report.mode, report.fresh, report.missing) == ("window", 1, 3)
    assert [row.key for row in village.store.files.lacking(FEED, "weights")] == ["V00005", "V00006", "V00008"]
