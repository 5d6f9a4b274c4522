"""Reads just enough of received bytes to say whose they are, or why they are refused; stores nothing."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.formats import hl7v2_batch, hl7v2_envelope
from gateway.formats.hl7v2_ack import AckError
from gateway.formats.hl7v2_batch import Batch
from gateway.formats.hl7v2_envelope import Envelope
from gateway.formats.hl7v2_syntax import NotHl7
from gateway.listeners.values import Who
from gateway.mapping.feeds import Feed, FeedBook, NoMatch, Seen
from gateway.store.values import TABLE, NewArrival, NewReject

HEAD = 4096  # bytes of refused input that are kept
ACKNOWLEDGEMENT = "acknowledgement"
_TEST = ("T", "D")
_QUERY_TYPES = ("QBP", "QRY")
_BATCH = (b"FHS", b"BHS")
_BLANK = b"\xef\xbb\xbf\x0b\r\n\t \x00"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why bytes are not taken: a word for counting, a sentence for people, the place for ERR."""

    reason: str
    text: str
    error: AckError | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """Bytes that are stored, or refused, as a whole; one envelope for each message in them."""

    raw: bytes
    feed: Feed | None = None
    envelopes: tuple[Envelope, ...] = ()
    batch: Batch | None = None
    refusal: Refusal | None = None
    test: bool = False
    notes: tuple[str, ...] = ()
    query: bool = False


def read(raw: bytes, who: Who, book: FeedBook) -> list[Unit]:
    """Return the units in received bytes, at least one; never raises for what a sender may send."""
    named = book.get(who.feed) if who.feed else None
    if who.feed and named is None:
        return [Unit(raw, refusal=Refusal("unknown-feed", f"No feed is called {who.feed!r} here."))]
    if named is not None and named.format != "hl7v2":
        return [Unit(raw, named)]
    if raw.count(b"MSH") > 1 or raw[:64].lstrip(_BLANK).startswith(_BATCH):
        return _several(raw, who, book, named)
    return [_one(raw, who, book, named)]


def oversize(head: bytes, size: int, limit: int) -> Unit:
    """Return the refusal of a message of `size` bytes of which only the head was kept."""
    text = f"The message has {size:,} bytes; at most {limit:,} are taken. Send it in parts."
    try:
        envelopes: tuple[Envelope, ...] = (hl7v2_envelope.read(head),)
    except NotHl7:
        envelopes = ()
    return Unit(head[:HEAD], envelopes=envelopes, refusal=Refusal("over-size", text, AckError("104", text)))


def arrival(unit: Unit, who: Who, received_us: int, answer: str) -> NewArrival:
    """Return what the inbox keeps of a unit that is taken."""
    assert unit.feed is not None
    envelope = unit.envelopes[0] if unit.envelopes else None
    table = unit.feed.tabular
    return NewArrival(
        feed=unit.feed.name,
        site=unit.feed.site,
        body=unit.raw,
        digest=hashlib.sha256(unit.raw).digest(),
        control_id=envelope.control_id if envelope else who.file if table else "",
        type=envelope.type if envelope else TABLE if table else "",
        event=envelope.event if envelope else "",
        peer=who.peer,
        listener=who.listener,
        charset=envelope.charset if envelope else "",
        envelope=_text(_seen(who, envelope)),
        answer=answer,
        test=unit.test,
        received_us=received_us,
    )


def reject(unit: Unit, who: Who, size: int = 0) -> NewReject:
    """Return what the reject log keeps of a unit that is refused: the reason, who it was, the first 4 KiB."""
    assert unit.refusal is not None
    envelope = unit.envelopes[0] if unit.envelopes else None
    return NewReject(
        reason=f"{unit.refusal.reason}: {unit.refusal.text}",
        head=unit.raw[:HEAD],
        size=size or len(unit.raw),
        listener=who.listener,
        peer=who.peer,
        seen=_text(_seen(who, envelope)),
    )


def _one(raw: bytes, who: Who, book: FeedBook, named: Feed | None) -> Unit:
    try:
        envelope = hl7v2_envelope.read(raw)
    except NotHl7 as fault:
        return Unit(raw, named, refusal=Refusal("not-hl7", fault.text, AckError("100", fault.text, fault.where)))
    if envelope.type == "ACK":
        text = "An acknowledgement came where messages are expected; it is not answered."
        return Unit(raw, named, (envelope,), refusal=Refusal(ACKNOWLEDGEMENT, text))
    feed = named or _feed(who, envelope, book)
    if isinstance(feed, NoMatch):
        refusal = Refusal("unknown-feed", feed.text, AckError("103", feed.text, "MSH[1]-3"))
        return Unit(raw, None, (envelope,), refusal=refusal)
    asks = envelope.type in _QUERY_TYPES or _event(envelope) in feed.queries
    wrong = _policy(feed, envelope) or (_asked(feed, _event(envelope)) if asks else None)
    test = feed.is_test(envelope.processing_id)
    return Unit(raw, feed, (envelope,), refusal=wrong, test=test, query=asks and wrong is None)


