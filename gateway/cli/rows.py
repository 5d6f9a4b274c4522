"""gateway feeds rows: the rows of exports that are missing since a full export lacked them (ruling R6)."""

import click
from rich.table import Table

from gateway.cli.options import STORE, console, opened, setting_options
from gateway.fhir import temporal
from gateway.settings import Settings
from gateway.store.values import arrival_of


@click.command(epilog="Example: gateway feeds rows --missing --feed township-csv --table residents")
@click.option("--missing", is_flag=True, required=True, help="Rows that the last full export lacks.")
@click.option("--feed", default="", help="Only rows of this feed.")
@click.option("--table", "name", default="", help="Only rows of this table.")
@click.option("--limit", default=100, show_default=True, help="At most so many of each table.")
@setting_options(*STORE)
def rows(settings: Settings, missing: bool, feed: str, name: str, limit: int) -> None:
    """List rows by their key, since when they are missing, and the file and line that told them last.

    A missing row changes nothing in the record: a person decides what it means.
    """
    del missing  # there is no other question about rows yet, and the flag says which one this is
    shown = Table("feed", "table", "key", "missing since", "last told in file", "line", "item")
    with opened(settings) as gateway:
        for (sender, table), count in gateway.store.files.missing().items():
            if feed not in ("", sender) or name not in ("", table):
                continue
            console.print(f"{sender} {table}: {count} missing")
            for row in gateway.store.files.lacking(sender, table, limit=limit):
                told = (str(arrival_of(row.item_id)), str(row.line), str(row.item_id))
                shown.add_row(sender, table, row.key, temporal.instant(row.missing_us or 0), *told)
    console.print(shown)
