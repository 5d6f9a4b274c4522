"""Term frequencies: agreement in what many have says less than agreement in what few have."""

from math import log2
from typing import Annotated, Literal

import msgspec


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often each value is met among persons, as a share; what is not listed, or rarer, counts as `floor`."""

    floor: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    values: dict[str, Annotated[float, msgspec.Meta(gt=0, le=1)]]
    by: Literal["value", "character"] = "value"  # character: a given name is as rare as its signs together
    note: str = ""

    def lifts(self) -> "Lifts":
        """Return what each value adds to the weight of agreement in it."""
        met = sum(share * share for share in self.values.values()) or self.floor
        each = {value: log2(met / max(share, self.floor)) for value, share in self.values.items()}
        return Lifts(each, log2(met / self.floor), self.by == "character")


class Lifts:
    """Bits that a value adds to the average weight of agreement: below none for a common one, at most the floor's."""

    __slots__ = ("_by_character", "_each", "_rare")

    def __init__(self, each: dict[str, float], rare: float, by_character: bool) -> None:
        self._each = each
        self._rare = rare
        self._by_character = by_character

    def of(self, value: str) -> float:
        """Return the bits of one value; "" adds nothing."""
        if not self._by_character:
            return self._each.get(value, self._rare) if value else 0.0
        return sum([self._each.get(sign, self._rare) for sign in value])
