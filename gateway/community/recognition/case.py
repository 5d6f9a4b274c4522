"""One order and one result with everything looked up that the gates ask for: items, cover, issuer, moments, marks."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from gateway.community.recognition.catalogue import Coding, Found
from gateway.community.recognition.facts import Context, Order, Result
from gateway.community.recognition.items import Cover, Imaging, Item
from gateway.community.recognition.knowledge import Knowledge
from gateway.community.recognition.marks import Mark, split
from gateway.community.recognition.places import House
from gateway.community.recognition.policy import STATES, UNPROVEN, Standing, Window
from gateway.errors import GatewayError
from gateway.fhir import temporal

DAY_US = 86_400_000_000
_ZONE = "Asia/Shanghai"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Case:
    """The inputs with what follows from them; moments are microseconds since 1970, None where there is none."""

    order: Order
    result: Result
    context: Context
    knowledge: Knowledge
    ordered: Item | None
    found: Item | None
    cover: Cover | None
    hints: tuple[str, ...]
    marks: tuple[Mark, ...]
    asked: int
    taken: int | None
    ordered_on: date
    measured_on: date

    @property
    def issuer(self) -> House:
        """Return whose quality counts: the acquiring site of pictures, the testing laboratory of the rest (R12)."""
        imaging = isinstance(self.found, Imaging)
        return self.result.acquired if imaging else self.result.measured

    @property
    def age_us(self) -> int | None:
        """Return how old the result is at the order's occurrence, in microseconds."""
        return None if self.taken is None else self.asked - self.taken

    @property
    def emergency(self) -> bool:
        """Say whether the order belongs to an emergency: shown as information, never counted (R13)."""
        return self.context.patient == "emergency" or not self.order.circumstances.isdisjoint({"emergency", "rescue"})

    @property
    def standing(self) -> Standing:
        """Return how the issuer stood on the day of sampling, for the ordered item or for the one that covers it."""
        items = (self.ordered,) if self.found is self.ordered else (self.ordered, self.found)
        policy, issuer, receiver, day = self.knowledge.policy, self.issuer, self.context.receiver, self.measured_on
        stands = [policy.standing(one, self.parts(one), issuer, receiver, day) for one in items if one is not None]
        return min(stands, key=lambda one: STATES.index(one.state), default=UNPROVEN)

    def parts(self, item: Item | None) -> tuple[Item, ...]:
        """Return the analytes of a panel."""
        return self.knowledge.catalogue.analytes(item) if item is not None else ()

    def window(self) -> Window | None:
        """Return the window of the ordered item, of a panel the shortest of its own and its analytes'."""
        if self.ordered is None:
            return None
        rows = [
            self.knowledge.policy.window(item, self.context.patient, self.issuer.level)
            for item in (self.ordered, *self.parts(self.ordered))
        ]
        told = [row for row in rows if row is not None]
        return min(told, key=lambda row: row.days) if len(told) == len(rows) else None


def case(order: Order, result: Result, context: Context, knowledge: Knowledge) -> Case:
    """Look everything up; what cannot be read is missing, and the gates say so."""
    zone = _zone(context.zone)
    now = _microseconds(context.now if context.now.tzinfo else context.now.replace(tzinfo=zone))
    asked = _asked(order.occurrence, now, zone)
    taken = _bounds(result.taken, zone)
    issued = _bounds(result.issued, zone)
    ordered, _ = _item(order.codings, order.specimen, order.name, knowledge)
    found, hints = _item(result.codings, result.specimen, result.name, knowledge)
    covered = ordered is not None and found is not None and ordered.id != found.id
    measured = taken or issued
    return Case(
        order,
        result,
        context,
        knowledge,
        ordered,
        found,
        knowledge.catalogue.covering(found, ordered) if covered and found and ordered else None,
        hints,
        result.marks or split(result.name).marks,
        asked,
        taken[0] if taken else None,
        _day(asked, zone),
        _day(measured[0] if measured else asked, zone),
    )


def _item(
    codings: tuple[Coding, ...], specimen: str, name: str, known: Knowledge
) -> tuple[Item | None, tuple[str, ...]]:
    found = known.catalogue.find(codings, specimen=specimen, name=name)
    if isinstance(found, Found):
        return found.item, ()
    return None, tuple(hint.item for hint in found.hints)


def _asked(text: str, now: int, zone: tzinfo) -> int:
    """Return the moment of the order: of one that says only its day now if it is today, else the day's end."""
    told = _bounds(text, zone)
    if told is None:
        return now
    first, after = told
    if "T" in text:
        return first
    return now if first <= now < after else after - 1


def _bounds(text: str, zone: tzinfo) -> tuple[int, int] | None:
    """Return the moments a FHIR dateTime covers; R13 counts from the earliest, of a date from its midnight."""
    try:
        return temporal.bounds(text.strip(), zone) if text.strip() else None
    except GatewayError:
        return None


def _zone(name: str) -> tzinfo:
    try:
        return temporal.time_zone(name)
    except GatewayError:
        return temporal.time_zone(_ZONE)


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _day(moment: int, zone: tzinfo) -> date:
    try:
        return (_EPOCH + timedelta(microseconds=moment)).astimezone(zone).date()
    except (OverflowError, ValueError):
        return date.max if moment > 0 else date.min
