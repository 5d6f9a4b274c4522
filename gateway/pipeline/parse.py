"""Stage 1: stored bytes to a located message."""

from gateway.errors import GatewayError
from gateway.fhir.issues import Issue
from gateway.formats import charset, hl7v2
from gateway.formats.hl7v2 import Message
from gateway.pipeline.values import Item, Parked, Parsed, Reason, Sorted

# Where a message names its patient, most telling first (PID-3 list, PID-2 and PID-4 of older versions).
_NUMBERS = (("PID", 3), ("PID", 2), ("PID", 4), ("MRG", 1), ("MRG", 4))


def parse(items: list[Item]) -> Sorted[Parsed]:
    """Read every item; undecodable bytes and broken structure are parked, never guessed at."""
    result: Sorted[Parsed] = Sorted()
    for item in items:
        outcome = read(item)
        if isinstance(outcome, Parsed):
            result.passed.append(outcome)
        else:
            result.parked.append(outcome)
    return result


def read(item: Item) -> Parsed | Parked:
    """Read one item with its feed's pinned charset, else by detection (architecture decision 3)."""
    try:
        decoded = charset.decode(item.raw, item.feed.charset or None, item.charset or None)
        message = hl7v2.parse(decoded.text, decoded.encoding)
    except charset.Undecodable as fault:
        return _parked(item, Reason.UNDECODABLE, fault)
    except hl7v2.NotHl7 as fault:
        return _parked(item, Reason.UNREADABLE, fault)
    keys = tuple(f"{item.feed.site}|{number}" for number in patient_keys(message))
    return Parsed(item, message, keys, (*decoded.issues, *message.issues))


def patient_keys(message: Message) -> tuple[str, ...]:
    """Return the numbers that name patients in the message, PID before MRG, without repeats."""
    found: dict[str, None] = {}
    for name, number in _NUMBERS:
        for segment in message.all(name):
            for repetition in segment.reps(number):
                value = hl7v2.component(repetition, 1, message.delimiters)
                if value and value != '""':
                    found.setdefault(value)
                    break
    return tuple(found)


def _parked(item: Item, reason: Reason, fault: GatewayError) -> Parked:
    return Parked(item, reason, (Issue("fatal", "structure", fault.text, fault.where),))
