"""How an answer is to look: JSON or XML, indented, whole or in parts (http://hl7.org/fhir/R4/http.html#parameters).

Where nothing is asked for, the stored bytes go out as they are and this costs a look into a dictionary.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import msgspec

from gateway.errors import GatewayError
from gateway.fhir import resource, summary, xml
from gateway.web.errors import HttpFault
from gateway.web.rest import asked
from gateway.web.rest.asked import LOOKS
from gateway.web.rest.message import Answer, Pairs

FHIR_XML = "application/fhir+xml; charset=utf-8"
_JSON = ("json", "application/json", "application/fhir+json", "application/json+fhir", "text/json")
_XML = ("xml", "application/xml", "application/fhir+xml", "application/xml+fhir", "text/xml")
_ANY = ("*/*", "application/*", "text/*")
_PAGES = "text/html"
_VERSION = re.compile(r'fhirversion\s*=\s*"?([0-9.]+)', re.IGNORECASE)
_QUALITY = re.compile(r"q\s*=\s*([01](?:\.[0-9]{0,3})?)")
_MASKS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "true": summary.summary,
    "text": summary.text,
    "data": summary.data,
}


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked of the form of an answer."""

    xml: bool = False
    indented: bool = False
    summary: str = ""
    elements: tuple[str, ...] = ()


PLAIN = Look()


def look(pairs: Pairs, headers: Mapping[str, str]) -> Look:
    """Return what a request asks of the form of its answer.

    `_format` goes before Accept (R4 http.html#mime-type). Raises HttpFault (406) for a format that is not offered,
    GatewayError for a value that is none.
    """
    named = {name: value for name, value in reversed(pairs) if name in LOOKS} if pairs else None
    if not named:
        return _accepted(headers.get("accept", ""))
    told = named.get("_format")
    base = _accepted(headers.get("accept", "")) if not told else _formatted(told)
    indented = _one_of("_pretty", named.get("_pretty", "false"), ("true", "false")) == "true"
    part = _one_of("_summary", named.get("_summary", "false"), summary.KINDS)
    names = _elements(named.get("_elements", ""))
    if names and part in _MASKS:
        raise GatewayError("ask for _summary or for _elements, not for both at once", where="_elements")
    wanted = Look(base.xml, indented, part if part in _MASKS else "", names)
    return PLAIN if wanted == PLAIN else wanted


def shaped(answer: Answer, wanted: Look) -> Answer:
    """Return an answer in the form asked for: its resource, and every resource that a Bundle holds.

    Raises HttpFault (406) for what XML cannot carry.
    """
    if wanted is PLAIN or not answer.body:
        return _streamed(answer, wanted)
    if not (wanted.xml or wanted.summary or wanted.elements):
        return replace(answer, body=msgspec.json.format(answer.body, indent=2))
    body = _masked(resource.loads(answer.body, strict=False), answer.headers, wanted)
    if wanted.xml:
        return replace(answer, body=_xml(body, wanted), headers={**answer.headers, "content-type": FHIR_XML})
    text = resource.dumps(body)
    return replace(answer, body=msgspec.json.format(text, indent=2) if wanted.indented else text)


def own(pairs: Pairs) -> Look:
    """Return the look of an answer that is bytes of another kind, or of a write: JSON, indented where that is asked."""
    return Look(indented=True) if asked.pretty(pairs) else PLAIN


def within(answer: Answer, pairs: Pairs) -> Answer:
    """Return an answer inside a Bundle, whose format is that of the Bundle: its own query says which parts it has."""
    wanted = look(tuple(pair for pair in pairs if pair[0] not in ("_format", "_pretty")), {})
    return shaped(answer, wanted)


