"""What a search may not ask (yet), said with the names of what it may."""

from collections.abc import Mapping

from gateway.errors import Category, GatewayError
from gateway.search.parameters import Parameter

UNSUPPORTED: dict[str, str] = {
    "_has": "reverse chaining",
    "_revinclude": "inclusion of resources that refer to the matches",
    "_text": "search in the narrative",
    "_content": "search in the whole content",
    "_filter": "filter expressions",
    "_query": "named queries",
    "_list": "membership of lists",
    "_type": "searches over several types",
    "_elements": "partial resources",
    "_contained": "search in contained resources",
    "_containedType": "search in contained resources",
    "_score": "relevance scores",
}
"""Parameters of R4 that are recognised and refused, and what each would do."""


def unsupported(name: str, names: Mapping[str, Parameter]) -> GatewayError:
    """Return the refusal of a parameter that R4 has and this server does not answer yet."""
    what = UNSUPPORTED.get(name) or names[name].description
    return GatewayError(
        f"{name!r} ({what}) is not supported yet. {_supported(names)}", where=name, category=Category.UNSUPPORTED
    )


def chained(name: str, names: Mapping[str, Parameter]) -> GatewayError:
    """Return the refusal of a chained parameter."""
    return GatewayError(
        f"{name!r}: chained parameters are not supported yet. {_supported(names)}",
        where=name,
        category=Category.UNSUPPORTED,
    )


def known(name: str, type_name: str, names: Mapping[str, Parameter]) -> GatewayError:
    """Return the refusal of a name that is no parameter of the type."""
    return GatewayError(f"{type_name} has no search parameter {name!r}. {_supported(names)}", where=name)


def _supported(names: Mapping[str, Parameter]) -> str:
    usable = ", ".join(name for name, parameter in names.items() if parameter.kind != "special")
    return f"Supported: {usable}; _count, _sort, _total, _summary=count, _include, _linked."
