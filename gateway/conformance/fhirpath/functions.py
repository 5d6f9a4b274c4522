"""The functions of FHIRPath that invariants use (http://hl7.org/fhirpath/N1/#functions, R4 fhirpath.html)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

from gateway import clock
from gateway.conformance import items, narrative
from gateway.conformance.desk import Budget
from gateway.conformance.fhirpath.values import Collection, Moment, Unjudged, distinct, key, plain, truth
from gateway.conformance.items import Item
from gateway.fhir import types


@dataclass(slots=True)
class Env:
    """What one evaluation knows beside its focus; `resolve` follows a Reference inside the resource or Bundle."""

    budget: Budget
    context: Item
    resolve: Callable[[Item], Item | None]
    index: int = 0
    total: Collection = field(default_factory=list)


Ev = Callable[[Env, Collection], Collection]
"""A compiled expression: from the environment and $this to a collection."""


class Function(NamedTuple):
    """One function; its arguments are collections, or expressions where it is `lazy`."""

    run: Callable[..., Collection]
    least: int = 0
    most: int = 0
    lazy: bool = False


def descendants(env: Env, found: Collection) -> Collection:
    """Return everything below the elements, not themselves."""
    below: Collection = []
    for one in found:
        for item in items.walk(one) if isinstance(one, Item) else ():
            env.budget.spend()
            if item is not one:
                below.append(item)
    return below


def _children(env: Env, found: Collection) -> Collection:
    env.budget.spend(len(found))
    return [child for one in found if isinstance(one, Item) for child in items.children(one)]


def _where(env: Env, found: Collection, test: Ev) -> Collection:
    return [one for one in _each(env, found) if truth(test(env, [one]))]


def _each(env: Env, found: Collection) -> Iterator[Any]:
    before = env.index
    for env.index, one in enumerate(found):
        env.budget.spend()
        yield one
    env.index = before


def _exists(env: Env, found: Collection, test: Ev | None = None) -> Collection:
    return [bool(found) if test is None else bool(_where(env, found, test))]


def _all(env: Env, found: Collection, test: Ev) -> Collection:
    return [all(truth(test(env, [one])) for one in _each(env, found))]


def _select(env: Env, found: Collection, path: Ev) -> Collection:
    return [one for item in _each(env, found) for one in path(env, [item])]


def _repeat(env: Env, found: Collection, path: Ev) -> Collection:
    seen: dict[Any, Any] = {}
    waiting = list(found)
    while waiting:
        new = {key(one): one for one in _select(env, waiting, path)}
        waiting = [one for mark, one in new.items() if mark not in seen]
        seen |= new
    return list(seen.values())


def _aggregate(env: Env, found: Collection, step: Ev, start: Ev | None = None) -> Collection:
    before, env.total = env.total, start(env, found) if start is not None else []
    for one in _each(env, found):
        env.total = step(env, [one])
    result, env.total = env.total, before
    return result


def _iif(env: Env, found: Collection, test: Ev, then: Ev, other: Ev | None = None) -> Collection:
    if truth(test(env, found)):
        return then(env, found)
    return other(env, found) if other is not None else []


def _not(_: Env, found: Collection) -> Collection:
    value = truth(found)
    return [] if value is None else [not value]


def _has_value(_: Env, found: Collection) -> Collection:
    one = found[0] if len(found) == 1 else None
    primitive = not isinstance(one, Item) or one.type in types.PRIMITIVES
    return [one is not None and primitive and plain(one) is not None]


def _is_distinct(env: Env, found: Collection) -> Collection:
    env.budget.spend(len(found))
    return [len({key(one) for one in found}) == len(found)]


def _single(_: Env, found: Collection) -> Collection:
    if len(found) > 1:
        raise Unjudged
    return found


def _skip(_: Env, found: Collection, number: Collection) -> Collection:
    return found[max(0, _whole(number)) :]


def _take(_: Env, found: Collection, number: Collection) -> Collection:
    return found[: max(0, _whole(number))]


def _whole(found: Collection) -> int:
    value = plain(found[0]) if len(found) == 1 else None
    if not isinstance(value, int):
        raise Unjudged
    return value


def _union(env: Env, found: Collection, other: Collection) -> Collection:
    env.budget.spend(len(found) + len(other))
    return distinct([*found, *other])


def _intersect(_: Env, found: Collection, other: Collection) -> Collection:
    known = {key(one) for one in other}
    return distinct([one for one in found if key(one) in known])


def _exclude(_: Env, found: Collection, other: Collection) -> Collection:
    known = {key(one) for one in other}
    return [one for one in found if key(one) not in known]


def _subset(_: Env, found: Collection, other: Collection) -> Collection:
    return [{key(one) for one in found} <= {key(one) for one in other}]


def _text(found: Collection) -> str | None:
    """Return the one text of a collection, None when it is empty."""
    if not found:
        return None
    value = plain(found[0])
    if len(found) > 1 or not isinstance(value, str):
        raise Unjudged
    return value


def _texts(run: Callable[..., Any]) -> Callable[..., Collection]:
    """Return a function over texts: empty when one of them is."""

    def apply(_: Env, found: Collection, *arguments: Collection) -> Collection:
        texts = [_text(one) for one in (found, *arguments)]
        return [] if None in texts else [run(*texts)]

    return apply


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.DOTALL)
    except re.error:
        raise Unjudged from None


def _substring(_: Env, found: Collection, start: Collection, length: Collection | None = None) -> Collection:
    text = _text(found)
    first = _whole(start)
    if text is None or not 0 <= first < len(text):
        return []
    return [text[first:] if length is None else text[first : first + _whole(length)]]


def _to_chars(_: Env, found: Collection) -> Collection:
    return list(_text(found) or "")


_DIGITS: dict[str, Collection] = {str(digit): [digit] for digit in range(10)}


def _to_integer(_: Env, found: Collection) -> Collection:
    value = plain(found[0]) if len(found) == 1 else None
    if isinstance(value, int):
        return [int(value)]
    if not isinstance(value, str):
        return []
    return _DIGITS.get(value) or ([int(value)] if re.fullmatch(r"[+-]?[0-9]{1,18}", value) else [])


def _to_decimal(_: Env, found: Collection) -> Collection:
    value = plain(found[0]) if len(found) == 1 else None
    try:
        return [] if value is None else [Decimal(str(value))]
    except InvalidOperation:
        return []


def _to_string(_: Env, found: Collection) -> Collection:
    value = plain(found[0]) if len(found) == 1 else None
    if isinstance(value, bool):
        return ["true" if value else "false"]
    return [] if value is None or isinstance(value, dict) else [str(value)]


def _extension(_: Env, found: Collection, url: Collection) -> Collection:
    wanted = _text(url)
    below = (child for one in found if isinstance(one, Item) for child in items.named(one, "extension"))
    return [child for child in below if child.value.get("url") == wanted]


def _resolve(env: Env, found: Collection) -> Collection:
    targets = [env.resolve(one) for one in found if isinstance(one, Item) and one.type == "Reference"]
    if None in targets:
        raise Unjudged
    return targets


def _truths(wanted: bool, every: bool) -> Callable[..., Collection]:
    def run(_: Env, found: Collection) -> Collection:
        held = [plain(one) is wanted for one in found]
        return [all(held) if every else any(held)]

    return run


def _html(_: Env, found: Collection) -> Collection:
    text = _text(found)
    return [text is None or (not narrative.fault(text) and not narrative.empty(text))]


FUNCTIONS: dict[str, Function] = {
    "empty": Function(lambda _, found: [not found]),
    "exists": Function(_exists, 0, 1, lazy=True),
    "not": Function(_not),
    "all": Function(_all, 1, 1, lazy=True),
    "allTrue": Function(_truths(True, True)),
    "anyTrue": Function(_truths(True, False)),
    "allFalse": Function(_truths(False, True)),
    "anyFalse": Function(_truths(False, False)),
    "where": Function(_where, 1, 1, lazy=True),
    "select": Function(_select, 1, 1, lazy=True),
    "repeat": Function(_repeat, 1, 1, lazy=True),
    "aggregate": Function(_aggregate, 1, 2, lazy=True),
    "iif": Function(_iif, 2, 3, lazy=True),
    "count": Function(lambda _, found: [len(found)]),
    "hasValue": Function(_has_value),
    "isDistinct": Function(_is_distinct),
    "distinct": Function(lambda _, found: distinct(found)),
    "subsetOf": Function(_subset, 1, 1),
    "supersetOf": Function(lambda env, found, other: _subset(env, other, found), 1, 1),
    "first": Function(lambda _, found: found[:1]),
    "last": Function(lambda _, found: found[-1:]),
    "tail": Function(lambda _, found: found[1:]),
    "skip": Function(_skip, 1, 1),
    "take": Function(_take, 1, 1),
    "single": Function(_single),
    "union": Function(_union, 1, 1),
    "combine": Function(lambda _, found, other: [*found, *other], 1, 1),
    "intersect": Function(_intersect, 1, 1),
    "exclude": Function(_exclude, 1, 1),
    "children": Function(_children),
    "descendants": Function(descendants),
    "extension": Function(_extension, 1, 1),
    "resolve": Function(_resolve),
    "trace": Function(lambda _, found, *__: found, 1, 2, lazy=True),
    "htmlChecks": Function(_html),
    "matches": Function(_texts(lambda text, form: _pattern(form).fullmatch(text) is not None), 1, 1),
    "replaceMatches": Function(_texts(lambda text, form, new: _pattern(form).sub(new, text)), 2, 2),
    "replace": Function(_texts(lambda text, old, new: text.replace(old, new)), 2, 2),
    "contains": Function(_texts(lambda text, part: part in text), 1, 1),
    "startsWith": Function(_texts(lambda text, part: text.startswith(part)), 1, 1),
    "endsWith": Function(_texts(lambda text, part: text.endswith(part)), 1, 1),
    "indexOf": Function(_texts(lambda text, part: text.find(part)), 1, 1),
    "length": Function(_texts(len)),
    "lower": Function(_texts(str.lower)),
    "upper": Function(_texts(str.upper)),
    "substring": Function(_substring, 1, 2),
    "toChars": Function(_to_chars),
    "toInteger": Function(_to_integer),
    "toDecimal": Function(_to_decimal),
    "toString": Function(_to_string),
    "today": Function(lambda *_: [Moment(clock.now().date().isoformat())]),
    "now": Function(lambda *_: [Moment(clock.now().isoformat(timespec="seconds"))]),
}
