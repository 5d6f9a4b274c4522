"""gateway convert: what a message or a file of tables becomes, and with --explain which rule wrote what from where."""

import sys
from collections.abc import Iterable
from pathlib import Path

import click
from rich.table import Table

from gateway.cli.options import errors, setting_options
from gateway.errors import GatewayError
from gateway.fhir import resource
from gateway.fhir.issues import Issue, has_errors
from gateway.formats import charset, hl7v2_batch, hl7v2_envelope
from gateway.mapping.catalog import Catalog, Mapper
from gateway.mapping.draft import Mapped
from gateway.mapping.feeds import Feed, NoMatch, Seen
from gateway.mapping.tables.reading import TableFile
from gateway.mapping.tables.records import Record
from gateway.pipeline.parse import read
from gateway.pipeline.values import Item, Parked
from gateway.settings import Settings
from gateway.wiring import open_catalog


@click.command(epilog="Example: gateway convert --explain message.hl7")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--feed", default="", help="Feed whose definitions are used; default told from the message's header.")
@click.option("--explain", is_flag=True, help="Show element, rule and field, and what was left over.")
@setting_options("mappings")
def convert(settings: Settings, path: Path, feed: str, explain: bool) -> None:
    """Print the resources each message or table row in a file becomes, as FHIR JSON, a line each; nothing is stored.

    A table (CSV, Excel …) needs --feed. References between resources of one message are by their name in it, such as
    urn:draft:patient.
    """
    catalog = open_catalog(settings)
    raw = path.read_bytes()
    if feed and _named(catalog, feed).tabular:
        sys.exit(0 if _file(catalog, raw, path.name, feed, explain=explain) else 1)
    good = True
    for offset, length in hl7v2_batch.split(raw).messages or [(0, len(raw))]:
        try:
            good = _one(catalog, raw[offset : offset + length], feed, explain=explain) and good
        except GatewayError as fault:
            _issues([Issue("error", "processing", fault.text, fault.where)])
            good = False
    sys.exit(0 if good else 1)


def _one(catalog: Catalog, raw: bytes, name: str, *, explain: bool) -> bool:
    feed = _named(catalog, name) if name else _matched(catalog, raw)
    outcome = read(Item(0, feed, raw, 0, charset=charset.sniff_hl7(raw) or ""))
    if isinstance(outcome, Parked):
        _issues(outcome.issues)
        return False
    mapped = catalog.mapper(feed.name).map(outcome.message, trace=explain)
    _issues((*outcome.issues, *mapped.issues))
    _resources(mapped)
    if explain:
        _explain(f"{outcome.message.type}^{outcome.message.event}", mapped)
    return True


def _file(catalog: Catalog, raw: bytes, name: str, feed: str, *, explain: bool) -> bool:
    """Print the resources of every record of a file of tables."""
    try:
        found = catalog.tables(feed).read(raw, name)
    except GatewayError as fault:
        _issues([Issue("error", "processing", fault.text, fault.where)])
        return False
    mapper = catalog.mapper(feed)
    _issues(found.issues)
    good = not has_errors(found.issues)
    for record in found.records:
        good = _record(mapper, found, record, explain=explain) and good
    _summary(found)
    return good


def _record(mapper: Mapper, found: TableFile, record: Record, *, explain: bool) -> bool:
    place = f"{found.table} {record.line}"
    if record.fault:
        _issues([Issue("error", "structure", record.fault, place)])
        return False
    message = record.message
    mapped = mapper.map(message, trace=explain)
    _issues((*message.issues, *mapped.issues))
    _resources(mapped)
    if explain:
        _explain(f"{place}, key {record.key}", mapped)
    return True


def _summary(found: TableFile) -> None:
    """Say what was read, and how every total compares."""
    told = " ".join(word for word in (found.kind, found.encoding) if word)
    errors.print(
        f"{found.table}: {found.rows} rows, {len(found.records)} records, header in line {found.header_line}, {told}",
        soft_wrap=True,
    )
    for total in found.totals:
        for check in total.checks:
            word = "agrees" if check.good else f"does not agree with {check.found}"
            errors.print(f"total in line {total.line}: {check.what} {check.told} {word}", soft_wrap=True)


def _resources(mapped: Mapped) -> None:
    for draft in mapped.drafts:
        for place, target in draft.links:
            place["reference"] = f"urn:draft:{target}"
        click.echo(resource.dumps(draft.body).decode())


def _named(catalog: Catalog, name: str) -> Feed:
    found = catalog.book(insecure_local=True).get(name)
    if found is None:
        raise GatewayError(f"there is no feed {name}; there are {', '.join(feed.name for feed in catalog.feeds)}")
    return found


def _matched(catalog: Catalog, raw: bytes) -> Feed:
    envelope = hl7v2_envelope.read(raw)
    match = catalog.book(insecure_local=True).match(Seen(msh3=envelope.sending_app, msh4=envelope.sending_facility))
    if isinstance(match, NoMatch):
        raise GatewayError(match.text)
    return match


def _explain(title: str, mapped: Mapped) -> None:
    table = Table("resource", "element", "rule", "field", title=title)
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
