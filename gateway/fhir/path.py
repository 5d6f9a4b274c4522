"""Places in a resource as dotted paths with [n], such as `name[0].given[1]`: read, put and drop."""

import re
from functools import lru_cache
from typing import Any

from gateway.errors import GatewayError
from gateway.fhir.primitives import shown

Step = str | int

_PART = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)((?:\[[0-9]+\])*)")
_INDEX = re.compile(r"\[([0-9]+)\]")


@lru_cache(maxsize=8192)
def parse(path: str) -> tuple[Step, ...]:
    """Return the steps of `path`: names, and 0-based positions in lists. Raises GatewayError."""
    steps: list[Step] = []
    for part in path.split("."):
        found = _PART.fullmatch(part)
        if found is None:
            raise GatewayError(f"{shown(path)} is not a path: write names, dots and [n].", where=path)
        steps.append(found[1])
        steps.extend(int(number) for number in _INDEX.findall(found[2]))
    return tuple(steps)


def _steps(node: Any, path: str) -> tuple[Step, ...]:
    steps = parse(path)
    # `Observation.status` names its resource first, as the places of issues do.
    named = isinstance(node, dict) and steps[0] == node.get("resourceType")
    return steps[1:] if named else steps


def get(node: Any, path: str, default: Any = None) -> Any:
    """Return what stands at `path` below `node`, or `default` where nothing does."""
    for step in _steps(node, path):
        if isinstance(step, str):
            if not isinstance(node, dict) or step not in node:
                return default
        elif not isinstance(node, list) or step >= len(node):
            return default
        node = node[step]
    return node


def put(node: dict[str, Any], path: str, value: Any) -> None:
    """Put `value` at `path`, making the objects and lists on the way.

    Raises GatewayError where the path crosses a value that is no object or list, or skips a place in a list.
    """
    steps = _steps(node, path)
    if not steps:
        raise GatewayError("The path names the whole resource.", where=path)
    here: Any = node
    for step, following in zip(steps, (*steps[1:], None), strict=True):
        if following is None:
            _set(here, step, value, path)
        else:
            here = _below(here, step, following, path)


def _below(here: Any, step: Step, following: Step, path: str) -> Any:
    known = step < len(here) if isinstance(step, int) and isinstance(here, list) else step in here
    if not known:
        _set(here, step, [] if isinstance(following, int) else {}, path)
    below = here[step]
    if not isinstance(below, list if isinstance(following, int) else dict):
        wanted = "a list" if isinstance(following, int) else "an object"
        raise GatewayError(f"{path} needs {wanted} at {step}, where {shown(below)} stands.", where=path)
    return below


def _set(here: Any, step: Step, value: Any, path: str) -> None:
    if isinstance(step, int) and step == len(here):
        here.append(value)
    elif isinstance(step, int) and step > len(here):
        raise GatewayError(f"{path} skips places: the list has {len(here)} values.", where=path)
    else:
        here[step] = value


def drop(node: Any, path: str) -> bool:
    """Remove what stands at `path`; say whether anything stood there. Objects left empty stay."""
    *before, last = _steps(node, path)
    for step in before:
        if isinstance(step, str) != isinstance(node, dict) or not _has(node, step):
            return False
        node = node[step]
    if not _has(node, last):
        return False
    del node[last]
    return True


def _has(node: Any, step: Step) -> bool:
    if isinstance(step, str):
        return isinstance(node, dict) and step in node
    return isinstance(node, list) and step < len(node)
