"""gateway migrate: the store's tables to this version."""

import click

from gateway.cli.options import STORE, console, setting_options
from gateway.settings import Settings
from gateway.store.engine import open_store


@click.command(epilog="Example: gateway migrate --database postgresql://gateway@db/yigong")
@setting_options(*STORE)
def migrate(settings: Settings) -> None:
    """Create the store or bring its tables to this version; forward only, and safe to run again."""
    settings.data.mkdir(parents=True, exist_ok=True)
    store = open_store(settings.database, settings.data)
    steps = store.migrate()
    store.close()
    console.print(f"steps taken: {', '.join(map(str, steps))}" if steps else "the store is up to date")
