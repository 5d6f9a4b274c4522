"""gateway pull: read the views of other systems once, as the schedule of `gateway serve` does."""

import sys

import click

from gateway.cli.options import STORE, console, errors, opened, setting_options
from gateway.errors import GatewayError
from gateway.listeners import options
from gateway.listeners.gate import Gate
from gateway.listeners.options import PullOptions
from gateway.listeners.pull import Pull
from gateway.settings import Settings

_STOP_SECONDS = 30.0


@click.command(epilog="Example: gateway pull lis-results --config gateway.toml")
@click.argument("names", nargs=-1)
@setting_options(*STORE)
def pull(settings: Settings, names: tuple[str, ...]) -> None:
    """Run the queries of [[pulls]] now, all or those named; their rows are stored as CSV bytes first."""
    chosen = _chosen(options.from_settings(settings).pulls, names)
    good = True
    with opened(settings, migrate=True) as gateway:
        intake = gateway.intake()
        intake.start()
        try:
            for one in chosen:
                good = _once(Pull(one, settings.data, intake.take, Gate(options.GateOptions(), settings.data))) and good
        finally:
            intake.stop(_STOP_SECONDS)
    sys.exit(0 if good else 1)


def _chosen(pulls: tuple[PullOptions, ...], names: tuple[str, ...]) -> list[PullOptions]:
    known = {one.name: one for one in pulls}
    strange = [name for name in names if name not in known]
    if strange or not known:
        told = ", ".join(known) or "none; write [[pulls]] in gateway.toml"
        raise click.UsageError(f"There is no pull {', '.join(strange) or 'to run'}; there are: {told}.")
    return [known[name] for name in names] or list(pulls)


def _once(one: Pull) -> bool:
    try:
        pulled = one.once()
    except GatewayError as fault:
        errors.print(f"{one.name}: {fault.text}", soft_wrap=True)
        return False
    console.print(f"{one.name}: {pulled.rows} rows, {pulled.files} files stored, {pulled.known} already known")
    return True
