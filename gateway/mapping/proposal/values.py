"""What a proposal consists of: the texts of files, and what a person must still decide, with how sure we are."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

SURE = 0.9  # share of the samples that must agree before a word is proposed without a question mark


class Decision(NamedTuple):
    """Something a person decides: what it is about, what was seen, and what is proposed, if anything."""

    about: str
    seen: str
    proposed: str = ""


@dataclass(slots=True)
class Proposal:
    """Files by their path under the mappings folder, and what is left to decide."""

    files: dict[str, str] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)


def word(value: Any) -> str:
    """Return a value as YAML writes it in a line."""
    text: str = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, width=10_000)
    return text.removesuffix("...\n").strip()


def share(counted: Counter[str], name: str) -> str:
    """Return how often a value was seen, as a comment."""
    total = sum(counted.values())
    sure = "" if counted[name] >= SURE * total else " ?"
    return f"#{sure} {counted[name]} of {total}"


def report(feed: str, proposal: Proposal, head: Iterable[str]) -> str:
    """Return the page that tells a person what was seen and what is left to decide."""
    lines = [f"# {feed}: proposed from samples", "", *head, ""]
    if proposal.decisions:
        lines += ["## For you to decide", "", "| about | seen | proposed |", "|---|---|---|"]
        lines += [f"| {_cell(one.about)} | {_cell(one.seen)} | {_cell(one.proposed)} |" for one in proposal.decisions]
        lines += ["", "Then `gateway feeds check`, `gateway convert --explain` on a sample, and delete this page.", ""]
    return "\n".join(lines)


def most(counted: Counter[str], limit: int = 8, show: Callable[[str], str] = str) -> str:
    """Return the commonest values with their counts, in one line."""
    told = ", ".join(f"{show(name) or '(empty)'} {number}" for name, number in counted.most_common(limit))
    return told + (", …" if len(counted) > limit else "")


def shape(text: str) -> str:
    """Return a value's shape without its content: 9 for a digit, A for a letter, 文 for an ideograph."""
    return "".join(_sign(sign) for sign in text)


def _sign(sign: str) -> str:
    if sign.isdigit():
        return "9"
    if sign.isascii():
        return "A" if sign.isalpha() else sign
    return "文" if sign.isalpha() else sign


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
