"""Recognition asked by a doctor's system: drafts in, one opinion on each out, in the words that cards are made of."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from gateway.community.recognition.advice import Show
from gateway.community.recognition.orders import Order, order_of
from gateway.community.recognition.pieces import Json, each, first, text, words
from gateway.community.recognition.service import Asked, Found, Recognition
from gateway.hooks import Consultation, Opinion, Reason

OVERRIDES = "https://yigong.example/fhir/CodeSystem/recognition-override"
"""Code system of the reasons for repeating an examination (E1 to E6, china.md §4.4)."""


class Consultant:
    """The adviser (gateway.hooks) that speaks for the recognition service."""

    def __init__(self, service: Recognition) -> None:
        self._service = service
        told = service.knowledge.reasons.overrides.values()
        self.reasons = tuple(Reason(OVERRIDES, one.code, one.zh, one.en) for one in told if not one.local)

    def consult(self, asked: Consultation, seconds: float) -> list[Opinion]:
        """Return the best that can be said of each draft, in their order; nothing of those with nothing to say.

        A result of another item, or one withdrawn, is nothing to interrupt a doctor with: $recognise tells of it.
        """
        visit = next(words(asked.encounter.get("class")), "")
        read = [order for draft in asked.drafts if (order := order_of(draft)) is not None]
        orders = tuple(replace(order, visit=visit or order.visit) for order in read)
        if not orders:
            return []
        question = Asked(asked.actor, asked.patient, orders, organisation=self._receiver(asked))
        by_order = groupby(self._service.advise(question, seconds), key=lambda found: found.number)
        best = (next((one for one in found if _tellable(one)), None) for _, found in by_order)
        return [self._opinion(one) for one in best if one is not None]

    def _receiver(self, asked: Consultation) -> str:
        """Return the first institution that the encounter or the user's role names and that is known."""
        known = self._service.knowledge.houses
        told = _spoken((asked.encounter.get("serviceProvider"), asked.user.get("organization")))
        return next((word for word in told if known.named(word) is not None), "")

    def _opinion(self, found: Found) -> Opinion:
        advice = found.advice
        told = Opinion(found.order.reference, "identity", advice.code, advice.zh, advice.en, self._item(found))
        if advice.show is Show.IDENTITY:
            return told
        return told._replace(
            show="prompt" if advice.show is Show.PROMPT else "information",
            source=found.source.name or found.source.code,
            marks=found.marks,
            value=found.value,
            taken=found.taken,
            age=advice.age,
            left=advice.left,
            values=tuple(_values(found)),
            images=found.images,
        )

    def _item(self, found: Found) -> str:
        item = self._service.knowledge.catalogue.items.get(found.advice.item)
        return item.zh if item is not None else _called(found.order)


def _tellable(found: Found) -> bool:
    """Say whether to tell it: prompts, whether it is the person, and why a result of the same item does not do."""
    show = found.advice.show
    return show in (Show.PROMPT, Show.IDENTITY) or (show is Show.INFORMATION and "G3" in found.advice.passed)


def _called(order: Order) -> str:
    return order.name or next((coding.code for coding in order.codings), "")


def _values(found: Found) -> Iterator[str]:
    """Yield references to a single result, to its report and to the study, as far as there are any."""
    if len(found.results) == 1:
        yield found.results[0]
    yield from (reference for reference in (found.report, found.study) if reference)


def _spoken(references: Iterable[Json | None]) -> Iterator[str]:
    """Yield the words by which references name an institution: numbers before names."""
    for one in (whole for reference in references for whole in each(reference)):
        told = (text(first(one.get("identifier")).get("value")), text(one.get("display")))
        yield from (word for word in told if word)
