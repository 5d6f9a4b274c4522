"""What a search may not ask (yet), said with the names of what it may."""

from collections.abc import Mapping, Sequence

from gateway.errors import Category, GatewayError
from gateway.search.parameters import Parameter

UNSUPPORTED: dict[str, str] = {
    "_text": "search in the narrative",
    "_content": "search in the whole content",
    "_filter": "filter expressions",
    "_query": "named queries",
    "_list": "membership of lists",
    "_contained": "search in contained resources",
    "_containedType": "search in contained resources",
    "_score": "relevance scores",
}
"""Parameters of R4 that are recognised and refused, and what each would do."""

_NEVER = {
    "age": "ages change every day, so no index holds them; ask by birthdate",
    "near": "distances need geography, which no index here has; ask by address or organization",
}
"""What no row can answer, of one type each."""


class Unknown(GatewayError):
    """A parameter this server does not have; a client that says `Prefer: handling=lenient` lets it be ignored."""


def unsupported(name: str, names: Mapping[str, Parameter]) -> GatewayError:
    """Return the refusal of a parameter that R4 has and this server does not answer yet."""
    what = UNSUPPORTED.get(name) or _NEVER.get(name) or names[name].description
    text = f"{name!r} ({what}) is not supported yet. {_supported(names)}"
    return Unknown(text, where=name, category=Category.UNSUPPORTED)


def known(name: str, type_name: str, names: Mapping[str, Parameter]) -> GatewayError:
    """Return the refusal of a name that is no parameter of the type."""
    return Unknown(f"{type_name} has no search parameter {name!r}. {_supported(names)}", where=name)


def uncommon(name: str, types: Sequence[str], names: Mapping[str, Parameter]) -> GatewayError:
    """Return the refusal of a name that not every type of a search over several has."""
    which = ", ".join(types) if len(types) < 10 else f"all {len(types)} types"
    return Unknown(f"{name!r} is not a search parameter of each of {which}. {_supported(names)}", where=name)


def unsortable(parameter: Parameter) -> GatewayError:
    """Return the refusal of a sort key that has no order."""
    parts = [part.name for part in parameter.components]
    instead = f"sort by {' and '.join(parts)}" if parts else "sort by another parameter"
    text = f"_sort by {parameter.name!r} is not possible, for its values are {parameter.kind}; {instead}."
    return GatewayError(text, where="_sort", category=Category.UNSUPPORTED)


def _supported(names: Mapping[str, Parameter]) -> str:
    usable = ", ".join(name for name, parameter in names.items() if parameter.kind != "special")
    return f"Supported: {usable}; _count, _sort, _total, _summary, _elements, _include, _revinclude, _linked."
