"""Candidates: which stored records share a block with evidence, and what is decided of each."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from gateway.identity.blocks import STRONG, blocks
from gateway.identity.decide import Decision, Verdict
from gateway.identity.evidence import Evidence, unpacked
from gateway.search.scope import Scope
from gateway.store.engine import ReadTx
from gateway.store.resources import visible

Judge = Callable[[Evidence, Evidence], Decision]
"""What decides of two records: gateway.identity.decide with the model and the rules in force."""

MOST = 200
"""Records of one block that are compared; more share it by accident, and the cut is told."""

MOST_STRONG = 1000
"""The same for a block that is proof by itself: a number given to thousands is a dummy; a person has 64 records."""

_LOG = logging.getLogger(__name__)
_TEST = 0x54455354 << 24  # test records have keys of their own, so that they never meet the record
_NOBODY = 0
_ORDER = {Verdict.SAME: 0, Verdict.REVIEW: 1, Verdict.APART: 2, Verdict.CONTRADICTED: 3}


class Near(NamedTuple):
    """Who shares a block with each of several records, and the kinds of blocks that were cut for it."""

    pids: dict[int, set[int]]
    cut: dict[int, tuple[str, ...]]


class Matches(NamedTuple):
    """What was decided of each record that shares a block, the likeliest first, and the kinds of blocks cut."""

    found: list[tuple[int, Decision]]
    cut: tuple[str, ...]


def keys(evidence: Evidence, *, test: bool = False) -> dict[int, str]:
    """Return the keys a record is stored under, with their kinds; those of test records are others."""
    salt = _TEST if test else 0
    return {block.key ^ salt: block.kind for block in blocks(evidence)}


def near(tx: ReadTx, wanted: Mapping[int, Mapping[int, str]], most: int = MOST) -> Near:
    """Return who is stored under the keys of each of several records (pid -> keys), they themselves left out."""
    kinds = {key: kind for one in wanted.values() for key, kind in one.items()}
    members = tx.block_members({key: MOST_STRONG if kind in STRONG else most for key, kind in kinds.items()})
    pids: dict[int, set[int]] = {}
    cut: dict[int, tuple[str, ...]] = {}
    for pid, mine in wanted.items():
        pids[pid] = {other for key in mine for other in members.found.get(key, ())} - {pid}
        if missed := sorted({mine[key] for key in members.cut.intersection(mine)}):
            cut[pid] = tuple(missed)
    return Near(pids, cut)


def evidence(tx: ReadTx, pids: Iterable[int]) -> dict[int, Evidence]:
    """Return the stored evidence of these records; what cannot be read is left out, until it is made anew."""
    found = {}
    for pid, body in tx.evidence(pids).items():
        try:
            found[pid] = unpacked(body)
        except msgspec.DecodeError:
            _LOG.warning("The evidence of Patient %d cannot be read; run gateway reindex", pid)
    return found


def find(tx: ReadTx, sought: Evidence, scope: Scope, most: int = MOST) -> list[tuple[int, Evidence]]:
    """Return the records a scope sees that share a block with evidence, by pid."""
    return _seen(tx, near(tx, {_NOBODY: keys(sought, test=scope.test)}, most).pids[_NOBODY], scope)


def match(tx: ReadTx, sought: Evidence, scope: Scope, judge: Judge, most: int = MOST) -> Matches:
    """Return what is decided of every record a scope sees that shares a block with evidence, the likeliest first."""
    met = near(tx, {_NOBODY: keys(sought, test=scope.test)}, most)
    judged = [(pid, judge(sought, other)) for pid, other in _seen(tx, met.pids[_NOBODY], scope)]
    judged.sort(key=lambda one: (_ORDER[one[1].verdict], -one[1].bits, one[0]))
    return Matches(judged, met.cut.get(_NOBODY, ()))


def _seen(tx: ReadTx, pids: Iterable[int], scope: Scope) -> list[tuple[int, Evidence]]:
    heads = tx.heads_by_pid(pids)
    allowed = [pid for pid, head in heads.items() if not head.deleted and visible(head, scope)]
    return sorted(evidence(tx, allowed).items())
