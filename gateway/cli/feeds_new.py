"""gateway feeds new: a folder of proposed definitions, told from samples of what a sender sends."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from gateway.cli.options import console, setting_options
from gateway.errors import GatewayError
from gateway.formats import charset, hl7v2, hl7v2_batch, sheet
from gateway.listeners.ingest import files
from gateway.mapping.catalog import Catalog
from gateway.mapping.checking import GENERIC
from gateway.mapping.proposal import hl7, table
from gateway.mapping.proposal.values import Proposal
from gateway.settings import Settings
from gateway.wiring import open_catalog

_FOLDER = click.Path(file_okay=False, path_type=Path)
_SAMPLE = click.Path(exists=True, path_type=Path)


@click.command(epilog="Example: gateway feeds new lis --site county-hospital --from samples/ --to ./mappings")
@click.argument("name")
@click.option(
    "--from", "sources", required=True, multiple=True, type=_SAMPLE, help="File or folder of samples; repeat."
)
@click.option("--site", required=True, help="The institution that sends; its folder is made when missing.")
@click.option("--to", "target", default=Path("mappings"), show_default=True, type=_FOLDER, help="Folder of mappings.")
@setting_options("mappings")
def new(settings: Settings, name: str, sources: tuple[Path, ...], site: str, target: Path) -> None:
    """Propose a feed's definitions from samples (HL7 v2 messages, CSV or Excel exports), for a person to finish.

    Says how sure it is of each word, never invents a code's meaning, and copies no person's data. Nothing that is there
    is written over.
    """
    catalog = open_catalog(settings)
    samples = [(path, path.read_bytes()) for path in files(sources)]
    proposal = _propose(catalog, site, name, samples)
    for path in _write(proposal, target):
        console.print(f"wrote {path}", soft_wrap=True)
    console.print(
        f"{len(proposal.decisions)} things for you to decide: {target / site / name / 'DECIDE.md'}", soft_wrap=True
    )


def _propose(catalog: Catalog, site: str, name: str, samples: Sequence[tuple[Path, bytes]]) -> Proposal:
    if not samples:
        raise GatewayError("There is no file to look at.")
    messages = list(_messages(samples))
    if messages:
        return hl7.propose(site, name, messages, catalog.mapper(GENERIC))
    files = [table.File(path.name, sheet.read(raw)) for path, raw in samples]
    return table.propose(site, name, files, catalog.base_tables)


def _messages(samples: Sequence[tuple[Path, bytes]]) -> Iterator[hl7.Sample]:
    for path, raw in samples:
        for offset, length in hl7v2_batch.split(raw).messages:
            piece = raw[offset : offset + length]
            try:
                decoded = charset.decode(piece, None, charset.sniff_hl7(piece))
                yield hl7.Sample(hl7v2.parse(decoded.text, decoded.encoding), decoded.encoding)
            except GatewayError as fault:
                raise GatewayError(f"{path.name}: {fault.text}", where=fault.where) from fault


def _write(proposal: Proposal, target: Path) -> Iterator[Path]:
    """Write the files that are not there yet; raises GatewayError before the first where the feed is."""
    taken = [target / name for name in proposal.files if name.endswith("feed.yaml") and (target / name).exists()]
    if taken:
        raise GatewayError(f"{taken[0]} is there already; remove the folder or choose another name.")
    for name, text in proposal.files.items():
        path = target / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            yield path
