"""gateway worker: one more worker, on this machine or another that shares the PostgreSQL store."""

import os
import re
import socket

import click

from gateway.cli.children import OWN, run_worker
from gateway.cli.options import STORE, console, opened, setting_options
from gateway.settings import Settings

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@click.command(epilog="Example: gateway worker --database postgresql://gateway@db/yigong --name second")
@click.option(
    "--name", default="", help="Name of its leases; default one of this process. Use a fixed one under systemd."
)
@setting_options(*STORE, "batch_size")
def worker(settings: Settings, name: str) -> None:
    """Run one more worker: it takes its share of the patients' lanes and gives them back when it ends."""
    name = name or f"worker-{os.getpid()}"
    if not _NAME.fullmatch(name) or name == OWN:
        raise click.UsageError(f"--name {name}: write up to 64 letters, digits, '.', '_' or '-', other than {OWN!r}")
    with opened(settings) as gateway:
        console.print(f"working as {socket.gethostname()}/{name}; Ctrl-C ends it")
        run_worker(gateway, name)
