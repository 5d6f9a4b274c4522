"""Files of tables on the command line: taken, reported, a row shown cell by cell, missing rows listed."""

import re

import pytest

from gateway.store.values import FILE_INDEX, State, item_id
from tests.support import exports
from tests.support.county import county
from tests.support.exports import csv, person
from tests.unit.cli.conftest import gateway

FULL = [person(n, name) for n, name in enumerate(["王某甲", "李某乙", "赵某丙", "钱某丁"])]


@pytest.fixture(scope="module")
def village(tmp_path_factory):
    """A store with a full file, a broken row, a missing row and half a file; returns how verbs are called on it."""
    home = tmp_path_factory.mktemp("village")
    mappings, data = exports.mappings(home / "mappings"), home / "data"
    files = {
        "people1.csv": csv(FULL, last="合计,4人,,,6.00,\r\n"),
        "people2.csv": csv([*FULL[:3], (*person(9, "孙某戊"), "one", "too many")]),
        "people3.csv": csv(FULL[:1], last="合计,4人,,,6.00,\r\n"),
    }
    for name, raw in files.items():
        (home / name).write_bytes(raw)
        told = gateway("ingest", home / name, "--feed", "village-csv", "--data", data, "--mappings", mappings)
        assert told.exit_code == 0, told.output
        with county(f"sqlite:///{data}/gateway.db", data, [mappings]) as town:
            town.work()
    return lambda *given: gateway(*given, "--data", data, "--mappings", mappings)


def test_each_file_has_one_line(village):
    lines = [line for line in village("inbox", "files").output.splitlines() if "people" in line]
    assert [re.search(r"people\d\.csv", line)[0] for line in lines] == ["people3.csv", "people2.csv", "people1.csv"]
    assert "parked: half-file" in lines[0]
    assert "DIFFER" in lines[0]
    assert "done" in lines[1]
    assert "agree" in lines[2]
    assert "people" not in village("inbox", "files", "--feed", "another").output


def test_one_file_is_told_whole(village):
    told = village("inbox", "files", 1).output
    assert "people1.csv" in told
    assert "4 records: 4 new, 0 changed, 0 unchanged, 0 set aside; 0 missing since, 0 there again" in told
    assert "line 6 合计: 费用 6.00 agrees" in told
    assert "items: 4 applied" in told
    half = village("inbox", "files", 3).output
    assert "DIFFERS: the rows give 1" in half
    assert f"gateway inbox show {item_id(3, FILE_INDEX)}" in half
    assert village("inbox", "files", 8).output == "gateway: There is no file 8.\n"


def test_a_row_is_shown_with_its_headers(village):
    told = village("inbox", "show", item_id(1, 1)).output
    assert "line 3" in told
    assert "编号: V00001" in told
    assert "姓名: 李某乙" in told
    assert "made Patient/" in told


def test_a_row_set_aside_is_shown_cell_by_cell(village):
    told = village("inbox", "show", item_id(2, 3)).output
    assert "parked quarantined" in told
    assert "line 5: has 8 cells" in told
    assert "cell 2: 孙某戊" in told


@pytest.mark.parametrize("row", [item_id(1, 1), item_id(2, 3)], ids=["row", "broken row"])
def test_redacted_nothing_of_the_row_is_left(village, row):
    told = village("inbox", "show", row, "--redacted").output
    assert not re.search("李某乙|孙某戊|V0000|2026-10-01", told.partition("\n")[2])
    assert "某某某" in told


def test_a_whole_file_that_waits_says_why(village):
    told = village("inbox", "show", item_id(3, FILE_INDEX)).output
    assert "has 1 rows, the last one had 4" in told
    assert State.PARKED.name.lower() in told


def test_the_bytes_of_a_rows_file_are_those_received(village):
    assert village("inbox", "show", item_id(1, 1), "--raw").stdout_bytes == csv(FULL, last="合计,4人,,,6.00,\r\n")


def test_missing_rows_are_listed(village):
    told = village("feeds", "rows", "--missing").output
    assert "village-csv people: 1 missing" in told
    assert "V00003" in told
    assert "V00003" not in village("feeds", "rows", "--missing", "--table", "visits").output
    assert village("feeds", "rows").exit_code == 2
