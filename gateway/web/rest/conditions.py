"""Headers that say under which condition a request holds, and how its answer is to be (R4 http.html#concurrency)."""

import re

from gateway.errors import Category, GatewayError
from gateway.web.rest import asked
from gateway.web.rest.message import Pairs, Prefer

_VERSION = re.compile(r'(?:W/)?"([^"]*)"')
_NUMBER = re.compile("[1-9][0-9]{0,7}")
_RETURNS = ("minimal", "representation", "OperationOutcome")
_LOOKS = ("_format", "_pretty", "_summary", "_elements")


def prefer(text: str) -> Prefer:
    """Return what the header Prefer says; what it says besides counts as not said (RFC 7240 2)."""
    if not text:
        return Prefer()
    words = [word.strip().partition("=") for word in text.replace(";", ",").split(",")]
    told = {name.strip().lower(): value.strip().strip('"') for name, _, value in reversed(words)}
    returns = told.get("return", "")
    return Prefer(returns if returns in _RETURNS else "", told.get("handling", "").lower() == "lenient")


def version(text: str | None) -> int | None:
    """Return the version If-Match names, None where there is no such header.

    Raises GatewayError for a header that names none, and (precondition) for a version that no resource has.
    """
    if text is None:
        return None
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        raise GatewayError(f'If-Match names one version, as in W/"3", not {text[:100]!r}', where="If-Match")
    if not _NUMBER.fullmatch(found[1]):
        said = f"no resource has the version {found[1][:64]!r}; take the ETag of its last read"
        raise GatewayError(said, where="If-Match", category=Category.PRECONDITION)
    return int(found[1])


def must_not_exist(text: str | None) -> bool:
    """Say whether an update may only create (`If-None-Match: *`); raises GatewayError for any other value."""
    if text is None:
        return False
    if text.strip() != "*":
        raise GatewayError("If-None-Match of an update is *, which lets it only create", where="If-None-Match")
    return True


def criteria(text: str, kind: str, where: str) -> Pairs:
    """Return the search of a conditional request, `a=b&c=d`, also written `?a=b` or `Type?a=b`."""
    query = text.strip().removeprefix(kind).removeprefix("?")
    return searching(asked.pairs(query.encode("utf-8", "surrogatepass")), where)


def searching(pairs: Pairs, where: str) -> Pairs:
    """Return the pairs that search; raises GatewayError where there are none, for that would match everything."""
    found = tuple(pair for pair in pairs if pair[0] not in _LOOKS)
    if not any(value.strip() for _, value in found):
        text = "a condition names at least one search parameter with a value, such as identifier=SYSTEM|VALUE"
        raise GatewayError(text, where=where)
    return found
