"""Clusters: which records are one person, when some pairs are the same and some are surely not; pure."""

from collections.abc import Callable, Iterable
from typing import NamedTuple


class Edge(NamedTuple):
    """Two records that are the same (low pid first), how sure that is in bits; a lower rank is joined before it."""

    low: int
    high: int
    bits: float
    rank: int


class Refused(NamedTuple):
    """An edge that joins nothing, and the two records that are apart; None where there would be too many."""

    edge: Edge
    pair: tuple[int, int] | None


def cluster(
    edges: Iterable[Edge], apart: Callable[[int, int], bool], most: int = 64
) -> tuple[dict[int, int], list[Refused]]:
    """Return the lowest pid of each record's cluster, and the edges refused.

    Edges are taken by rank, then the surest first. One of rank 0 always joins; any other is refused where `apart`
    holds for a record of one cluster and one of the other (asked with the lower pid first), or where the two would have
    more than `most` records together.
    """
    members: dict[int, list[int]] = {}
    root: dict[int, int] = {}
    refused: list[Refused] = []
    for edge in sorted(edges, key=lambda one: (one.rank, -one.bits, one.low, one.high)):
        for pid in edge[:2]:
            members.setdefault(root.setdefault(pid, pid), [pid])
        one, other = root[edge.low], root[edge.high]
        why = _why_not(edge, members[one], members[other], apart, most) if edge.rank else _JOINED
        if why is not _JOINED:
            refused.append(Refused(edge, why))
        elif one != other:
            _join(root, members, min(one, other), max(one, other))
    return root, refused


_JOINED = (0, 0)


def _why_not(
    edge: Edge, ones: list[int], others: list[int], apart: Callable[[int, int], bool], most: int
) -> tuple[int, int] | None:
    """Return the pair that keeps two clusters apart, None where they are too many, _JOINED where nothing does."""
    if ones is others:
        pair = (edge.low, edge.high)
        return pair if apart(*pair) else _JOINED
    if len(ones) + len(others) > most:
        return None
    pairs = ((min(one, other), max(one, other)) for one in ones for other in others)
    return next((pair for pair in pairs if apart(*pair)), _JOINED)


def _join(root: dict[int, int], members: dict[int, list[int]], into: int, gone: int) -> None:
    for pid in members[gone]:
        root[pid] = into
    members[into] = sorted(members[into] + members.pop(gone))
