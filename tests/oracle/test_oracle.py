"""Random records and random searches: what the database answers is what a naive reading of R4 finds in memory."""

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.search.scope import Scope
from gateway.store import plan
from tests.oracle import judge
from tests.oracle.queries import queries
from tests.oracle.worlds import HIDDEN, World, some, worlds

EVERYTHING = Scope.everything()
FEW, MANY = 12, int(os.environ.get("ORACLE_EXAMPLES", "1500"))
CALM = [
    HealthCheck.function_scoped_fixture,
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
]
ASKED = st.lists(st.tuples(queries(), st.integers(1, 9)), min_size=1, max_size=8)
SCOPES = st.builds(Scope, some(frozenset({"h1"}), frozenset({"h2"}), frozenset({"h1", "h2"}), None), some(0, HIDDEN))


def compare(store, monkeypatch, examples: int, *, scoped: bool, derandomize: bool) -> None:
    """Run so many records, each with several searches, and print what was seen."""
    monkeypatch.setattr(plan, "PROBE", 4)  # so that small records take the ways of large ones
    counts: Counter = Counter()

    @settings(max_examples=examples, deadline=None, suppress_health_check=CALM, derandomize=derandomize, database=None)
    @given(worlds(scoped=scoped), ASKED, SCOPES if scoped else st.just(EVERYTHING), st.booleans())
    def property_(world: World, searches, scope, walked):
        monkeypatch.setattr(plan, "PROBE", 2 if walked else 1000)
        judge.fill(store, world)
        for (kind, pairs), size in searches:
            judge.judge(store, world, scope, kind, pairs, size, counts)

    try:
        property_()
    finally:
        print(f"\noracle ({store.url if hasattr(store, 'url') else ''}): {dict(counts)}")


def test_a_search_answers_as_a_naive_reading_does(store, monkeypatch):
    compare(store, monkeypatch, FEW, scoped=False, derandomize=True)


def test_a_scope_answers_like_a_store_that_holds_only_what_it_may_see(store, monkeypatch):
    compare(store, monkeypatch, FEW, scoped=True, derandomize=True)


@pytest.mark.long
def test_a_search_answers_as_a_naive_reading_does_a_thousand_times(store, monkeypatch):
    compare(store, monkeypatch, MANY, scoped=False, derandomize=False)


@pytest.mark.long
def test_a_scope_answers_like_a_small_store_a_thousand_times(store, monkeypatch):
    compare(store, monkeypatch, MANY, scoped=True, derandomize=False)
