"""gateway simulate: an invented county, or a population registered at thirty sites, in a folder with the truth."""

from datetime import date, datetime
from pathlib import Path

import click
from rich.progress import Progress

from gateway import simulate as county
from gateway.cli.options import console, errors
from gateway.simulate.population import EXPORTS, REGISTRATIONS, populate


@click.command(epilog="Example: gateway simulate --residents 2000 --days 3 --seed 7 --out ./county")
@click.option(
    "--residents", type=click.IntRange(200), default=2000, show_default=True, help="How many people live there."
)
@click.option("--days", type=click.IntRange(1), default=1, show_default=True, help="How many days happen.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes anywhere.")
@click.option(
    "--start", type=click.DateTime(["%Y-%m-%d"]), default="2026-10-01", show_default=True, help="The first day."
)
@click.option(
    "--population", type=click.IntRange(200), help="Write the Patients of so many persons instead of a county."
)
@click.option(
    "--mix", type=click.Choice([REGISTRATIONS, EXPORTS]), default=REGISTRATIONS, show_default=True,
    help="Of the population: people at desks, or (harder) all that exports make records of.",
)  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="A new folder.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
def simulate(
    residents: int,
    days: int,
    seed: int,
    start: datetime,
    population: int | None,
    mix: str,
    out: Path | None,
    folder: Path | None,
) -> None:
    """Write what the hospital, township centres, village rooms and insurer of an invented county send.

    The folder gets one folder for each feed, manifest.jsonl (the order of sending), truth.jsonl (every labelled defect
    and what must come of it), files.jsonl (counts by file), persons.jsonl (true persons and their numbers) and
    counts.json. It may be named with --out or stand last.

    With --population PERSONS it writes instead how so many persons are registered at thirty sites: one NDJSON file of
    Patients a site, and truth.ndjson, which says whose each is and what went wrong with it.
    """
    target = out or folder
    if target is None:
        raise click.UsageError("name a new folder, as in: gateway simulate --population 100000 --seed 1 ./population")
    if population is not None:
        _population(target, population, seed, mix)
    else:
        _county(target, residents, days, seed, start.date())


def _population(out: Path, persons: int, seed: int, mix: str) -> None:
    with Progress(console=errors, transient=True) as progress:
        task = progress.add_task("persons", total=persons)
        written = populate(
            out, persons=persons, seed=seed, mix=mix, told=lambda made: progress.update(task, completed=made)
        )
    console.print(
        f"{out}: {written.records} records of {written.persons} persons at {written.sites} sites, "
        "and the truth about each (truth.ndjson)"
    )


def _county(out: Path, residents: int, days: int, seed: int, start: date) -> None:
    with Progress(console=errors, transient=True) as progress:
        task = progress.add_task("days", total=days)

        def told(day: date, files: int) -> None:
            progress.update(task, advance=1, description=f"{day} · {files} files")

        written = county.simulate(out, residents=residents, days=days, seed=seed, start=start, told=told)
    console.print(
        f"{out}: {written.files} files, {written.messages} messages, {written.rows} rows, "
        f"{written.labels} labelled defects (truth.jsonl)"
    )
