"""gateway ingest: files and folders of messages into the store, with progress."""

import sys
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from gateway.cli.options import STORE, console, errors, opened, setting_options
from gateway.listeners.ingest import Progress as Reporting
from gateway.listeners.ingest import Report, check, files
from gateway.listeners.ingest import ingest as take
from gateway.listeners.intake import Intake
from gateway.settings import Settings

_STOP_SECONDS = 30.0


@click.command(epilog="Example: gateway ingest --feed county-his exports/2026-11/")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--feed", default="", help="Feed the files belong to; default told from each message's header.")
@setting_options(*STORE, "insecure_local")
def ingest(settings: Settings, paths: tuple[Path, ...], feed: str) -> None:
    """Take files or folders of messages (single, many in a file, FHS/BHS batches) durably into the store.

    What was stored before is recognised by its bytes and not taken twice. A running gateway works on it at once.
    """
    check(paths)
    total = sum(path.stat().st_size for path in files(paths))
    with opened(settings, migrate=True) as gateway, _bar() as bar:
        task = bar.add_task("ingest", total=total)
        report = _run(
            gateway.intake(), paths, feed, lambda report, path, answer: bar.update(task, completed=report.bytes)
        )
    _tell(report)
    sys.exit(1 if report.faults else 0)


def _run(intake: Intake, paths: tuple[Path, ...], feed: str, progress: Reporting) -> Report:
    intake.start()
    try:
        return take(intake, paths, feed=feed, progress=progress)
    finally:
        intake.stop(_STOP_SECONDS)


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, transient=True)


def _tell(report: Report) -> None:
    console.print(
        f"{report.files} files, {report.messages} messages: {report.stored} stored, {report.duplicates} already known"
    )
    for path, reason in report.faults:
        errors.print(Text("refused", "red"), f"{path}: {reason}", soft_wrap=True)