def _event(envelope: Envelope) -> str:
    return f"{envelope.type}^{envelope.event}"


def _asked(feed: Feed, event: str) -> Refusal | None:
    """Refuse a query the feed may not ask: nobody reads without being allowed to (architecture decision 14)."""
    if event in feed.queries:
        return None
    allowed = f"only {', '.join(feed.queries)}" if feed.queries else "nothing"
    text = f"The feed {feed.name} may ask {allowed}, not {event}; `queries` in its feed.yaml says what it may."
    return Refusal("query", text, AckError("201", text, "MSH[1]-9"))


def _alone(unit: Unit) -> Unit:
    if not unit.query:
        return unit
    text = "A query comes by itself, not among other messages. Send it in a frame of its own."
    return replace(unit, query=False, refusal=Refusal("query", text, AckError("207", text)))


def _feed(who: Who, envelope: Envelope, book: FeedBook) -> Feed | NoMatch:
    return book.match(Seen(who.listener, who.peer, who.certificate, envelope.sending_app, envelope.sending_facility))


def _several(raw: bytes, who: Who, book: FeedBook, named: Feed | None) -> list[Unit]:
    batch = hl7v2_batch.split(raw)
    if batch.kind == "single":
        return [_one(raw, who, book, named)]
    if not batch.messages:
        text = "There is no message in this batch."
        return [Unit(raw, named, refusal=Refusal("not-hl7", text, AckError("100", text)))]
    units = [_alone(_one(raw[at : at + size], who, book, named)) for at, size in batch.messages]
    if batch.kind == "messages":
        return [_joined(raw, units, None)] if _alike(units) else units
    if not _alike(units):
        return [_batch_refused(raw, units, batch)]
    return [_joined(raw, units, batch)]


def _alike(units: Sequence[Unit]) -> bool:
    first = units[0]
    return all(unit.refusal is None and unit.feed == first.feed and unit.test == first.test for unit in units)


def _joined(raw: bytes, units: Sequence[Unit], batch: Batch | None) -> Unit:
    envelopes = tuple(envelope for unit in units for envelope in unit.envelopes)
    notes = tuple(issue.text for issue in batch.issues) if batch else ()
    return Unit(raw, units[0].feed, envelopes, batch, test=units[0].test, notes=notes)


def _batch_refused(raw: bytes, units: Sequence[Unit], batch: Batch) -> Unit:
    envelopes = tuple(envelope for unit in units for envelope in unit.envelopes)
    for number, unit in enumerate(units, 1):
        if unit.refusal is not None:
            text = f"Message {number} of {len(units)} of the batch cannot be taken: {unit.refusal.text}"
            return Unit(raw, unit.feed, envelopes, batch, Refusal(unit.refusal.reason, text, unit.refusal.error))
    text = "The batch mixes feeds, or test messages with real ones. Send one batch for each."
    return Unit(raw, None, envelopes, batch, Refusal("mixed-batch", text, AckError("207", text)))


def _policy(feed: Feed, envelope: Envelope) -> Refusal | None:
    version, processing = envelope.version, envelope.processing_id
    if version and not version.startswith("2"):
        text = f"MSH-12 says version {version!r}; any 2.x is taken."
        return Refusal("version", text, AckError("203", text, "MSH[1]-12"))
    if feed.test_traffic == "refuse" and processing[:1].upper() in _TEST:
        text = f"MSH-11 says {processing!r}: the feed {feed.name} takes no test messages."
        return Refusal("processing-id", text, AckError("202", text, "MSH[1]-11"))
    return None


def _seen(who: Who, envelope: Envelope | None) -> dict[str, Any]:
    seen = {"listener": who.listener, "peer": who.peer, "certificate": who.certificate, "feed": who.feed}
    seen["file"] = who.file
    if envelope is not None:
        seen |= {
            "msh3": envelope.sending_app,
            "msh4": envelope.sending_facility,
            "msh9": "^".join((envelope.type, envelope.event, envelope.structure)),
            "msh10": envelope.control_id,
            "msh11": envelope.processing_id,
            "msh12": envelope.version,
            "msh15": envelope.accept_ack,
            "msh16": envelope.app_ack,
            "msh18": envelope.charset,
        }
    return {name: value for name, value in seen.items() if value}


def _text(seen: dict[str, Any]) -> str:
    return json.dumps(seen, ensure_ascii=False, separators=(",", ":"))
