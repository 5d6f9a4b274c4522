"""Orders as recognition is asked of them: ServiceRequests of messages, of clients, and drafts of a doctor's system."""

from collections.abc import Iterable
from dataclasses import dataclass

from gateway.community.recognition import facts
from gateway.community.recognition.marks import split
from gateway.community.recognition.pieces import Json, codings, each, first, moment, references, text, words

CIRCUMSTANCES = "https://yigong.example/fhir/CodeSystem/recognition-circumstance"
"""Codes with which reasons of an order say that a repeat may be justified (exceptions.yaml)."""

_ASKING = "https://yigong.example/fhir/StructureDefinition/requesting-organisation"
_OVER = frozenset({"revoked", "entered-in-error", "completed"})
_WORDS = 20


@dataclass(frozen=True, slots=True)
class Order(facts.Order):
    """One ordered item and what else its ServiceRequest says, read from it alone.

    `reference` is ServiceRequest/id (of drafts their id, if any); `subject`, `encounter` and `tubes` (Specimens) lead
    to resources; `houses` are words for who ordered, `specimens` and `sites` words for specimen and body site, which
    the catalogue knows or not.
    """

    reference: str = ""
    subject: str = ""
    encounter: tuple[tuple[str, str], ...] = ()
    tubes: tuple[tuple[str, str], ...] = ()
    visit: str = ""
    houses: tuple[str, ...] = ()
    specimens: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()


def order_of(body: Json) -> Order | None:
    """Return what is ordered; None of what is no order: another resource, or one revoked, done or forbidden.

    Never raises: what is odd in it counts as absent. An order without a code is one that no item is known of.
    """
    if body.get("resourceType") != "ServiceRequest" or body.get("doNotPerform") is True:
        return None
    if text(body.get("status")) in _OVER:
        return None
    code, fid = first(body.get("code")), text(body.get("id"))
    return Order(
        codings(code),
        name=split(text(code.get("text")) or next(words(*each(code.get("coding"))), "")).name,
        occurrence=moment(body, "occurrenceDateTime", "occurrencePeriod", "occurrenceTiming", "authoredOn"),
        circumstances=_circumstances(body),
        reference=f"ServiceRequest/{fid}" if fid else "",
        subject=text(first(body.get("subject")).get("reference")),
        encounter=references(body.get("encounter")),
        tubes=references(body.get("specimen")),
        visit=text(first(body.get("encounter")).get("display")),
        houses=tuple(_houses(body)),
        specimens=_some(words(*each(body.get("specimen")), *_contained(body, "Specimen", "type"))),
        sites=_some(words(*each(body.get("bodySite")), *each(body.get("orderDetail")))),
    )


def of_codes(concept: Json) -> Order:
    """Return an order that is no more than a CodeableConcept."""
    told = order_of({"resourceType": "ServiceRequest", "code": concept})
    assert told is not None
    return told


def _circumstances(body: Json) -> frozenset[str]:
    """Return the circumstances that its reasons name; an order at once (stat) is one of an emergency (R13)."""
    told = {coding.code for coding in codings(*each(body.get("reasonCode"))) if coding.system == CIRCUMSTANCES}
    return frozenset(told | ({"emergency"} if body.get("priority") == "stat" else set()))


def _houses(body: Json) -> Iterable[str]:
    """Yield words for who ordered: the requesting organisation."""
    for one in each(body.get("extension")):
        if one.get("url") == _ASKING:
            yield from words(one.get("valueReference"))


def _contained(body: Json, kind: str, name: str) -> list[Json]:
    held = (one for one in each(body.get("contained")) if one.get("resourceType") == kind)
    return [found for one in held for found in each(one.get(name))]


def _some(told: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(told))[:_WORDS]
