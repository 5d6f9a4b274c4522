"""The FHIR routes in /openapi.json, generated from the same tables as the CapabilityStatement."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.search.request import CONTROLS
from gateway.web.rest import metadata

_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_VERSION = {"name": "vid", "in": "path", "required": True, "schema": {"type": "integer"}}
_FORM = {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}}
_JSON = {"application/fhir+json": {"schema": {"type": "object"}}}


def describe(app: FastAPI) -> None:
    """Let /openapi.json list every FHIR interaction and search parameter beside FastAPI's own routes."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
            schema["paths"].update(paths())
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = build  # type: ignore[method-assign]  # FastAPI's own way to extend the document


def paths() -> dict[str, Any]:
    """Return the path items of every FHIR route."""
    found: dict[str, Any] = {"/fhir/metadata": {"get": _operation("capabilities", _LOOKS)}}
    for name in metadata.served():
        found |= _type(name)
    return found


def _type(name: str) -> dict[str, Any]:
    asked = [*_query(name), *_LOOKS]
    found = {
        f"/fhir/{name}": {"get": _operation(f"search {name}", asked)},
        f"/fhir/{name}/_search": {"post": {**_operation(f"search {name} by form", []), "requestBody": _FORM}},
        f"/fhir/{name}/{{id}}": {"get": _operation(f"read {name}", [_ID, *_LOOKS])},
    }
    if name != "Provenance":
        pages = [_ID, _named("_count"), _named("_since"), *_LOOKS]
        found[f"/fhir/{name}/{{id}}/_history"] = {"get": _operation(f"history of {name}", pages)}
        found[f"/fhir/{name}/{{id}}/_history/{{vid}}"] = {"get": _operation(f"vread {name}", [_ID, _VERSION, *_LOOKS])}
    return found


def _query(name: str) -> list[dict[str, Any]]:
    return [_named(one.name, one.kind) for one in metadata.searchable(name)] + [_named(one) for one in CONTROLS]


def _named(name: str, about: str = "") -> dict[str, Any]:
    told = {"description": about} if about else {}
    return {"name": name, "in": "query", "required": False, "schema": {"type": "string"}, **told}


_LOOKS = [_named("_format", "json"), _named("_pretty", "true or false")]


def _operation(summary: str, asked: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "summary": summary,
        "tags": ["fhir"],
        "parameters": asked,
        "responses": {
            "200": {"description": "FHIR JSON", "content": _JSON},
            "default": {"description": "OperationOutcome", "content": _JSON},
        },
    }
