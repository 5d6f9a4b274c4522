"""Why two records are linked, or are not: what each says, where they meet, the parts of the score, what was done."""

from itertools import product
from typing import NamedTuple

from gateway.access.actor import Actor
from gateway.identity import candidates, linking
from gateway.identity.candidates import Judge
from gateway.identity.decide import Decision, Verdict
from gateway.identity.evidence import Evidence
from gateway.identity.linker import AT, Judging, reach
from gateway.identity.linking import Pair, pair_of
from gateway.identity.review import pids_of
from gateway.record import trail
from gateway.store.engine import ReadTx, Store
from gateway.store.identity import UNDECIDED, Case, Event
from gateway.store.values import Head, Link

_MOST_BEHIND = 1000


class Meeting(NamedTuple):
    """A block that two records share, and whether more records share it than are compared."""

    kind: str
    cut: bool


class Explained(NamedTuple):
    """All there is to say of two records; `standing` tells in sentences why they are linked or not."""

    heads: tuple[Head, Head]
    evidence: tuple[Evidence | None, Evidence | None]
    met: list[Meeting]
    decision: Decision | None
    standing: list[str]
    events: list[Event]


def explain(store: Store, judge: Judge, ends: tuple[str, str], reader: Actor) -> Explained:
    """Explain two Patients named by id, once the audit trail says who looks; raises GatewayError (not found)."""
    with store.read() as tx:
        pair = pids_of(tx, ends)
        links = reach(tx, pair)
        members = {*pair, *linking.components(links)}
        heads = tx.heads_by_pid(members)
        evidence = candidates.evidence(tx, members)
        told = _Telling(heads, links, tx.cases_of(pair), Judging(judge, evidence), pair)
        behind = tx.changes_behind(tx.cursor(AT), "Patient", _MOST_BEHIND)[0]
        met = _met(tx, heads, evidence, pair)
        events = [event for event in tx.identity_events(pair) if {event.low_pid, event.high_pid} <= set(pair)]
    trail.note(store, reader, "explain", "Patient", "", pair)
    low, high = pair
    return Explained(
        (heads[low], heads[high]),
        (evidence.get(low), evidence.get(high)),
        met,
        told.judged(low, high),
        told.sentences(behind, [pid for pid in pair if pid not in evidence]),
        events,
    )


def _met(tx: ReadTx, heads: dict[int, Head], evidence: dict[int, Evidence], pair: Pair) -> list[Meeting]:
    low, high = (
        candidates.keys(evidence[pid], test=heads[pid].test) if pid in evidence else dict[int, str]() for pid in pair
    )
    shared = {key: kind for key, kind in low.items() if key in high}
    cut = candidates.near(tx, {pair[0]: shared}).cut.get(pair[0], ())
    return [Meeting(kind, kind in cut) for kind in sorted(set(shared.values()))]


class _Telling:
    """What follows from links, cases and decisions, in sentences."""

    def __init__(
        self, heads: dict[int, Head], links: list[Link], cases: list[Case], judged: Judging, pair: Pair
    ) -> None:
        self._heads = heads
        self._links = links
        self._cases = [case for case in cases if (case.low_pid, case.high_pid) == pair]
        self.judged = judged
        self._pair = pair
        self._roots = linking.components(links)

    def sentences(self, behind: int, lacking: list[int]) -> list[str]:
        """Return why the two are linked or not, the reason that decides first."""
        found = self._linked() or [*self._apart(), *self._members()]
        found += [f"Case {case.id} about them waits for a person ({case.state})." for case in self._waiting()]
        found += [f"{self._name(pid)} has no evidence: it is deleted, or not yet looked at." for pid in lacking]
        if behind:
            found.append(f"The linker is {behind} changes of Patients behind, so this may not be the last word.")
        return found or [self._verdict()]

    def _linked(self) -> list[str]:
        direct = [link for link in self._links if pair_of(link.from_pid, link.to_pid) == self._pair]
        if direct:
            return [f"Linked directly: {link.kind}, made by {_maker(link)}." for link in direct]
        if self._root(self._pair[0]) == self._root(self._pair[1]):
            return ["One person through other records that both are linked to."]
        return []

    def _apart(self) -> list[str]:
        decided = [case for case in self._cases if case.state == "different"]
        return [f"{decided[-1].actor} decided that they are different (case {decided[-1].id})."] if decided else []

    def _members(self) -> list[str]:
        """Name the records linked to either that keep the two apart."""
        sides = [{end, *self._others(end)} for end in self._pair]
        pairs = [pair_of(*ends) for ends in product(*sides)]
        found = [(pair, self.judged(*pair)) for pair in sorted(pairs) if pair != self._pair]
        return [
            f"Not to be linked: {self._name(low)} and {self._name(high)}, linked to them, contradict each other."
            for (low, high), decision in found
            if decision is not None and decision.verdict == Verdict.CONTRADICTED
        ]

    def _verdict(self) -> str:
        decision = self.judged(*self._pair)
        if decision is None:
            return "Nothing is decided of them, because one of them has no evidence."
        if decision.verdict == Verdict.SAME:
            return "They would be linked, had they met: they share no block, or linking is switched off."
        return "Not linked: " + ("; ".join(reason.text for reason in decision.reasons) or "nothing speaks for it.")

    def _waiting(self) -> list[Case]:
        return [case for case in self._cases if case.state in UNDECIDED]

    def _others(self, pid: int) -> list[int]:
        return [other for other, root in self._roots.items() if other != pid and root == self._root(pid)]

    def _root(self, pid: int) -> int:
        return self._roots.get(pid, pid)

    def _name(self, pid: int) -> str:
        return f"Patient/{self._heads[pid].fid}"


def _maker(link: Link) -> str:
    return {"linker": "the linker", "person": "a person"}.get(link.made, "a message")
