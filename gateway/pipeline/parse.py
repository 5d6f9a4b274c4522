"""Stage 1: stored bytes to a located message."""

from gateway.errors import GatewayError
from gateway.fhir.issues import Issue
from gateway.formats import charset, hl7v2
from gateway.formats.hl7v2 import Message
from gateway.mapping.tables.records import Record
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
    if item.of_file:
        return _record(item)
    try:
        decoded = charset.decode(item.raw, item.feed.charset or None, item.charset or None)
        message = hl7v2.parse(decoded.text, decoded.encoding)
    except charset.Undecodable as fault:
        return _parked(item, Reason.UNDECODABLE, fault)
    except hl7v2.NotHl7 as fault:
        return _parked(item, Reason.UNREADABLE, fault)
    keys = tuple(f"{item.feed.site}|{number}" for number in patient_keys(message))
    return Parsed(item, message, keys, (*decoded.issues, *message.issues))


def _record(item: Item) -> Parsed | Parked:
    """Return a record of a file as a message; a row that cannot be trusted is kept apart with its line number."""
    record = item.record
    if record is None:
        text = "the file no longer has this record by the active definitions; discard it, or restore them and retry"
        return Parked(item, Reason.UNREADABLE, (Issue("error", "not-found", text, f"line {item.offset}"),))
    if record.fault:
        return Parked(item, Reason.QUARANTINED, (quarantine(record),))
    message = record.message
    return Parsed(item, message, keys_of(record, item.feed.site), tuple(message.issues))


def patients(item: Item) -> tuple[str, ...]:
    """Return the numbers that name an item's patients; of a record without making its message."""
    if item.of_file:
        return keys_of(item.record, item.feed.site) if item.record is not None else ()
    return read(item).patient_keys


def keys_of(record: Record, site: str) -> tuple[str, ...]:
    """Return the numbers that name a record's patient, as lanes and holding know them."""
    return tuple(f"{site}|{number}" for number in record.patient_keys)


def quarantine(record: Record) -> Issue:
    """Return why a record was kept apart, with its line."""
    return Issue("error", "structure", record.fault, f"line {record.line}")


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
