"""Small readings of resources that may be odd: what is not of the shape that is looked for counts as absent."""

from collections.abc import Iterator
from typing import Any

from gateway.community.recognition.catalogue import Coding
from gateway.community.recognition.marks import Mark, read, split

Json = dict[str, Any]
MARK = "https://yigong.example/fhir/StructureDefinition/recognition-mark"
_MOST = 500
_LONGEST = 2000


def each(value: Any) -> list[Json]:
    """Return the objects of a list, or the one object that stands alone."""
    if isinstance(value, dict):
        return [value]
    return [one for one in value[:_MOST] if isinstance(one, dict)] if isinstance(value, list) else []


def first(value: Any) -> Json:
    """Return the first object, an empty one where there is none."""
    return next(iter(each(value)), {})


def text(value: Any) -> str:
    """Return a text without blanks around it, empty for anything else."""
    return value.strip()[:_LONGEST] if isinstance(value, str) else ""


def codings(*concepts: Any) -> tuple[Coding, ...]:
    """Return the codes of concepts with their systems, each once."""
    found = (one for concept in concepts for whole in each(concept) for one in each(whole.get("coding")))
    pairs = (Coding(text(one.get("system")), text(one.get("code"))) for one in found)
    return tuple(dict.fromkeys(pair for pair in pairs if pair.code))


def words(*concepts: Any) -> Iterator[str]:
    """Yield what concepts, codings and references are called: texts, displays and codes."""
    for concept in concepts:
        for whole in each(concept):
            for one in (whole, *each(whole.get("coding"))):
                yield from (word for name in ("text", "display", "code") if (word := text(one.get(name))))


def called(concept: Any) -> str:
    """Return what a concept is called, by its text or the first display."""
    whole = first(concept)
    return text(whole.get("text")) or next((text(one.get("display")) for one in each(whole.get("coding"))), "")


def marks(*bodies: Json) -> tuple[Mark, ...]:
    """Return the marks of recognition that resources bear: as extension of themselves or their code, or in its name."""
    bearers = [one for body in bodies for one in (body, first(body.get("code")))]
    told = [one for bearer in bearers for one in each(bearer.get("extension")) if one.get("url") == MARK]
    borne = [mark for one in told for mark in read(text(one.get("valueString")))]
    return tuple(dict.fromkeys([*borne, *(mark for body in bodies for mark in split(called(body.get("code"))).marks)]))


def references(*values: Any) -> tuple[tuple[str, str], ...]:
    """Return (type, id) of what references lead to, as far as they are of this server."""
    told = (text(one.get("reference")) for value in values for one in each(value))
    return tuple(dict.fromkeys(name for one in told if (name := target(one)) is not None))


def target(reference: str) -> tuple[str, str] | None:
    """Return (type, id) of a reference, whatever address or version it is written with; None where it is none."""
    parts = reference.partition("/_history/")[0].rsplit("/", 2)[-2:]
    whole = len(parts) == 2 and parts[0].isalpha() and parts[0][0].isupper() and parts[1]
    return (parts[0], parts[1]) if whole else None


def moment(body: Json, *names: str) -> str:
    """Return the first of some elements that is a moment, of a period its start, of a timing its first event."""
    for name in names:
        value = body.get(name)
        if isinstance(value, dict):
            events = value.get("event")
            value = value.get("start") or (events[0] if isinstance(events, list) and events else "")
        if found := text(value):
            return found
    return ""
