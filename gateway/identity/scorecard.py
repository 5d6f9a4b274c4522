"""Writes what an evaluation counted as Markdown: for people, with the shares, their bounds, and the examples."""

from collections.abc import Iterator

from gateway.identity.evaluate import Class, Report, Share


def markdown(report: Report) -> str:
    """Return the whole report as Markdown; the persons in it are invented."""
    parts = (_aims(report), _figures(report), _classes(report), _missed(report), _examples(report))
    return "\n".join(line for part in parts for line in part) + "\n"


def figures(report: Report) -> list[tuple[str, str]]:
    """Return the figures of the whole, each with its name."""
    return [
        ("records, persons", f"{report.records}, {report.persons}"),
        ("links of one person (95 % bounds)", _bounded(report.links)),
        ("pairs put together that are one person", _bounded(report.together)),
        *((f"pairs put together: {name}", f"{number}") for name, number in sorted(report.relations.items())),
        ("recall, resident ID on both sides", _bounded(report.with_number)),
        ("recall, on one side at most", _bounded(report.without_number)),
        ("of these could be found by the rules", _ceiling(report)),
        ("recall of those that could", _bounded(report.reachable)),
        ("pairs of one person that were compared", _bounded(report.met)),
        ("records in review, on either side", _bounded(report.review_records)),
        ("records that came to review when they arrived", _bounded(report.review_arrivals)),
        ("cases, of them refused links", f"{report.cases}, {report.vetoed}"),
        ("B-cubed precision, recall", f"{report.cubed_precision:.5f}, {report.cubed_recall:.5f}"),
        ("pairs compared", f"{report.compared}: " + _counted(report.verdicts)),
        ("blocks cut at their limit", _counted(report.cut) or "none"),
        ("model", report.model),
    ]


def _aims(report: Report) -> Iterator[str]:
    yield from ("# How well records are linked", "", "| Aim | Wanted | Counted | |", "|---|---|---|---|")
    for name, aim, value, reached in report.aims:
        yield f"| {name} | {aim:g} | {value:.5g} | {'reached' if reached else '**missed**'} |"


def _figures(report: Report) -> Iterator[str]:
    yield from ("", "| Figure | Counted |", "|---|---|")
    yield from (f"| {name} | {text} |" for name, text in figures(report))


def _classes(report: Report) -> Iterator[str]:
    yield from ("", "## By class", "", "Pairs have a record of the class on one side at least.", "")
    yield "| Class | records | in review | pairs | compared | recall | put together | wrongly |"
    yield "|---|---|---|---|---|---|---|---|"
    for name, one in report.classes.items():
        yield f"| {name} | {_row(one)} |"


def _row(one: Class) -> str:
    recall, met = Share(one.found, one.pairs), Share(one.met, one.pairs)
    review = Share(one.review, one.records)
    cells = (one.records, _share(review), one.pairs, _share(met), _share(recall), one.together, one.wrong)
    return " | ".join(str(cell) for cell in cells)


def _missed(report: Report) -> Iterator[str]:
    yield from ("", "## Pairs of one person that stayed apart", "", "| Why | pairs |", "|---|---|")
    yield from (f"| {why} | {number} |" for why, number in report.missed.items())


def _examples(report: Report) -> Iterator[str]:
    yield from ("", "## Examples", "")
    for one in sorted(report.examples, key=lambda example: example.kind, reverse=True):
        yield f"- **{one.kind}**: {one.records[0]}, {one.records[1]} (errors: {', '.join(one.errors) or 'none'})"
        yield from (f"  - `{shown}`" for shown in one.shown)
        yield f"  - {'; '.join(one.reasons)}"


def _ceiling(report: Report) -> str:
    return _bounded(Share(report.reachable.tries, report.without_number.tries))


def _bounded(share: Share) -> str:
    low, high = share.bounds
    return f"{share.hits} of {share.tries} = {share.value:.5f} ({low:.5f} to {high:.5f})"


def _share(share: Share) -> str:
    return f"{share.value:.4f}" if share.tries else "–"


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.items())
