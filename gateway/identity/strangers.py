"""What strangers have in common: u of every level, from random pairs without the pairs of one person among them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from math import log2

from gateway.identity.fields import Field
from gateway.identity.program import leveller, levels_of
from gateway.identity.training import Sample, Weights

# What the model said before counts as that of so many pairs.
DOUBT = 20
_ROUNDS = 8
_MOST_BITS = 500.0
Pattern = tuple[int, ...]


class Strangers:
    """Pairs from all over a sample's records, by how they agree."""

    def __init__(self, sample: Sample) -> None:
        self._fields = sample.model.fields
        self._patterns = _patterns(sample)

    def told(self, field: str) -> float:
        """Return the share of pairs whose two sides tell a field."""
        place = [one.name for one in self._fields].index(field)
        both = sum(count for pattern, count in self._patterns.items() if pattern[place] >= 0)
        return both / (self._patterns.total() or 1)

    def shares(self, weights: Weights, prior: float) -> dict[str, dict[str, float]]:
        """Return u by field and level, estimated again by what the first weights say of each pair.

        Random pairs of records hold a few pairs of one person. For a level that strangers hardly ever have (the same
        number) those few are nearly all, and it would weigh far too little. So each pair counts only by how likely it
        is of two persons; where a label tells the persons, not at all when it is of one.
        """
        m = {field.name: [weights[field.name][name][0] for name in levels_of(field)] for field in self._fields}
        u = {field.name: [weights[field.name][name][1] for name in levels_of(field)] for field in self._fields}
        for _ in range(_ROUNDS):
            bits = [[log2(m[name][level] / share) for level, share in enumerate(u[name])] for name in u]
            counted = _counted(self._patterns, bits, log2(prior / (1 - prior)))
            u = {field.name: self._seen(field, place, counted) for place, field in enumerate(self._fields)}
        return {field.name: dict(zip(levels_of(field), u[field.name], strict=True)) for field in self._fields}

    def _seen(self, field: Field, place: int, counted: Mapping[tuple[int, int], float]) -> list[float]:
        before = [field.levels[name].u for name in levels_of(field)]
        found = [counted.get((place, level), 0.0) for level in range(len(before))]
        total = sum(found)
        return [
            max(believed(count, total, share), min(share, 1 / (total + 1)))
            for count, share in zip(found, before, strict=True)
        ]


def believed(count: float, total: float, before: float) -> float:
    """Return the share that so many of so many pairs tell, with the model's own as that of a few pairs more."""
    return (count + DOUBT * before) / (total + DOUBT)


def _counted(patterns: Mapping[Pattern, int], bits: list[list[float]], prior: float) -> dict[tuple[int, int], float]:
    """Return by field and level how many pairs of strangers have it, each pair by its chance of being one."""
    counted: dict[tuple[int, int], float] = defaultdict(float)
    for pattern, count in patterns.items():
        told = prior + sum(bits[place][level] for place, level in enumerate(pattern) if level >= 0)
        strange = count / (1 + 2 ** min(told, _MOST_BITS))
        for place, level in enumerate(pattern):
            if level >= 0:
                counted[place, level] += strange
    return counted


def _patterns(sample: Sample) -> Counter[Pattern]:
    """Return how often each combination of levels is met among pairs from all over the records."""
    model, records = sample.model, sample.records
    tests = [leveller(test, field) for test, field in zip(model.program, model.fields, strict=True)]
    patterns: Counter[Pattern] = Counter()
    for one, other in _pairs(len(records), sample.pairs):
        a, b = records[one], records[other]
        if not sample.label or not a.get(sample.label) or a.get(sample.label) != b.get(sample.label):
            patterns[tuple([test(a, b) for test in tests])] += 1
    return patterns


def _pairs(count: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Yield about as many pairs as wanted: every record with others at evenly spread distances, none of them near."""
    most = (count - 1) // 2
    distances = max(1, min(most, wanted // count))
    for step in range(distances):
        distance = max(1, (2 * step + 1) * most // (2 * distances))
        for one in range(count):
            yield one, (one + distance) % count
