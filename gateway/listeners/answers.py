"""Which acknowledgement goes back: original or enhanced mode, and the MSH-15/16 matrix (HL7 v2 chapter 2.9)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from gateway.formats import hl7v2_ack, hl7v2_batch
from gateway.formats.hl7v2_envelope import Envelope
from gateway.listeners.door import ACKNOWLEDGEMENT, Refusal, Unit
from gateway.listeners.outcomes import Outcome
from gateway.mapping.feeds import Feed

_ZONE = timezone(timedelta(hours=8))
_START = datetime(1970, 1, 1, tzinfo=UTC)
Found = Mapping[tuple[int, int], Outcome]


def enhanced(feed: Feed | None, envelope: Envelope | None) -> bool:
    """Return whether enhanced mode applies: the feed allows it and MSH-15 or MSH-16 says anything."""
    if feed is None or envelope is None or feed.ack != "enhanced":
        return False
    return bool(envelope.accept_ack or envelope.app_ack)


def wanted(condition: str, *, good: bool) -> bool:
    """Return whether table 0155 asks for an answer: AL, NE, ER, SU; empty beside a filled one means NE."""
    match condition.strip().upper():
        case "NE" | "":
            return False
        case "ER":
            return not good
        case "SU":
            return good
        case _:
            return True


def waits_for_outcome(unit: Unit) -> bool:
    """Return whether the first answer waits for the worker (`ack_when: applied`)."""
    return unit.feed is not None and unit.feed.ack_when == "applied" and bool(unit.envelopes)


def wants_late(unit: Unit) -> bool:
    """Return whether any message asks for an application acknowledgement after the accept one."""
    return unit.batch is None and any(
        enhanced(unit.feed, one) and one.app_ack.strip().upper() not in ("", "NE") for one in unit.envelopes
    )


def stored(unit: Unit, arrival: int, received_us: int, found: Found) -> tuple[bytes, ...]:
    """Return the answers to a stored unit; the same for a resend, being made of the stored row only."""
    many = len(unit.envelopes) > 1
    time = hl7_time(received_us)
    answers = []
    for index, envelope in enumerate(unit.envelopes):
        ack_id = _ack_id(arrival, index if many else None)
        answers.append(_first(unit.feed, envelope, found.get((arrival, index)), ack_id, time))
    sent = tuple(answer for answer in answers if answer)
    if unit.batch is None:
        return sent
    comment = unit.notes[0] if unit.notes else ""
    return (hl7v2_batch.answer(unit.batch, sent, ack_id=_ack_id(arrival, None), time=time, comment=comment),)


def late(unit: Unit, arrival: int, received_us: int, found: Found) -> tuple[bytes, ...]:
    """Return the application acknowledgements of a unit whose messages have come to their ends."""
    many = len(unit.envelopes) > 1
    time = hl7_time(received_us)
    answers = []
    for index, envelope in enumerate(unit.envelopes):
        outcome = found.get((arrival, index))
        if outcome is None or not enhanced(unit.feed, envelope):
            continue
        if wanted(envelope.app_ack, good=outcome.code == "AA"):
            ack_id = _ack_id(arrival, index if many else None) + "A"
            answers.append(_built(envelope, outcome.code, outcome.text, ack_id, time))
    return tuple(answers)


def refused(unit: Unit, now_us: int) -> tuple[bytes, ...]:
    """Return the answers to a refused unit: AR or CR with MSA-2 where it could be found, or silence."""
    refusal = unit.refusal
    if refusal is None or refusal.reason == ACKNOWLEDGEMENT:
        return ()
    ack_id, time = "R" + hashlib.sha256(unit.raw).hexdigest()[:18], hl7_time(now_us)
    answers = []
    for envelope in unit.envelopes or (None,):
        accept = envelope is not None and enhanced(unit.feed, envelope)
        if accept and not wanted(envelope.accept_ack if envelope else "", good=False):
            continue
        word = "CR" if accept else "AR"
        answers.append(hl7v2_ack.build(envelope, word, refusal.text, ack_id=ack_id, time=time, error=refusal.error))
    if unit.batch is None or not unit.envelopes:
        return tuple(answers)
    return (hl7v2_batch.answer(unit.batch, answers, ack_id=ack_id, time=time, comment=refusal.text),)


def unavailable(unit: Unit, text: str, now_us: int) -> tuple[bytes, ...]:
    """Return the rejection of a unit that could not be stored, for a feed whose sender needs one (`on_fault`)."""
    refusal = Refusal("unavailable", text, hl7v2_ack.AckError("207", text))
    return refused(replace(unit, refusal=refusal), now_us)


def code(unit: Unit) -> str:
    """Return what the inbox notes as the answer: AA or CA, empty where none is due or none is known yet."""
    if not unit.envelopes or waits_for_outcome(unit):
        return ""
    first = unit.envelopes[0]
    if not enhanced(unit.feed, first):
        return "AA"
    return "CA" if wanted(first.accept_ack, good=True) else ""


def settled(arrival: int, unit: Unit, found: Found) -> str:
    """Return as text what each message of a unit is answered, to be kept for a resend (`ack_when: applied`)."""
    answers = []
    for index in range(len(unit.envelopes)):
        outcome = found.get((arrival, index))
        answers.append(["", ""] if outcome is None else [outcome.code, outcome.text])
    return json.dumps(answers, ensure_ascii=False, separators=(",", ":"))


def recalled(arrival: int, kept: str) -> dict[tuple[int, int], Outcome] | None:
    """Return what `settled` kept, or None when nothing was settled yet."""
    if not kept.startswith("["):
        return None
    return {
        (arrival, index): Outcome(arrival, index, code, text)
        for index, (code, text) in enumerate(json.loads(kept))
        if code
    }


def hl7_time(micros: int) -> str:
    """Return microseconds since 1970 as an HL7 time to the millisecond, in +08:00."""
    moment = (_START + timedelta(microseconds=micros)).astimezone(_ZONE)
    return f"{moment:%Y%m%d%H%M%S}.{moment.microsecond // 1000:03d}+0800"


def _first(feed: Feed | None, envelope: Envelope, outcome: Outcome | None, ack_id: str, time: str) -> bytes:
    good = outcome is None or outcome.code == "AA"
    text = "" if outcome is None else outcome.text
    if not enhanced(feed, envelope):
        return _built(envelope, "AA" if outcome is None else outcome.code, text, ack_id, time)
    if not wanted(envelope.accept_ack, good=good):
        return b""
    return _built(envelope, "CA" if outcome is None else "C" + outcome.code[1], text, ack_id, time)


def _built(envelope: Envelope, code: str, text: str, ack_id: str, time: str) -> bytes:
    bad = code[1] != "A"
    error = hl7v2_ack.AckError("207", text) if bad and text else None
    return hl7v2_ack.build(envelope, code, text, ack_id=ack_id, time=time, error=error)


def _ack_id(arrival: int, index: int | None) -> str:
    return f"YG{arrival}" if index is None else f"YG{arrival}.{index + 1}"
