"""gateway reindex: make the search index, and the evidence for linking, anew from the stored resources."""

import sys

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.cli.options import STORE, console, errors, opened, setting_options
from gateway.identity import upkeep
from gateway.record import reindex as indexing
from gateway.settings import Settings

_SHOWN = 100


@click.command(epilog="Example: gateway reindex --data ./var")
@click.option("--anew", is_flag=True, help="Begin at the first resource, even where an earlier run was stopped.")
@setting_options(*STORE)
def reindex(settings: Settings, anew: bool) -> None:
    """Make search rows and evidence anew while the gateway runs; stopped, it goes on where it was; code 1 on faults."""
    found = []
    done = changed = renewed = 0
    columns = (TextColumn("resources"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with opened(settings) as gateway, Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("resources", total=None)
        for step in indexing.reindex(gateway.store, settings.zone, anew=anew):
            done, changed = step.done, step.changed
            bar.update(task, completed=done, total=step.total)
            found.extend(step.findings)
        for one in upkeep.renew(gateway.store, anew=anew):
            renewed = one.changed
            bar.update(task, description="evidence", completed=one.done, total=one.total)
    for finding in found[:_SHOWN]:
        console.print(f"{finding.where}: {finding.text}")
    console.print(f"{done} resources looked at, {changed} search rows changed, {len(found)} could not be indexed")
    console.print(f"{renewed} Patients had other evidence than was stored; the linker decides them anew")
    sys.exit(1 if found else 0)