def of_fault(answer: Answer, query: bytes, headers: Mapping[str, str]) -> Answer:
    """Return an OperationOutcome in the format asked for, or in JSON where what is asked is itself at fault."""
    try:
        wanted = look(tuple(pair for pair in asked.pairs(query) if pair[0] in ("_format", "_pretty")), headers)
    except GatewayError:
        return answer
    if not answer.body or wanted is PLAIN:
        return answer
    if not wanted.xml:
        return shaped(answer, wanted)
    text = xml.dumps(resource.loads(answer.body, strict=False), indent=wanted.indented, lenient=True)
    return replace(answer, body=text, headers={**answer.headers, "content-type": FHIR_XML})


def _streamed(answer: Answer, wanted: Look) -> Answer:
    if answer.stream is not None and wanted.xml:
        raise _unacceptable("XML", "_format")
    return answer


def _masked(body: dict[str, Any], headers: Mapping[str, str], wanted: Look) -> dict[str, Any]:
    mask = partial(summary.elements, names=wanted.elements) if wanted.elements else _MASKS.get(wanted.summary)
    if mask is None or body.get("resourceType") == "OperationOutcome":
        return body
    if body.get("resourceType") != "Bundle" or "etag" in headers:  # a Bundle that was stored is a resource itself
        return mask(body)
    for entry in body.get("entry", ()):
        if "resource" in entry and _is_masked(entry, wanted):
            entry["resource"] = mask(entry["resource"])
    return body


def _is_masked(entry: dict[str, Any], wanted: Look) -> bool:
    """Say whether a part is asked of an entry: `_elements` does not apply to included resources (R4 search.html)."""
    mode = entry.get("search", {}).get("mode")
    return mode != "outcome" and not (wanted.elements and mode == "include")


def _xml(body: dict[str, Any], wanted: Look) -> bytes:
    try:
        return xml.dumps(body, indent=wanted.indented)
    except GatewayError as fault:
        text = f"{fault.text} Ask for it as JSON (_format=json)."
        raise HttpFault(text, 406, "not-supported", where=fault.where) from None


def _one_of(name: str, value: str, values: tuple[str, ...]) -> str:
    if value not in values:
        raise GatewayError(f"{name} is {', '.join(values[:-1])} or {values[-1]}, not {value[:40]!r}", where=name)
    return value


def _elements(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    strange = next((name for name in names if not summary.known(name)), None)
    if strange is not None:
        raise GatewayError(
            f"_elements: no resource of R4 has an element {strange[:64]!r} at its top", where="_elements"
        )
    return names


@lru_cache(maxsize=256)
def _formatted(told: str) -> Look:
    word = told.partition(";")[0].strip().replace(" ", "+").lower()
    if word not in _JSON and word not in _XML:
        raise _unacceptable(f"_format={told}", "_format")
    _require_version(told)
    return Look(xml=True) if word in _XML else PLAIN


@lru_cache(maxsize=1024)
def _accepted(accept: str) -> Look:
    """Return the first of the most wanted formats that is offered; a browser, which wants pages, gets JSON."""
    parts = [_part(piece) for piece in (accept or "*/*").lower().split(",")]
    offered = [(quality, word) for quality, word in parts if quality and word in (*_JSON, *_XML, *_ANY)]
    if not offered:
        raise _unacceptable(f"Accept: {accept}", "Accept")
    _require_version(accept)
    best = max(quality for quality, _ in offered)
    word = next(word for quality, word in offered if quality == best)
    for_people = any(word == _PAGES for _, word in parts)
    return Look(xml=True) if word in _XML and not for_people else PLAIN


def _part(piece: str) -> tuple[float, str]:
    word, _, parameters = piece.partition(";")
    quality = _QUALITY.search(parameters)
    return float(quality[1]) if quality else 1.0, word.strip()


def _require_version(told: str) -> None:
    version = _VERSION.search(told)
    if version and version[1] not in ("4.0", "4.0.1"):
        raise _unacceptable(f"fhirVersion={version[1]}", "fhirVersion")


def _unacceptable(asked: str, where: str) -> HttpFault:
    text = f"{asked[:200]} is not offered here; application/fhir+json and, but for Binary, application/fhir+xml are"
    return HttpFault(text, 406, "not-supported", where=where)
