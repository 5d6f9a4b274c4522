"""The review queue: pairs a person decides, with both sides, the score and its reasons; every decision has a name."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal, NamedTuple

from gateway import clock
from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError
from gateway.identity import candidates, events, linking
from gateway.identity.candidates import Judge
from gateway.identity.clusters import Edge, cluster
from gateway.identity.decide import Decision, Verdict
from gateway.identity.evidence import Evidence
from gateway.identity.linker import Judging, reach
from gateway.identity.linking import FIXED, MOST, STANDING, Pair, pair_of
from gateway.record import trail
from gateway.search.scope import Scope
from gateway.store.engine import ReadTx, Store, WriteTx
from gateway.store.identity import UNDECIDED, Case, Event, NewCase
from gateway.store.values import Head, Link, NewLink

Choice = Literal["same", "different", "later"]
_PURPOSE = "HOPERAT"  # v3 purpose of use: operating the record, not treating the patient


class Side(NamedTuple):
    """One record of a pair: what it says, and the other records linked to it."""

    head: Head
    evidence: Evidence | None
    linked: tuple[Head, ...]


class Shown(NamedTuple):
    """A case with its two sides, what is decided of them now, and everything that was done about them."""

    case: Case
    low: Side
    high: Side
    decision: Decision | None
    events: list[Event]


class Listed(NamedTuple):
    """A line of the queue: a case and the heads of its two records."""

    case: Case
    low: Head
    high: Head


@dataclass
class Decided:
    """What a decision did: the state its case has now, what was linked and unlinked, and what to know about it."""

    case: int
    state: str
    linked: list[Pair] = field(default_factory=list)
    unlinked: list[Pair] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def person(name: str) -> Actor:
    """Return the reviewer of this name; raises GatewayError without one, because decisions have a name."""
    if not name.strip():
        raise GatewayError("say who decides or looks: give a name")
    return Actor(name.strip(), _PURPOSE, Scope(sites=None))


def listed(store: Store, states: Sequence[str] = UNDECIDED, limit: int = 50, before: int = 0) -> list[Listed]:
    """Return the cases in some states, newest first, without what their records say."""
    with store.read() as tx:
        cases = tx.case_list(states, limit, before)
        heads = tx.heads_by_pid({pid for case in cases for pid in (case.low_pid, case.high_pid)})
    return [Listed(case, heads[case.low_pid], heads[case.high_pid]) for case in cases]


def show(store: Store, judge: Judge, number: int, reader: Actor) -> Shown:
    """Return a case with its two sides, once the audit trail says who looks; raises GatewayError (not found)."""
    with store.read() as tx:
        case = _case(tx, number)
        pair = (case.low_pid, case.high_pid)
        links = reach(tx, pair)
        roots = linking.components(links)
        heads = tx.heads_by_pid({*pair, *roots})
        evidence = candidates.evidence(tx, pair)
        done = tx.identity_events(pair)
    trail.note(store, reader, "review", "Patient", "", pair)
    low, high = (_side(pid, heads, evidence, roots) for pid in pair)
    shown = [event for event in done if {event.low_pid, event.high_pid} <= set(pair)]
    return Shown(case, low, high, Judging(judge, evidence)(*pair), shown)


def _side(pid: int, heads: dict[int, Head], evidence: dict[int, Evidence], roots: dict[int, int]) -> Side:
    others = tuple(heads[one] for one, root in roots.items() if one != pid and root == roots.get(pid))
    return Side(heads[pid], evidence.get(pid), others)


def _case(tx: ReadTx, number: int) -> Case:
    case = tx.case(number)
    if case is None:
        raise GatewayError(f"There is no case {number}.", category=Category.NOT_FOUND)
    return case


def decide(store: Store, judge: Judge, number: int, choice: Choice, reader: Actor, note: str = "") -> Decided:
    """Decide a case, or decide it anew; raises GatewayError where an earlier decision of a person forbids it."""
    with store.write() as tx:
        tx.identity_take_turn()
        case = _case(tx, number)
        done = _Deciding(tx, judge, (case.low_pid, case.high_pid), reader, note).decide(choice, case)
    trail.note(store, reader, "review", "Patient", "", (case.low_pid, case.high_pid))
    return done


def decide_pair(
    store: Store, judge: Judge, ends: tuple[str, str], choice: Choice, reader: Actor, note: str = ""
) -> Decided:
    """Decide two Patients by their ids, whether or not there is a case of them; raises GatewayError."""
    with store.write() as tx:
        tx.identity_take_turn()
        pair = pids_of(tx, ends)
        done = decide_within(tx, judge, pair, choice, reader, note)
    trail.note(store, reader, "review", "Patient", "", pair)
    return done


def decide_within(tx: WriteTx, judge: Judge, pair: Pair, choice: Choice, reader: Actor, note: str) -> Decided:
    """Decide two Patients (low pid first) in a transaction that has taken identity's turn; raises GatewayError."""
    mine = [case for case in tx.cases_of(pair) if (case.low_pid, case.high_pid) == pair]
    return _Deciding(tx, judge, pair, reader, note).decide(choice, mine[-1] if mine else None)


