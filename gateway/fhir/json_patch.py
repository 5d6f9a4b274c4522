"""JSON Patch (RFC 6902) on resources: every number keeps its digits, and a fault names the operation it stands in."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from gateway.errors import Category, GatewayError
from gateway.fhir import resource
from gateway.fhir.primitives import shown

OPERATIONS_LIMIT = 1000
"""Operations in one patch."""

NODES_LIMIT = 200_000
"""Values one patch may put in place, so that copies of copies cannot eat the memory."""

Operation = dict[str, Any]

_NEEDS = {
    "add": ("value",),
    "remove": (),
    "replace": ("value",),
    "move": ("from",),
    "copy": ("from",),
    "test": ("value",),
}
_INDEX = re.compile("0|[1-9][0-9]{0,8}")
_ESCAPED = re.compile("~(?![01])")


class _Place(NamedTuple):
    """A container, and the key or index a pointer names in it."""

    holder: Any
    name: str | int
    there: bool


def read(text: bytes) -> tuple[Operation, ...]:
    """Return the operations of a patch document; raises GatewayError naming the operation that is none."""
    try:
        wrapped = resource.loads(b'{"patch":' + text.removeprefix(b"\xef\xbb\xbf") + b"}")
    except GatewayError as fault:
        raise GatewayError(f"The patch cannot be read. {fault.text}", where="patch") from None
    found = wrapped.get("patch")
    if len(wrapped) != 1 or not isinstance(found, list):
        raise GatewayError("A JSON Patch is an array of operations in brackets (RFC 6902).", where="patch")
    if len(found) > OPERATIONS_LIMIT:
        text_ = f"A patch has {OPERATIONS_LIMIT} operations at most, not {len(found)}."
        raise GatewayError(text_, where="patch", category=Category.TOO_LARGE)
    for number, operation in enumerate(found):
        _check(number, operation)
    return tuple(found)


def _check(number: int, operation: Any) -> None:
    name = operation.get("op") if isinstance(operation, dict) else None
    if not isinstance(name, str) or name not in _NEEDS:
        raise GatewayError(f"op is {', '.join(_NEEDS)}, not {shown(name)}.", where=f"patch[{number}].op")
    missing = next((key for key in ("path", *_NEEDS[name]) if key not in operation), None)
    if missing is not None:
        raise GatewayError(f"The operation {name} lacks {missing!r}.", where=f"patch[{number}]")
    for key in ("path", "from"):
        if key in operation and key in ("path", *_NEEDS[name]):
            _check_pointer(number, key, operation[key])


def _check_pointer(number: int, key: str, pointer: Any) -> None:
    where = f"patch[{number}].{key}"
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise GatewayError(f"{key} is a JSON Pointer such as /name/0/text, not {shown(pointer)}.", where=where)
    if _ESCAPED.search(pointer):
        raise GatewayError(f"{shown(pointer)} has a ~ that is neither ~0 nor ~1 (RFC 6901).", where=where)


def apply(document: dict[str, Any], operations: Sequence[Operation]) -> dict[str, Any]:
    """Return a new document with the operations of `read` applied in order, all or none.

    An array or object that a removal leaves empty goes too: FHIR has no empty ones. Raises GatewayError
    (unprocessable) naming the operation that finds nothing at its place, or whose test fails (R4 http.html#patch).
    """
    work = _Work(document)
    for number, operation in enumerate(operations):
        work.number = number
        _ACTIONS[operation["op"]](work, operation)
    work.sweep()
    if not isinstance(work.root, dict):
        raise work.fault("path", "the patch leaves no JSON object")
    return work.root


class _Work:
    """A document while it is patched; `number` is the operation at work, for its faults."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.number = 0
        self._room = NODES_LIMIT
        self._thinned: list[list[Any]] = []
        self.root: Any = self.copied(document, 0, free=True)

    def fault(self, key: str, text: str, category: Category = Category.UNPROCESSABLE) -> GatewayError:
        """Return a failure of the operation at work."""
        where = f"patch[{self.number}].{key}"
        return GatewayError(f"The patch was not applied: {text}.", where=where, category=category)

    def add(self, operation: Operation) -> None:
        """`add`: a new member or item; a member that is there is replaced."""
        self._put("path", operation["path"], operation["value"])

    def remove(self, operation: Operation) -> None:
        """`remove`: what is at the place."""
        self._take("path", operation["path"])

    def replace(self, operation: Operation) -> None:
        """`replace`: what is at the place by another value."""
        pointer = operation["path"]
        tokens = _tokens(pointer)
        value = self.copied(operation["value"], len(tokens))
        if not tokens:
            self.root = value
            return
        place = self._present("path", pointer)
        place.holder[place.name] = value

    def move(self, operation: Operation) -> None:
        """`move`: from one place to another that does not lie inside it."""
        if operation["path"].startswith(operation["from"] + "/"):
            raise self.fault("path", f"{shown(operation['path'])} lies inside {shown(operation['from'])}")
        if operation["path"] != operation["from"]:
            self._put("path", operation["path"], self._take("from", operation["from"]))

    def copy(self, operation: Operation) -> None:
        """`copy`: from one place to another."""
        self._put("path", operation["path"], self._value("from", operation["from"]))

    def test(self, operation: Operation) -> None:
        """`test`: the value at the place is the one given; numbers are compared as numbers."""
        found = self._value("path", operation["path"])
        if not _same(found, operation["value"]):
            told = f"{shown(operation['path'])} is {shown(found)}, not {shown(operation['value'])}"
            raise self.fault("value", told)

    def copied(self, value: Any, depth: int, *, free: bool = False) -> Any:
        """Return a copy, so that no two places share a value; raises GatewayError where it would be too large."""
        if depth > resource.DEPTH_LIMIT:
            raise self.fault("path", f"the resource would nest deeper than {resource.DEPTH_LIMIT} levels")
        if not free:
            self._room -= 1
            if self._room < 0:
                text = f"it puts more than {NODES_LIMIT} values in place"
                raise self.fault("path", text, Category.TOO_LARGE)
        if isinstance(value, dict):
            return {name: self.copied(one, depth + 1, free=free) for name, one in value.items()}
        if isinstance(value, list):
            return [self.copied(one, depth + 1, free=free) for one in value]
        return value

    def sweep(self) -> None:
        """Remove what removals have left empty, and what that leaves empty in turn."""
        for chain in self._thinned:
            for holder, child in zip(reversed(chain[:-1]), reversed(chain[1:]), strict=True):
                if child:
                    break
                _drop(holder, child)

    def _put(self, key: str, pointer: str, value: Any) -> None:
        tokens = _tokens(pointer)
        value = self.copied(value, len(tokens))
        if not tokens:
            self.root = value
            return
        place = self._find(key, pointer, tokens)
        if isinstance(place.holder, list):
            place.holder.insert(int(place.name), value)
        else:
            place.holder[place.name] = value

    def _take(self, key: str, pointer: str) -> Any:
        if not pointer:
            raise self.fault(key, "a resource cannot be removed from itself; use DELETE")
        place = self._present(key, pointer)
        self._thinned.append(self._chain(_tokens(pointer)[:-1]))
        return place.holder.pop(place.name)

    def _value(self, key: str, pointer: str) -> Any:
        if not pointer:
            return self.root
        place = self._present(key, pointer)
        return place.holder[place.name]

    def _present(self, key: str, pointer: str) -> _Place:
        place = self._find(key, pointer, _tokens(pointer))
        if not place.there:
            raise self.fault(key, f"there is nothing at {shown(pointer)}")
        return place

    def _find(self, key: str, pointer: str, tokens: list[str]) -> _Place:
        """Return where a pointer leads; its last token may name what is not there yet."""
        holder = self.root
        for depth, token in enumerate(tokens):
            place = self._step(key, pointer, holder, token)
            if depth == len(tokens) - 1:
                return place
            if not place.there:
                raise self.fault(key, f"there is nothing at {shown('/'.join(['', *tokens[: depth + 1]]))}")
            holder = holder[place.name]
        raise self.fault(key, "it names the whole resource")

    def _step(self, key: str, pointer: str, holder: Any, token: str) -> _Place:
        if isinstance(holder, dict):
            return _Place(holder, token, token in holder)
        if not isinstance(holder, list):
            raise self.fault(key, f"{shown(pointer)} leads into a plain value")
        if token == "-":  # noqa: S105 - RFC 6901's sign for the end of an array
            return _Place(holder, len(holder), there=False)
        if not _INDEX.fullmatch(token) or int(token) > len(holder):
            raise self.fault(key, f"{shown(token)} is no index of an array of {len(holder)}")
        return _Place(holder, int(token), int(token) < len(holder))

    def _chain(self, tokens: list[str]) -> list[Any]:
        """Return the containers a pointer passes, the root first."""
        chain = [self.root]
        for token in tokens:
            holder = chain[-1]
            chain.append(holder[int(token)] if isinstance(holder, list) else holder[token])
        return chain


_ACTIONS: dict[str, Callable[[_Work, Operation], None]] = {
    "add": _Work.add,
    "remove": _Work.remove,
    "replace": _Work.replace,
    "move": _Work.move,
    "copy": _Work.copy,
    "test": _Work.test,
}


def _tokens(pointer: str) -> list[str]:
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def _drop(holder: Any, child: Any) -> None:
    """Take a child out of its container, where it still is."""
    if isinstance(holder, dict):
        for name in [name for name, value in holder.items() if value is child]:
            del holder[name]
    elif any(value is child for value in holder):
        del holder[next(at for at, value in enumerate(holder) if value is child)]


def _same(one: Any, other: Any) -> bool:
    """Say whether two values are the same JSON (RFC 6902 4.6): true is not 1, and 1.0 is 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    numbers = (int, Decimal)
    if isinstance(one, numbers) and isinstance(other, numbers):
        return isinstance(one, bool) == isinstance(other, bool) and one == other
    return type(one) is type(other) and bool(one == other)
