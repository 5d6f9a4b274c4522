"""The advice on one order and one earlier result: recognised or not, why in both languages, how old, how to show it."""

from dataclasses import dataclass
from enum import StrEnum


class Show(StrEnum):
    """How an advice may be shown: interrupting, beside the order, only asking who the person is, or not at all."""

    PROMPT = "prompt"
    INFORMATION = "information"
    IDENTITY = "identity"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Advice:
    """What the gates say; it advises, it never blocks an order (china.md §4.1).

    `gate` and `code` are of the first gate that failed, `passed` are those before it. Days are of 24 hours since the
    specimen was taken or the examination done; `left` counts whole ones. `quality` is what G5 rested on (eqa, iqc,
    mark), `cover` why another item's result answers the order. `counted` is false for emergencies (R13).
    """

    recognised: bool
    gate: str
    code: str
    detail: str
    zh: str
    en: str
    show: Show
    counted: bool
    item: str = ""
    found: str = ""
    issuer: str = ""
    cover: str = ""
    quality: str = ""
    age: int | None = None
    window: int | None = None
    window_source: str = ""
    left: int | None = None
    passed: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    knowledge: str = ""


def best(advices: "list[Advice]") -> Advice | None:
    """Return the advice to show of several results for one order: recognised ones first, with most days left.

    Of others the one that came furthest through the gates; of equals the youngest, then the first.
    """
    return max(advices, key=rank, default=None)


def rank(one: Advice) -> tuple[bool, int, int, int]:
    """Return what the best of several advices is the greatest by."""
    age = one.age if one.age is not None else 10**6
    return one.recognised, len(one.passed), one.left if one.recognised and one.left is not None else 0, -age
