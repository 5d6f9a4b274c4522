"""Recognition as a service: orders in, advice on each with the results it rests on, within a second or not at all.

What speaks (CDS Hooks, $recognise, orders of messages) shares this, so that they cannot differ. It reads, audits and
advises; it never blocks an order and never raises for what stands in orders or results.
"""

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Literal, NamedTuple

from gateway import clock
from gateway.access.actor import Actor
from gateway.community.recognition.advice import Advice, rank
from gateway.community.recognition.facts import NOBODY, Context
from gateway.community.recognition.finding import Candidate, Gathered, Name, Wanted, Ways, gather
from gateway.community.recognition.gates import judge
from gateway.community.recognition.items import Imaging, Item, Panel
from gateway.community.recognition.knowledge import Knowledge
from gateway.community.recognition.lookup import Codes, matches
from gateway.community.recognition.orders import Order
from gateway.community.recognition.pieces import Json, each, text, words
from gateway.community.recognition.places import House
from gateway.community.recognition.policy import Patient, Price
from gateway.community.recognition.reading import Reader
from gateway.fhir import temporal
from gateway.identity.survivorship import Assurance
from gateway.record import trail
from gateway.store.engine import Store

log = logging.getLogger(__name__)

SECONDS = 1.0
MOST = 10
"""Results that are told of one order, the best of them."""

_THREADS = 4
KINDS: dict[str, Patient] = {
    "EMER": "emergency", "急诊": "emergency", "IMP": "inpatient", "ACUTE": "inpatient", "NONAC": "inpatient",
    "住院": "inpatient", "住院病人": "inpatient",
}  # fmt: skip
"""Classes of encounters, and words of exports for them; whoever is neither is an outpatient."""

State = Literal["answered", "silent", "unknown-patient"]


class Asked(NamedTuple):
    """Who orders what for whom. `patient` is the id of a Patient, `occurrence` a FHIR dateTime for orders without one.

    `organisation` is the receiver's code, name or site (else the order says it, else the actor's site); `kind` the kind
    of patient (else the encounter says it). `circumstances` as in exceptions.yaml hold for every order.
    """

    actor: Actor
    patient: str
    orders: tuple[Order, ...]
    emergency: bool = False
    occurrence: str = ""
    organisation: str = ""
    circumstances: frozenset[str] = frozenset()
    kind: Patient | Literal[""] = ""


class Found(NamedTuple):
    """An advice on an order and one earlier result, with what it shows; references are relative (Observation/1).

    Of a result that is not certainly of the person (gate G1) nothing but the advice is told. `source` is who measured
    or examined, `number` the place of the order among those asked, `price` what the receiver would take for a repeat.
    """

    order: Order
    advice: Advice
    number: int = 0
    report: str = ""
    results: tuple[str, ...] = ()
    study: str = ""
    patient: str = ""
    source: House = NOBODY
    name: str = ""
    marks: tuple[str, ...] = ()
    taken: str = ""
    issued: str = ""
    value: str = ""
    images: tuple[str, ...] = ()
    price: Price | None = None


class Judgement(NamedTuple):
    """What was found, order by order and the best first; `silent` where there was no answer in time."""

    found: tuple[Found, ...]
    state: State


