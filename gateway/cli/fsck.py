"""gateway fsck: check the store against itself."""

import sys
from itertools import chain

import click
from rich.progress import Progress

from gateway.cli.options import STORE, console, errors, opened, setting_options
from gateway.identity import upkeep
from gateway.record import fsck as checks
from gateway.settings import Settings

_SHOWN = 100


@click.command(epilog="Example: gateway fsck --data ./var")
@click.option("--sweep", is_flag=True, help="Also take away attachment content nothing refers to for a day.")
@setting_options(*STORE)
def fsck(settings: Settings, sweep: bool) -> None:
    """Check every stored byte, state, version, origin, search row, link and audit row; exit code 1 if any is wrong."""
    found = []
    swept = 0
    areas = ("inbox", "resources", "attachments", "audit", "identity")
    with opened(settings) as gateway, Progress(console=errors, transient=True) as bar:
        tasks = {area: bar.add_task(area, total=None) for area in areas}
        for step in chain(checks.check(gateway.store, settings.zone), upkeep.check(gateway.store)):
            bar.update(tasks[step.area], completed=step.done, total=step.total)
            found.extend(step.findings)
        for step in checks.sweep(gateway.store) if sweep else ():
            swept = step.done
    for finding in found[:_SHOWN]:
        console.print(f"{finding.where}: {finding.text}")
    if sweep:
        console.print(f"{swept} orphaned attachments taken away")
    console.print(f"{len(found)} faults" if found else "the store is sound")
    sys.exit(1 if found else 0)
