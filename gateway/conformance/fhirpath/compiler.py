"""Trees of FHIRPath to closures: paths, operators with three-valued logic, types and calls."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from gateway.conformance import items
from gateway.conformance.fhirpath.functions import FUNCTIONS, Env, Ev
from gateway.conformance.fhirpath.parser import Tree, parse
from gateway.conformance.fhirpath.values import Collection, Moment, Unjudged, compare, distinct, key, plain, same, truth
from gateway.conformance.fhirpath.values import is_type as _is_type
from gateway.conformance.items import Item
from gateway.errors import Category, GatewayError

UCUM = "http://unitsofmeasure.org"


@lru_cache(maxsize=2048)
def compiled(text: str) -> Ev:
    """Return an expression as a function; raises GatewayError (unsupported) for what is not FHIRPath as we read it."""
    return _expression(parse(text))


def holds(text: str, env: Env, *, empty: bool = False) -> bool | None:
    """Say whether an invariant holds at the environment's context; None where that cannot be told.

    An empty answer counts as `empty`. Raises GatewayError for an expression that cannot be read.
    """
    try:
        found = truth(compiled(text)(env, [env.context]))
    except Unjudged:
        return None
    return empty if found is None else found


def members(text: str) -> frozenset[str] | None:
    """Return the JSON properties an expression may ask a resource for; None where it may look at all of it."""
    try:
        found = set(_members(parse(text)))
    except GatewayError:
        return None
    return None if _EVERYWHERE & found else frozenset(found | {f"_{name}" for name in found})


_EVERYWHERE = frozenset({"%", "children", "descendants", "repeat", "resolve"})


def _members(tree: Any) -> Iterator[str]:
    """Yield the names of members and calls in a tree, and `%` for a variable."""
    if isinstance(tree, tuple) and tree:
        if tree[0] == "variable":
            yield "%"
        elif tree[0] in ("member", "call"):
            yield tree[2]
        for part in tree[1:]:
            yield from _members(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _members(part)


def _expression(tree: Tree) -> Ev:
    return _KINDS[tree[0]](*tree[1:])


def _literal(values: Collection) -> Ev:
    return lambda _, __: values


def _moment(text: str) -> Ev:
    value = [Moment(text)]
    return lambda _, __: value


def _this() -> Ev:
    return lambda _, this: this


def _index_of_loop() -> Ev:
    return lambda env, _: [env.index]


def _total() -> Ev:
    return lambda env, _: env.total


def _variable(name: str) -> Ev:
    constants = {"ucum": UCUM, "sct": "http://snomed.info/sct", "loinc": "http://loinc.org"}
    if name in constants:
        return _literal([constants[name]])
    places: dict[str, Callable[[Env], Item]] = {
        "context": lambda env: env.context,
        "resource": lambda env: items.of(env.context.frame.resource),
        "rootResource": lambda env: items.of(env.context.frame.root),
    }
    if name not in places:
        raise _unsupported(f"%{name}")
    place = places[name]
    return lambda env, _: [place(env)]


def _unsupported(name: str) -> GatewayError:
    return GatewayError(f"{name} of FHIRPath is not evaluated here.", category=Category.UNSUPPORTED)


def _member(on: Tree | None, name: str) -> Ev:
    def step(env: Env, found: Collection) -> Collection:
        env.budget.spend(len(found))
        return [below for one in found if isinstance(one, Item) for below in items.named(one, name)]

    def typed(_: Env, found: Collection) -> Collection:
        return [one for one in found if _is_type(one, name)]

    run = typed if on is None and name[0].isupper() else step
    if on is None:
        return run
    source = _expression(on)
    return lambda env, this: run(env, source(env, this))


def _call(on: Tree | None, name: str, arguments: list[Tree]) -> Ev:
    function = FUNCTIONS.get(name)
    if function is None or not function.least <= len(arguments) <= function.most:
        raise _unsupported(f"{name}() with {len(arguments)} arguments")
    run = function.run
    source = _this() if on is None else _expression(on)
    parts = [_expression(one) for one in arguments]
    if function.lazy:
        return lambda env, this: run(env, source(env, this), *parts)
    return lambda env, this: run(env, source(env, this), *[part(env, this) for part in parts])


def _at(on: Tree, number: Tree) -> Ev:
    source, place = _expression(on), _expression(number)

    def run(env: Env, this: Collection) -> Collection:
        found, at = source(env, this), place(env, this)
        position = plain(at[0]) if len(at) == 1 else None
        return found[position : position + 1] if isinstance(position, int) and position >= 0 else []

    return run


def _is(on: Tree, name: str) -> Ev:
    source = _expression(on)

    def run(env: Env, this: Collection) -> Collection:
        found = source(env, this)
        if len(found) > 1:
            raise Unjudged
        return [_is_type(one, name) for one in found]

    return run


def _of_type(on: Tree, name: str) -> Ev:
    source = _expression(on)
    return lambda env, this: [one for one in source(env, this) if _is_type(one, name)]


def _operator(sign: str, left: Tree, right: Tree) -> Ev:
    one, other = _expression(left), _expression(right)
    if sign in _LOGIC:
        logic = _LOGIC[sign]
        return lambda env, this: logic(truth(one(env, this)), lambda: truth(other(env, this)))
    run = _OPERATORS[sign]
    return lambda env, this: run(one(env, this), other(env, this))


Late = Callable[[], bool | None]


def _and(left: bool | None, right: Late) -> Collection:
    if left is False:
        return [False]
    other = right()
    return [False] if other is False else [True] if left and other else []


def _or(left: bool | None, right: Late) -> Collection:
    if left:
        return [True]
    other = right()
    return [True] if other else [False] if left is False and other is False else []


def _xor(left: bool | None, right: Late) -> Collection:
    other = right()
    return [] if left is None or other is None else [left != other]


def _implies(left: bool | None, right: Late) -> Collection:
    if left is False:
        return [True]
    other = right()
    return [True] if other else [] if left is None or other is None else [False]


_LOGIC = {"and": _and, "or": _or, "xor": _xor, "implies": _implies}


def _equal(left: Collection, right: Collection) -> Collection:
    found = same(left, right)
    return [] if found is None else [found]


def _unequal(left: Collection, right: Collection) -> Collection:
    found = same(left, right)
    return [] if found is None else [not found]


def _alike(left: Collection, right: Collection) -> Collection:
    """Compare as `~` does: without order, letters alike."""
    return [sorted(map(_folded, left)) == sorted(map(_folded, right))]


def _folded(value: Any) -> str:
    held = plain(value)
    return " ".join(held.split()).casefold() if isinstance(held, str) else repr(key(value))


def _in(left: Collection, right: Collection) -> Collection:
    if not left:
        return []
    if len(left) > 1:
        raise Unjudged
    return [key(left[0]) in {key(one) for one in right}]


def _ordered(test: Callable[[int], bool]) -> Callable[[Collection, Collection], Collection]:
    def run(left: Collection, right: Collection) -> Collection:
        if not left or not right:
            return []
        if len(left) > 1 or len(right) > 1:
            raise Unjudged
        return [test(compare(left[0], right[0]))]

    return run


def _concatenated(left: Collection, right: Collection) -> Collection:
    texts = [plain(one[0]) if one else "" for one in (left, right)]
    if len(left) > 1 or len(right) > 1 or not all(isinstance(text, str) for text in texts):
        raise Unjudged
    return ["".join(texts)]


def _computed(run: Callable[[Any, Any], Any]) -> Callable[[Collection, Collection], Collection]:
    def apply(left: Collection, right: Collection) -> Collection:
        if not left or not right:
            return []
        if len(left) == len(right) == 1 and type(left[0]) is type(right[0]) is int and right[0]:
            return [run(left[0], right[0])]
        one, other = plain(left[0]), plain(right[0])
        if len(left) > 1 or len(right) > 1 or type(one) is bool or type(other) is bool:
            raise Unjudged
        try:
            return [run(one, other)]
        except (TypeError, ArithmeticError):
            raise Unjudged from None

    return apply


_OPERATORS: dict[str, Callable[[Collection, Collection], Collection]] = {
    "=": _equal,
    "!=": _unequal,
    "~": _alike,
    "!~": lambda left, right: [not _alike(left, right)[0]],
    "in": _in,
    "contains": lambda left, right: _in(right, left),
    "<": _ordered(lambda order: order < 0),
    "<=": _ordered(lambda order: order <= 0),
    ">": _ordered(lambda order: order > 0),
    ">=": _ordered(lambda order: order >= 0),
    "|": lambda left, right: distinct([*left, *right]),
    "&": _concatenated,
    "+": _computed(lambda one, other: one + other),
    "-": _computed(lambda one, other: one - other),
    "*": _computed(lambda one, other: one * other),
    "/": _computed(lambda one, other: Decimal(one) / Decimal(other)),
    "div": _computed(lambda one, other: int(one // other)),
    "mod": _computed(lambda one, other: one % other),
}

_KINDS: dict[str, Callable[..., Ev]] = {
    "literal": _literal,
    "moment": _moment,
    "$this": _this,
    "$index": _index_of_loop,
    "$total": _total,
    "variable": _variable,
    "member": _member,
    "call": _call,
    "index": _at,
    "is": _is,
    "as": _of_type,
    "ofType": _of_type,
    "operator": _operator,
}
