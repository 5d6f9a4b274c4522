"""The one doorway to fhir.resources: its R4B models tell in detail what they refuse, and nothing else.

The models never write a stored or returned byte: their round trip shortens 72.50 and rewrites time zones.
"""

from functools import cache
from typing import Any

from gateway.fhir import types
from gateway.fhir.issues import Issue
from gateway.fhir.primitives import shown

_CODES = {"missing": "required", "extra_forbidden": "structure", "value_error": "invariant"}
_GENERIC = "Value error, "


def shared(name: str) -> bool:
    """Say whether R4B, which fhir.resources models, still has the R4 type `name`."""
    return _model(name) is not None


def explain(resource: dict[str, Any]) -> list[Issue]:
    """Return what the model of fhir.resources (R4B) refuses in `resource`, with FHIRPath places.

    A type that R4B no longer has gives one information issue. The import takes about 0.2 s the first time.
    """
    name = resource.get("resourceType")
    model = _model(name) if isinstance(name, str) else None
    if model is None:
        text = f"{shown(name)} has no model in fhir.resources R4B, so only our own R4 tables judge it."
        return [Issue("information", "informational", text)]
    return _judged(model, resource, str(name))


def _judged(model: Any, resource: dict[str, Any], name: str) -> list[Issue]:
    from pydantic import ValidationError  # noqa: PLC0415 - it costs 40 ms, and only $validate needs it

    try:
        model.model_validate(resource)
    except ValidationError as error:
        return [_issue(one, name) for one in error.errors(include_url=False)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # Raised from inside the models, for instance where a Bundle holds a type that R4B dropped.
        return [Issue("information", "informational", f"fhir.resources could not judge it: {error}.", name)]
    return []


@cache
def _model(name: str) -> Any:
    if name not in types.RESOURCE_TYPES:
        return None
    from fhir.resources.R4B import get_fhir_model_class  # noqa: PLC0415 - 130 ms at first use

    try:
        return get_fhir_model_class(name)
    except (ValueError, KeyError):
        return None


def _issue(error: Any, name: str) -> Issue:
    where = name
    for part in error["loc"]:
        where += f"[{part}]" if isinstance(part, int) else f".{part}"
    text = str(error["msg"]).removeprefix(_GENERIC).rstrip(".!") + "."
    return Issue("error", _CODES.get(error["type"], "value"), text, where)
