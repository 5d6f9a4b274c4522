"""gateway inbox: look at messages, and decide about those that were parked."""

import json
from collections.abc import Sequence

import click
from rich.table import Table

from gateway.cli import files as tables
from gateway.cli import redact
from gateway.cli.options import STORE, console, opened, setting_options
from gateway.errors import Category, GatewayError
from gateway.fhir import temporal
from gateway.settings import Settings
from gateway.store.engine import Store
from gateway.store.values import TABLE, Arrival, State, WorkFilter, WorkRow, arrival_of

_STATES = [state.name.lower() for state in State]


@click.group()
def inbox() -> None:
    """Look at messages and decide about those that were parked.

    Example: gateway inbox list --state parked
    """


@inbox.command("list", epilog="Example: gateway inbox list --state parked --reason key-reused")
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only items in this state.")
@click.option("--feed", default="", help="Only items of this feed.")
@click.option("--reason", default="", help="Only items parked for this reason.")
@click.option("--limit", default=50, show_default=True, help="At most so many, newest first.")
@setting_options(*STORE)
def list_items(settings: Settings, states: tuple[str, ...], feed: str, reason: str, limit: int) -> None:
    """List items newest first."""
    wanted = WorkFilter([State[name.upper()] for name in states], feed, reason, limit=limit)
    with opened(settings) as gateway:
        rows = gateway.store.work.list(wanted)
    table = Table("item", "received", "feed", "event", "state", "reason", "tries", "why")
    for row in rows:
        why = "; ".join(dict.fromkeys(issue[1] for issue in json.loads(row.issues)[-3:]))
        shown = (str(row.item_id), temporal.instant(row.received_us), row.feed, f"{row.type}^{row.event}")
        table.add_row(*shown, row.state.name.lower(), row.reason, str(row.attempts), why)
    console.print(table)


@inbox.command(epilog="Example: gateway inbox show 73400320 --redacted > for-the-vendor.txt")
@click.argument("item", type=int)
@click.option(
    "--redacted", is_flag=True, help="Replace every value by signs of the same shape; safe to send to a vendor."
)
@click.option("--raw", "as_raw", is_flag=True, help="Write the bytes exactly as received, and nothing else.")
@setting_options(*STORE)
def show(settings: Settings, item: int, redacted: bool, as_raw: bool) -> None:
    """Show one item: what came in, what became of it, and why."""
    with opened(settings) as gateway:
        row = gateway.store.work.show(item)
        raw = _raw(row, gateway.store.inbox.arrival(arrival_of(item)))
        pairs = tables.cells(gateway, row) if row.type == TABLE else []
        with gateway.store.read() as tx:
            made = tx.versions_of_item(item)
    if as_raw and not redacted:
        click.echo(raw, nl=False)  # bytes go out as they are
        return
    _head(row)
    for severity, _, text, where in json.loads(row.issues):
        console.print(f"  {severity} {where + ': ' if where else ''}{_told(text, row, raw, pairs, redacted=redacted)}")
    for version in made:
        console.print(f"  made {version.type}/{version.fid} version {version.ver}")
    if row.type == TABLE:
        _show_cells(row, tables.redacted(pairs) if redacted else pairs)
    else:
        click.echo(redact.message(raw) if redacted else _text(raw))


inbox.add_command(tables.files)


@inbox.command(epilog="Example: gateway inbox retry 73400320")
@click.argument("items", type=int, nargs=-1, required=True)
@setting_options(*STORE)
def retry(settings: Settings, items: tuple[int, ...]) -> None:
    """Queue parked or held items again, after their cause was mended."""
    with opened(settings) as gateway:
        _tell("queued", gateway.store.work.retry(items), items)


@inbox.command(epilog="Example: gateway inbox replay --feed county-his")
@click.argument("items", type=int, nargs=-1)
@click.option("--feed", default="", help="Every item of this feed, when no items are named.")
@setting_options(*STORE)
def replay(settings: Settings, items: tuple[int, ...], feed: str) -> None:
    """Map items again with the definitions now active, and refold what they touched in source order."""
    if not items and not feed:
        raise click.UsageError("name the items to replay, or a feed with --feed")
    with opened(settings) as gateway:
        chosen = items or tuple(_all_of(gateway.store, feed))
        _tell("queued", gateway.store.work.replay(chosen), chosen)


@inbox.command(epilog='Example: gateway inbox discard 73400320 --reason "test of the vendor"')
@click.argument("items", type=int, nargs=-1, required=True)
@click.option("--reason", required=True, help="Why; it stays with the item.")
@setting_options(*STORE)
def discard(settings: Settings, items: tuple[int, ...], reason: str) -> None:
    """Give items up; their bytes stay, and what they held back goes on."""
    with opened(settings) as gateway:
        _tell("discarded", gateway.store.work.discard(items, reason), items)


def _all_of(store: Store, feed: str) -> list[int]:
    found: list[int] = []
    before = 0
    while rows := store.work.list(WorkFilter(feed=feed, before_id=before, limit=500)):
        found.extend(row.item_id for row in rows)
        before = rows[-1].item_id
    return found


def _raw(row: WorkRow, arrival: Arrival | None) -> bytes:
    if arrival is None or arrival.body is None:
        text = "its raw bytes are past retention; digest, size and date are kept"
        raise GatewayError(text, where=str(row.item_id), category=Category.GONE)
    if row.type == TABLE:  # a row has no bytes of its own
        return arrival.body
    return arrival.body[row.offset : row.offset + row.length] if row.length else arrival.body


def _told(text: str, row: WorkRow, raw: bytes, pairs: list[tuple[str, str]], *, redacted: bool) -> str:
    if not redacted:
        return text
    return tables.sentence(text, pairs) if row.type == TABLE else redact.sentence(text, raw)


def _show_cells(row: WorkRow, pairs: list[tuple[str, str]]) -> None:
    if pairs:
        console.print(f"  line {row.offset}" + (f", {row.length} lines" if row.length > 1 else ""))
    for head, cell in pairs:
        console.print(f"    {head}: {cell}")


def _head(row: WorkRow) -> None:
    console.print(
        f"item {row.item_id}  feed {row.feed}  {row.type}^{row.event}  {row.state.name.lower()} {row.reason}"
        f"  received {temporal.instant(row.received_us)}  fields {row.mapped} of {row.populated} mapped",
        markup=False,
    )


def _text(raw: bytes) -> str:
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding).replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    return raw.decode("ascii", "backslashreplace").replace("\r", "\n")


def _tell(done: str, changed: Sequence[int], asked: tuple[int, ...]) -> None:
    console.print(f"{done}: {len(changed)} of {len(asked)}")
    if len(changed) < len(asked):
        raise GatewayError("the others were in another state, or are unknown")
