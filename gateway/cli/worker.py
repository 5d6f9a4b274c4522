"""gateway worker: one more worker, on this machine or another that shares the PostgreSQL store."""

import os
import socket

import click

from gateway.cli.children import run_worker
from gateway.cli.options import STORE, console, open_gateway, setting_options
from gateway.settings import Settings


@click.command(epilog="Example: gateway worker --database postgresql://gateway@db/yigong --name second")
@click.option(
    "--name", default="", help="Name of its leases; default one of this process. Use a fixed one under systemd."
)
@setting_options(*STORE, "batch_size")
def worker(settings: Settings, name: str) -> None:
    """Run one more worker: it takes its share of the patients' lanes and gives them back when it ends."""
    gateway = open_gateway(settings)
    name = name or f"worker-{os.getpid()}"
    console.print(f"working as {socket.gethostname()}/{name}; Ctrl-C ends it")
    run_worker(gateway, name)
