"""What follows for links and cases from records that changed: pure, so that the same records give the same links."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from gateway.identity import events
from gateway.identity.clusters import Edge, Refused, cluster
from gateway.identity.decide import Decision, Reason, Verdict
from gateway.store.identity import UNDECIDED, Case
from gateway.store.values import Link

MOST = 64
"""Records one person may have: as many as a search follows."""

MOST_ASKED = 3
"""Cases one changed record may open or have: a dummy that thousands share must not ask about every pair of them."""

FIXED, STANDING, RENEWED, NEW = range(4)
"""Ranks of edges: merges and what persons decided; links nothing changed about; links judged anew; new ones."""

Pair = tuple[int, int]
Judged = Callable[[int, int], Decision | None]
"""What is decided of two records (low pid first); None where one of them has no evidence."""


@dataclass(frozen=True)
class View:
    """What is known around the records that changed: `links` and `cases` are all of everybody's they concern."""

    changed: Collection[int]
    gone: Collection[int]
    pairs: Collection[Pair]
    links: Sequence[Link]
    cases: Sequence[Case]


class Doubt(NamedTuple):
    """A pair a person shall decide: what was decided of it, and why that is not enough."""

    pair: Pair
    decision: Decision
    more: tuple[Reason, ...] = ()

    @property
    def order(self) -> tuple[bool, bool, float, Pair]:
        """Return what the doubts that matter most come first by."""
        return not self.sticky, not self.more, -self.decision.bits, self.pair

    @property
    def sticky(self) -> bool:
        """Say whether a person must answer, whatever the records say later."""
        return not events.STICKY.isdisjoint(one.code for one in self.more)


class Ended(NamedTuple):
    """A link that ends, and what was decided of its two records now."""

    link: Link
    decision: Decision | None
    more: tuple[Reason, ...] = ()


@dataclass
class Outcome:
    """What is to be written."""

    end: list[Ended] = field(default_factory=list)
    add: list[tuple[Pair, Decision]] = field(default_factory=list)
    ask: list[Doubt] = field(default_factory=list)
    renew: list[tuple[Case, Doubt]] = field(default_factory=list)
    settle: list[Case] = field(default_factory=list)


def pair_of(one: int, other: int) -> Pair:
    """Return two pids, the lower one first."""
    return (one, other) if one < other else (other, one)


def different(cases: Iterable[Case]) -> set[Pair]:
    """Return the pairs that a person called different and nobody called the same since."""
    decided = sorted((case.decided_us or 0, case.id, case) for case in cases if case.state in ("same", "different"))
    last = {(case.low_pid, case.high_pid): case.state for _, _, case in decided}
    return {pair for pair, state in last.items() if state == "different"}


def components(links: Iterable[Link]) -> dict[int, int]:
    """Return the lowest pid of everybody's person, as links join them."""
    edges = [Edge(*pair_of(link.from_pid, link.to_pid), 0.0, FIXED) for link in links]
    return cluster(edges, _never, MOST)[0]


def plan(view: View, judged: Judged) -> Outcome:
    """Return which links end, which begin, and which cases open, change or close."""
    return _Planning(view, judged).outcome()


