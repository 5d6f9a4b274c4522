"""Every golden export becomes the same resources in every encoding and as a workbook."""

import csv
import io
from pathlib import Path

import openpyxl
import pytest

from gateway.mapping.catalog import Catalog
from gateway.mapping.samples import samples

MAPPINGS = Path(__file__).parents[4] / "mappings"
FILES = [
    (feed.parent.name, sample.message)
    for feed in sorted(MAPPINGS.glob("*/*/feed.yaml"))
    for sample in samples(feed.parent)
    if sample.message.suffix == ".csv"
]


def _grid(raw: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return list(csv.reader(io.StringIO(raw.decode(encoding), newline="")))
        except UnicodeDecodeError:
            continue
    raise AssertionError("a golden export is UTF-8 or GB18030")


def _csv(grid: list[list[str]], delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=quoting).writerows(grid)
    return text.getvalue()


def _xlsx(grid: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    for number, row in enumerate(grid, 1):
        for column, cell in enumerate(row, 1):
            if cell:
                found = book.active.cell(number, column, cell)
                found.data_type = "s"
    raw = io.BytesIO()
    book.save(raw)
    return raw.getvalue()


FORMS = {
    "utf-8": lambda grid: _csv(grid).encode(),
    "gb18030": lambda grid: _csv(grid).encode("gb18030"),
    "bom": lambda grid: _csv(grid, quoting=csv.QUOTE_ALL).encode("utf-8-sig"),
    "unicode text": lambda grid: _csv(grid, "\t").encode("utf-16"),
    "pipe": lambda grid: _csv(grid, "|").encode("gb18030"),
    "xlsx": _xlsx,
}


def _became(shipped: Catalog, feed: str, raw: bytes, name: str) -> list[object]:
    mapper = shipped.mapper(feed)
    found = shipped.tables(feed).read(raw, name)
    return [
        (
            record.key,
            record.fault,
            [draft.body for draft in mapper.map(record.message).drafts] if not record.fault else [],
        )
        for record in found.records
    ]


@pytest.mark.parametrize(("feed", "path"), FILES, ids=[f"{feed}/{path.stem}" for feed, path in FILES])
def test_the_same_resources_whatever_the_form(shipped, feed, path):
    grid = _grid(path.read_bytes())
    expected = _became(shipped, feed, FORMS["utf-8"](grid), path.name)
    assert expected
    for form, make in FORMS.items():
        assert _became(shipped, feed, make(grid), path.name) == expected, form
