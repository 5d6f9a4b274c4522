"""Is this resource R4? A quick yes from a compiled schema; else `explain` says what is wrong and where."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import jsonschema_rs

from gateway.conformance.explain import explain
from gateway.conformance.schema import build
from gateway.fhir import types
from gateway.fhir.issues import Issue

Json = dict[str, Any]
Test = Callable[[Json], bool]

_TESTS: dict[str, Test] = {}
_LINEAR = jsonschema_rs.RegexOptions()
"""The regex engine whose time is linear in the text, whatever a sender writes."""


def check(resource: Json) -> list[Issue]:
    """Return what R4 refuses in `resource`, each issue with its FHIRPath and a sentence to act on."""
    return [] if _quick(resource) else explain(resource)


def is_valid(resource: Json) -> bool:
    """Say whether `resource` is structurally right R4; about 5 µs for an Observation."""
    return _quick(resource) or not explain(resource)


def invalid(resources: Sequence[Json]) -> list[int]:
    """Return the positions of the resources that are not right R4, for a batch before it is written."""
    return [at for at, resource in enumerate(resources) if not (_quick(resource) or not explain(resource))]


def warm(names: Iterable[str]) -> None:
    """Compile the schemas of these resource types now (about 10 ms each) rather than at first use."""
    for name in names:
        _compile(name)


def _quick(resource: Json) -> bool:
    name = resource.get("resourceType")
    test = _TESTS.get(name) if isinstance(name, str) else _never
    if not (test or _compile(name))(resource):
        return False
    if "contained" in resource and not all(_quick_contained(one) for one in resource["contained"]):
        return False
    held = _HOLDERS.get(name) if isinstance(name, str) else None
    return held is None or all(_quick(one) for one in held(resource))


def _quick_contained(resource: Json) -> bool:
    return "id" in resource and "contained" not in resource and _quick(resource)


def _never(_: Json) -> bool:
    return False


def _compile(name: Any) -> Test:
    if name not in types.RESOURCE_TYPES:
        return _never
    validator = jsonschema_rs.Draft4Validator(build(name), pattern_options=_LINEAR, offline=True)
    return _TESTS.setdefault(name, partial(_passes, validator.is_valid))


def _passes(is_valid: Test, resource: Json) -> bool:
    try:
        return is_valid(resource)
    except ValueError:  # in some places the validator cannot look at a number such as 1e2; `explain` can
        return False


def _entries(bundle: Json) -> Iterator[Json]:
    for entry in bundle.get("entry", ()):
        if "resource" in entry:
            yield entry["resource"]
        if "outcome" in entry.get("response", ()):
            yield entry["response"]["outcome"]


def _parameters(parameters: Json, key: str = "parameter") -> Iterator[Json]:
    for parameter in parameters.get(key, ()):
        if "resource" in parameter:
            yield parameter["resource"]
        yield from _parameters(parameter, "part")


_HOLDERS: dict[str, Callable[[Json], Iterator[Json]]] = {"Bundle": _entries, "Parameters": _parameters}