class _Planning:
    def __init__(self, view: View, judged: Judged) -> None:
        self._view = view
        self._judged = judged
        self._different = different(view.cases)
        self._before = components(view.links)
        self._moved = set(view.changed)
        self._linked = {pair_of(link.from_pid, link.to_pid): link for link in view.links if link.kind == "same"}
        self._joined = {pair_of(link.from_pid, link.to_pid) for link in view.links}
        self._found = Outcome()
        self._doubts: list[Doubt] = []

    def outcome(self) -> Outcome:
        edges = [*self._standing(), *self._new()]
        self._roots, refused = cluster([edge for edge, _ in edges], self._apart, MOST)
        decisions = {(edge.low, edge.high): decision for edge, decision in edges}
        out = {(one.edge.low, one.edge.high): one for one in refused}
        for edge, decision in edges:
            pair = (edge.low, edge.high)
            if pair in out:
                self._refuse(out[pair], decision)
            elif edge.rank == NEW and decision is not None:
                self._found.add.append((pair, decision))
        self._doubts += self._reviews(decisions)
        self._cases()
        return self._found

    def _standing(self) -> Iterator[tuple[Edge, Decision | None]]:
        """Yield the links that hold still; those that the records no longer allow end."""
        gone = set(self._view.gone)
        for link in self._view.links:
            pair = pair_of(link.from_pid, link.to_pid)
            touched = not self._moved.isdisjoint(pair)
            decision = self._judged(*pair) if touched and link.kind == "same" else None
            if link.made != "linker":
                self._contradicted(link, pair, decision)
                yield Edge(*pair, 0.0, FIXED), None
            elif not gone.isdisjoint(pair):
                self._found.end.append(Ended(link, None))
            elif decision is None:
                yield Edge(*pair, events.told(link.evidence).score, STANDING), None
            elif decision.verdict == Verdict.SAME:
                yield Edge(*pair, decision.bits, RENEWED), decision
            else:
                self._found.end.append(Ended(link, decision))
                self._doubts.append(Doubt(pair, decision, (events.WAS_LINKED,)))

    def _contradicted(self, link: Link, pair: Pair, decision: Decision | None) -> None:
        """Ask a person anew who called two the same that are surely not, unless she saw just that."""
        if decision is None or decision.verdict != Verdict.CONTRADICTED or link.made != "person":
            return
        codes = {one.code for one in decision.reasons}
        held = [case for case in self._view.cases if (case.low_pid, case.high_pid) == pair and case.state == "same"]
        if not held or not codes <= events.codes_of(held[-1].reasons):
            self._doubts.append(Doubt(pair, decision, (events.DECIDED_SAME,)))

    def _new(self) -> Iterator[tuple[Edge, Decision]]:
        for pair in sorted(set(self._view.pairs) - self._joined - self._different):
            decision = self._judged(*pair)
            if decision is not None and decision.verdict == Verdict.SAME:
                yield Edge(*pair, decision.bits, NEW), decision

    def _apart(self, low: int, high: int) -> bool:
        """Say whether two records must not be of one person; those that were of one and did not change may stay so."""
        if (low, high) in self._different:
            return True
        if self._moved.isdisjoint((low, high)) and self._root_before(low) == self._root_before(high):
            return False
        decision = self._judged(low, high)
        return decision is not None and decision.verdict == Verdict.CONTRADICTED

    def _refuse(self, refused: Refused, decision: Decision | None) -> None:
        pair = (refused.edge.low, refused.edge.high)
        why = events.TOO_MANY if refused.pair is None else events.MEMBER_APART
        link = self._linked.get(pair)
        if link is not None:
            decision = decision or self._judged(*pair)
            self._found.end.append(Ended(link, decision, (why,)))
        if decision is not None and refused.pair not in self._different:
            self._doubts.append(Doubt(pair, decision, (why, events.WAS_LINKED) if link else (why,)))

    def _reviews(self, decided: Mapping[Pair, Decision | None]) -> Iterator[Doubt]:
        for pair in sorted(set(self._view.pairs) - self._joined - self._different - decided.keys()):
            decision = self._judged(*pair)
            if decision is not None and decision.verdict == Verdict.REVIEW:
                yield Doubt(pair, decision)

    # Cases: one for two persons at most, about the two records that matter most.

    def _cases(self) -> None:
        self._kept_apart = {self._persons(pair) for pair in self._different}
        doubts = {doubt.pair: doubt for doubt in sorted(self._doubts, key=lambda one: one.order, reverse=True)}
        waiting = set()
        for case in self._view.cases:
            pair = (case.low_pid, case.high_pid)
            if case.state not in UNDECIDED:
                continue
            if not self._waits(case, pair, doubts.get(pair)):
                self._found.settle.append(case)
                continue
            waiting |= {pair, self._persons(pair)}
            if pair in doubts:
                self._found.renew.append((case, _keeping(case, doubts[pair])))
        self._ask(doubts.values(), waiting)

    def _waits(self, case: Case, pair: Pair, doubt: Doubt | None) -> bool:
        """Say whether a case still is one: not when the two are linked, told apart, gone, or no longer alike."""
        if not set(self._view.gone).isdisjoint(pair) or self._persons(pair) in self._kept_apart:
            return False
        codes = events.codes_of(case.reasons)
        if events.DECIDED_SAME.code in codes:
            return True
        if self._root(pair[0]) == self._root(pair[1]):
            return False
        return self._moved.isdisjoint(pair) or doubt is not None or events.WAS_LINKED.code in codes

    def _ask(self, doubts: Iterable[Doubt], waiting: set[Pair]) -> None:
        asked = Counter(pid for case in self._view.cases if case.state in UNDECIDED for pid in (case[1], case[2]))
        crowded: set[int] = set()
        for doubt in sorted(doubts, key=lambda one: one.order):
            persons = self._persons(doubt.pair)
            about_link = events.DECIDED_SAME in doubt.more
            answered = persons[0] == persons[1] or persons in waiting or persons in self._kept_apart
            if doubt.pair in waiting or (answered and not about_link):
                continue
            full = {pid for pid in doubt.pair if pid in self._moved and asked[pid] >= MOST_ASKED}
            if full and not doubt.sticky:
                crowded |= full
                continue
            asked.update(doubt.pair)
            waiting |= {doubt.pair} if about_link else {doubt.pair, persons}
            self._found.ask.append(doubt)
        self._found.ask = [_crowded(doubt, crowded) for doubt in self._found.ask]

    def _persons(self, pair: Pair) -> Pair:
        return pair_of(self._root(pair[0]), self._root(pair[1]))

    def _root(self, pid: int) -> int:
        return self._roots.get(pid, pid)

    def _root_before(self, pid: int) -> int:
        return self._before.get(pid, pid)


def _keeping(case: Case, doubt: Doubt) -> Doubt:
    """Return a doubt with the reasons for which its case stays until a person has decided it."""
    held = [one for one in events.reasons_of(case.reasons) if one.code in events.STICKY]
    return doubt._replace(more=tuple(dict.fromkeys((*held, *doubt.more))))


def _crowded(doubt: Doubt, crowded: set[int]) -> Doubt:
    told = () if crowded.isdisjoint(doubt.pair) else (events.CROWDED,)
    return doubt._replace(more=(*doubt.more, *told))


def between(cases: Iterable[Case], links: Iterable[Link], changed: Collection[int]) -> Iterator[Pair]:
    """Yield the pairs to judge besides those that share a block: linked ones, and all of two persons with a case."""
    moved, links = set(changed), list(links)
    yield from (pair_of(link.from_pid, link.to_pid) for link in links if not moved.isdisjoint(link[2:4]))
    members: dict[int, set[int]] = {}
    roots = components(links)
    for pid, root in roots.items():
        members.setdefault(root, set()).add(pid)
    for case in cases:
        if case.state in UNDECIDED and not moved.isdisjoint((case.low_pid, case.high_pid)):
            sides = (members.get(roots.get(pid, pid), {pid}) for pid in (case.low_pid, case.high_pid))
            yield from (pair_of(one, other) for one, other in product(*sides) if one != other)


def _never(low: int, high: int) -> bool:
    return False
