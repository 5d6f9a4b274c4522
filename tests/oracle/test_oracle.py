"""Random records and random searches: what the database answers is what a naive reading of R4 finds in memory."""

import os
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from gateway.search import parameters
from gateway.search.scope import Scope
from gateway.store import plan
from tests.oracle import judge
from tests.oracle.queries import queries
from tests.oracle.reduce import reduced, shown
from tests.oracle.worlds import HIDDEN, Placed, World, worlds
from tests.support import naive

FEW, SEARCHES = 4, 25
MANY = int(os.environ.get("ORACLE_RECORDS", "1000"))
SITES = (frozenset({"h1"}), frozenset({"h2"}), frozenset({"h1", "h2"}), None)
CALM = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def compare(store, monkeypatch, records: int, *, scoped: bool) -> None:
    """Run so many records, each with several searches; a failing case is made small and told."""
    counts: Counter = Counter()

    @settings(
        max_examples=records, deadline=None, suppress_health_check=CALM, database=None,
        derandomize=records == FEW, phases=[Phase.generate],
    )  # fmt: skip
    @given(st.integers(0, 2**48))
    def property_(seed: int) -> None:
        chance = random.Random(seed)
        monkeypatch.setattr(plan, "PROBE", chance.choice((2, 1000)))  # small records take the ways of large ones too
        one_record(store, chance, scoped, counts)

    try:
        property_()
    finally:
        print(f"\noracle, {'any scope' if scoped else 'everything'}: {dict(counts)}")


def one_record(store, chance: random.Random, scoped: bool, counts: Counter) -> None:
    world = worlds(scoped=scoped).draw(chance)
    scope = Scope(chance.choice(SITES), chance.choice((0, HIDDEN))) if scoped else Scope.everything()
    judge.fill(store, world)
    for _ in range(SEARCHES):
        kind, pairs = queries().draw(chance)
        size = chance.randint(1, 9)
        try:
            judge.judge(store, world, scope, kind, pairs, size, counts)
        except Exception as fault:
            raise AssertionError(told(store, world, scope, kind, pairs, size)) from fault


def told(store, world: World, scope: Scope, kind: str, pairs: judge.Pairs, size: int) -> str:
    """Return the smallest case that fails as this one does."""

    def fails(less: World, fewer: judge.Pairs) -> bool:
        return judge.fault(store, less, scope, kind, fewer, size) is not None

    small, few = reduced(world, pairs, fails)
    fault = judge.fault(store, small, scope, kind, few, size)
    return f"{kind} {few} by {size} within {scope}, PROBE {plan.PROBE}: {fault!r}\n{shown(small)}"


def test_a_search_answers_as_a_naive_reading_does(store, monkeypatch):
    compare(store, monkeypatch, FEW, scoped=False)


def test_a_scope_answers_like_a_store_that_holds_only_what_it_may_see(store, monkeypatch):
    compare(store, monkeypatch, FEW, scoped=True)


@pytest.mark.long
@pytest.mark.parametrize("scoped", [False, True])
def test_of_a_thousand_records(store, monkeypatch, scoped):
    compare(store, monkeypatch, MANY, scoped=scoped)


def test_the_evaluator_reads_what_r4_publishes():
    for kind, facts in naive.PARAMETERS.items():
        for name in facts:
            published = parameters.for_type(kind)[name]
            assert naive.kind_of(kind, name) == published.kind, (kind, name)
            targets = [published.only] if published.only else sorted(published.targets)
            assert published.kind != "reference" or sorted(naive.targets_of(kind, name)) == targets, (kind, name)


FOUND = [
    (
        ("Observation", {"identifier": [{"system": "s", "value": "2"}, {"system": "s", "value": "2", "type": {"coding": [{"system": "t", "code": "MR"}]}}]}),
        ("identifier:of-type", "t|MR|2"),
    ),
]  # fmt: skip
"""Cases that random search found once, and that must stay found."""


@pytest.mark.parametrize(("resource", "pair"), FOUND)
def test_what_was_found_once_stays_found(store, resource, pair):
    kind, fields = resource
    world = World([Placed({"resourceType": kind, "id": "x", **fields}, "h1", False)], [])
    assert judge.fault(store, world, Scope.everything(), kind, [pair], 5) is None
