"""A small county, written once, and what stands in it."""

import json
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.formats import sheet
from gateway.simulate import simulate


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def opened(folder):
    """Everything a county wrote, read back."""
    return SimpleNamespace(
        folder=folder,
        manifest=lines(folder / "manifest.jsonl"),
        truth=lines(folder / "truth.jsonl"),
        files=lines(folder / "files.jsonl"),
        persons={each["person"]: each for each in lines(folder / "persons.jsonl")},
        counts=json.loads((folder / "counts.json").read_text(encoding="utf-8")),
    )


@pytest.fixture(scope="session")
def day(tmp_path_factory):
    """The smallest county on its first day."""
    folder = tmp_path_factory.mktemp("county") / "day"
    simulate(folder, residents=200, days=1, seed=7)
    return opened(folder)


@pytest.fixture(scope="session")
def days(tmp_path_factory):
    """A somewhat larger county over some days, around the first of a month."""
    from datetime import date

    folder = tmp_path_factory.mktemp("county") / "days"
    simulate(folder, residents=700, days=4, seed=11, start=date(2026, 12, 29))
    return opened(folder)


@pytest.fixture(scope="session")
def tables(day):
    """Rows as dictionaries by header, with their line, for every table of the day: table -> list of rows."""
    found = defaultdict(list)
    for entry in day.files:
        raw = (day.folder / entry["file"]).read_bytes()
        if entry["kind"] == "table" and raw:
            found[entry["table"]] += records(raw)
    return found


def records(raw):
    rows = sheet.read(raw)[0].rows
    header = next(row for row in rows if len([cell for cell in row.cells if cell]) > 5)
    words = [cell.replace("査", "查").replace("箅", "算") for cell in header.cells]
    kept = [
        row
        for row in rows
        if row.line > header.line and row.cells != header.cells and (row.fault or len(row.cells) > 4)
    ]
    return [dict(zip(words, row.cells, strict=False)) | {"line": row.line} for row in kept if row.cells[0] != "合计"]


def path_of(folder, entry):
    return Path(folder) / entry["file"]
