"""gateway identity explain: why two Patients are linked, or are not."""

import click

from gateway.cli import identity_shown as shown
from gateway.cli.options import STORE, console, opened, setting_options
from gateway.identity import explain as explaining
from gateway.identity.judging import judging
from gateway.identity.review import person
from gateway.settings import Settings


@click.command(epilog="Example: gateway identity explain Patient/a1 Patient/b2 --by wang.min")
@click.argument("one")
@click.argument("other")
@click.option("--by", required=True, metavar="NAME", help="Who looks; it stands in the audit trail.")
@click.option("--plain", is_flag=True, help="Show ID numbers and telephone numbers in full.")
@setting_options(*STORE)
def explain(settings: Settings, one: str, other: str, by: str, plain: bool) -> None:
    """Show what two Patients say, where they meet, every part of the score, and why they are linked or not."""
    with opened(settings) as gateway:
        judge, _ = judging(settings.profiles)
        found = explaining.explain(gateway.store, judge, (one, other), person(by))
    console.print(shown.sides(found.heads, found.evidence, plain=plain))
    blocks = ", ".join(f"{one.kind} (cut: too many share it)" if one.cut else one.kind for one in found.met)
    console.print(f"blocks they share: {blocks or 'none'}")
    for line in shown.decided(found.decision):
        console.print(line)
    if found.decision is not None and found.decision.parts:
        console.print(shown.parts(found.decision))
    for sentence in found.standing:
        console.print(sentence)
    if found.events:
        console.print(shown.history(found.events))
