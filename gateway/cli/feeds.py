"""gateway feeds: which feeds there are, what they have sent, and whether their mappings are sound."""

import click
from rich.table import Table

from gateway.cli.feeds_new import new
from gateway.cli.feeds_test import test
from gateway.cli.options import STORE, console, opened, setting_options
from gateway.cli.rows import rows
from gateway.mapping.feeds import Feed
from gateway.settings import Settings
from gateway.store.values import State
from gateway.wiring import open_catalog


@click.group()
def feeds() -> None:
    """List the feeds, propose new ones, check and try their mappings.

    Example: gateway feeds check --mappings /etc/yigong/mappings
    """


@feeds.command("list", epilog="Example: gateway feeds list --data ./var")
@setting_options(*STORE)
def list_feeds(settings: Settings) -> None:
    """List every feed with its sender and its numbers."""
    with opened(settings, migrate=True) as gateway:
        counts = gateway.store.work.counts()
    table = Table("feed", "site", "sender", "answers", "applied", "open", "parked", "held")
    for feed in gateway.catalog.feeds:
        numbers = {state: counts.get((feed.name, state), 0) for state in State}
        waiting = numbers[State.QUEUED] + numbers[State.RETRY]
        shown = (numbers[State.APPLIED], waiting, numbers[State.PARKED], numbers[State.HELD])
        table.add_row(feed.name, feed.site, _sender(feed), f"{feed.ack}, {feed.ack_when}", *map(str, shown))
    console.print(table)


@feeds.command(epilog="Example: gateway feeds check --mappings /etc/yigong/mappings")
@setting_options("mappings")
def check(settings: Settings) -> None:
    """Read every mapping as a start would, and list each fault with its file and rule; exit code 1 if any."""
    catalog = open_catalog(settings)
    names = ", ".join(feed.name for feed in catalog.feeds)
    console.print(f"{len(catalog.feeds)} feeds are sound ({names}); version {catalog.version[:16]}")


def _sender(feed: Feed) -> str:
    return "; ".join(f"{word} {' or '.join(values)}" for word, values in feed.match.items()) or "(anyone, local only)"


feeds.add_command(new)
feeds.add_command(test)
feeds.add_command(rows)
