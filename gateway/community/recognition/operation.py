"""The operation Patient/$recognise: orders in Parameters, for each an advice with its reasons and results."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple

from gateway.community.recognition.advice import Advice
from gateway.community.recognition.catalogue import OWN
from gateway.community.recognition.orders import Order, of_codes, order_of
from gateway.community.recognition.pieces import Json, first, target, text, words
from gateway.community.recognition.policy import Patient
from gateway.community.recognition.service import Asked, Found, Recognition
from gateway.errors import Category, GatewayError
from gateway.fhir import resource, temporal
from gateway.hooks import Call, Operation
from gateway.record.repository import Repository

NAME = "$recognise"
MOST = 50
"""Orders of one call."""

_WHERE = "Parameters.parameter"
_KNOWN = ("order", "emergency", "organisation", "occurrence", "circumstance", "patient-class")
_CLASSES: dict[str, Patient] = {"outpatient": "outpatient", "inpatient": "inpatient", "emergency": "emergency"}
_NONE = {
    "not-an-order": (
        "这不是待执行的医嘱，未作判断。",
        "No order that is to be carried out; nothing was judged.",
    ),
    "order-unmapped": ("所开项目未对应到互认项目。", "The ordered item is mapped to no item of recognition."),
    "nothing-found": ("没有找到可参考的既往结果。", "No earlier result was found that concerns this order."),
    "silent": ("未能及时给出建议。", "There was no answer in time; order as if nothing had been asked."),
}
"""What is said of an order for which there is no advice, in Chinese and English."""


class Given(NamedTuple):
    """One order as it was given: None where it is none that is to be carried out, with what it was called."""

    order: Order | None
    said: str


class Recognise:
    """Answers $recognise by the service; stored orders are read through the record, within the reader's scope."""

    def __init__(self, service: Recognition, record: Repository) -> None:
        self._service = service
        self._record = record

    @property
    def operation(self) -> Operation:
        """Return what is handed to the web."""
        return Operation(NAME, "Patient", self.run)

    def run(self, call: Call) -> Json:
        """Return Parameters with an `order` for each that was asked, in their order.

        Raises GatewayError naming the parameter that is wrong, and (not found) for a Patient the reader may not see.
        """
        parameters = _parameters(call.body)
        given = [self._given(call, number, one) for number, one in enumerate(parameters.get("order", [])[: MOST + 1])]
        if not 0 < len(given) <= MOST:
            raise GatewayError(f"{NAME} takes 1 to {MOST} parameters named order", where=f"{_WHERE}:order")
        judged = self._service.judged(_asked(call, parameters, [one.order for one in given if one.order]))
        if judged.state == "unknown-patient":
            raise GatewayError(f"there is no Patient/{call.fid} that you may see", category=Category.NOT_FOUND)
        silent = judged.state == "silent"
        numbers = count()
        told = [self._told(one, _of(judged.found, next(numbers)) if one.order else [], silent=silent) for one in given]
        head = [_part("complete", "Boolean", not silent), _part("knowledge", "String", self._service.knowledge.version)]
        return {"resourceType": "Parameters", "parameter": [*head, *told]}

    def _given(self, call: Call, number: int, parameter: Json) -> Given:
        """Return one order: a ServiceRequest, a reference to one, or no more than its code."""
        where = f"{_WHERE}:order[{number}]"
        body, site = parameter.get("resource"), ""
        if reference := text(first(parameter.get("valueReference")).get("reference")):
            body, site = self._stored(call, reference, where)
        elif "valueCodeableConcept" in parameter or "valueCoding" in parameter:
            concept = first(parameter.get("valueCodeableConcept")) or {"coding": [first(parameter.get("valueCoding"))]}
            return Given(of_codes(concept), next(words(concept), ""))
        if not isinstance(body, dict) or body.get("resourceType") != "ServiceRequest":
            raise GatewayError("an order is a ServiceRequest (resource), a reference to one, or its code", where=where)
        _same_patient(call, body, where)
        order = order_of(body)
        whole = replace(order, houses=(*order.houses, site)) if order is not None and site else order
        return Given(whole, next(words(body.get("code")), ""))

    def _stored(self, call: Call, reference: str, where: str) -> tuple[Json, str]:
        """Return a ServiceRequest of the record and its site, whose house ordered unless it says otherwise."""
        name = target(reference)
        if name is None or name[0] != "ServiceRequest":
            raise GatewayError("an order is referred to as ServiceRequest/ID of this server", where=where)
        stored = self._record.read(call.actor, *name)
        return resource.loads(stored.body, strict=False), stored.site

    def _told(self, given: Given, mine: list[Found], *, silent: bool) -> Json:
        """Return what is said of one order: the best advice, then every result with its own."""
        order = given.order
        parts = [_part("reference", "String", order.reference)] if order is not None and order.reference else []
        parts += [_part("name", "String", given.said)] if given.said else []
        if order is None or silent or not mine:
            return {"name": "order", "part": [*parts, *_nothing(self._why(order, silent=silent))]}
        return {"name": "order", "part": [*parts, *_said(mine[0].advice), *map(_result, mine)]}

    def _why(self, order: Order | None, *, silent: bool) -> str:
        if order is None:
            return "not-an-order"
        if silent:
            return "silent"
        return "nothing-found" if self._service.known(order) else "order-unmapped"


