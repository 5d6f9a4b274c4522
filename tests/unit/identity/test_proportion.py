"""Exact bounds of shares, against published values and against the binomial sums they are defined by."""

from math import comb

import pytest

from gateway.identity.proportion import bounds


def tail(hits, tries, share):
    """The chance of at least so many hits."""
    return sum(comb(tries, one) * share**one * (1 - share) ** (tries - one) for one in range(hits, tries + 1))


@pytest.mark.parametrize(("hits", "tries"), [(1, 10), (5, 10), (9, 10), (3, 250), (249, 250)])
def test_the_bounds_are_where_the_count_becomes_unlikely(hits, tries):
    low, high = bounds(hits, tries)
    assert tail(hits, tries, low) == pytest.approx(0.025, rel=1e-6)
    assert 1 - tail(hits + 1, tries, high) == pytest.approx(0.025, rel=1e-6)


def test_nothing_wrong_in_n_bounds_the_rest_by_three_over_n():
    low, high = bounds(60_000, 60_000)
    assert high == 1.0
    assert low == pytest.approx(0.025 ** (1 / 60_000), rel=1e-9)
    assert bounds(0, 30) == (0.0, pytest.approx(1 - 0.025 ** (1 / 30)))


def test_of_nothing_nothing_is_known():
    assert bounds(0, 0) == (0.0, 1.0)


def test_large_counts_stay_exact():
    low, high = bounds(199_990, 200_000)
    assert low == pytest.approx(1 - 9.2e-5, abs=2e-6)
    assert high == pytest.approx(1 - 2.4e-5, abs=2e-6)
