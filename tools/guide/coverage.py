"""Counts how far the gateway's mappings follow the guide: declared, exercised, right, codes, deviations."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tools.guide import compare, exercise, paths
from tools.guide.compare import Output
from tools.guide.oracle import Fact, Fragment, Oracle, Pair
from tools.guide.tables import Guide

Mapper = Callable[[str], Output]
Code = tuple[str, str]
LOOK = 8


@dataclass(frozen=True, slots=True)
class Deviation:
    """A documented difference: which pairs or table rows it excuses, in which messages, and why."""

    maps: frozenset[str]
    fields: frozenset[str]
    rows: frozenset[str]
    structures: frozenset[str]
    reason: str

    def excuses_pair(self, structure: str, pair: Pair) -> bool:
        """Whether the whole pair is excused."""
        here = not self.structures or structure in self.structures
        return here and not self.rows and pair[0] in self.maps and (not self.fields or pair[1] in self.fields)

    def excuses_fact(self, structure: str, fact: Fact) -> bool:
        """Whether one fact is excused by a row that asked for it."""
        if self.rows.isdisjoint(fact.rows) or (self.structures and structure not in self.structures):
            return False
        return (not self.maps or fact.pair[0] in self.maps) and (not self.fields or fact.pair[1] in self.fields)


def deviations(entries: Iterable[dict[str, Any]]) -> list[Deviation]:
    """Read the entries of the deviations file; an entry without a reason is refused with ValueError."""
    found = []
    for entry in entries:
        if not entry.get("reason"):
            raise ValueError(f"a deviation needs a reason: {entry}")
        lists = {key: frozenset(_listed(entry.get(key))) for key in ("map", "fields", "rows", "messages")}
        found.append(Deviation(lists["map"], lists["fields"], lists["rows"], lists["messages"], entry["reason"]))
    return found


def _listed(value: Any) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else list(value)


@dataclass(frozen=True, slots=True)
class Miss:
    """One fact that the output does not hold."""

    pair: Pair
    fact: Fact
    root: str
    got: tuple[str, ...]
    together: bool
    message: str

    def __str__(self) -> str:
        place = paths.show(self.root, self.fact.path)
        what = "not in one element with the rest" if self.together else f"expected {self.fact.expected}"
        got = "; got " + ", ".join(self.got) if self.got else "; got nothing"
        return (
            f"{self.pair[0]} {self.pair[1]}  {place}  {what}{got}  [{self.fact.where} of {self.message}; "
            f"rows {' > '.join(self.fact.rows)}]"
        )


@dataclass(slots=True)
class Count:
    """What is known of one (segment map, field) pair after all exercises."""

    fragments: int = 0
    reached: bool = False
    wrong: list[Miss] = field(default_factory=list)
    excused: set[str] = field(default_factory=set)
    unjudged: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Report:
    """The figures of one message structure."""

    structure: str
    pairs: list[Pair]
    declared: set[Pair] | None
    counts: dict[Pair, Count] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    deviating: dict[Pair, str] = field(default_factory=dict)

    def state(self, pair: Pair) -> str:
        """Return deviates, unjudged, unexercised, wrong, partly (right but for excused rows) or right."""
        if pair in self.deviating:
            return "deviates"
        count = self.counts.get(pair, Count())
        if not count.fragments:
            return "unjudged" if count.unjudged else "unexercised"
        if count.wrong:
            return "wrong"
        return "partly" if count.excused else "right"

    def tally(self) -> dict[str, int]:
        """Return how many pairs are in each state, and how many are declared and exercised."""
        states = [self.state(pair) for pair in self.pairs]
        names = ("right", "partly", "deviates", "wrong", "unjudged", "unexercised")
        figures = {name: states.count(name) for name in names}
        figures["declared"] = len(set(self.pairs) & self.declared) if self.declared is not None else -1
        figures["exercised"] = sum(1 for pair in self.pairs if self.counts.get(pair, Count()).reached)
        return figures

    def misses(self) -> Iterator[Miss]:
        """Yield one miss for each fact of each wrong pair."""
        for pair in self.pairs:
            if self.state(pair) == "wrong":
                yield from self.counts[pair].wrong


def measure(
    guide: Guide,
    structure: str,
    mapper: Mapper,
    declared: set[Pair] | None,
    excuses: list[Deviation],
    texts: Iterable[str] | None = None,
) -> Report:
    """Run every exercise of a structure through the mapper and compare with the oracle."""
    report = Report(structure, guide.pairs(structure), declared)
    for pair in report.pairs:
        for excuse in excuses:
            if excuse.excuses_pair(structure, pair):
                report.deviating.setdefault(pair, excuse.reason)
    oracle = Oracle(guide)
    for number, text in enumerate(texts if texts is not None else exercise.messages(guide, structure), 1):
        name = f"{structure} {number}"
        reading = oracle.read(text, structure)
        for (pair, row), reason in reading.unjudged.items():
            report.counts.setdefault(pair, Count()).unjudged[row] = reason
        try:
            output = mapper(text)
        except Exception as fault:
            report.failures.append(f"{name}: {type(fault).__name__}: {fault}")
            output = Output([], {})
        for fragment in reading.fragments:
            _judge(report, fragment, output, name, excuses)
    return report


def _judge(report: Report, fragment: Fragment, output: Output, name: str, excuses: list[Deviation]) -> None:
    count = report.counts.setdefault(fragment.pair, Count())
    count.fragments += 1
    if not count.reached:
        count.reached = any(compare.found(fact, fragment.root, output) for fact in fragment.facts)
    if compare.holds(fragment, output):
        return
    excused: list[Fact] = []
    kept: list[Fact] = []
    for fact in fragment.facts:
        pardon = next((e.reason for e in excuses if e.excuses_fact(report.structure, fact)), "")
        (excused if pardon else kept).append(fact)
        if pardon:
            count.excused.add(pardon)
    if excused and (
        not kept or compare.holds(Fragment(fragment.pair, fragment.where, fragment.root, tuple(kept)), output)
    ):
        return
    count.wrong.extend(
        _misses(Fragment(fragment.pair, fragment.where, fragment.root, tuple(kept)), output, name, count)
    )


def _misses(fragment: Fragment, output: Output, name: str, count: Count) -> Iterator[Miss]:
    """Yield the facts that fail alone; when none does, those that only fail together."""
    known = {miss.fact.rows for miss in count.wrong}
    best = min(
        (
            [f for f in facts if not compare.holds_fact(f, fragment.root, output)]
            for facts in compare.variants(fragment.facts)
        ),
        key=len,
    )
    for fact in best or fragment.facts:
        if fact.rows not in known:
            got = [_short(value) for value in compare.found(fact, fragment.root, output)[:3]]
            yield Miss(fragment.pair, fact, fragment.root, tuple(got), not best, name)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def codes(
    guide: Guide, structures: Iterable[str], mapper: Mapper, most: int = 700
) -> tuple[dict[Code, bool], dict[Code, str]]:
    """Send every code of every vocabulary; return which came out right somewhere, and a word on the others."""
    honoured: dict[Code, bool] = {}
    first: dict[Code, str] = {}
    oracle = Oracle(guide)
    for structure in structures:
        for turn, text in enumerate(exercise.turns(guide, structure, most)):
            if turn % LOOK == 0 and turn and not _pending(guide, structure, turn - exercise.SHORT_ROUND, honoured):
                break
            _send(oracle, structure, text, mapper, honoured, first)
    return honoured, first


def _pending(guide: Guide, structure: str, turn: int, honoured: dict[Code, bool]) -> bool:
    """Whether a vocabulary that this structure has reached still has codes to send."""
    used = {row.vocabulary for p in guide.messages[structure] for row in guide.segments.get(p.segment_map, [])}
    used |= set(guide.component_vocabularies().values())
    reached = {name for name, _ in honoured}
    return any(
        len(guide.vocabulary(name)) > turn and any((name, pair.code) not in honoured for pair in guide.vocabulary(name))
        for name in used & reached
    )


def _send(
    oracle: Oracle,
    structure: str,
    text: str,
    mapper: Mapper,
    honoured: dict[Code, bool],
    first: dict[Code, str],
) -> None:
    facts = [
        (fact, fragment.root)
        for fragment in oracle.read(text, structure).fragments
        for fact in fragment.facts
        if fact.vocabulary and not honoured.get((fact.vocabulary, fact.code))
    ]
    if not facts:
        return
    output = mapper(text)
    for fact, root in facts:
        code = (fact.vocabulary, fact.code)
        right = compare.holds_fact(fact, root, output)
        honoured[code] = honoured.get(code, False) or right
        if not right:
            got = ", ".join(_short(value) for value in compare.found(fact, root, output)[:2])
            first.setdefault(code, f"{paths.show(root, fact.path)}: expected {fact.expected}, got {got or 'nothing'}")
