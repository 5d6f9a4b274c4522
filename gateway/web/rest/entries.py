"""The entries of a Bundle as the requests they are (http://hl7.org/fhir/R4/http.html#transaction)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from email.utils import format_datetime
from typing import Any, NamedTuple

import msgspec

from gateway.conformance import structure
from gateway.errors import Category, GatewayError
from gateway.fhir import resource, temporal
from gateway.fhir.issues import Invalid, Issue, has_errors
from gateway.web.rest import asked
from gateway.web.rest.message import Request, Rest
from gateway.web.rest.times import moment

Json = dict[str, Any]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_CONDITIONS = {"ifMatch": "if-match", "ifNoneMatch": "if-none-match", "ifNoneExist": "if-none-exist"}
_BODIES = ("POST", "PUT", "PATCH")
_PLAIN: Json = {"resourceType": "Parameters"}
_FHIR_JSON = "application/fhir+json"


class _Text(msgspec.Struct):
    resource: msgspec.Raw = msgspec.Raw(b"")


class _Texts(msgspec.Struct):
    entry: list[_Text] = []


_TEXTS = msgspec.json.Decoder(_Texts)


class Slot(NamedTuple):
    """One entry as it came: its number, its members, and the resource's own text."""

    number: int
    told: Json
    text: bytes

    @property
    def place(self) -> str:
        """Where it stands in the Bundle."""
        return f"Bundle.entry[{self.number}]"

    @property
    def full_url(self) -> str:
        """Return the address other entries refer to it by."""
        return str(self.told.get("fullUrl", ""))


def read(rest: Rest, request: Request) -> tuple[str, list[Slot]]:
    """Return the type and the entries of the Bundle a request brings.

    Raises GatewayError for what is no Bundle of type batch or transaction, too large, or has a faulty frame; what
    the resources in it are is not looked at.
    """
    bundle = resource.loads(request.body, depth=rest.limits.nesting)
    if bundle.get("resourceType") != "Bundle":
        text = f"a POST to the base brings a Bundle, not {str(bundle.get('resourceType'))[:40]}; create at /TYPE"
        raise GatewayError(text, where="resourceType")
    found = bundle.get("entry", [])
    if isinstance(found, list) and len(found) > rest.limits.bundle_entries:
        text = f"a Bundle brings {rest.limits.bundle_entries} entries at most, this one has {len(found)}; split it"
        raise GatewayError(text, where="Bundle.entry", category=Category.TOO_LARGE)
    issues = structure.check(_frame(bundle))
    if has_errors(issues):
        raise Invalid(issues)
    if bundle.get("type") not in ("batch", "transaction"):
        text = f"Bundles of type batch and transaction are carried out, not {bundle['type']}; store others at /Bundle"
        raise Invalid([Issue("error", "not-supported", text, "Bundle.type")])
    texts = _TEXTS.decode(request.body.removeprefix(b"\xef\xbb\xbf")).entry
    return str(bundle["type"]), [
        Slot(number, told, bytes(one.resource)) for number, (told, one) in enumerate(zip(found, texts, strict=True))
    ]


def _frame(bundle: Json) -> Json:
    """Return the Bundle with a plain resource in place of each it brings: those are judged one by one, later."""
    entries = bundle.get("entry")
    if not isinstance(entries, list):
        return bundle
    return {**bundle, "entry": [_without(entry) for entry in entries]}


def _without(entry: Any) -> Any:
    inside = isinstance(entry, dict) and isinstance(entry.get("resource"), dict)
    return {**entry, "resource": _PLAIN} if inside else entry


def request_of(outer: Request, slot: Slot) -> Request:
    """Return the request an entry asks for; raises GatewayError for one that cannot be."""
    told = slot.told.get("request")
    if told is None:
        raise GatewayError("the entry has no request: give its method and url")
    method = told["method"]
    path, query = _target(outer, told["url"])
    body, media = _body(slot, method)
    return replace(
        outer,
        method=method,
        path=path,
        pairs=asked.pairs(query.encode("utf-8", "surrogatepass")),
        headers={"accept": _FHIR_JSON, **_headers(told)},
        body=body,
        media=media,
    )


def _target(outer: Request, url: str) -> tuple[tuple[str, ...], str]:
    """Return path and query of an entry's url, relative to the base or with it in front."""
    rest = url.strip().removeprefix(outer.base).partition("#")[0]
    path, _, query = rest.partition("?")
    if ":" in path:
        text = f"request.url is relative to this server, as in Patient/123, not {url[:200]!r}"
        raise GatewayError(text, where="request.url")
    return tuple(part for part in asked.unquoted(path).split("/") if part), query


def _headers(told: Json) -> Mapping[str, str]:
    found = {header: str(told[name]) for name, header in _CONDITIONS.items() if name in told}
    since = told.get("ifModifiedSince")
    if since is not None:
        at = moment(temporal.bounds(str(since), "UTC")[0])
        found["if-modified-since"] = format_datetime(at.replace(microsecond=0), usegmt=True)
    return found


def _body(slot: Slot, method: str) -> tuple[bytes, str]:
    if method not in _BODIES:
        return b"", ""
    brought = slot.told.get("resource")
    if method == "PATCH" and isinstance(brought, dict) and brought.get("resourceType") == "Binary":
        return _patch(brought)
    return slot.text, _FHIR_JSON


def _patch(brought: Json) -> tuple[bytes, str]:
    """Return what a Binary holds, for so a Bundle brings a JSON Patch (R4 http.html#patch)."""
    media = str(brought.get("contentType", "")).partition(";")[0].strip().lower()
    try:
        return base64.b64decode(str(brought.get("data", "")), validate=True), media
    except (binascii.Error, ValueError):
        raise GatewayError("the data of the Binary is not base64", where="resource.data") from None
