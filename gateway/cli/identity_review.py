"""gateway identity review: the pairs that wait for a person, and her decisions."""

from collections.abc import Callable
from typing import Any

import click
from rich.table import Table

from gateway.cli import identity_shown as shown
from gateway.cli.options import STORE, console, opened, setting_options
from gateway.errors import GatewayError
from gateway.fhir import temporal
from gateway.identity import review as reviewing
from gateway.identity.events import reasons_of
from gateway.identity.judging import judging
from gateway.identity.review import Choice, Decided
from gateway.settings import Settings
from gateway.store.identity import STATES, UNDECIDED

_BY = click.option("--by", required=True, metavar="NAME", help="Who looks or decides; it is written down.")
_NOTE = click.option("--note", default="", help="Why; it stays with the case.")
_PAIR = 2


@click.group()
def review() -> None:
    """Look at pairs of records that may be one person, and decide them.

    Example: gateway identity review same 17 --by wang.min --note "asked him"
    """


@review.command("list", epilog="Example: gateway identity review list --state later")
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="Only cases in this state.")
@click.option("--limit", default=50, show_default=True, help="At most so many, newest first.")
@setting_options(*STORE)
def list_cases(settings: Settings, states: tuple[str, ...], limit: int) -> None:
    """List cases newest first: those that wait, unless states are named."""
    with opened(settings) as gateway:
        found = reviewing.listed(gateway.store, states or UNDECIDED, limit)
    table = Table("case", "opened", "one", "other", "state", "bits", "why", "by")
    for case, low, high in found:
        why = ", ".join(reason.code for reason in reasons_of(case.reasons))
        records = (f"{head.site} Patient/{head.fid}" for head in (low, high))
        opened_at = temporal.instant(case.created_us)
        table.add_row(str(case.id), opened_at, *records, case.state, f"{case.score:.1f}", why, case.actor)
    console.print(table)


@review.command(epilog="Example: gateway identity review show 17 --by wang.min")
@click.argument("case", type=int)
@_BY
@click.option("--plain", is_flag=True, help="Show ID numbers and telephone numbers in full.")
@setting_options(*STORE)
def show(settings: Settings, case: int, by: str, plain: bool) -> None:
    """Show the two sides of a case, the score and its reasons, and what was done so far."""
    with opened(settings) as gateway:
        judge, _ = judging(settings.profiles)
        found = reviewing.show(gateway.store, judge, case, reviewing.person(by))
    held = found.case
    console.print(f"case {held.id}: {held.state}, opened {temporal.instant(held.created_us)}, {held.score:.2f} bits")
    if held.actor:
        console.print(f"  by {held.actor}: {held.note}")
    for reason in reasons_of(held.reasons):
        console.print(f"  {reason.code}: {reason.text} {reason.zh}")
    heads, evidence = (found.low.head, found.high.head), (found.low.evidence, found.high.evidence)
    console.print(shown.sides(heads, evidence, plain=plain))
    for side in (found.low, found.high):
        linked = ", ".join(f"{head.site} Patient/{head.fid}" for head in side.linked)
        console.print(f"linked to Patient/{side.head.fid}: {linked or 'none'}")
    console.print("now,")
    for line in shown.decided(found.decision):
        console.print(line)
    if found.decision is not None and found.decision.parts:
        console.print(shown.parts(found.decision))
    console.print(shown.history(found.events))


def _deciding(choice: Choice, told: str) -> Callable[..., Any]:
    @review.command(choice, help=told, epilog=f"Example: gateway identity review {choice} 17 --by wang.min")
    @click.argument("case", nargs=-1, required=True)
    @_BY
    @_NOTE
    @setting_options(*STORE)
    def decide(settings: Settings, case: tuple[str, ...], by: str, note: str) -> None:
        with opened(settings) as gateway:
            judge, _ = judging(settings.profiles)
            reader = reviewing.person(by)
            if len(case) == _PAIR:
                done = reviewing.decide_pair(gateway.store, judge, (case[0], case[1]), choice, reader, note)
            else:
                done = reviewing.decide(gateway.store, judge, _number(case), choice, reader, note)
        _tell(done)

    return decide


def _number(case: tuple[str, ...]) -> int:
    if len(case) != 1 or not case[0].isdecimal():
        raise GatewayError("name one case by its number, or two Patients by their ids")
    return int(case[0])


def _tell(done: Decided) -> None:
    console.print(f"case {done.case}: {done.state}; {len(done.linked)} links made, {len(done.unlinked)} ended")
    for sentence in done.told:
        console.print(f"  {sentence}")


same = _deciding("same", "Link the two records of a case, or two Patients, for good: they are one person.")
different = _deciding("different", "Keep the two records of a case, or two Patients, apart for good.")
later = _deciding("later", "Leave a case waiting, with a note.")
