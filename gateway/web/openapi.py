"""The FHIR routes in /openapi.json, generated from the same tables as the CapabilityStatement and the routes."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from gateway.search import compartments
from gateway.search.parameters import Parameter
from gateway.search.request import CONTROLS
from gateway.web.rest import metadata, patch
from gateway.web.rest.metadata import Offered, Offers
from gateway.web.rest.routes import METADATA, OFFERS

Json = dict[str, Any]
Place = tuple[str, ...]

_FHIR = "application/fhir+json"
_FORM = "application/x-www-form-urlencoded"
_ANY: Json = {"schema": {"type": "object"}}
_LOOKS = ("_format", "_pretty", "_summary", "_elements")
_WORDS = {
    "_format": "json or xml",
    "_pretty": "true or false",
    "_summary": "true, text, data, count or false",
    "_elements": "names of elements, by commas",
    "_count": "resources on a page",
    "_since": "an instant",
    "_at": "an instant or a period",
}
_VARIABLES: dict[str, tuple[str, Json]] = {
    "ID": ("id", {"type": "string"}),
    "MEMBER": ("member", {"type": "string"}),
    "VERSION": ("vid", {"type": "integer"}),
}
# words of a place and a method: what it does, "{}" standing for the type
_SUMMARIES: dict[tuple[Place, str], str] = {
    ((), "GET"): "search several types",
    ((), "POST"): "batch or transaction",
    (("_search",), "GET"): "search several types",
    (("_search",), "POST"): "search several types by form",
    (("_history",), "GET"): "history of everything",
    (("TYPE",), "GET"): "search {}",
    (("TYPE",), "POST"): "create {}, or find the one that is there (If-None-Exist)",
    (("TYPE",), "PUT"): "update the {} that a search finds, or create it",
    (("TYPE",), "PATCH"): "patch the {} that a search finds",
    (("TYPE",), "DELETE"): "delete the {} that a search finds",
    (("TYPE", "_search"), "GET"): "search {}",
    (("TYPE", "_search"), "POST"): "search {} by form",
    (("TYPE", "_history"), "GET"): "history of every {}",
    (("TYPE", "ID"), "GET"): "read {}",
    (("TYPE", "ID"), "PUT"): "update {}, or create it under this id",
    (("TYPE", "ID"), "PATCH"): "patch {}",
    (("TYPE", "ID"), "DELETE"): "delete {}",
    (("TYPE", "ID", "_history"), "GET"): "history of one {}",
    (("TYPE", "ID", "_history", "VERSION"), "GET"): "vread {}",
    (("TYPE", "ID", "_search"), "GET"): "search the compartment of {}",
    (("TYPE", "ID", "_search"), "POST"): "search the compartment of {} by form",
    (("TYPE", "ID", "MEMBER"), "GET"): "search one type in the compartment of {}",
    (("TYPE", "ID", "MEMBER", "_search"), "GET"): "search one type in the compartment of {}",
    (("TYPE", "ID", "MEMBER", "_search"), "POST"): "search one type in the compartment of {} by form",
}
# name in the document: header, what to write there
_SHARED_HEADERS: dict[str, tuple[str, str]] = {
    "ifNoneMatch": ("If-None-Match", "the ETag at hand"),
    "ifModifiedSince": ("If-Modified-Since", "when it was read last"),
    "ifMatch": ("If-Match", 'the version that is changed, as in W/"3"'),
    "createOnly": ("If-None-Match", "* to create only"),
    "ifNoneExist": ("If-None-Exist", "a search; nothing is created where it finds one"),
    "prefer": ("Prefer", "return=minimal, representation or OperationOutcome; handling=strict or lenient"),
}
_READING = ("ifNoneMatch", "ifModifiedSince")
_PUTTING = ("ifMatch", "createOnly", "prefer")
_CHANGING = ("ifMatch", "prefer")
_HEADERS: dict[tuple[Place, str], tuple[str, ...]] = {
    ((), "POST"): ("prefer",),
    (("TYPE",), "GET"): ("prefer",),
    (("TYPE",), "POST"): ("ifNoneExist", "prefer"),
    (("TYPE",), "PUT"): _PUTTING,
    (("TYPE",), "PATCH"): _CHANGING,
    (("TYPE",), "DELETE"): _CHANGING,
    (("TYPE", "ID"), "GET"): _READING,
    (("TYPE", "ID"), "PUT"): _PUTTING,
    (("TYPE", "ID"), "PATCH"): _CHANGING,
    (("TYPE", "ID"), "DELETE"): _CHANGING,
    (("TYPE", "ID", "_history", "VERSION"), "GET"): _READING,
}


def describe(app: FastAPI) -> None:
    """Let /openapi.json list every FHIR interaction and search parameter beside FastAPI's own routes."""

    def build() -> Json:
        if app.openapi_schema is None:
            schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
            schema["paths"].update(paths(OFFERS))
            schema["components"] = {**schema.get("components", {}), **_shared()}
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = build  # type: ignore[method-assign]  # FastAPI's own way to extend the document


def paths(offers: Offers) -> Json:
    """Return the path items of every FHIR route."""
    found: Json = {"/fhir/metadata": _item(("metadata",), "", METADATA)}
    for place, offered in offers.places.items():
        if place[:1] != ("TYPE",):
            found["/".join(["/fhir", *place])] = _item(place, "", offered)
    found |= {f"/fhir/{name}": _operation_item(name, "", offered) for name, offered in offers.on_server.items()}
    for kind in metadata.served():
        found |= dict(_type(offers, kind))
    return found


