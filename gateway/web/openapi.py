"""The FHIR routes in /openapi.json, generated from the same tables as the CapabilityStatement."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.search import parameters

_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
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
    found: dict[str, Any] = {"/fhir/metadata": {"get": _operation("capabilities", [])}}
    for name in parameters.types():
        version = {"name": "vid", "in": "path", "required": True, "schema": {"type": "integer"}}
        found[f"/fhir/{name}"] = {"get": _operation(f"search {name}", _query(name))}
        found[f"/fhir/{name}/_search"] = {"post": _operation(f"search {name} by form", [])}
        found[f"/fhir/{name}/{{id}}"] = {"get": _operation(f"read {name}", [_ID])}
        found[f"/fhir/{name}/{{id}}/_history"] = {"get": _operation(f"history of {name}", [_ID])}
        found[f"/fhir/{name}/{{id}}/_history/{{vid}}"] = {"get": _operation(f"vread {name}", [_ID, version])}
    return found


def _query(name: str) -> list[dict[str, Any]]:
    return [
        {"name": one.name, "in": "query", "required": False, "schema": {"type": "string"}, "description": one.kind}
        for one in parameters.for_type(name).values()
        if one.kind != "special"
    ]


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
