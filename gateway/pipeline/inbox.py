"""From stored arrivals to the items of the line: one item a message, cut by its offset and length."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.formats import hl7v2_batch, hl7v2_envelope
from gateway.formats.hl7v2 import NotHl7
from gateway.mapping.feeds import Feed, FeedBook
from gateway.pipeline.values import Item
from gateway.store.values import TABLE, Arrival, WorkRow, arrival_of, item_id


@dataclass(slots=True)
class Picked:
    """Items ready for the line, with the rows they already have; `orphans` are those whose feed is gone.

    `files` are arrivals that hold a table, which are taken step by step; `reopened` are rows of whole files that a
    person wants tried again.
    """

    items: list[Item] = field(default_factory=list)
    rows: dict[int, WorkRow] = field(default_factory=dict)
    orphans: list[Item] = field(default_factory=list)
    last_arrival: int = 0
    files: list[Arrival] = field(default_factory=list)
    reopened: list[WorkRow] = field(default_factory=list)


def fresh(arrivals: Iterable[Arrival], book: FeedBook) -> Picked:
    """Return the items of arrivals nobody has picked up yet."""
    picked = Picked()
    for arrival in arrivals:
        picked.last_arrival = arrival.id
        if arrival.type == TABLE:
            picked.files.append(arrival)
            continue
        feed = book.get(arrival.feed)
        for index, (offset, length) in enumerate(_pieces(arrival)):
            item = _item(arrival, index, offset, length, feed)
            (picked.items if feed is not None else picked.orphans).append(item)
    return picked


def again(rows: Iterable[WorkRow], arrivals: dict[int, Arrival], book: FeedBook) -> Picked:
    """Return the items of rows that wait for another try; an arrival whose bytes retention removed is an orphan."""
    picked = Picked()
    for row in rows:
        arrival = arrivals.get(arrival_of(row.item_id))
        if arrival is None:
            continue
        feed = book.get(arrival.feed)
        item = _item(arrival, 0, row.offset, row.length, feed, row)
        picked.rows[row.item_id] = row
        lost = feed is None or arrival.body is None
        (picked.orphans if lost else picked.items).append(item)
    return picked


def _pieces(arrival: Arrival) -> list[tuple[int, int]]:
    body = arrival.body or b""
    if body.count(b"MSH") <= 1 and not body.lstrip(b" \t\r\n\x0b\x0c\xef\xbb\xbf").startswith((b"FHS", b"BHS")):
        return [(0, len(body))]
    return list(hl7v2_batch.split(body).messages) or [(0, len(body))]


def _item(
    arrival: Arrival, index: int, offset: int, length: int, feed: Feed | None, row: WorkRow | None = None
) -> Item:
    body = arrival.body or b""
    whole = offset == 0 and length == len(body)
    raw = body if whole else body[offset : offset + length]
    control_id, event, charset = _head(arrival, raw, first=offset == 0)
    return Item(
        item_id=row.item_id if row else item_id(arrival.id, index),
        feed=feed if feed is not None else Feed(name=arrival.feed, site=arrival.site),
        raw=raw,
        received_us=arrival.received_us,
        control_id=control_id,
        event=event,
        charset=charset,
        test=arrival.test,
        attempts=row.attempts if row else 0,
        offset=offset,
        length=length,
        before=row.state if row else None,
        replay=bool(row and row.reason == "replay" and row.applied_us is not None),
        applied_us=row.applied_us if row else None,
        waited=row.patient_key if row else "",
        lost=arrival.body is None,
    )


def _head(arrival: Arrival, raw: bytes, *, first: bool) -> tuple[str, str, str]:
    """Return control id, event and charset: the door read those of the first message of an arrival."""
    if first and arrival.control_id:
        return arrival.control_id, f"{arrival.type}^{arrival.event}", arrival.charset
    try:
        envelope = hl7v2_envelope.read(raw)
    except NotHl7:
        return "", "^", arrival.charset
    return envelope.control_id, f"{envelope.type}^{envelope.event}", envelope.charset
