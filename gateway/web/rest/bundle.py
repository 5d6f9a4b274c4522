"""Batch and transaction: a Bundle of requests, each on its own or all in one (R4 http.html#transaction)."""

from collections.abc import Callable
from dataclasses import replace
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

from gateway import clock
from gateway.errors import Category, GatewayError
from gateway.fhir import temporal
from gateway.fhir.bundle import Entry, Kind, build, etag
from gateway.fhir.issues import Invalid, Issue
from gateway.record.editing import Done, Edit
from gateway.web import errors
from gateway.web.rest import asked, entries, merge, shapes, write
from gateway.web.rest.entries import Slot
from gateway.web.rest.message import Answer, Interaction, Limits, Request, Rest

Find = Callable[[str, tuple[str, ...]], Interaction]

_ANSWERS = 4
"""How many times the bytes of a body the answers to a Bundle's reads may have."""

_PLACES = {
    "If-Match": "request.ifMatch",
    "If-None-Match": "request.ifNoneMatch",
    "If-None-Exist": "request.ifNoneExist",
    "Content-Type": "resource",
    "patch": "resource",
}


class _Step(NamedTuple):
    """One entry that is understood: what is asked, and by which interaction it is answered."""

    slot: Slot
    request: Request
    interaction: Interaction


class _Allowance:
    """What the entries of one Bundle may take together: bytes of answers, and of a batch the time to begin in."""

    def __init__(self, limits: Limits) -> None:
        self._until = clock.monotonic() + limits.bundle_seconds
        self._seconds = limits.bundle_seconds
        self._bytes = limits.body_bytes * _ANSWERS

    def begin(self) -> None:
        """Let an entry begin; raises GatewayError (busy) once the time is up."""
        if clock.monotonic() > self._until:
            text = f"the batch was at work for {self._seconds:.0f} s before this entry; send the rest again"
            raise GatewayError(text, category=Category.BUSY)

    def whole(self, answer: Answer) -> bytes:
        """Return the body of an answer; raises GatewayError (too large) where it has no room."""
        size = len(answer.body) if answer.stream is None else answer.size
        if not 0 <= size <= self._bytes:
            text = "what this entry reads has no room left in the Bundle; ask for it by itself"
            raise GatewayError(text, category=Category.TOO_LARGE)
        self._bytes -= size
        return answer.body if answer.stream is None else b"".join(answer.stream)


class Bundles:
    """The interaction of the base itself; `find` says which interaction answers a method and path."""

    def __init__(self, find: Find) -> None:
        self._find = find

    def post(self, rest: Rest, request: Request) -> Answer:
        """Carry out a batch or a transaction; answer each entry in its place."""
        asked.only(request)
        if request.media not in asked.JSON:
            raise write.untaken(request)
        kind, slots = entries.read(rest, request)
        if kind == "transaction":
            return _response("transaction-response", self._transaction(rest, request, slots))
        allowance = _Allowance(rest.limits)
        return _response("batch-response", [self._alone(rest, request, slot, allowance) for slot in slots])

    def _alone(self, rest: Rest, outer: Request, slot: Slot, allowance: _Allowance) -> Entry:
        """Carry out one entry of a batch, whatever becomes of the others."""
        try:
            allowance.begin()
            step = self._step(outer, slot)
            if step.interaction not in write.READERS:
                return _read(rest, step, allowance)
            (done,) = rest.editor.apply(outer.actor, [_edit(rest, step)])
            return _written(step.request, done)
        except GatewayError as fault:
            return _failure(_placed(fault, slot))

    def _transaction(self, rest: Rest, outer: Request, slots: list[Slot]) -> list[Entry]:
        """Write all that is to be written in one transaction, then read what is to be read."""
        steps = [self._sure(outer, slot) for slot in slots]
        writes = [step for step in steps if step.interaction in write.READERS]
        edits = [_sure_edit(rest, step) for step in writes]
        if edits:
            _try_out(rest, [step for step in steps if step.request.method in ("GET", "HEAD")])
        made = rest.editor.apply(outer.actor, edits) if edits else []
        allowance = _Allowance(rest.limits)
        done = {step.slot.number: one for step, one in zip(writes, made, strict=True)}
        return [
            _written(step.request, done[step.slot.number])
            if step.slot.number in done
            else _after(rest, step, allowance, alone=not edits)
            for step in steps
        ]

    def _sure(self, outer: Request, slot: Slot) -> _Step:
        try:
            return self._step(outer, slot)
        except GatewayError as fault:
            raise _placed(fault, slot) from None

    def _step(self, outer: Request, slot: Slot) -> _Step:
        request = entries.request_of(outer, slot)
        if not request.path:
            raise GatewayError("an entry asks for a resource or a type, as in Patient/123", where="request.url")
        if request.method == "POST" and request.path[-1] == "_search":
            raise GatewayError("an entry searches by GET; its url is inside the body already", where="request.method")
        found = self._find(request.method, request.path)
        if found in (merge.merge, merge.unmerge):
            raise GatewayError("a merge is asked for by itself, not in a Bundle", where="request.url")
        return _Step(slot, request, found)


