"""gateway identity evaluate: links a population whose truth is known, and counts what was right, wrong and missed."""

from pathlib import Path

import click

from gateway.cli.options import console, errors

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(epilog="Example: gateway identity evaluate ./population --report report.md")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--model", type=_FILE, help="Weights of the scorer; default the shipped ones.")
@click.option("--rules", type=_FILE, help="Rules of deciding; default the shipped ones.")
@click.option("--aims", type=_FILE, help="What must be reached; default the shipped aims.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Where to write all (.md or .json).")
def evaluate(folder: Path, model: Path | None, rules: Path | None, aims: Path | None, report: Path | None) -> None:
    """Link the records of FOLDER (from `simulate --population`) as the linker would, and compare with the truth.

    Nothing is stored. Exit code 1 when an aim is missed.
    """
    import msgspec  # noqa: PLC0415 - the overview of the verbs must not wait for these
    from rich.progress import Progress  # noqa: PLC0415

    from gateway.identity import decide, evaluate, population, scorecard  # noqa: PLC0415
    from gateway.identity import model as models  # noqa: PLC0415
    from gateway.identity import rules as rulebook  # noqa: PLC0415
    from gateway.identity.evidence import Evidence  # noqa: PLC0415

    wanted = evaluate.aims(aims)
    scorer = models.load(model) if model else models.shipped()
    book = rulebook.load(rules) if rules else rulebook.ours()

    def judge(one: Evidence, other: Evidence) -> decide.Decision:
        return decide.decide(one, other, scorer, book)

    found = population.read(folder)
    with Progress(console=errors, transient=True) as progress:
        task = progress.add_task("records", total=len(found.truth))
        counted = evaluate.evaluate(
            found, judge, scorer.version, wanted, lambda done, _: progress.update(task, completed=done)
        )
    if report:
        json = report.suffix == ".json"
        text = msgspec.json.encode(counted).decode() if json else scorecard.markdown(counted)
        report.write_text(text, encoding="utf-8")
    for name, told in scorecard.figures(counted):
        console.print(f"{name}: {told}", soft_wrap=True)
    for name, aim, value, reached in counted.aims:
        console.print(f"{'reached' if reached else 'MISSED'}: {name} {value:.5g}, wanted {aim:g}", soft_wrap=True)
    if not counted.good:
        raise SystemExit(1)
