"""Which interaction answers which method and path (http://hl7.org/fhir/R4/http.html#summary)."""

from collections.abc import Mapping

from gateway.errors import Category, GatewayError
from gateway.web.errors import HttpFault
from gateway.web.rest import binary, provenance
from gateway.web.rest.history import history
from gateway.web.rest.message import Interaction
from gateway.web.rest.metadata import metadata
from gateway.web.rest.read import read, vread
from gateway.web.rest.search import search

_READS = ("GET", "HEAD")


def find(method: str, path: tuple[str, ...]) -> Interaction:
    """Return the interaction; raises GatewayError (not found) or HttpFault 405 naming the methods that are allowed."""
    offered = _offered(path)
    if not offered:
        raise GatewayError(_nothing(path), category=Category.NOT_FOUND)
    asked = "GET" if method == "HEAD" else method
    if asked not in offered:
        raise _refused(method, [name for name in ("GET", "HEAD", "POST") if name.replace("HEAD", "GET") in offered])
    return offered[asked]


def _offered(path: tuple[str, ...]) -> Mapping[str, Interaction]:
    found: Mapping[str, Interaction] = {}
    match path:
        case ("metadata",):
            found = {"GET": metadata}
        case ("Provenance", *rest):
            found = _provenance(rest)
        case ("Binary", fid) if fid[0] not in "_$":
            found = {"GET": binary.read}
        case ("Binary", _, "_history", _):
            found = {"GET": binary.vread}
        case (_, "_search"):
            found = {"GET": search, "POST": search}
        case (kind,) if kind[0] not in "_$":
            found = {"GET": search}
        case (_, fid) if fid[0] not in "_$":
            found = {"GET": read}
        case (_, _, "_history"):
            found = {"GET": history}
        case (_, _, "_history", _):
            found = {"GET": vread}
    return found


def _provenance(rest: list[str]) -> Mapping[str, Interaction]:
    match rest:
        case []:
            return {"GET": provenance.search}
        case ["_search"]:
            return {"GET": provenance.search, "POST": provenance.search}
        case [fid] if fid[0] not in "_$":
            return {"GET": provenance.read}
    return {}


def _nothing(path: tuple[str, ...]) -> str:
    place = "/".join(path)
    operation = next((part for part in path if part.startswith(("$", "_"))), "")
    if operation:
        return f"{operation} is not offered at /{place}; /metadata lists what is"
    return f"there is nothing at /{place}; ask /metadata, /TYPE or /TYPE/ID"


def _refused(method: str, allowed: list[str]) -> HttpFault:
    text = f"{method} is not offered here: ask by {', '.join(allowed)}; the record is written by POST /feeds/FEED"
    return HttpFault(text, 405, "not-supported", headers={"allow": ", ".join(allowed)})
