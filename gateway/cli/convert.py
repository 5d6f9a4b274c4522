"""gateway convert: what a message becomes, and with --explain which rule wrote what from where."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click
from rich.table import Table

from gateway.cli.options import errors, setting_options
from gateway.errors import GatewayError
from gateway.fhir import resource
from gateway.fhir.issues import Issue
from gateway.formats import charset, hl7v2_batch, hl7v2_envelope
from gateway.mapping.catalog import Catalog
from gateway.mapping.draft import Mapped
from gateway.mapping.feeds import Feed, NoMatch, Seen
from gateway.pipeline.parse import read
from gateway.pipeline.values import Item, Parked, Parsed
from gateway.settings import Settings
from gateway.wiring import open_catalog


@click.command(epilog="Example: gateway convert --explain message.hl7")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--feed", default="", help="Feed whose definitions are used; default told from the message's header.")
@click.option("--explain", is_flag=True, help="Show element, rule and field, and what was left over.")
@setting_options("mappings")
def convert(settings: Settings, path: Path, feed: str, explain: bool) -> None:
    """Print the resources each message in a file becomes, as FHIR JSON, a line each; nothing is stored.

    References between resources of one message are by their name in it, such as urn:draft:patient.
    """
    catalog = open_catalog(settings)
    raw = path.read_bytes()
    good = True
    for offset, length in hl7v2_batch.split(raw).messages or [(0, len(raw))]:
        try:
            good = _one(catalog, raw[offset : offset + length], feed, explain=explain) and good
        except GatewayError as fault:
            _issues([Issue("error", "processing", fault.text, fault.where)])
            good = False
    sys.exit(0 if good else 1)


def _one(catalog: Catalog, raw: bytes, name: str, *, explain: bool) -> bool:
    feed = _feed(catalog, raw, name)
    outcome = read(Item(0, feed, raw, 0, charset=charset.sniff_hl7(raw) or ""))
    if isinstance(outcome, Parked):
        _issues(outcome.issues)
        return False
    mapped = catalog.mapper(feed.name).map(outcome.message, trace=explain)
    _issues((*outcome.issues, *mapped.issues))
    for draft in mapped.drafts:
        for place, target in draft.links:
            place["reference"] = f"urn:draft:{target}"
        click.echo(resource.dumps(draft.body).decode())
    if explain:
        _explain(outcome, mapped)
    return True


def _feed(catalog: Catalog, raw: bytes, name: str) -> Feed:
    book = catalog.book(insecure_local=True)
    if name:
        found = book.get(name)
        if found is None:
            raise GatewayError(f"there is no feed {name}; there are {', '.join(feed.name for feed in catalog.feeds)}")
        return found
    envelope = hl7v2_envelope.read(raw)
    match = book.match(Seen(msh3=envelope.sending_app, msh4=envelope.sending_facility))
    if isinstance(match, NoMatch):
        raise GatewayError(match.text)
    return match


def _explain(parsed: Parsed, mapped: Mapped) -> None:
    table = Table("resource", "element", "rule", "field", title=f"{parsed.message.type}^{parsed.message.event}")
    for trace in mapped.trace:
        table.add_row(trace.draft, trace.path, trace.rule, trace.source)
    errors.print(table)
    errors.print(f"{mapped.populated} populated fields, {mapped.mapped} mapped, {len(mapped.left)} left over")
    left = Table("field", "kept", "why", title="left over")
    for one in mapped.left:
        left.add_row(one.where, "raw" if one.kept else "no", one.reason)
    if mapped.left:
        errors.print(left)


def _issues(issues: Iterable[Issue]) -> None:
    for issue in issues:
        errors.print(f"{issue.severity}: {issue.where + ': ' if issue.where else ''}{issue.text}", soft_wrap=True)
