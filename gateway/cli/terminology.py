"""gateway terminology: code files a site may use, imported by version and looked up."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.table import Table

from gateway.cli.options import STORE, console, errors, opened, setting_options
from gateway.errors import GatewayError
from gateway.record import terminology as codes
from gateway.settings import Settings
from gateway.wiring import Gateway

_SHOWN = 10


@click.group()
def terminology() -> None:
    """Import code files (ICD-10, drugs, LOINC, items) and look codes up.

    Example: gateway terminology import icd10.xlsx --system ICD-10 --version 国临2.0
    """


@terminology.command(
    "import", epilog="Example: gateway terminology import icd10.xlsx --system ICD-10 --version 国临2.0"
)
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--system", required=True, help="Address of the code system, or its name in naming.yaml (ICD-10, LN).")
@click.option("--version", required=True, help="Version as its publisher names it; each is kept for good.")
@click.option("--title", default="", help="What people call it.")
@click.option("--code", default="", help="Header of the column of codes, where it is an unusual one.")
@click.option("--display", default="", help="Header of the column of names.")
@click.option("--parent", default="", help="Header of the column of the codes above.")
@setting_options(*STORE)
def import_(
    settings: Settings, path: Path, system: str, version: str, title: str, code: str, display: str, parent: str
) -> None:
    """Store a code file (CSV, Excel, HTML table) as one version of a system, whole or not at all."""
    columns = {name: told for name, told in (("code", code), ("display", display), ("parent", parent)) if told}
    with opened(settings, migrate=True) as gateway:
        done = codes.import_file(
            gateway.store,
            path.read_bytes(),
            url=_address(gateway, system),
            version=version,
            title=title,
            source=path.name,
            columns=columns,
        )
    found = done.system
    state = "stored" if done.new else "already there, nothing changed"
    console.print(f"{found.url} {found.version}: {found.concepts} codes, {state}", soft_wrap=True)
    for text in done.passed_over[:_SHOWN]:
        errors.print(f"passed over: {text}", soft_wrap=True)
    if len(done.passed_over) > _SHOWN:
        errors.print(f"… and {len(done.passed_over) - _SHOWN} more")


@terminology.command("list", epilog="Example: gateway terminology list")
@setting_options(*STORE)
def list_systems(settings: Settings) -> None:
    """List the code systems imported, with their versions."""
    with opened(settings, migrate=True) as gateway:
        found = codes.systems(gateway.store)
    table = Table("system", "version", "title", "codes", "imported", "file")
    for one in found:
        moment = datetime.fromtimestamp(one.imported_us / 1e6, UTC)
        table.add_row(one.url, one.version, one.title, str(one.concepts), f"{moment:%Y-%m-%d %H:%M}", one.source)
    console.print(table)


@terminology.command(epilog="Example: gateway terminology lookup I10.x00 --system ICD-10")
@click.argument("code")
@click.option("--system", default="", help="Only this system; default all.")
@setting_options(*STORE)
def lookup(settings: Settings, code: str, system: str) -> None:
    """Show what a code means in each version imported; exit code 1 when none has it."""
    with opened(settings, migrate=True) as gateway:
        url = _address(gateway, system) if system else ""
        found = list(codes.look_up(gateway.store, code, url))
    for version, concept in found:
        above = f" (under {concept.parent})" if concept.parent else ""
        console.print(f"{version.url} {version.version}: {concept.code} {concept.display}{above}", soft_wrap=True)
    if not found:
        errors.print(f"no imported code system has the code {code}")
    sys.exit(0 if found else 1)


def _address(gateway: Gateway, system: str) -> str:
    """Return the address of a code system named as senders name it."""
    if ":" in system:
        return system
    known = gateway.catalog.mapper("generic").environment.coding
    if system not in known:
        raise GatewayError(
            f"No code system is called {system!r} in naming.yaml; give its address (https://… or urn:…)."
        )
    return known[system]
