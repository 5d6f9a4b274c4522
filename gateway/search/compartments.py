"""R4's compartments: which types belong to a patient, an encounter and so on, and by which search parameters."""

from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec

from gateway.errors import Category, GatewayError

_TABLE = "data/r4-compartments.json"


@cache
def _table() -> dict[str, dict[str, tuple[str, ...]]]:
    text = resources.files("gateway.search").joinpath(_TABLE).read_bytes()
    return msgspec.json.decode(text, type=dict[str, dict[str, tuple[str, ...]]])


def names() -> tuple[str, ...]:
    """Return the types that have a compartment (http://hl7.org/fhir/R4/compartmentdefinition.html)."""
    return tuple(_table())


def members(compartment: str) -> Mapping[str, tuple[str, ...]]:
    """Return type -> the parameters of which any one places a resource of it in the compartment.

    Raises GatewayError (not found) for a type without a compartment.
    """
    found = _table().get(compartment)
    if found is None:
        text = f"{compartment[:64]} has no compartment in FHIR R4; {', '.join(names())} have"
        raise GatewayError(text, category=Category.NOT_FOUND)
    return found


def parameters_of(compartment: str, type_name: str) -> tuple[str, ...]:
    """Return the parameters that place a resource of a type in a compartment, none where R4 places none there."""
    return members(compartment).get(type_name, ())
