"""The protocol-free heart of receiving: bytes in, stored durably or refused for a reason, answer out."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from dataclasses import dataclass, field

from gateway import clock, failpoints
from gateway.errors import GatewayError, Transient
from gateway.listeners import answers, door
from gateway.listeners.counters import Counters
from gateway.listeners.door import Unit
from gateway.listeners.options import ReceiveOptions
from gateway.listeners.outcomes import Ask, Key, Outcome, Wait, Watcher, of_store
from gateway.listeners.queries import Queries
from gateway.listeners.values import Answer, Done, Later, Verdict, Who
from gateway.listeners.writer import Writer
from gateway.mapping.feeds import FeedBook
from gateway.store.engine import Store
from gateway.store.values import Receipt

log = logging.getLogger(__name__)
_TAKE_SECONDS = 60.0


@dataclass(slots=True)
class Job:
    """Bytes from one sender on their way into the store, and whom to tell."""

    raw: bytes
    who: Who
    done: Done
    later: Later | None = None
    size: int = 0  # of an over-size message, whose head alone is in `raw`
    limit: int = 0
    units: list[Unit] = field(default_factory=list)
    receipts: list[Receipt | None] = field(default_factory=list)  # None for a refused unit


class Intake:
    """Takes bytes from any listener on any thread; one writer thread stores and answers them in groups."""

    def __init__(self, store: Store, feeds: FeedBook, options: ReceiveOptions, ask: Ask | None = None) -> None:
        self._store = store
        self._feeds = feeds
        self._options = options
        self._writer: Writer[Job] = Writer(self._serve, most=options.group, weigh=lambda job: len(job.raw))
        self._watcher = Watcher(ask or of_store(store))
        self._queries = Queries(store, options.zone, options.query_wait)
        self.counters = Counters()

    def start(self) -> None:
        """Start the threads that store and that watch outcomes."""
        self._writer.start()
        self._watcher.start()

    def stop(self, grace: float) -> None:
        """Store and answer what was handed over, then end; `grace` seconds for each thread."""
        self._writer.stop(grace)
        self._queries.stop()
        self._watcher.stop(grace)

    @property
    def waiting(self) -> int:
        """Return about how many messages wait for the writer."""
        return self._writer.waiting

    def stuck(self, now: float) -> bool:
        """Return whether the store has not answered for longer than senders should wait."""
        return self._writer.busy_for(now) > self._options.store_wait

    def use(self, feeds: FeedBook) -> None:
        """Know senders by another book from the next message on."""
        self._feeds = feeds

    def submit(self, raw: bytes, who: Who, done: Done, later: Later | None = None) -> None:
        """Hand over received bytes; `done` is told the answer on another thread, once.

        `later` is given each application acknowledgement of enhanced mode, when the worker is through.
        """
        self._writer.put(Job(raw, who, done, later))

    def oversize(self, head: bytes, size: int, limit: int, who: Who, done: Done) -> None:
        """Hand over the head of a message of `size` bytes where `limit` are taken: logged and refused."""
        self._writer.put(Job(head, who, done, size=size, limit=limit))

    def take(self, raw: bytes, who: Who) -> Answer:
        """Store bytes and wait for the answer; for callers with a thread of their own."""
        promise: Future[Answer] = Future()
        self.submit(raw, who, promise.set_result)
        try:
            return promise.result(_TAKE_SECONDS)
        except TookTooLong:
            text = f"The store did not answer within {_TAKE_SECONDS:.0f} s; sending it again is safe."
            return Answer(Verdict.UNAVAILABLE, reasons=(text,))

    # -- on the writer thread ------------------------------------------------------------------------

    def _serve(self, jobs: list[Job]) -> None:
        read = [job for job in jobs if self._read(job)]
        failpoints.hit("fp1")
        kept = self._keep(read)
        failpoints.hit("fp3")
        for job in kept:
            self._answer(job)

    def _read(self, job: Job) -> bool:
        try:
            if job.size:
                job.units = [door.oversize(job.raw, job.size, job.limit)]
            else:
                job.units = door.read(job.raw, job.who, self._feeds)
        except Exception as fault:  # our fault, not the sender's: no answer, so that nothing is lost by it
            log.exception("received bytes could not be judged")
            self._unavailable([job], f"The gateway failed on this message: {type(fault).__name__}.")
            return False
        if job.units[0].query:
            self._ask(job, job.units[0])
            return False
        return True

    def _ask(self, job: Job, unit: Unit) -> None:
        """Let a query be answered elsewhere: nothing of it is stored, and nobody here waits for it."""
        name = unit.feed.name if unit.feed else ""
        self.counters.add(Verdict.ANSWERED.value)
        self.counters.add("bytes", len(job.raw))
        self.counters.feed(name, "asked", clock.now_us())
        self._queries.ask(unit, lambda told: _tell(job, Answer(Verdict.ANSWERED, (told,), feed=name, messages=1)))

    def _keep(self, jobs: list[Job]) -> list[Job]:
        """Store all jobs in one transaction, one by one where that fails; return those that are stored."""
        try:
            self._commit(jobs)
        except Transient as fault:
            self._unavailable(jobs, fault.text)
            return []
        except Exception as fault:  # what one message cannot do to the store must not cost the others
            log.exception("a group of %d messages could not be stored", len(jobs))
            if len(jobs) > 1:
                return [job for one in jobs for job in self._keep([one])]
            text = fault.text if isinstance(fault, GatewayError) else type(fault).__name__
            self._unavailable(jobs, f"The store cannot take this message: {text}.")
            return []
        return jobs

    def _commit(self, jobs: list[Job]) -> None:
        now_us = clock.now_us()
        taken = [(job, unit) for job in jobs for unit in job.units if unit.refusal is None]
        refused = [door.reject(unit, job.who, job.size) for job in jobs for unit in job.units if unit.refusal]
        arrivals = [door.arrival(unit, job.who, now_us, answers.code(unit)) for job, unit in taken]
        receipts = iter(self._store.inbox.append(arrivals))
        if refused:
            self._store.inbox.reject(refused)
        for job in jobs:
            job.receipts = [None if unit.refusal else next(receipts) for unit in job.units]

    def _unavailable(self, jobs: list[Job], text: str) -> None:
        self.counters.add("unavailable", len(jobs))
        for job in jobs:
            _tell(job, _no_answer(job, text))

    # -- answers -------------------------------------------------------------------------------------

    def _answer(self, job: Job) -> None:
        known: dict[Key, Outcome] = {}
        waiting: set[Key] = set()
        for unit, receipt in _stored(job):
            if not answers.waits_for_outcome(unit):
                continue
            recalled = answers.recalled(receipt.id, receipt.answer)
            if recalled is None:
                waiting.update((receipt.id, index) for index in range(len(unit.envelopes)))
            else:
                known.update(recalled)
        if waiting:
            limit = clock.monotonic() + self._options.applied_wait
            self._watcher.add(Wait(waiting, limit, lambda found: self._settle(job, known, found)))
        else:
            self._finish(job, known)

    def _settle(self, job: Job, known: dict[Key, Outcome], found: dict[Key, Outcome]) -> None:
        """Keep what is answered before it is answered, so that a resend is answered alike."""
        try:
            for unit, receipt in _stored(job):
                if answers.waits_for_outcome(unit) and answers.recalled(receipt.id, receipt.answer) is None:
                    self._store.inbox.answered(receipt.id, answers.settled(receipt.id, unit, found))
        except GatewayError as fault:
            self._unavailable([job], fault.text)
            return
        self._finish(job, known | found)

    def _finish(self, job: Job, found: dict[Key, Outcome]) -> None:
        payloads: list[bytes] = []
        for unit, receipt in zip(job.units, job.receipts, strict=True):
            if receipt is None:
                payloads += answers.refused(unit, clock.now_us())
            else:
                payloads += answers.stored(unit, receipt.id, receipt.received_us, found)
        answer = _summary(job, tuple(payloads))
        self._count(job, answer)
        _tell(job, answer)
        if job.later is not None:
            self._await_late(job, job.later)

    def _await_late(self, job: Job, later: Later) -> None:
        for unit, receipt in _stored(job):
            if answers.wants_late(unit):
                keys = {(receipt.id, index) for index in range(len(unit.envelopes))}
                limit = clock.monotonic() + self._options.late_wait
                self._watcher.add(Wait(keys, limit, _late_teller(unit, receipt, later)))

    def _count(self, job: Job, answer: Answer) -> None:
        self.counters.add(answer.verdict.value)
        self.counters.add("bytes", job.size or len(job.raw))
        for unit, receipt in zip(job.units, job.receipts, strict=True):
            if receipt is not None and unit.feed is not None:
                name = "duplicate" if receipt.duplicate else "stored"
                self.counters.feed(unit.feed.name, name, receipt.received_us)
            elif unit.refusal is not None:
                self.counters.add(f"refused:{unit.refusal.reason}")
                if unit.feed is not None:
                    self.counters.feed(unit.feed.name, "refused")


def _stored(job: Job) -> list[tuple[Unit, Receipt]]:
    return [(unit, receipt) for unit, receipt in zip(job.units, job.receipts, strict=True) if receipt]


def _summary(job: Job, payloads: tuple[bytes, ...]) -> Answer:
    stored = _stored(job)
    reasons = tuple(unit.refusal.text for unit in job.units if unit.refusal)
    if not stored:
        refusals = [unit.refusal for unit in job.units if unit.refusal]
        ignored = all(refusal.reason == door.ACKNOWLEDGEMENT for refusal in refusals)
        return Answer(Verdict.IGNORED if ignored else Verdict.REFUSED, payloads, reasons)
    fresh = any(not receipt.duplicate for _, receipt in stored)
    return Answer(
        Verdict.STORED if fresh else Verdict.DUPLICATE,
        payloads,
        reasons + tuple(text for unit, _ in stored for text in unit.notes),
        tuple(receipt.id for _, receipt in stored),
        stored[0][0].feed.name if stored[0][0].feed else "",
        sum(len(unit.envelopes) for unit, _ in stored),
    )


def _no_answer(job: Job, text: str) -> Answer:
    """Silence and a closed socket, unless every feed concerned asks for a rejection instead (`on_fault`)."""
    if job.units and all(unit.feed is not None and unit.feed.on_fault == "reject" for unit in job.units):
        now_us = clock.now_us()
        payloads = [payload for unit in job.units for payload in answers.unavailable(unit, text, now_us)]
        return Answer(Verdict.REFUSED, tuple(payloads), (text,))
    return Answer(Verdict.UNAVAILABLE, reasons=(text,))


def _late_teller(unit: Unit, receipt: Receipt, later: Later) -> Callable[[dict[Key, Outcome]], None]:
    def tell(found: dict[Key, Outcome]) -> None:
        for payload in answers.late(unit, receipt.id, receipt.received_us, found):
            later(payload)

    return tell


def _tell(job: Job, answer: Answer) -> None:
    try:
        job.done(answer)
    except Exception:  # one listener's fault must not leave the others without an answer
        log.exception("an answer could not be handed over")
