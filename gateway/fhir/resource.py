"""A resource as plain JSON: read without losing a digit, written as our canonical text, spliced in place."""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, Self

import msgspec

from gateway.errors import GatewayError
from gateway.fhir.primitives import shown

DEPTH_LIMIT = 100
"""Objects and arrays inside each other; R4's own deepest examples need under 30."""

EXPONENT_LIMIT = 400
"""Powers of ten a number may span: wider than any float, and no sum over it can eat the memory."""

_BOM = b"\xef\xbb\xbf"
_LEADING = ("resourceType", "id", "meta")
_KEY = re.compile(rb'"[ \t\r\n]*:')
_STAMP = b'"lastUpdated":"'


class Number(Decimal):
    """A decimal whose text Python would write otherwise (1e2, 0.0000001): it keeps the text it came with."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Return the number written as `text`."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.text,))


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{shown(text)} has too many powers of ten") from None
    if number and abs(number.adjusted()) > EXPONENT_LIMIT:
        raise ValueError(f"{shown(text)} has more than {EXPONENT_LIMIT} powers of ten")
    return number if str(number) == text else Number(text)


def _unwrap(value: Any) -> Any:
    if isinstance(value, Number):
        return msgspec.Raw(value.text.encode())
    raise GatewayError(f"A {type(value).__name__} ({shown(value)}) has no place in a resource.")


_DECODER = msgspec.json.Decoder(float_hook=_number)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder(decimal_format="number", enc_hook=_unwrap)


def loads(data: bytes | str, *, strict: bool = True, depth: int = DEPTH_LIMIT) -> dict[str, Any]:
    """Return the JSON object in `data`, with every number that has a point or an exponent as a Decimal.

    Raises GatewayError with the place when it is no JSON object, nests deeper than `depth` or has a key twice.
    `strict=False` is for texts this gateway stored itself: it skips the look at keys and depth.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    raw = raw.removeprefix(_BOM)
    try:
        value = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
        _refuse(raw, error)
    if not isinstance(value, dict):
        raise GatewayError(f"A resource is a JSON object in braces, not {shown(value)}.", where="byte 0")
    if strict:
        _check_keys(value, raw, min(depth, DEPTH_LIMIT))
    return value


def _refuse(raw: bytes, error: Exception) -> NoReturn:
    if isinstance(error, RecursionError):
        raise GatewayError(f"The JSON nests deeper than {DEPTH_LIMIT} levels.") from None
    try:
        raw.decode()
    except UnicodeDecodeError as wrong:
        raise GatewayError("The JSON is not UTF-8 text: send it as UTF-8.", where=f"byte {wrong.start}") from None
    text = str(error)
    if "truncated" in text:
        text = "it ends too early, or a \\u escape in it is half a character"
    place = re.search(r"\(byte ([0-9]+)\)", text)
    raise GatewayError(f"The text is not JSON: {text}.", where=f"byte {place[1]}" if place else "") from None


def _check_keys(value: dict[str, Any], raw: bytes, most: int) -> None:
    depth, keys = _measure(value)
    if depth > most:
        raise GatewayError(f"The JSON nests {depth} levels deep; {most} are allowed.")
    # Without a backslash only a key can end in `":`, so counting tells of a lost key without a second parse.
    if b"\\" not in raw and len(_KEY.findall(raw)) == keys:
        return
    json.loads(raw, object_pairs_hook=_unique)


def _measure(root: dict[str, Any]) -> tuple[int, int]:
    depth = keys = 0
    level: list[Any] = [root]
    while level:
        depth += 1
        below: list[Any] = []
        for node in level:
            if type(node) is dict:
                keys += len(node)
                below += [child for child in node.values() if type(child) in (dict, list)]
            else:
                below += [child for child in node if type(child) in (dict, list)]
        level = below
    return depth, keys


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    twice = next(name for name in names if names.count(name) > 1)
    near = found.get("resourceType") or ", ".join(dict.fromkeys(names))
    raise GatewayError(
        f"The key {shown(twice)} stands {names.count(twice)} times in one object: which value counts?",
        where=f"object with {shown(near)}",
    )


def dumps(resource: dict[str, Any]) -> bytes:
    """Return our canonical text: resourceType, id and meta first, the rest as built, digits as they came.

    Raises GatewayError for a value JSON cannot carry.
    """
    ordered = resource
    if tuple(resource)[:3] != _LEADING:
        ordered = {name: resource[name] for name in _LEADING if name in resource} | resource
    try:
        return _ENCODER.encode(ordered)
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise GatewayError(f"The resource cannot be written as JSON: {error}.") from None


def splice(
    text: bytes,
    id: str,  # noqa: A002 - FHIR's own name for it
    version: str | int,
    last_updated: str,
    *,
    source: str | None = None,
) -> bytes:
    """Return the client's JSON text with id and meta.versionId, lastUpdated (and source) put in place.

    Each member's text stays as sent, down to its spaces; `text` has passed `loads`, `last_updated` is a
    FHIR instant. Raises GatewayError when meta is not an object.
    """
    members = _MEMBERS.decode(text.removeprefix(_BOM))
    facts = {"versionId": _text(str(version)), "lastUpdated": _text(last_updated)}
    if source is not None:
        facts["source"] = _text(source)
    leading = {"resourceType": members["resourceType"]} if "resourceType" in members else {}
    leading |= {"id": _text(id), "meta": _text(facts | _members_of_meta(members, facts))}
    return _ENCODER.encode(leading | {name: members[name] for name in members if name not in leading})


def restamp(text: bytes, last_updated: str) -> bytes:
    """Return a text that `splice` or the mapping stamped, with another instant as its meta.lastUpdated."""
    start = text.index(_STAMP) + len(_STAMP)
    return text[:start] + last_updated.encode() + text[text.index(b'"', start) :]


def _text(value: Any) -> msgspec.Raw:
    return msgspec.Raw(_ENCODER.encode(value))


def _members_of_meta(members: dict[str, msgspec.Raw], facts: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    try:
        sent = _MEMBERS.decode(members.get("meta", b"{}"))
    except msgspec.DecodeError:
        raise GatewayError("meta is not an object in braces.", where="meta") from None
    return {name: value for name, value in sent.items() if name not in facts}
