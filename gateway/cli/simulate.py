"""gateway simulate: a county of invented people in a folder, with the truth about it, to try the gateway on."""

from datetime import date, datetime
from pathlib import Path

import click
from rich.progress import Progress

from gateway import simulate as county
from gateway.cli.options import console, errors


@click.command(epilog="Example: gateway simulate --residents 2000 --days 3 --seed 7 --out ./county")
@click.option(
    "--residents", type=click.IntRange(200), default=2000, show_default=True, help="How many people live there."
)
@click.option("--days", type=click.IntRange(1), default=1, show_default=True, help="How many days happen.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes anywhere.")
@click.option(
    "--start", type=click.DateTime(["%Y-%m-%d"]), default="2026-10-01", show_default=True, help="The first day."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="A new folder.")
def simulate(residents: int, days: int, seed: int, start: datetime, out: Path) -> None:
    """Write what the hospital, township centres, village rooms and insurer of an invented county send.

    OUT gets a folder for each feed, manifest.jsonl (the order of sending), truth.jsonl (every labelled defect and what
    must come of it), files.jsonl (counts by file), persons.jsonl (true persons and their numbers) and counts.json.
    """
    with Progress(console=errors, transient=True) as progress:
        task = progress.add_task("days", total=days)

        def told(day: date, files: int) -> None:
            progress.update(task, advance=1, description=f"{day} · {files} files")

        written = county.simulate(out, residents=residents, days=days, seed=seed, start=start.date(), told=told)
    console.print(
        f"{out}: {written.files} files, {written.messages} messages, {written.rows} rows, "
        f"{written.labels} labelled defects (truth.jsonl)"
    )