def _type(offers: Offers, kind: str) -> Iterator[tuple[str, Json]]:
    for place in offers.places:
        member = "MEMBER" in place or place == ("TYPE", "ID", "_search")
        if place[:1] == ("TYPE",) and (not member or kind in compartments.names()):
            item = _item(place, kind, offers.at(kind, place))
            if item:
                yield _path(place, kind), item
    for name in metadata.operations(offers, kind):
        for table, place in ((offers.on_type, ("TYPE",)), (offers.on_instance, ("TYPE", "ID"))):
            if name in table:
                yield f"{_path(place, kind)}/{name}", _operation_item(name, kind, table[name], place)


def _path(place: Place, kind: str) -> str:
    parts = [f"{{{_VARIABLES[part][0]}}}" if part in _VARIABLES else part for part in place[1:]]
    return "/".join(["/fhir", kind, *parts])


def _item(place: Place, kind: str, offered: Offered) -> Json:
    return {method.lower(): _operation(place, kind, method) for method in offered}


def _operation(place: Place, kind: str, method: str) -> Json:
    summary = _SUMMARIES.get((place, method), "capabilities").format(kind)
    headers = map(_reference, _HEADERS.get((place, method), ()))
    body = _body(place, kind, method)
    told = _told(summary, place, [*_query(place, kind, method), *headers])
    return {**told, **({"requestBody": body} if body else {})}


def _operation_item(name: str, kind: str, offered: Offered, place: Place = ()) -> Json:
    told = {method.lower(): _told(f"{name} {kind}".strip(), place, []) for method in offered}
    for method in {"post", "put"} & told.keys():
        told[method]["requestBody"] = {"content": {_FHIR: _ANY}}
    return told


def _query(place: Place, kind: str, method: str) -> list[Json]:
    looks = [_reference(name) for name in _LOOKS]
    if place[-1:] == ("_history",):
        return [_reference(name) for name in ("_count", "_since", "_at")] + looks
    searching = place in ((), ("_search",), ("TYPE",), ("TYPE", "_search")) or "MEMBER" in place
    if not searching or (place, method) in (((), "POST"), (("TYPE",), "POST")):
        return looks if method == "GET" else looks[:2]
    if place[-1:] == ("_search",) and method == "POST":
        return []
    typed = place in (("TYPE",), ("TYPE", "_search"))
    own = [_reference(_key(one)) for one in metadata.searchable(kind)] if typed else []
    controls = [_reference(name) for name in CONTROLS if name not in _LOOKS]
    return [*own, *controls, *looks] if method == "GET" else own


def _body(place: Place, kind: str, method: str) -> Json:
    if place[-1:] == ("_search",):
        return {"content": {_FORM: _ANY}} if method == "POST" else {}
    if method == "PATCH":
        return {"required": True, "content": {patch.MEDIA: {"schema": {"type": "array", "items": {"type": "object"}}}}}
    if method not in ("POST", "PUT"):
        return {}
    name = kind or "Bundle"
    schema = {
        "type": "object",
        "required": ["resourceType"],
        "properties": {"resourceType": {"type": "string", "enum": [name]}},
    }
    content: Json = {_FHIR: {"schema": schema}}
    if kind == "Binary":
        content["application/octet-stream"] = {"schema": {"type": "string", "format": "binary"}}
    return {"required": True, "content": content}


def _shared() -> Json:
    """Return what many operations have, each told once."""
    queries = {name: _named(name, _WORDS.get(name, "")) for name in (*_LOOKS, *CONTROLS, "_since", "_at")}
    own = {_key(one): _named(one.name, one.kind) for kind in metadata.served() for one in metadata.searchable(kind)}
    headers = {key: _parameter(name, "header", about) for key, (name, about) in _SHARED_HEADERS.items()}
    variables = {key: _variable(*told) for key, told in _VARIABLES.items()}
    answers = {name: {"description": name, "content": {_FHIR: _ANY}} for name in ("Resource", "OperationOutcome")}
    return {"parameters": {**own, **queries, **headers, **variables}, "responses": answers}


def _key(parameter: Parameter) -> str:
    """Return the name a search parameter has in the document; those of every type are told once."""
    return parameter.name if parameter.name.startswith("_") else f"{parameter.type}.{parameter.name}"


def _variable(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _reference(name: str) -> Json:
    return {"$ref": f"#/components/parameters/{name}"}


def _named(name: str, about: str = "") -> Json:
    return _parameter(name, "query", about)


def _parameter(name: str, place: str, about: str) -> Json:
    told = {"description": about} if about else {}
    return {"name": name, "in": place, "required": False, "schema": {"type": "string"}, **told}


def _told(summary: str, place: Place, parameters: list[Json]) -> Json:
    variables = [_reference(part) for part in place if part in _VARIABLES]
    return {
        "summary": summary,
        "tags": ["fhir"],
        "parameters": [*variables, *parameters],
        "responses": {
            "2XX": {"$ref": "#/components/responses/Resource"},
            "default": {"$ref": "#/components/responses/OperationOutcome"},
        },
    }
