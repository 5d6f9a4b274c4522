"""Whether a value equals a fixed one, or contains a pattern (http://hl7.org/fhir/R4/elementdefinition.html)."""

from typing import Any

from gateway.conformance.rules import Constant


def fits(value: Any, constant: Constant) -> bool:
    """Say whether a JSON value is what fixed[x] or pattern[x] asks."""
    return equal(value, constant.value) if constant.exact else contains(value, constant.value)


def equal(value: Any, wanted: Any) -> bool:
    """Say whether two JSON values are the same, the order of members apart."""
    if isinstance(wanted, dict):
        same = isinstance(value, dict) and value.keys() == wanted.keys()
        return same and all(equal(value[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        same = isinstance(value, list) and len(value) == len(wanted)
        return same and all(map(equal, value, wanted))
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def contains(value: Any, pattern: Any) -> bool:
    """Say whether a value has all that a pattern has; each entry of a list in the pattern is found in the value's."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            key in value and contains(value[key], part) for key, part in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(contains(one, part) for one in value) for part in pattern)
    return equal(value, pattern)
