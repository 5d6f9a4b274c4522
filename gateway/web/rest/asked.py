"""What a request asks for, read from its query, its form and its headers before any interaction runs."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote

from gateway.errors import GatewayError
from gateway.web.errors import HttpFault
from gateway.web.rest.message import Pairs, Request

FORM = "application/x-www-form-urlencoded"
FORM_LIMIT = 64 * 1024
_MOST_PAIRS = 200
LOOKS = ("_format", "_pretty", "_summary", "_elements")
"""Parameters of every interaction that say how its answer looks (web.rest.shapes)."""
FHIR_TYPES = ("application/fhir+json", "application/json+fhir")
JSON = (*FHIR_TYPES, "application/json", "text/json")
_JSON = ("json", *JSON)
_ANY = ("*/*", "application/*", "text/*")
_VERSION = re.compile(r'fhirversion\s*=\s*"?([0-9.]+)', re.IGNORECASE)
_NEVER = re.compile(r"q\s*=\s*0(\.0*)?")
_WHOLE = re.compile("[0-9]{1,9}")


def pairs(query: bytes) -> Pairs:
    """Return the names and values of a query or form; raises GatewayError where it cannot be read."""
    try:
        text = query.decode("utf-8")
        if text.count("&") >= _MOST_PAIRS:
            raise GatewayError(f"a query has {_MOST_PAIRS} parameters at most; put alternatives in one, by commas")
        return tuple(parse_qsl(text, keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise GatewayError("the query is not UTF-8 text; write it percent-encoded as UTF-8") from None


def unquoted(path: str) -> str:
    """Return a path without percent signs; raises GatewayError where they stand for no UTF-8."""
    try:
        return unquote(path, errors="strict")
    except UnicodeDecodeError:
        raise GatewayError("the url is not UTF-8 text; write it percent-encoded as UTF-8", where="url") from None


def form(media: str, body: bytes) -> Pairs:
    """Return the parameters of a POSTed search (R4 http.html#search)."""
    if media != FORM:
        raise HttpFault(f"_search takes {FORM}, not {media or 'nothing'}", 415, "not-supported", where="Content-Type")
    return pairs(body)


def require_json(asked: Pairs, headers: Mapping[str, str]) -> None:
    """Refuse (406) a client that takes no JSON of FHIR 4.0; `_format` goes before Accept (R4 http.html#mime-type)."""
    wanted = next((value for name, value in asked if name == "_format"), "")
    if wanted:
        if wanted.partition(";")[0].strip().replace(" ", "+").lower() not in _JSON:
            raise _unacceptable(f"_format={wanted}", "_format")
    elif not _takes_json(headers.get("accept") or "*/*"):
        raise _unacceptable(f"Accept: {headers['accept']}", "Accept")
    version = _VERSION.search(wanted or headers.get("accept", ""))
    if version and version[1] not in ("4.0", "4.0.1"):
        raise _unacceptable(f"fhirVersion={version[1]}", "fhirVersion")


def wants_fhir(asked: Pairs, headers: Mapping[str, str]) -> bool:
    """Say whether a reader of Binary names a format of FHIR, which must be one that is offered; else it gets bytes."""
    accept = headers.get("accept", "")
    named = any(name == "_format" for name, _ in asked) or _takes_json(accept, _JSON) or "fhir+xml" in accept.lower()
    if named:
        require_json(asked, headers)
    return named


def _takes_json(accept: str, words: tuple[str, ...] = _JSON + _ANY) -> bool:
    for part in accept.lower().split(","):
        word, *parameters = (piece.strip() for piece in part.split(";"))
        if word in words and not any(_NEVER.fullmatch(piece) for piece in parameters):
            return True
    return False


def _unacceptable(asked: str, where: str) -> HttpFault:
    text = f"{asked[:200]} is not offered; this server answers in application/fhir+json of FHIR 4.0"
    return HttpFault(text, 406, "not-supported", where=where)


def r4_only(told: str) -> None:
    """Refuse (415) a body of another FHIR version than 4.0 (R4 http.html#version-parameter)."""
    version = _VERSION.search(told)
    if version and version[1] not in ("4.0", "4.0.1"):
        text = f"fhirVersion={version[1]} is not taken; this server speaks FHIR 4.0"
        raise HttpFault(text, 415, "not-supported", where="Content-Type")


def pretty(asked: Pairs) -> bool:
    """Say whether the answer is to be indented for people (`_pretty`, R4 http.html#parameters)."""
    value = next((value for name, value in asked if name == "_pretty"), "false")
    if value not in ("true", "false"):
        raise GatewayError(f"_pretty is true or false, not {value!r}", where="_pretty")
    return value == "true"


def only(request: Request, *names: str) -> None:
    """Refuse parameters an interaction does not have, so that none is ignored in silence."""
    strange = next((name for name, _ in request.pairs if name not in (*names, *LOOKS)), None)
    if strange is not None:
        known = ", ".join(dict.fromkeys((*names, *LOOKS)))
        raise GatewayError(f"{strange!r} is not a parameter here; known are {known}", where=strange)
    if ("_summary", "count") in request.pairs and "_summary" not in names:
        raise GatewayError("_summary=count is for searches; here it would count nothing", where="_summary")


def whole(request: Request, name: str, default: int) -> int:
    """Return a parameter that is a whole number; raises GatewayError for anything else."""
    text = next((value for given, value in request.pairs if given == name), None)
    if text is None:
        return default
    if not _WHOLE.fullmatch(text):
        raise GatewayError(f"{name} must be a whole number, not {text!r}", where=name)
    return int(text)
