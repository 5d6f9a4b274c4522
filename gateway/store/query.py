"""Searching: the smallest predicate drives, found by a capped probe; the others are checked resource by resource.

A page is read newest first by pid, or by one sort value; its cursor is that value and pid, so pages neither repeat
nor skip while others write. Every statement carries the scope.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from gateway.search import extract
from gateway.search.request import Cursor, Search
from gateway.search.scope import Scope
from gateway.store.compile import Compiler
from gateway.store.plan import Plan, choose
from gateway.store.predicates import Sql, all_of, in_list
from gateway.store.resources import ResourceReads, visible
from gateway.store.type_ids import TYPE_ID
from gateway.store.values import Stored


class StoredHit(NamedTuple):
    """One resource of an answer, its body as stored."""

    type: str
    fid: str
    ver: int
    updated_us: int
    body: bytes
    patient_pid: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer; `next` is where the following one begins, None on the last."""

    matches: list[StoredHit]
    includes: list[StoredHit]
    next: Cursor | None
    total: int | None


def run(tx: ResourceReads, search: Search, scope: Scope) -> Page:
    """Return one page of a search, as much of it as the scope may see."""
    guard = guarded(tx, scope)
    if guard is None:
        return Page([], [], None, 0 if search.total == "accurate" else None)
    plan = _plan(tx, search, guard)
    total = plan.total() if search.total == "accurate" else None
    if not search.count:
        return Page([], [], None, total)
    found = plan.page(search.cursor, search.count + 1)
    shown = found[: search.count]
    following = Cursor(*shown[-1]) if len(found) > search.count else None
    stored = _current(tx, [each.pid for each in shown], scope)
    return Page([_hit(each) for each in stored], _includes(tx, search, stored, scope), following, total)


def explain(tx: ResourceReads, search: Search, scope: Scope) -> str:
    """Return in words how a search would be driven; for tests and operators."""
    guard = guarded(tx, scope)
    return "nothing: the scope holds no site" if guard is None else _plan(tx, search, guard).words


def guarded(tx: ResourceReads, scope: Scope) -> Sql | None:
    """Return what the scope lets a resource `r` be, or None where it lets none be."""
    parts = [Sql("r.deleted=0 AND r.test=?", (int(scope.test),))]
    if scope.hidden:
        parts.append(Sql("(r.sensitivity & ?)=0", (scope.hidden,)))
    if scope.sites is not None:
        numbers = [number for name in sorted(scope.sites) if (number := tx.names.find("site", name)) is not None]
        if not numbers:
            return None
        parts.append(in_list("r.site_id", numbers))
    return all_of(parts)


def _plan(tx: ResourceReads, search: Search, guard: Sql) -> Plan:
    compiler = Compiler(tx.session, search, guard)
    return choose(tx.session, search, compiler, guard)


def _current(tx: ResourceReads, pids: Sequence[int], scope: Scope) -> list[Stored]:
    """Return current versions in the order asked; what was deleted or hidden since the index was read is left out."""
    found = tx.current(pids)
    known = [found[pid] for pid in pids if pid in found]
    return [each for each in known if not each.deleted and visible(each, scope)]


def _includes(tx: ResourceReads, search: Search, matches: Sequence[Stored], scope: Scope) -> list[StoredHit]:
    if not search.include:
        return []
    shown = {(each.type, each.fid) for each in matches}
    wanted: dict[tuple[str, str], None] = {}
    for match in matches:
        body = msgspec.json.decode(match.body)
        for parameter, target in search.include:
            for _, type_of, fid in extract.targets(body, parameter):
                if type_of in TYPE_ID and target in ("", type_of) and (type_of, fid) not in shown:
                    wanted[type_of, fid] = None
    heads = tx.heads(wanted)
    return [_hit(each) for each in _current(tx, [heads[key].pid for key in wanted if key in heads], scope)]


def _hit(stored: Stored) -> StoredHit:
    return StoredHit(stored.type, stored.fid, stored.ver, stored.updated_us, stored.body, stored.patient_pid)
