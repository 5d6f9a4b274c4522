"""The gateway command: its verbs, each in a module of its own that is imported only when called."""

import sys

import click

from gateway import __version__
from gateway.cli.lazy import Verbs
from gateway.errors import GatewayError

# verb: (module, one line for the overview)
VERBS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "Run the guided tour on made-up messages, then go on serving."),
    "serve": ("serve", "Receive, convert and serve: the whole gateway."),
    "worker": ("worker", "Run one more worker on the store."),
    "ingest": ("ingest", "Take files or folders of messages into the store."),
    "pull": ("pull", "Read the views of other systems once, as `serve` does on schedule."),
    "convert": ("convert", "Show what a message becomes; stores nothing."),
    "feeds": ("feeds", "List and check the feeds and their mappings."),
    "inbox": ("inbox", "Look at messages: list, show, retry, replay, discard."),
    "terminology": ("terminology", "Import code files (ICD-10, drugs, LOINC, items) and look codes up."),
    "identity": ("identity", "Who is the same person: explain, review, train the model."),
    "migrate": ("migrate", "Bring the store's tables to this version."),
    "fsck": ("fsck", "Check the store: every byte, index row and provenance."),
    "reindex": ("reindex", "Make the search index anew, beside a working gateway."),
    "simulate": ("simulate", "Write an invented county: files of every feed, and the truth about them."),
}
HIDDEN: dict[str, tuple[str, str]] = {
    "_receive": ("children", "The receive process."),
    "_web": ("children", "The web process."),
    "_worker": ("children", "The worker process."),
}


@click.command(cls=Verbs, verbs=VERBS, hidden=HIDDEN, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gateway")
def cli() -> None:
    """Yigong Gateway 医共体互联互通网关: hospital feeds in, one FHIR R4 record out.

    Example: gateway serve --insecure-local
    """


def main() -> None:
    """Run the command; faults of the data end with code 1, faults of usage with code 2."""
    try:
        cli(prog_name="gateway")
    except GatewayError as fault:
        where = f" ({fault.where})" if fault.where else ""
        click.echo(f"gateway: {fault.text}{where}", err=True)
        sys.exit(1)
    except OSError as fault:
        click.echo(f"gateway: {fault.filename or 'the system'}: {fault.strerror or fault}", err=True)
        sys.exit(1)
