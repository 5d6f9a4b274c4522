"""Links a population in memory, page by page as it arrives, by the very planning of the linker."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count

from gateway.identity import candidates, events, linking
from gateway.identity.blocks import STRONG
from gateway.identity.candidates import Judge
from gateway.identity.decide import Decision
from gateway.identity.evidence import Evidence
from gateway.identity.linker import PAGE, Judging
from gateway.identity.linking import Doubt, Outcome, Pair, View, pair_of
from gateway.store.identity import Case
from gateway.store.values import Link


class Rehearsal:
    """What the linker would hold after these records: links, open cases, and what it compared."""

    def __init__(self, judge: Judge, most: int = candidates.MOST, page: int = PAGE) -> None:
        self.links: dict[Pair, Link] = {}
        self.cases: dict[int, Case] = {}
        self.met: set[Pair] = set()
        self.cut: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self._judge = judge
        self._most, self._page = most, page
        self._evidence: dict[int, Evidence] = {}
        self._blocks: dict[int, list[int]] = {}
        self._links_of: dict[int, list[Link]] = {}
        self._cases_of: dict[int, set[int]] = {}
        self._numbers = count(1)

    def take(self, records: Sequence[Evidence], wanted: Sequence[object] = ()) -> Iterator[int]:
        """Take the records in order, a page at a time; yields how many were taken.

        `met` keeps the compared pairs of which both are the same in `wanted` (by their places), or all where empty.
        """
        for start in range(0, len(records), self._page):
            new = dict(enumerate(records[start : start + self._page], start))
            pairs = self._near(new)
            self.met |= {pair for pair in pairs if not wanted or wanted[pair[0]] == wanted[pair[1]]}
            self._apply(self._planned(new, pairs))
            yield start + len(new)

    def roots(self) -> dict[int, int]:
        """Return the lowest record of each linked record's person."""
        return linking.components(self.links.values())

    def _near(self, new: Mapping[int, Evidence]) -> set[Pair]:
        """Return the pairs of new records with others that share a block; keep what new ones are found under."""
        self._evidence |= new
        keys = {place: candidates.keys(evidence) for place, evidence in new.items()}
        pairs: set[Pair] = set()
        for place, mine in keys.items():
            for key, kind in mine.items():
                held = self._blocks.get(key, ())
                most = candidates.MOST_STRONG if kind in STRONG else self._most
                if len(held) > most:
                    self.cut[kind] += 1
                pairs.update((other, place) for other in held[:most])
        pairs |= set(_together(keys))
        for place, mine in keys.items():
            for key in mine:
                self._blocks.setdefault(key, []).append(place)
        return pairs

    def _planned(self, new: Mapping[int, Evidence], pairs: set[Pair]) -> Outcome:
        judged = Judging(self._judge, self._evidence)
        concerned = set(new)
        for pair in pairs:
            decision = judged(*pair)
            if decision is not None:
                self.verdicts[decision.verdict] += 1
                if decision.verdict in ("same", "review"):
                    concerned.update(pair)
        links = self._reach(concerned)
        members = concerned.union(*(link[2:4] for link in links))
        numbers = set().union(*(self._cases_of.get(place, ()) for place in members))
        cases = [self.cases[number] for number in sorted(numbers)]
        pairs = pairs | set(linking.between(cases, links, new.keys()))
        return linking.plan(View(new.keys(), (), pairs, links, cases), judged)

    def _reach(self, places: Iterable[int]) -> list[Link]:
        found: dict[int, Link] = {}
        edge, seen = set(places), set(places)
        while edge:
            links = [link for place in edge for link in self._links_of.get(place, ())]
            found |= {link.id: link for link in links}
            edge = {place for link in links for place in link[2:4]} - seen
            seen |= edge
        return [found[number] for number in sorted(found)]

    def _apply(self, outcome: Outcome) -> None:
        for ended in outcome.end:
            self._unlink(ended.link)
        for pair, decision in outcome.add:
            self._link(pair, decision)
        for doubt in outcome.ask:
            self._ask(next(self._numbers), doubt)
        for case, doubt in outcome.renew:
            self._ask(case.id, doubt)
        for case in outcome.settle:
            del self.cases[case.id]
            for place in case[1:3]:
                self._cases_of[place].discard(case.id)

    def _link(self, pair: Pair, decision: Decision) -> None:
        text = events.link_text(decision, events.LINKER)
        link = Link(next(self._numbers), "same", *pair, "active", text, None, 0, None, events.LINKER)
        self.links[pair] = link
        for place in pair:
            self._links_of.setdefault(place, []).append(link)

    def _unlink(self, link: Link) -> None:
        del self.links[pair_of(link.from_pid, link.to_pid)]
        for place in link[2:4]:
            self._links_of[place].remove(link)

    def _ask(self, number: int, doubt: Doubt) -> None:
        text = events.case_text((*doubt.more, *doubt.decision.reasons), doubt.decision)
        decision = doubt.decision
        self.cases[number] = Case(number, *doubt.pair, "open", decision.bits, text, decision.model, 0, None, "", "")
        for place in doubt.pair:
            self._cases_of.setdefault(place, set()).add(number)


def _together(keys: Mapping[int, Mapping[int, str]]) -> Iterator[Pair]:
    """Yield the pairs of one page that share a key."""
    held: dict[int, list[int]] = {}
    for place in sorted(keys):
        for key in keys[place]:
            yield from ((other, place) for other in held.get(key, ()))
            held.setdefault(key, []).append(place)
