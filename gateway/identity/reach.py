"""What could be found of a person's records at all by the rules: those that share more than name and birth date."""

from collections.abc import Sequence
from itertools import combinations

from gateway.identity.blocks import agreeing
from gateway.identity.evidence import Evidence

_ALONE = frozenset({"name", "birth"})
"""Groups that never link by themselves: strangers share them (the issue's rule; sex is no group)."""


def reachable(records: Sequence[Evidence]) -> list[int]:
    """Return for each record of one person the first one it is tied to, directly or over others of the person.

    Tied are two that agree exactly in a number, a phone, an address, a mother, or live in one village; a newborn called
    after the mother is not tied to the child with a name of its own. No matcher that keeps to the rules "name and birth
    date alone never" and "newborns never automatically" can be expected to find more.
    """
    root = list(range(len(records)))
    for one, other in combinations(range(len(records)), 2):
        if root[one] != root[other] and _tied(records[one], records[other]):
            into, gone = sorted((root[one], root[other]))
            root = [into if place == gone else place for place in root]
    return root


def _tied(a: Evidence, b: Evidence) -> bool:
    if ("newborn-name" in a.flags) != ("newborn-name" in b.flags):
        return False
    return bool(agreeing(a, b) - _ALONE) or bool(a.area and a.area == b.area)
