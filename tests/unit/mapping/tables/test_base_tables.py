"""Every table of a township: its golden rows and the county's published sample leave nothing over and are right FHIR."""

import pytest

from gateway.conformance import structure
from tests.support.told import ROOT, SAMPLES, read

COUNTY = ROOT.parent / "shared" / "samples" / "csv"
GOLDEN = sorted(path.stem for path in SAMPLES.glob("*.csv"))
TABLES = sorted(name for name in GOLDEN if "-" not in name)


def wrong(records):
    bodies = [body for record in records for body in record.bodies]
    return [issue for body in bodies for issue in structure.check({**body, "id": "x"})]


def left(records):
    return [one for record in records for one in record.left]


def test_there_is_a_golden_sample_for_every_table(book):
    assert set(book.tables("township-csv").names) == set(TABLES)


@pytest.mark.parametrize("table", GOLDEN)
def test_every_cell_has_a_place_and_every_resource_is_right_fhir(told, table):
    records = told(table)
    assert records
    assert (left(records), wrong(records)) == ([], [])


@pytest.mark.parametrize("table", TABLES)
def test_the_published_sample_has_a_place_for_every_cell(book, table):
    path = COUNTY / f"{table}.csv"
    if not path.exists():
        pytest.skip("the samples of the county are not here: nothing was compared")
    records = read(book, path.read_bytes(), path.name)
    assert (left(records), wrong(records)) == ([], [])
