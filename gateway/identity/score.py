"""The score of two records: how much likelier they are of one person than of two, in bits (Fellegi and Sunter)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.identity.model import Model


class Part(NamedTuple):
    """What one field says: its level of agreement and the bits it weighs."""

    field: str
    level: str
    bits: float


class Score(NamedTuple):
    """The sum of log2(m / u) over the fields that both sides tell, with term frequencies, without the prior."""

    bits: float
    parts: tuple[Part, ...]


def score(model: Model, a: Mapping[str, Any], b: Mapping[str, Any]) -> Score:
    """Return the score of two records, the same in both orders; a field that one side lacks says nothing (0 bits)."""
    parts = []
    total = 0.0
    for field, read, compare, weights in model.program:
        one, other = read(a), read(b)
        place = compare(one, other)
        if place >= 0:
            level, bits, lift = weights[place]
            if lift is not None:
                bits += lift(one, other)
            total += bits
            parts.append(Part(field, level, bits))
    return Score(total, tuple(parts))