def pids_of(tx: ReadTx, ends: tuple[str, str]) -> Pair:
    """Return the pids of two Patients named by id (`Patient/x` or `x`), the lower one first; raises GatewayError."""
    names = [end.removeprefix("Patient/") for end in ends]
    heads = tx.heads([("Patient", name) for name in names])
    missing = [name for name in names if ("Patient", name) not in heads]
    if missing:
        raise GatewayError(f"There is no Patient {missing[0]}.", category=Category.NOT_FOUND)
    if names[0] == names[1]:
        raise GatewayError("These are one and the same record; name two.")
    return pair_of(*(heads["Patient", name].pid for name in names))


class _Deciding:
    """One decision, in the transaction that writes it."""

    def __init__(self, tx: WriteTx, judge: Judge, pair: Pair, reader: Actor, note: str) -> None:
        self._tx = tx
        self._pair = pair
        self._reader = reader
        self._note = note
        self._now_us = clock.now_us()
        self._links = reach(tx, pair)
        self._roots = linking.components(self._links)
        self._members = {*pair, *self._roots}
        self._cases = tx.cases_of(self._members)
        self._heads = tx.heads_by_pid(self._members)
        self._judged = Judging(judge, candidates.evidence(tx, self._members))

    def decide(self, choice: Choice, case: Case | None) -> Decided:
        one, other = (self._heads[pid] for pid in self._pair)
        if one.test != other.test:
            raise GatewayError("One of them is a test record; it never meets the record.", category=Category.REFUSED)
        done = Decided(self._kept(choice, case), choice)
        if choice == "same":
            self._join(done)
        elif choice == "different":
            self._part(done)
        self._event(events.DECIDED[choice], self._pair)
        self._settle(done.case)
        return done

    def _kept(self, choice: Choice, case: Case | None) -> int:
        """Write the decision into its case, with what the records say now: it was decided on that."""
        decision = self._judged(*self._pair)
        reasons = events.case_text(decision.reasons, decision) if decision else "{}"
        score, model = (decision.bits, decision.model) if decision else (0.0, "")
        if case is None:
            (number,) = self._tx.cases_add([NewCase(*self._pair, score, reasons, model, self._now_us)])
        else:
            number = case.id
            if choice != "later":
                self._tx.cases_judge([(number, score, reasons, model)])
        decided_us = None if choice == "later" else self._now_us
        self._tx.case_decide(number, choice, self._reader.name, self._note, decided_us)
        return number

    def _join(self, done: Decided) -> None:
        """Link two records for good: what the linker thought of them ends, what contradicts them is told."""
        sides = [self._side(pid) for pid in self._pair]
        parted = linking.different(self._cases) - {self._pair}
        across = {pair_of(*ends) for ends in product(*sides) if ends[0] != ends[1]}
        for pair in sorted(across & parted):
            raise GatewayError(
                f"{self._name(pair[0])} and {self._name(pair[1])} would be one person, whom a person called different."
                " Decide that pair anew first.",
                category=Category.CONFLICT,
            )
        if len(sides[0] | sides[1]) > MOST:
            raise GatewayError(f"The person would have more than {MOST} records.", category=Category.CONFLICT)
        done.told += self._contradictions(sorted(across))
        mine = self._between(self._pair)
        self._tx.links_end([link.id for link in mine], self._now_us)
        text = events.link_text(self._judged(*self._pair), self._reader.name)
        self._tx.links_add([NewLink("same", *self._pair, "active", self._now_us, text, made="person")])
        done.linked.append(self._pair)
        self._links = [link for link in self._links if link not in mine]
        self._links += [link for link in self._tx.links(self._pair) if link not in self._links]

    def _contradictions(self, pairs: Iterable[Pair]) -> list[str]:
        found = []
        for low, high in pairs:
            decision = self._judged(low, high)
            if decision is not None and decision.verdict == Verdict.CONTRADICTED:
                why = decision.reasons[0].text if decision.reasons else ""
                found.append(f"{self._name(low)} and {self._name(high)} contradict each other: {why}")
        return found

    def _part(self, done: Decided) -> None:
        """End what links two records, also through others; merges and decisions of persons are not undone by it."""
        ended = self._between(self._pair)
        held = [link for link in self._links if link not in ended]
        fixed = [link for link in held if link.made != "linker"]
        roots = linking.components(fixed)
        if roots.get(self._pair[0], self._pair[0]) == roots.get(self._pair[1], self._pair[1]):
            raise GatewayError(self._tied(fixed), category=Category.CONFLICT)
        edges = {_edge(link): link for link in held}
        _, refused = cluster(edges, self._is_pair, MOST)
        ended += [edges[one.edge] for one in refused]
        self._tx.links_end([link.id for link in ended], self._now_us)
        self._links = [link for link in held if link not in ended]
        for link in ended:
            pair = pair_of(link.from_pid, link.to_pid)
            done.unlinked.append(pair)
            self._event(events.UNLINKED, pair)

    def _is_pair(self, low: int, high: int) -> bool:
        return (low, high) == self._pair

    def _tied(self, fixed: Sequence[Link]) -> str:
        one, other = map(self._name, self._pair)
        merged = any(link.kind == "replaced-by" for link in fixed)
        how = "by a merge (undo it with $unmerge or A37)" if merged else "by what a person decided of other pairs of it"
        return f"{one} and {other} are one person {how}: undo that first, then they can be told apart."

    def _between(self, pair: Pair) -> list[Link]:
        return [link for link in self._links if link.kind == "same" and link[2:4] == pair]

    def _side(self, pid: int) -> set[int]:
        root = self._roots.get(pid, pid)
        return {pid, *(one for one, other in self._roots.items() if other == root)}

    def _name(self, pid: int) -> str:
        return f"Patient/{self._heads[pid].fid}"

    def _event(self, action: str, pair: Pair) -> None:
        decision = self._judged(*pair)
        text = events.event_text(decision)
        model = decision.model if decision else ""
        self._tx.identity_events_add([events.event(self._now_us, action, pair, self._reader.name, text, model)])

    def _settle(self, besides: int) -> None:
        """Close the other cases that this decision answers: of records now one person, and of persons told apart."""
        roots = linking.components(self._links)
        parted = linking.different(self._tx.cases_of(self._members))
        apart = {_persons(roots, pair) for pair in parted}
        for case in self._cases:
            pair = (case.low_pid, case.high_pid)
            if case.id == besides or case.state not in UNDECIDED or not self._mine(pair):
                continue
            one, other = _persons(roots, pair)
            if one == other or (one, other) in apart:
                self._tx.case_decide(case.id, "settled", self._reader.name, self._note, self._now_us)
                self._event(events.SETTLED, pair)

    def _mine(self, pair: Collection[int]) -> bool:
        return self._members.issuperset(pair)


def _persons(roots: dict[int, int], pair: Pair) -> Pair:
    return pair_of(*(roots.get(pid, pid) for pid in pair))


def _edge(link: Link) -> Edge:
    pair = pair_of(link.from_pid, link.to_pid)
    if link.made != "linker":
        return Edge(*pair, 0.0, FIXED)
    return Edge(*pair, events.told(link.evidence).score, STANDING)
