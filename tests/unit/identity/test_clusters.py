"""Clusters: joined by rank and certainty, kept apart by any pair that is apart, and never too many."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from gateway.identity.clusters import Edge, Refused, cluster


def never(low, high):
    return False


def test_edges_join_whom_they_name_and_those_joined_with_them():
    roots, refused = cluster([Edge(5, 9, 3.0, 1), Edge(2, 5, 1.0, 1), Edge(7, 8, 1.0, 1)], never)
    assert (roots, refused) == ({5: 2, 9: 2, 2: 2, 7: 7, 8: 7}, [])


def test_the_surest_edge_of_the_lowest_rank_comes_first_and_the_other_is_refused():
    edges = [Edge(1, 3, 50.0, 2), Edge(2, 3, 9.0, 2), Edge(2, 4, 1.0, 1)]
    roots, refused = cluster(edges, lambda low, high: (low, high) == (1, 4))
    assert roots == {1: 1, 3: 1, 2: 2, 4: 2}
    assert refused == [Refused(Edge(2, 3, 9.0, 2), (1, 4))]


def test_a_fixed_edge_joins_whatever_is_apart():
    roots, refused = cluster([Edge(1, 2, 0.0, 0), Edge(2, 3, 0.0, 0), Edge(1, 3, 5.0, 1)], lambda low, high: True)
    assert set(roots.values()) == {1}
    assert [one.pair for one in refused] == [(1, 3)]


def test_a_person_has_only_so_many_records():
    edges = [Edge(low, low + 1, 100.0 - low, 1) for low in range(1, 10)]
    roots, refused = cluster(edges, never, most=4)
    assert max(list(roots.values()).count(root) for root in roots.values()) == 4
    assert {one.pair for one in refused} == {None}


@given(
    st.sets(st.tuples(st.integers(1, 9), st.integers(1, 9)).filter(lambda pair: pair[0] < pair[1])),
    st.sets(st.tuples(st.integers(1, 9), st.integers(1, 9)).filter(lambda pair: pair[0] < pair[1])),
    st.randoms(use_true_random=False),
)
def test_no_cluster_holds_a_pair_that_is_apart_in_whatever_order_edges_come(pairs, apart, luck):
    edges = [Edge(*pair, float(sum(pair)), 1) for pair in pairs]
    roots, refused = cluster(edges, lambda low, high: (low, high) in apart)
    shuffled = luck.sample(edges, len(edges))
    assert cluster(shuffled, lambda low, high: (low, high) in apart) == (roots, refused)
    together = {pair for pair in combinations(sorted(roots), 2) if roots[pair[0]] == roots[pair[1]]}
    assert together.isdisjoint(apart)
    assert all(roots[edge.low] == roots[edge.high] for edge in edges if edge not in [one.edge for one in refused])
