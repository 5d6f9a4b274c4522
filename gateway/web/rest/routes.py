"""Which interaction answers which method and path (http://hl7.org/fhir/R4/http.html#summary)."""

from collections.abc import Mapping

from gateway.errors import Category, GatewayError
from gateway.web.errors import HttpFault
from gateway.web.rest import binary, merge, meta, operation, person, provenance, validate, write
from gateway.web.rest.bundle import Bundles
from gateway.web.rest.everything import everything
from gateway.web.rest.history import history
from gateway.web.rest.message import Interaction
from gateway.web.rest.metadata import Capabilities, Offers
from gateway.web.rest.patch import MEDIA
from gateway.web.rest.read import read, vread
from gateway.web.rest.search import search, search_all, search_compartment

Offered = Mapping[str, Interaction]
"""The interactions at a place by method; HEAD goes with GET, OPTIONS is answered everywhere."""

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def find(method: str, path: tuple[str, ...]) -> Interaction:
    """Return the interaction; raises GatewayError (not found) or HttpFault 405 naming the methods that are allowed."""
    offered = _offered(path)
    if not offered:
        raise GatewayError(_nothing(path), category=Category.NOT_FOUND)
    interaction = offered.get("GET" if method == "HEAD" else method)
    if interaction is None:
        raise _refused(method, path, offered)
    return interaction


def options(path: tuple[str, ...]) -> dict[str, str]:
    """Return the headers that say what is offered at a place (RFC 9110 9.3.7); raises GatewayError (not found)."""
    offered = _offered(path)
    if not offered:
        raise GatewayError(_nothing(path), category=Category.NOT_FOUND)
    return {"allow": _allowed(offered), **({"accept-patch": MEDIA} if "PATCH" in offered else {})}


def _offered(path: tuple[str, ...]) -> Offered:
    if path and path[-1][0] == "$":
        return _operations(path)
    if len(path) > len(_PARTS):
        return {}
    shape = tuple(part if part[0] == "_" else name for part, name in zip(path, _PARTS, strict=False))
    if shape == ("TYPE",) and path[0] == "metadata":
        return METADATA
    return OWN.get((path[0], *shape[1:]) if path else (), PLACES.get(shape, {}))


def _operations(path: tuple[str, ...]) -> Offered:
    """Return an operation by where it stands: at the base, a type, or a resource."""
    *place, name = path
    if any(part[0] in "_$" for part in place) or len(place) > 2:
        return {}
    return (ON_SERVER, ON_TYPE, ON_INSTANCE)[len(place)].get(name, {})


ON_SERVER: dict[str, Offered] = {"$validate": {"POST": validate.validate}, "$meta": {"GET": meta.meta}}
ON_TYPE: dict[str, Offered] = {
    "$validate": {"POST": validate.validate},
    "$meta": {"GET": meta.meta},
    "$merge": {"POST": merge.merge},
    "$unmerge": {"POST": merge.unmerge},
}
ON_INSTANCE: dict[str, Offered] = {
    "$validate": {"GET": validate.validate, "POST": validate.validate},
    "$everything": {"GET": everything},
    "$meta": {"GET": meta.meta},
    "$meta-add": {"POST": meta.add},
    "$meta-delete": {"POST": meta.delete},
    "$recognise": {"POST": operation.perform},
}
"""Operations by name with their `$`; each checks itself for which types it is meant."""

_BUNDLES = Bundles(find)
CAPABILITIES = Capabilities(lambda: Offers(PLACES, OWN, ON_SERVER, ON_TYPE, ON_INSTANCE))
METADATA: Offered = {"GET": CAPABILITIES.metadata}
_TYPE: Offered = {
    "GET": search,
    "POST": write.create,
    "PUT": write.update_found,
    "PATCH": write.amend_found,
    "DELETE": write.delete_found,
}
_INSTANCE: Offered = {"GET": read, "PUT": write.update, "PATCH": write.amend, "DELETE": write.delete}
_PARTS = ("TYPE", "ID", "MEMBER", "VERSION")

PLACES: dict[tuple[str, ...], Offered] = {
    (): {"GET": search_all, "POST": _BUNDLES.post},
    ("_search",): {"GET": search_all, "POST": search_all},
    ("_history",): {"GET": history},
    ("TYPE",): _TYPE,
    ("TYPE", "_search"): {"GET": search, "POST": search},
    ("TYPE", "_history"): {"GET": history},
    ("TYPE", "ID"): _INSTANCE,
    ("TYPE", "ID", "_history"): {"GET": history},
    ("TYPE", "ID", "_history", "VERSION"): {"GET": vread},
    ("TYPE", "ID", "_search"): {"GET": search_compartment, "POST": search_compartment},
    ("TYPE", "ID", "MEMBER"): {"GET": search_compartment},
    ("TYPE", "ID", "MEMBER", "_search"): {"GET": search_compartment, "POST": search_compartment},
}
"""What is offered where; words with an underscore stand for themselves."""

OWN: dict[tuple[str, ...], Offered] = {
    ("Binary", "ID"): {**_INSTANCE, "GET": binary.read},
    ("Binary", "ID", "_history", "VERSION"): {"GET": binary.vread},
    ("Person",): {**_TYPE, "GET": person.search},
    ("Person", "_search"): {"GET": person.search, "POST": person.search},
    ("Person", "ID"): {**_INSTANCE, "GET": person.read},
    ("Provenance",): {**_TYPE, "GET": provenance.search},
    ("Provenance", "_search"): {"GET": provenance.search, "POST": provenance.search},
    ("Provenance", "ID"): {**_INSTANCE, "GET": provenance.read},
}
"""Types that some interaction treats in a way of their own."""

OFFERS = Offers(PLACES, OWN, ON_SERVER, ON_TYPE, ON_INSTANCE)
"""All of it, for /metadata and /openapi.json."""

WRITES: frozenset[Interaction] = frozenset({*write.READERS, _BUNDLES.post, merge.merge, merge.unmerge})
"""Interactions that may wait for a lock; they have threads of their own, so that reads never wait behind them."""


_ONE = "ask it of one resource, as in /Patient/ID/$everything"
_LATER = {
    "$export": "bulk export is not here yet; follow /_history by its links to have all that is made, in order",
    "$match": "matching of persons is not here yet; search Patient, or Person, by identifier",
    "$summary": "the patient summary is not here yet; ask /Patient/ID/$everything",
}
"""Operations that are to come, and what serves until then."""


def _nothing(path: tuple[str, ...]) -> str:
    place = "/".join(path)
    operation = next((part for part in path if part.startswith(("$", "_"))), "")
    if operation in _LATER or path[1:] == ("$everything",):
        return f"{operation} is not offered at /{place}: {_LATER.get(operation, _ONE)}"
    if operation:
        return f"{operation} is not offered at /{place}; /metadata lists what is"
    return f"there is nothing at /{place}; ask /metadata, /TYPE or /TYPE/ID"


def _allowed(offered: Offered) -> str:
    return ", ".join(name for name in _METHODS if name == "OPTIONS" or name.replace("HEAD", "GET") in offered)


def _refused(method: str, path: tuple[str, ...], offered: Offered) -> HttpFault:
    allowed = _allowed(offered)
    hint = "; an update names the id, as in /TYPE/ID" if method == "POST" and len(path) == 2 else ""
    text = f"{method} is not offered here: ask by {allowed}{hint}"
    return HttpFault(text, 405, "not-supported", headers={"allow": allowed})
