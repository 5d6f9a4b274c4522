"""Several conditions on one date, such as from and until: together they are one short stretch of its index."""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import product

from gateway.fhir import types
from gateway.search.criteria import AnyCriterion, Criterion
from gateway.search.expression import Path, parse
from gateway.search.parameters import Parameter
from gateway.store.predicates import ALWAYS, Predicate, Span, all_of

_MOST_SPANS = 8


def narrowed(criteria: Sequence[AnyCriterion], predicates: Sequence[Predicate]) -> list[Predicate]:
    """Return, for each date with several conditions, what can drive a search by all of them at once."""
    grouped: dict[Parameter, list[Sequence[Span]]] = {}
    for criterion, predicate in zip(criteria, predicates, strict=False):
        if isinstance(criterion, Criterion) and predicate.spans and single(criterion.parameter):
            grouped.setdefault(criterion.parameter, []).append(predicate.spans)
    return [Predicate(ALWAYS, tuple(_crossed(spans))) for spans in grouped.values() if _few(spans)]


def _few(spans: Sequence[Sequence[Span]]) -> bool:
    many = 1
    for each in spans:
        many *= len(each)
    return len(spans) > 1 and many <= _MOST_SPANS


def _crossed(spans: Iterable[Sequence[Span]]) -> Iterable[Span]:
    """Yield the stretches that lie in one of each; the resource has one row, which all conditions are about."""
    for each in product(*spans):
        yield Span(each[0].table, all_of(span.where for span in each))


@cache
def single(parameter: Parameter) -> bool:
    """Say whether a resource has one date of a parameter at most."""
    if parameter.name == "_lastUpdated":
        return True
    if parameter.kind != "date" or parameter.via:
        return False
    paths = parse(parameter.expression)
    return len({path[:2] for path in paths}) == 1 and all(_once(path, parameter.type) for path in paths)


def _once(path: Path, type_name: str) -> bool:
    """Say whether a path is to an element of the resource itself that does not repeat."""
    if [step.kind for step in path[:2]] != ["get", "get"] or any(step.kind != "as" for step in path[2:]):
        return False
    element = types.elements(type_name).get(path[1].name)
    return element is not None and not element.many
