"""gateway inbox files: one report for each file of a table that came in; and the cells of one row for people."""

import json
from collections.abc import Iterator
from typing import Any

import click
from rich.table import Table

from gateway.cli import redact
from gateway.cli.options import STORE, console, opened, setting_options
from gateway.errors import GatewayError
from gateway.fhir import temporal
from gateway.formats import sheet
from gateway.mapping.tables.records import Record
from gateway.pipeline.files import item_of
from gateway.pipeline.shelf import Shelf
from gateway.settings import Settings
from gateway.store.engine import Store
from gateway.store.rows import FileReport, FileState
from gateway.store.values import FILE_INDEX, State, WorkRow, arrival_of
from gateway.wiring import Gateway

_COLUMNS = ("file", "received", "feed", "name", "table", "state", "rows", "new", "changed", "unchanged", "set aside",
            "missing", "totals")  # fmt: skip
_FEWEST = 3  # letters of a cell that are masked wherever they stand in a sentence


@click.command(epilog="Example: gateway inbox files --feed township-csv")
@click.argument("file", type=int, required=False)
@click.option("--feed", default="", help="Only files of this feed.")
@click.option("--limit", default=20, show_default=True, help="At most so many, newest first.")
@setting_options(*STORE)
def files(settings: Settings, file: int | None, feed: str, limit: int) -> None:
    """List the files of tables newest first, or tell all that is known of one FILE (its number in the list)."""
    with opened(settings) as gateway:
        if file is not None:
            _tell(gateway.store, gateway.store.files.show(file))
            return
        table = Table(*_COLUMNS)
        for report in gateway.store.files.list(feed, limit):
            table.add_row(*_cells(gateway.store, report))
    console.print(table)


def cells(gateway: Gateway, row: WorkRow) -> list[tuple[str, str]]:
    """Return the cells of an item that is a row of a file, each with its header; none where they are gone."""
    arrival, number = arrival_of(row.item_id), row.item_id & FILE_INDEX
    if number == FILE_INDEX:
        return []
    records: list[Record] = []
    shelf = Shelf(gateway.store, gateway.catalog)
    try:
        records = shelf.file(arrival, row.feed).records
    except sheet.NotATable:
        records = []
    if number < len(records) and records[number].rows:
        return list(_pairs(records[number]))
    return _raw_cells(gateway.store, arrival, row.offset)


def redacted(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the cells as signs of the same shape; headers stay."""
    return [(head, redact.mask(cell)) for head, cell in pairs]


def sentence(text: str, pairs: list[tuple[str, str]]) -> str:
    """Return an issue's sentence without anything that stands in the cells."""
    return redact.without(text, {cell for _, cell in pairs if len(cell) >= _FEWEST or not cell.isascii()})


def _pairs(record: Record) -> Iterator[tuple[str, str]]:
    several = len(record.rows) > 1
    for row, texts in record.rows:
        for head, cell in zip(record.layout.header.heads, texts, strict=False):
            if cell:
                yield (f"line {row.line}: {head}" if several else head), cell


def _raw_cells(store: Store, arrival: int, line: int) -> list[tuple[str, str]]:
    """Return the cells of a line that could not be read as a row."""
    stored = store.inbox.arrival(arrival)
    if stored is None or stored.body is None:
        return []
    rows = (row for one in sheet.read(stored.body) for row in one.rows if row.line == line)
    return [(f"cell {number}", cell) for row in rows for number, cell in enumerate(row.cells, 1) if cell]


def _cells(store: Store, report: FileReport) -> tuple[str, ...]:
    counts = (report.records, report.fresh, report.changed, report.unchanged, report.quarantined, report.missing)
    head = (str(report.arrival), temporal.instant(report.received_us), report.feed, report.name, report.table)
    return (*head, _state(store, report), *map(str, counts), _totals(json.loads(report.facts)))


def _state(store: Store, report: FileReport) -> str:
    if report.state == FileState.DONE:
        return "done"
    if report.state == FileState.WAITING:
        return f"{report.taken} of {report.records} taken" if report.records else "waiting"
    try:
        row = store.work.show(item_of(report))
    except GatewayError:
        return "parked"
    return "discarded" if row.state == State.DISCARDED else f"parked: {row.reason}"


def _totals(facts: dict[str, Any]) -> str:
    told = facts.get("reconciled")
    return "" if told is None else "agree" if told else "DIFFER"


def _tell(store: Store, report: FileReport) -> None:
    facts = json.loads(report.facts)
    console.print(f"file {report.arrival}  {report.name or '(no name)'}  feed {report.feed}  {_state(store, report)}")
    console.print(
        f"  received {temporal.instant(report.received_us)}  table {report.table or '?'}  mode {report.mode or '?'}"
        f"  {facts.get('kind', '')} {facts.get('encoding', '')}  header in line {facts.get('header_line', '?')}"
    )
    console.print(
        f"  {report.records} records: {report.fresh} new, {report.changed} changed, {report.unchanged} unchanged, "
        f"{report.quarantined} set aside; {report.missing} missing since, {report.returned} there again"
    )
    for total in facts.get("totals", []):
        for what, told, found, good in total["checks"]:
            verdict = "agrees" if good else f"DIFFERS: the rows give {found}"
            console.print(f"  line {total['line']} {total['label']}: {what} {told} {verdict}")
    for severity, text, where in facts.get("issues", []):
        console.print(f"  {severity} {where}: {text}" if where else f"  {severity}: {text}")
    states = ", ".join(f"{n} {state.name.lower()}" for state, n in store.files.items(report.arrival).items())
    console.print(f"  items: {states or 'none'}")
    parked = f"gateway inbox show {item_of(report)}"
    if report.state == FileState.PARKED:
        console.print(f"  why it waits: {parked}")
