"""Answers queries of feeds from the record, beside the threads that receive: nobody's ACK waits for a search.

A query changes nothing, so nothing of it is stored but its audit row; sent again, it is asked again. Who may ask what
stands in the feed (`queries`), and the door has seen to that.
"""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gateway import clock
from gateway.access.actor import Actor
from gateway.errors import GatewayError, Transient
from gateway.formats import charset, hl7v2, hl7v2_query
from gateway.formats.charset import Undecodable
from gateway.formats.hl7v2_ack import AckError
from gateway.formats.hl7v2_query import BadQuery, Query, Result
from gateway.formats.hl7v2_syntax import NotHl7
from gateway.listeners import demographics
from gateway.listeners.answers import hl7_time
from gateway.listeners.door import Unit
from gateway.record.repository import Repository
from gateway.search.request import Cursor
from gateway.search.scope import Scope
from gateway.store.engine import Store

log = logging.getLogger(__name__)
THREADS = 2
WAITING = 64  # queries over all senders
_SURVIVORS = 8
_PAGES = 10  # of one answer; more are needed only where an authority rules most of them out
Done = Callable[[bytes], None]


class Queries:
    """A few threads that search for all listeners; at most WAITING queries wait, `seconds` each at most."""

    def __init__(self, store: Store, zone: str, seconds: float) -> None:
        self._record = Repository(store, zone, seconds)
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="query")
        self._lock = threading.Lock()
        self._waiting = 0

    def ask(self, unit: Unit, done: Done) -> None:
        """Hand over one query; `done` is told the answer on another thread, once, or at once when too many wait."""
        with self._lock:
            full = self._waiting >= WAITING
            self._waiting += not full
        if full:
            done(self._refused(unit, "Too many queries are waiting; ask again in a moment."))
            return
        self._pool.submit(self._run, unit, done, clock.monotonic() + self._seconds)

    def stop(self) -> None:
        """Answer what waits, then end."""
        self._pool.shutdown(wait=True)

    def answer(self, unit: Unit) -> bytes:
        """Return the answer to a query: RSP or ADR, with a fault in it where the query cannot be answered."""
        envelope, feed = unit.envelopes[0], unit.feed
        query, encoding = None, None
        try:
            decoded = charset.decode(unit.raw, feed.charset or None if feed else None, envelope.charset or None)
            encoding = decoded.encoding if decoded.encoding != "ascii" else feed.charset or None if feed else None
            query = hl7v2_query.read(hl7v2.parse(decoded.text, decoded.encoding))
            result = self._result(_actor(unit), query)
        except (BadQuery, Undecodable, NotHl7) as fault:
            result = Result(fault=AckError("102", fault.text, fault.where))
        except Transient as fault:
            result = Result(fault=AckError("207", f"The record cannot be asked now; ask again. {fault.text}"))
        except GatewayError as fault:
            result = Result(fault=AckError("207", fault.text))
        return _respond(unit, query, result, encoding)

    def _run(self, unit: Unit, done: Done, limit: float) -> None:
        try:
            if clock.monotonic() > limit:
                answer = self._refused(unit, "The query waited too long for others; ask again in a moment.")
            else:
                answer = self.answer(unit)
        except Exception:
            log.exception("a query could not be answered")
            answer = self._refused(unit, "The gateway failed on this query; its log says why.")
        with self._lock:
            self._waiting -= 1
        done(answer)

    def _refused(self, unit: Unit, text: str) -> bytes:
        return _respond(unit, None, Result(fault=AckError("207", text)), None)

    def _result(self, actor: Actor, query: Query) -> Result:
        """Search page by page until the answer is full; a record that was merged away stands for its survivor."""
        found: dict[str, dict[str, Any]] = {}
        pointer = ""
        for pid, body in self._hits(actor, query):
            if len(found) == query.limit:
                break
            if demographics.agrees(query.wanted, body):
                found.update(self._survivor(actor, body))
            pointer = str(pid)
        else:
            pointer = ""
        if query.kind.answer[1] == "K21" and len(found) > 1:
            raise BadQuery("The number names more than one person; give its authority or type.", where="QPD[1]-3")
        return Result([demographics.person(body) for body in found.values()], pointer)

    def _hits(self, actor: Actor, query: Query) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the Patients found, with their pids, asking for the next page where the first is used up."""
        searched = [("_count", str(query.limit + 1)), *demographics.pairs(query.wanted)]
        cursor = _cursor(query.pointer)
        for _ in range(_PAGES):
            page = self._record.search(actor, "Patient", searched, cursor)
            yield from ((hit.patient_pid or 0, json.loads(hit.body)) for hit in page.matches)
            cursor = page.next
            if cursor is None:
                return
        raise GatewayError("Too many records have this number and are another authority's; name more of the person.")

    def _survivor(self, actor: Actor, body: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield a record with its id, or the one that replaces it (A40), as far as the asker may see it."""
        for _ in range(_SURVIVORS):
            others = [link["other"]["reference"] for link in body.get("link", ()) if link.get("type") == "replaced-by"]
            if not others:
                yield body["id"], body
                return
            try:
                body = json.loads(self._record.read(actor, "Patient", others[0].rpartition("/")[2]).body)
            except Transient:
                raise
            except GatewayError:
                return


def _actor(unit: Unit) -> Actor:
    """Return the feed as who asks: about its own site's persons, unless it may ask about the whole community's."""
    assert unit.feed is not None
    sites = None if unit.feed.query_scope == "community" else frozenset({unit.feed.site})
    return Actor(f"feed:{unit.feed.name}", "TREAT", Scope(sites=sites, test=unit.test))


def _cursor(pointer: str) -> Cursor | None:
    """Return where an answer went off; raises BadQuery for a continuation pointer this gateway never gave."""
    if not pointer:
        return None
    if not (pointer.isascii() and pointer.isdigit() and len(pointer) < 16):
        raise BadQuery(f"DSC-1 {pointer[:40]!r} is no continuation pointer of this gateway.", where="DSC[1]-1")
    return Cursor((), int(pointer))


def _respond(unit: Unit, query: Query | None, result: Result, encoding: str | None) -> bytes:
    now_us = clock.now_us()
    ack_id = "Q" + hashlib.sha256(unit.raw + now_us.to_bytes(8, "big")).hexdigest()[:18]
    time = hl7_time(now_us)
    return hl7v2_query.respond(unit.envelopes[0], query, result, ack_id=ack_id, time=time, encoding=encoding)