def _response(kind: Kind, given: list[Entry]) -> Answer:
    moment = temporal.instant(clock.now_us())
    return Answer(200, build(kind, given, id=clock.uuid4(), timestamp=moment))


def _edit(rest: Rest, step: _Step) -> Edit:
    edit = write.READERS[step.interaction](rest, step.request)
    return replace(edit, place=step.slot.place, full_url=step.slot.full_url)


def _sure_edit(rest: Rest, step: _Step) -> Edit:
    try:
        return _edit(rest, step)
    except GatewayError as fault:
        raise _placed(fault, step.slot) from None


def _try_out(rest: Rest, reads: list[_Step]) -> None:
    """Refuse a transaction, before it writes, for a read that no server could answer whatever it holds."""
    for step in reads:
        try:
            step.interaction(rest, step.request)
        except GatewayError as fault:
            if fault.category in (Category.INVALID, Category.UNSUPPORTED):
                raise _placed(fault, step.slot) from None


def _after(rest: Rest, step: _Step, allowance: _Allowance, *, alone: bool) -> Entry:
    """Return what a read of a transaction found; one that fails beside writes, which stand, tells so in its place."""
    try:
        allowance.begin()
        return _read(rest, step, allowance)
    except GatewayError as fault:
        placed = _placed(fault, step.slot)
        if alone:
            raise placed from None
        return _failure(placed)


def _read(rest: Rest, step: _Step, allowance: _Allowance) -> Entry:
    answer = shapes.within(step.interaction(rest, step.request), step.request.pairs)
    changed = answer.headers.get("last-modified", "")
    return Entry(
        resource=b"" if step.request.method == "HEAD" else allowance.whole(answer),
        status=_status(answer.status),
        etag=answer.headers.get("etag", ""),
        last_modified=parsedate_to_datetime(changed).isoformat() if changed else "",
    )


def _written(request: Request, done: Done) -> Entry:
    """Return the entry of a write; what now stands is in it only where the client asked for it (R4 http.html#ops)."""
    stored = done.stored
    returns = request.prefer.returns
    outcome = write.told(done) if returns == "OperationOutcome" else b""
    if done.edit.action == "delete" or stored is None:
        status = _status(200 if outcome else 204)
        return Entry(status=status, etag=etag(stored.ver) if stored else "", outcome=outcome)
    return Entry(
        resource=stored.body or b"" if returns == "representation" else b"",
        status=_status(201 if done.created else 200),
        location=write.place(stored),
        etag=etag(stored.ver),
        last_modified=temporal.instant(stored.updated_us),
        outcome=outcome,
    )


def _failure(fault: GatewayError) -> Entry:
    headers = errors.headers(fault)
    return Entry(status=_status(errors.status(fault)), etag=headers.get("etag", ""), outcome=errors.outcome(fault))


def _status(code: int) -> str:
    return f"{code} {HTTPStatus(code).phrase}"


def _placed(fault: GatewayError, slot: Slot) -> GatewayError:
    """Return a failure that names the entry it stands in, also where only the entry's own place was known."""
    if not fault.where.startswith("Bundle."):
        fault.where = _place(slot, fault.where)
    if isinstance(fault, Invalid):
        fault.issues = [
            one if one.where.startswith("Bundle.") else Issue(one.severity, one.code, one.text, _place(slot, one.where))
            for one in fault.issues
        ]
    return fault


def _place(slot: Slot, where: str) -> str:
    """Return a place in the Bundle; parameters of a search are in the url."""
    if not where or where.startswith(("request.", "resource")):
        return f"{slot.place}.{where}".rstrip(".")
    return f"{slot.place}.{_PLACES.get(where.partition('[')[0], 'request.url')}"
