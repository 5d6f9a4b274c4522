"""What strangers have in common: u of every level, from random pairs without the pairs of one person among them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from math import log2

from gateway.identity.program import leveller, levels_of
from gateway.identity.training import Sample, Weights

_ROUNDS = 8
_MOST_BITS = 500.0
Pattern = tuple[int, ...]


def shares(sample: Sample, weights: Weights, prior: float) -> dict[str, dict[str, float]]:
    """Return u by field and level, estimated again by what the first weights say of each random pair.

    Random pairs of records hold a few pairs of one person. For a level that strangers hardly ever have (the same
    number) those few are nearly all, and it would weigh far too little. So each pair counts only by how likely it is
    of two persons; where a label tells the persons, not at all when it is of one.
    """
    patterns = _patterns(sample)
    fields = sample.model.fields
    u = {field.name: {name: weights[field.name][name][1] for name in levels_of(field)} for field in fields}
    m = {field.name: {name: weights[field.name][name][0] for name in levels_of(field)} for field in fields}
    for _ in range(_ROUNDS):
        bits = [[log2(m[field.name][name] / u[field.name][name]) for name in levels_of(field)] for field in fields]
        counted = _counted(patterns, bits, log2(prior / (1 - prior)))
        for place, field in enumerate(fields):
            found = {name: counted[place, level] for level, name in enumerate(levels_of(field))}
            total = sum(found.values())
            least = {name: min(field.levels[name].u, 1 / sample.pairs) for name in found}
            if total:
                u[field.name] = {name: max(share / total, least[name]) for name, share in found.items()}
    return u


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
