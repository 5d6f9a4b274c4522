"""gateway identity train: a scorer's weights estimated from records, off line, with charts of them."""

from pathlib import Path

import click

from gateway.cli.options import console

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(epilog="Example: gateway identity train records.csv --model model.yaml --charts ./charts")
@click.argument("records", type=_FILE)
@click.option("--model", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where to write.")
@click.option("--like", type=_FILE, help="Model whose fields, levels and thresholds are taken; default the shipped.")
@click.option("--label", default="", metavar="NAME", help="Value that only records of one person share, where known.")
@click.option("--pairs", default=1_000_000, show_default=True, type=click.IntRange(1000), help="Random pairs to see.")
@click.option("--charts", type=click.Path(file_okay=False, path_type=Path), help="Folder for charts (HTML).")
def train(records: Path, model: Path, like: Path | None, label: str, pairs: int, charts: Path | None) -> None:
    """Estimate the weights of a model from records, by splink, which is needed for this alone.

    RECORDS is a CSV with a column for each value the model reads, or JSON lines: FHIR Patients (as exported), or
    objects with those values. Thresholds are taken over: a person sets them, after `evaluate`.
    """
    from gateway import clock  # noqa: PLC0415 - the overview of the verbs must not wait for these
    from gateway.identity import model as models  # noqa: PLC0415
    from gateway.identity import records as reading  # noqa: PLC0415
    from gateway.identity import splinked, training, writing  # noqa: PLC0415

    start = models.load(like) if like else models.shipped()
    found = reading.read(records)
    lesson = training.train(
        start, found, splinked.estimate, source=records.name, today=clock.now().date(), label=label, pairs=pairs
    )
    model.write_text(writing.text(lesson.model), encoding="utf-8")
    console.print(f"{model}: {models.load(model).version}, from {len(found)} records", soft_wrap=True)
    if charts:
        charts.mkdir(parents=True, exist_ok=True)
        for name, html in lesson.charts.items():
            (charts / f"{name}.html").write_text(html, encoding="utf-8")
            console.print(f"wrote {charts / name}.html", soft_wrap=True)