def _of(found: Iterable[Found], number: int) -> list[Found]:
    return [one for one in found if one.number == number]


def _parameters(body: Json) -> dict[str, list[Json]]:
    listed = body.get("parameter") if body.get("resourceType") == "Parameters" else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise GatewayError(f"{NAME} takes a Parameters resource with at least one order", where=_WHERE)
    found: dict[str, list[Json]] = {}
    for one in listed:
        found.setdefault(str(one.get("name", ""))[:64], []).append(one)
    strange = next((one for one in found if one not in _KNOWN), None)
    if strange is not None:
        raise GatewayError(f"{strange!r} is no parameter here; known are {', '.join(_KNOWN)}", where=_WHERE)
    return found


def _asked(call: Call, parameters: dict[str, list[Json]], orders: Iterable[Order]) -> Asked:
    emergency = _one(parameters, "emergency", "valueBoolean", False)
    if not isinstance(emergency, bool):
        raise GatewayError("emergency is one valueBoolean, true or false", where=f"{_WHERE}:emergency")
    circumstances = [text(one.get("valueCode")) for one in parameters.get("circumstance", [])]
    if not all(circumstances):
        raise GatewayError("a circumstance is a valueCode, such as surgery", where=f"{_WHERE}:circumstance")
    kind = _one(parameters, "patient-class", "valueCode", "")
    if kind and kind not in _CLASSES:
        text_ = f"patient-class is one of {', '.join(_CLASSES)}"
        raise GatewayError(text_, where=f"{_WHERE}:patient-class")
    return Asked(
        call.actor,
        call.fid,
        tuple(orders),
        emergency=emergency,
        occurrence=_moment(parameters),
        organisation=text(_one(parameters, "organisation", "valueString", "")),
        circumstances=frozenset(circumstances),
        kind=_CLASSES.get(str(kind), ""),
    )


def _one(parameters: dict[str, list[Json]], name: str, kind: str, default: Any) -> Any:
    """Return the value of a parameter that may stand once."""
    given = parameters.get(name, [])
    if len(given) > 1 or (given and kind not in given[0]):
        raise GatewayError(f"{name} is one {kind}", where=f"{_WHERE}:{name}")
    return given[0][kind] if given else default


def _moment(parameters: dict[str, list[Json]]) -> str:
    said = _one(parameters, "occurrence", "valueDateTime", "")
    if said and not (isinstance(said, str) and temporal.valid(said, "dateTime")):
        text_ = "occurrence is a valueDateTime such as 2026-11-20T10:00:00+08:00"
        raise GatewayError(text_, where=f"{_WHERE}:occurrence")
    return str(said)


def _same_patient(call: Call, body: Json, where: str) -> None:
    """Refuse an order that says it is somebody else's."""
    subject = target(text(first(body.get("subject")).get("reference")))
    if subject is not None and subject != (call.kind, call.fid):
        text_ = f"this order is of {'/'.join(subject)[:80]}, not of {call.kind}/{call.fid}; ask it of its own patient"
        raise GatewayError(text_, where=where, category=Category.UNPROCESSABLE)


def _nothing(code: str) -> list[Json]:
    zh, en = _NONE[code]
    return [
        _part("recognised", "Boolean", False),
        _part("code", "Code", code),
        _part("text-zh", "String", zh),
        _part("text-en", "String", en),
    ]


def _said(advice: Advice) -> list[Json]:
    """Return an advice as parts; the item as a coding of our own."""
    told = [
        _part("recognised", "Boolean", advice.recognised),
        _part("code", "Code", advice.code),
        _part("detail", "Code", advice.detail),
        _part("text-zh", "String", advice.zh),
        _part("text-en", "String", advice.en),
        _part("show", "Code", advice.show.value),
    ]
    if advice.item:
        told.append(_part("item", "Coding", {"system": OWN, "code": advice.item}))
    return told


def _result(one: Found) -> Json:
    """Return one result with its advice, and what a doctor wants to see of it; nothing of it where G1 failed."""
    advice = one.advice
    parts = [*_said(advice), *_strings({"gate": advice.gate, "quality": advice.quality, "cover": advice.cover})]
    parts += [_part("report", "Reference", {"reference": one.report})] if one.report else []
    parts += [_part("value", "Reference", {"reference": name}) for name in one.results]
    parts += [_part("study", "Reference", {"reference": one.study})] if one.study else []
    if one.source.code or one.source.name:
        parts.append(_part("source", "String", one.source.name or one.source.code))
    parts += _strings({"name": one.name, "mark": " ".join(one.marks), "shown": one.value})
    parts += [_part("taken", "DateTime", one.taken)] if temporal.valid(one.taken, "dateTime") else []
    parts += [_part("image", "Url", address) for address in one.images]
    if advice.gate != "G1":
        days = {"age-days": advice.age, "window-days": advice.window, "days-left": advice.left}
        parts += [_part(name, "Integer", number) for name, number in days.items() if number is not None]
    parts += [_part("price", "Money", {"value": one.price.amount, "currency": "CNY"})] if one.price else []
    return {"name": "result", "part": parts}


def _strings(told: dict[str, str]) -> Iterator[Json]:
    yield from (_part(name, "String", word) for name, word in told.items() if word)


def _part(name: str, kind: str, value: Any) -> Json:
    return {"name": name, f"value{kind}": value}
