"""gateway feeds test: what edited mappings would make of messages already stored, before they are activated."""

import sys
from collections import Counter
from pathlib import Path

import click
from rich.table import Table

from gateway.cli.options import STORE, console, errors, opened, setting_options
from gateway.errors import GatewayError
from gateway.mapping import catalog as catalogs
from gateway.mapping.catalog import Catalog
from gateway.pipeline.trial import Compared, Side, compare
from gateway.settings import Settings, shipped
from gateway.store.values import WorkFilter

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_MASKED = ("name", "identifier", "telecom", "address", "birthDate", "contact", "(keys)")


@click.command("test", epilog="Example: gateway feeds test county-his --edited ./mappings-new --last 500")
@click.argument("feed")
@click.option("--edited", required=True, type=_FOLDER, help="Edited mappings; its sites stand for those of their name.")
@click.option("--last", default=200, show_default=True, help="How many of the newest stored messages are tried.")
@click.option("--shown", default=20, show_default=True, help="How many differing messages are shown in full.")
@setting_options(*STORE)
def test(settings: Settings, feed: str, edited: Path, last: int, shown: int) -> None:
    """Show what differs between the active and the edited mapping on stored originals; stores nothing.

    Names, numbers and addresses of persons are shown as changed, not what they are. Exit code 1 when anything that is
    applied now would be parked.
    """
    after = catalogs.load([shipped("mappings"), *settings.mappings, edited], base=settings.base_url)
    with opened(settings, migrate=True) as gateway:
        _known(feed, gateway.catalog, after)
        rows = gateway.store.work.list(WorkFilter(feed=feed, limit=last))
        found = list(compare(rows, Side(gateway.store, gateway.catalog), Side(gateway.store, after)))
    for one in [one for one in found if not one.same][:shown]:
        _show(one)
    _summary(found)
    sys.exit(1 if any(one.after and not one.before for one in found) else 0)


def _known(feed: str, *books: Catalog) -> None:
    for book, which in zip(books, ("active", "edited"), strict=True):
        if book.book(insecure_local=True).get(feed) is None:
            names = ", ".join(one.name for one in book.feeds)
            raise GatewayError(f"The {which} mappings have no feed {feed!r}; they have {names}.")


def _show(one: Compared) -> None:
    table = Table("resource", "element", "active", "edited", title=f"{one.item.item_id} {one.item.event}")
    if one.before != one.after:
        table.add_row("(the message)", "", one.before or "applied", one.after or "applied")
    for change in one.changes:
        table.add_row(change.resource, change.path, *_values(change.path, change.before, change.after))
    console.print(table)


def _values(path: str, before: object, after: object) -> tuple[str, str]:
    if path.startswith(_MASKED) or "reference" in path:
        return ("-" if before is None else "(a value)", "-" if after is None else "(another)")
    return ("-" if before is None else str(before), "-" if after is None else str(after))


def _summary(found: list[Compared]) -> None:
    same = sum(one.same for one in found)
    changes = [change for one in found for change in one.changes]
    kinds = Counter(f"{change.resource.split()[0]}.{change.path.split('[')[0]}" for change in changes)
    console.print(f"{len(found)} messages tried: {same} the same, {len(found) - same} differ")
    for kind, number in kinds.most_common():
        console.print(f"  {kind}: {number}")
    left = sum(one.left_before for one in found), sum(one.left_after for one in found)
    console.print(f"fields no rule reads: {left[0]} now, {left[1]} with the edited mappings")
    worse = sum(bool(one.after and not one.before) for one in found)
    better = sum(bool(one.before and not one.after) for one in found)
    if worse or better:
        errors.print(f"{worse} applied now would be parked; {better} parked now would be applied: replay them then")
