"""Counts how well a population was linked: precision, recall, review, by class of error, with examples."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import msgspec
import yaml

from gateway.errors import GatewayError
from gateway.identity import events
from gateway.identity.candidates import Judge
from gateway.identity.linking import Pair
from gateway.identity.population import OWN, Population, Truth
from gateway.identity.proportion import bounds
from gateway.identity.reach import reachable
from gateway.identity.rehearsal import Rehearsal
from gateway.settings import shipped

EXAMPLES = 40
_UNSEEN = frozenset({"borrowed-whole"})
"""Errors no matcher can see: every word of the record is another person's. Precision counts them all the same."""
Told = Callable[[int, int], None]


class Aims(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What must be reached; shares of one, pairs as numbers."""

    precision: float
    twin_pairs: int
    parent_pairs: int
    recall_with_number: float
    recall_without_number: float
    review: float


class Share(msgspec.Struct, frozen=True):
    """A share as counted: hits of tries."""

    hits: int
    tries: int

    @property
    def value(self) -> float:
        """Return the share; of nothing it is whole."""
        return self.hits / self.tries if self.tries else 1.0

    @property
    def bounds(self) -> tuple[float, float]:
        """Return its exact bounds of 95 %."""
        return bounds(self.hits, self.tries)


class Class(msgspec.Struct):
    """What became of the records with one kind of error, and of the pairs with such a record on one side at least."""

    records: int = 0
    pairs: int = 0
    found: int = 0
    met: int = 0
    together: int = 0
    wrong: int = 0
    review: int = 0


class Example(msgspec.Struct, frozen=True):
    """One pair that was put together or kept apart wrongly: who, how they are related, what was decided and why."""

    kind: str
    records: tuple[str, str]
    shown: tuple[str, str]
    reasons: tuple[str, ...]
    errors: tuple[str, ...]


class Report(msgspec.Struct):
    """Everything that was counted."""

    records: int
    persons: int
    model: str
    compared: int
    verdicts: dict[str, int]
    cut: dict[str, int]
    links: Share
    together: Share
    relations: dict[str, int]
    with_number: Share
    without_number: Share
    reachable: Share
    met: Share
    review_records: Share
    review_arrivals: Share
    cases: int
    vetoed: int
    cubed_precision: float
    cubed_recall: float
    missed: dict[str, int]
    classes: dict[str, Class]
    examples: list[Example]
    aims: list[tuple[str, float, float, bool]] = []

    @property
    def good(self) -> bool:
        """Say whether every aim is reached."""
        return all(reached for *_, reached in self.aims)


def aims(path: Path | None = None) -> Aims:
    """Return the aims in a file, those of the issue where none is given; raises GatewayError naming what is wrong."""
    where = path or shipped("profiles") / "identity" / "aims.yaml"
    try:
        return msgspec.convert(yaml.safe_load(where.read_bytes()), Aims)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as fault:
        raise GatewayError(f"these aims cannot be used: {' '.join(str(fault).split())}", where=str(where)) from fault


def evaluate(population: Population, judge: Judge, model: str, wanted: Aims, told: Told | None = None) -> Report:
    """Return how well the records are linked as they arrive; `told` hears how many are done, of how many."""
    rehearsal = Rehearsal(judge)
    persons = [truth.person for truth in population.truth]
    for done in rehearsal.take(population.evidence, persons):
        if told:
            told(done, len(persons))
    report = _Counting(population, rehearsal, judge).report(model)
    report.aims = list(_against(report, wanted))
    return report


def _against(report: Report, wanted: Aims) -> Iterator[tuple[str, float, float, bool]]:
    """Yield each aim with what was wanted, what was counted, and whether that is enough."""
    least = (
        ("precision of links", wanted.precision, report.links.value),
        ("precision of pairs put together", wanted.precision, report.together.value),
        ("recall with the resident ID", wanted.recall_with_number, report.with_number.value),
        ("recall without", wanted.recall_without_number, report.without_number.value),
    )
    yield from ((name, aim, value, value >= aim) for name, aim, value in least)
    most = (
        ("twins put together", wanted.twin_pairs, report.relations["twin"]),
        ("parents and children put together", wanted.parent_pairs, report.relations["parent"]),
        ("records in review", wanted.review, report.review_records.value),
    )
    yield from ((name, float(aim), float(value), value <= aim) for name, aim, value in most)


class _Pair(NamedTuple):
    """Two records: are they one person, were they put together, were they compared, could they be found at all."""

    places: Pair
    same: bool
    joined: bool
    met: bool
    reachable: bool


@dataclass
class _Counting:
    population: Population
    rehearsal: Rehearsal
    judge: Judge
    classes: dict[str, Class] = field(default_factory=lambda: defaultdict(Class))
    relations: Counter[str] = field(default_factory=lambda: Counter({"twin": 0, "parent": 0}))
    missed: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._truth = self.population.truth
        self._roots = self.rehearsal.roots()
        self._cases = {(case.low_pid, case.high_pid): case for case in self.rehearsal.cases.values()}
        self._refused = {pair for pair, case in self._cases.items() if _was_refused(case.reasons)}

    def report(self, model: str) -> Report:
        waiting = {place for pair in self._cases for place in pair}
        self._records(waiting)
        clusters = self._clusters()
        shares, able = {True: [0, 0], False: [0, 0]}, [0, 0]
        met = together = right = 0
        for pair in self._pairs(clusters):
            self._count(pair)
            if pair.same:
                numbered = self._numbered(pair.places)
                shares[numbered][0] += pair.joined
                shares[numbered][1] += 1
                met += pair.met
                if not numbered and pair.reachable:
                    able[0] += pair.joined
                    able[1] += 1
            together += pair.joined
            right += pair.joined and pair.same
        links = self.rehearsal.links
        of_one = sum(self._same(pair) for pair in links)
        precision, recall = self._cubed(clusters)
        return Report(
            records=len(self._truth),
            persons=len({truth.person for truth in self._truth}),
            model=model,
            compared=sum(self.rehearsal.verdicts.values()),
            verdicts=dict(sorted(self.rehearsal.verdicts.items())),
            cut=dict(sorted(self.rehearsal.cut.items())),
            links=Share(of_one, len(links)),
            together=Share(right, together),
            relations=dict(self.relations),
            with_number=Share(*shares[True]),
            without_number=Share(*shares[False]),
            reachable=Share(*able),
            met=Share(met, shares[True][1] + shares[False][1]),
            review_records=Share(len(waiting), len(self._truth)),
            review_arrivals=Share(len({max(pair) for pair in self._cases}), len(self._truth)),
            cases=len(self._cases),
            vetoed=len(self._refused),
            cubed_precision=precision,
            cubed_recall=recall,
            missed=dict(self.missed.most_common()),
            classes=dict(sorted(self.classes.items())),
            examples=self.examples,
        )

    def _same(self, pair: Pair) -> bool:
        return self._truth[pair[0]].person == self._truth[pair[1]].person

    def _numbered(self, pair: Pair) -> bool:
        """Say whether both records carry the person's own resident ID."""
        return self._truth[pair[0]].number == OWN == self._truth[pair[1]].number

    def _root(self, place: int) -> int:
        return self._roots.get(place, place)

    def _records(self, waiting: set[int]) -> None:
        for place, truth in enumerate(self._truth):
            for name in _classes(truth):
                self.classes[name].records += 1
                self.classes[name].review += place in waiting

    def _clusters(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for place in range(len(self._truth)):
            found[self._root(place)].append(place)
        return found

    def _pairs(self, clusters: Mapping[int, list[int]]) -> Iterator[_Pair]:
        """Yield every pair of one person, and every other pair that was put together."""
        held: dict[int, list[int]] = defaultdict(list)
        for place, truth in enumerate(self._truth):
            held[truth.person].append(place)
        for places in held.values():
            tied = dict(zip(places, reachable([self.population.evidence[place] for place in places]), strict=True))
            for pair in combinations(places, 2):
                joined = self._root(pair[0]) == self._root(pair[1])
                yield _Pair(pair, True, joined, pair in self.rehearsal.met, tied[pair[0]] == tied[pair[1]])
        for places in clusters.values():
            pairs = (pair for pair in combinations(places, 2) if not self._same(pair))
            yield from (_Pair(pair, False, True, False, False) for pair in pairs)

    def _count(self, pair: _Pair) -> None:
        one, other = (self._truth[place] for place in pair.places)
        for name in {*_classes(one), *_classes(other)}:
            counted = self.classes[name]
            counted.pairs += pair.same
            counted.met += pair.met
            counted.found += pair.same and pair.joined
            counted.together += pair.joined
            counted.wrong += not pair.same
        if not pair.same:
            relation = _relation(one, other)
            self.relations[relation] += 1
            self._show(f"together: {relation}", pair.places)
        elif not pair.joined:
            why = self._why(pair)
            self.missed[why] += 1
            if self.missed[why] <= 3:
                self._show(f"apart: {why}", pair.places)

    def _why(self, pair: _Pair) -> str:
        if not pair.met:
            return "never compared"
        if pair.places in self._refused:
            return "refused, to be reviewed"
        decision = self.judge(*(self.population.evidence[place] for place in pair.places))
        code = decision.reasons[0].code if decision.reasons else "nothing speaks for it"
        return f"{decision.verdict}: {code}"

    def _show(self, kind: str, places: Pair) -> None:
        if sum(one.kind == kind for one in self.examples) >= EXAMPLES:
            return
        one, other = (self.population.evidence[place] for place in places)
        decision = self.judge(one, other)
        truths = [self._truth[place] for place in places]
        reasons = (f"{decision.verdict} {decision.bits:.1f} bits", *(reason.text for reason in decision.reasons))
        errors = tuple(sorted({error for truth in truths for error in truth.errors}))
        shown = (_shown(one), _shown(other))
        self.examples.append(Example(kind, (truths[0].id, truths[1].id), shown, reasons, errors))

    def _cubed(self, clusters: Mapping[int, list[int]]) -> tuple[float, float]:
        """Return B-cubed precision and recall: over records, of whom else each was put together with."""
        sizes = Counter(truth.person for truth in self._truth)
        precision = recall = 0.0
        for places in clusters.values():
            for person, number in Counter(self._truth[place].person for place in places).items():
                precision += number * number / len(places)
                recall += number * number / sizes[person]
        count = len(self._truth) or 1
        return precision / count, recall / count


def _was_refused(reasons: str) -> bool:
    return not {events.MEMBER_APART.code, events.TOO_MANY.code}.isdisjoint(events.codes_of(reasons))


def _classes(truth: Truth) -> Iterable[str]:
    """Return the classes a record is counted in: its errors, its number, what the person is, where it came from."""
    found = [f"error {error}" for error in truth.errors] or ["error none"]
    found += [f"number {truth.number}", f"site {truth.site.rstrip('-0123456789')}"]
    found += ["person twin"] if truth.twin else []
    return found + (["person newborn"] if truth.newborn else [])


def _relation(one: Truth, other: Truth) -> str:
    """Return what two different persons are to one another; a record wholly of another's papers tells of no kinship."""
    if not {*one.errors, *other.errors}.isdisjoint(_UNSEEN):
        return "unseen: registered wholly as a relative"
    if one.person == other.twin:
        return "twin"
    if one.person in (other.mother, other.father) or other.person in (one.mother, one.father):
        return "parent"
    if one.mother and one.mother == other.mother:
        return "sibling"
    return "household" if one.household == other.household else "stranger"


def _shown(evidence: object) -> str:
    told = msgspec.to_builtins(evidence)
    return msgspec.json.encode(told).decode()