class Recognition:
    """The service of one store, by one county's knowledge; dates without an offset stand in `zone`."""

    def __init__(self, store: Store, knowledge: Knowledge, assurance: Assurance, zone: str) -> None:
        self.knowledge = knowledge
        self._store = store
        self._codes = Codes(knowledge.catalogue)
        self._ways = Ways(Reader(knowledge.catalogue, knowledge.houses), assurance, zone)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="recognition")

    def advise(self, asked: Asked, seconds: float = SECONDS) -> list[Found]:
        """Return advice on each order and each result that concerns it; nothing where that takes too long."""
        return list(self.judged(asked, seconds).found)

    def judged(self, asked: Asked, seconds: float = SECONDS) -> Judgement:
        """Return what `advise` does and whether there was an answer; later than `seconds` it is silent.

        Access comes before every gate (R13), and the audit trail has the question before the answer leaves.
        """
        try:
            return self._pool.submit(self._judged, asked, clock.monotonic() + seconds).result(seconds)
        except Exception as fault:  # silent on every failure: an order never waits for advice (china.md §4.7)
            log.warning("recognition stays silent: %s", type(fault).__name__)
            return Judgement((), "silent")

    def known(self, order: Order) -> bool:
        """Say whether the codes of an order lead to any item of recognition."""
        return bool(self._codes.of(order))

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _judged(self, asked: Asked, until: float) -> Judgement:
        wanted = self._wanted(asked.orders)
        left = until - clock.monotonic()
        if left <= 0:
            return Judgement((), "silent")
        with self._store.read(left) as tx:
            gathered = gather(tx, asked.actor.scope, asked.patient, wanted, self._ways)
        found = [] if gathered is None else list(self._advised(asked, gathered, until))
        self._audit(asked, gathered)
        if gathered is None:
            return Judgement((), "unknown-patient")
        return Judgement(tuple(found), "answered") if clock.monotonic() < until else Judgement((), "silent")

    def _item(self, order: Order) -> Item | None:
        return self._ways.reader.item(order.codings, order.specimen)

    def _wanted(self, orders: Iterable[Order]) -> Wanted:
        """Return what to look for: by codes of the orders' items, of those that cover them and of their likes."""
        codes = dict.fromkeys(code for order in orders for code in self._codes.of(order))
        kinds = {type(self._item(order)) for order in orders}
        named = dict.fromkeys(name for order in orders for name in (*order.encounter, *order.tubes))
        return Wanted(tuple(codes), Imaging in kinds, Panel in kinds, tuple(named))

    def _advised(self, asked: Asked, gathered: Gathered, until: float) -> Iterable[Found]:
        now = clock.now()
        for number, order in enumerate(asked.orders):
            whole = self._completed(order, asked, gathered.named)
            kind = self._kind(order, asked, gathered.named)
            context = Context(self._receiver(order, asked), now, kind, self._ways.zone)
            found = []
            for candidate in self._concerning(whole, gathered.candidates):
                if clock.monotonic() > until:
                    return
                found.append(self._found(whole, candidate, context)._replace(number=number))
            found.sort(key=lambda one: rank(one.advice), reverse=True)
            yield from found[:MOST]

    def _completed(self, order: Order, asked: Asked, named: dict[Name, Json]) -> Order:
        """Return an order with what its specimens say, and what holds for all orders."""
        known = self.knowledge.catalogue.words
        tubes = [one for name in order.tubes for one in each(named.get(name, {}).get("type"))]
        said = [*order.specimens, *words(*tubes)]
        circumstances = order.circumstances | asked.circumstances | ({"emergency"} if asked.emergency else set())
        return replace(
            order,
            specimen=next((word for word in said if known.specimens.get(word)), said[0] if said else order.specimen),
            side=next((word for word in order.sites if known.sides.get(word)), order.side),
            occurrence=order.occurrence or asked.occurrence,
            circumstances=frozenset(circumstances),
        )

    def _receiver(self, order: Order, asked: Asked) -> House:
        """Return who asks; an unknown house lies in no area and no community."""
        houses = self.knowledge.houses
        if asked.organisation:
            return houses.named(asked.organisation) or House("", name=asked.organisation)
        named = next((house for word in order.houses if (house := houses.named(word)) is not None), None)
        return named or houses.of_site(asked.actor.site) or NOBODY

    def _kind(self, order: Order, asked: Asked, named: dict[Name, Json]) -> Patient:
        """Return the kind of patient: as asked, or by the class of the order's encounter."""
        if asked.emergency:
            return "emergency"
        bodies = [named.get(name, {}) for name in order.encounter]
        said = [text(one.get("code")) for body in bodies for one in each(body.get("class"))]
        if asked.kind:
            return asked.kind
        return next((KINDS[word] for word in (*said, order.visit) if word in KINDS), "outpatient")

    def _concerning(self, order: Order, candidates: list[Candidate]) -> list[Candidate]:
        """Return the results that concern an order; of a report whose own value does, not the report again."""
        item = self._item(order)
        found = [one for one in candidates if matches(self.knowledge.catalogue, self._codes, order, item, one)]
        told = {one.report for one in found if one.kind == "value"}
        return [one for one in found if one.kind != "panel" or one.report not in told]

    def _found(self, order: Order, candidate: Candidate, context: Context) -> Found:
        result, item = candidate.result, self._item(order)
        if candidate.kind == "panel" and item is not None:
            wanted = {one.id for one in self.knowledge.catalogue.analytes(item)} or {item.id}
            result = replace(result, reachable=wanted <= candidate.parts)
        advice = judge(order, result, context, self.knowledge)
        if advice.gate == "G1":
            return Found(order, replace(advice, found="", issuer="", age=None, window=None, left=None, hints=()))
        day = context.now.astimezone(temporal.time_zone(self._ways.zone)).date()
        return Found(
            order,
            advice,
            report=candidate.report,
            results=candidate.results,
            study=candidate.study,
            patient=candidate.patient,
            source=result.acquired,
            name=result.name,
            marks=tuple(mark.text for mark in result.marks),
            taken=result.taken,
            issued=result.issued,
            value=candidate.value,
            images=candidate.images,
            price=self.knowledge.policy.price(advice.item, context.receiver.code, day),
        )

    def _audit(self, asked: Asked, gathered: Gathered | None) -> None:
        """Write into the trail whose records were looked into, before anything is told."""
        seen = gathered.patients if gathered is not None else ()
        outcome = "success" if gathered is not None else "not-found"
        trail.note(self._store, asked.actor, "recognise", "Patient", asked.patient, seen, outcome=outcome)
