"""Target paths: `name[].given`, `extension(URL).valueString`, compiled once to functions that write.

`a.b` goes into objects, `a[]` appends a new element, `a[0]` is the first, `a[-]` the newest (made when missing),
`extension(URL)` is the extension with that url (made when missing), `extension(URL)[]` one more of them,
`$this` merges an object
into the whole, `a.$this` into `a`.
Values may be shared between messages, so a writer copies whatever it goes into.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

Body = dict[str, Any]
Write = Callable[[Body, Any], None]
_REFERENCE = frozenset({"display", "extension", "reference"})
_STEP = re.compile(r"(_?[A-Za-z][A-Za-z0-9]*)(\[\]|\[0\]|\[-\]|\([^()]+\)(?:\[\])?)?(?:\.|$)")
_PLACES = {"new": None, "first": 0, "last": -1}
_CHOICES = {"[]": "new", "[0]": "first", "[-]": "last"}


class Step(NamedTuple):
    """One step of a path: the element, and how to choose in a list ('', 'new', 'first', 'last', or a url)."""

    name: str
    choose: str


def parse(path: str) -> list[Step]:
    """Return the steps of a target path; raises ValueError with the part that cannot be read."""
    steps: list[Step] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            raise ValueError(f"cannot read the path {path!r} at {path[at:]!r}")
        choice = found[2] or ""
        steps.append(Step(found[1], _CHOICES.get(choice) or choice.replace("(", "").replace(")", "")))
        at = found.end()
    if not steps or path.endswith("."):
        raise ValueError(f"the path {path!r} is not complete")
    return steps


def repeats(path: str) -> bool:
    """Say whether each repetition of the source makes a new element of this path."""
    return "[]" in path


def writer(path: str) -> Write:
    """Compile a target path to a function (body, value) that writes; raises ValueError as `parse` does."""
    if path == "$this":
        return _merge
    inside = path.endswith(".$this")
    steps = parse(path.removesuffix(".$this"))
    last = _merge if inside else _ends(steps[-1])
    if len(steps) == 1 and not inside:
        return last
    walks = [_walk(step) for step in (steps if inside else steps[:-1])]

    def write(body: Body, value: Any) -> None:
        for walk in walks:
            body = walk(body)
        last(body, value)

    return write


def constant(value: Any) -> Callable[[], Any]:
    """Return a maker of this constant: scalars are shared, objects and lists copied each time."""
    if isinstance(value, dict | list):
        return lambda: _copy(value)
    return lambda: value


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copy(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


def has(body: Body, path: str) -> bool:
    """Say whether anything stands at the top element of `path` (for defaults: with any choice of type)."""
    here: Any = body
    for step in parse(path):
        here = here.get(step.name) if isinstance(here, dict) else None
        if isinstance(here, list):
            here = here[0] if here else None
        if here is None:
            return False
    return True


def _merge(body: Body, value: Any) -> None:
    for name, item in value.items():
        if isinstance(item, list):
            body[name] = [*body.get(name, ()), *item]
        else:
            body[name] = item


def _ends(step: Step) -> Write:
    name = step.name
    if step.choose == "":

        def set_value(body: Body, value: Any) -> None:
            body[name] = value

        return set_value
    if name == "identifier":
        return _append_new
    if step.choose == "new":

        def append(body: Body, value: Any) -> None:
            found = body.get(name)
            if found is None:
                body[name] = [value]
            else:
                found.append(value)

        return append
    walk = _walk(step)

    def merge_into(body: Body, value: Any) -> None:
        walk(body).update(value)

    return merge_into


def _append_new(body: Body, value: Any) -> None:
    found = body.get("identifier")
    if found is None:
        body["identifier"] = [value]
    elif value not in found:
        found.append(value)


def _walk(step: Step) -> Callable[[Body], Body]:
    name, choose = step
    if choose == "":

        def into(body: Body) -> Body:
            child = _own(body.get(name))
            body[name] = child
            return child

        return into
    if choose in _PLACES:
        return _walk_list(name, _PLACES[choose])

    url, another = choose.removesuffix("[]"), choose.endswith("[]")

    def into_extension(body: Body) -> Body:
        items: list[Body] = list(body.get(name, ()))
        body[name] = items
        for at, item in enumerate(items):
            if item.get("url") == url and not another:
                items[at] = dict(item)
                return items[at]
        items.append({"url": url})
        return items[-1]

    return into_extension


def _walk_list(name: str, place: int | None) -> Callable[[Body], Body]:
    def into_list(body: Body) -> Body:
        items: list[Body] = list(body.get(name, ()))
        body[name] = items
        if place is not None and items:
            items[place] = _own(items[place])
            return items[place]
        items.append({})
        return items[-1]

    return into_list


def _own(child: Body | None) -> Body:
    """Return an object that may be written to: a copy, but a Reference itself, which a draft's links hold."""
    if child is None:
        return {}
    return child if child.keys() <= _REFERENCE and ("display" in child or not child) else dict(child)
