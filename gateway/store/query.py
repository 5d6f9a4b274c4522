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
from gateway.store.bodies import unpack
from gateway.store.compile import Compiler
from gateway.store.plan import Plan, choose
from gateway.store.predicates import Sql, all_of, in_list
from gateway.store.resources import ResourceReads
from gateway.store.type_ids import TYPE_ID, type_name


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


class Sight(NamedTuple):
    """A scope in the store's terms: what a resource `r` must be, in SQL and for a row already read."""

    sql: Sql
    sites: frozenset[int] | None
    hidden: int
    test: int

    def allows(self, deleted: int, site: int, sensitivity: int, test: int) -> bool:
        """Say whether the scope may see a resource with these columns."""
        in_sites = self.sites is None or site in self.sites
        return not deleted and in_sites and not sensitivity & self.hidden and test == self.test


def run(tx: ResourceReads, search: Search, scope: Scope) -> Page:
    """Return one page of a search, as much of it as the scope may see."""
    sight = sight_of(tx, scope)
    if sight is None:
        return Page([], [], None, 0 if search.total == "accurate" else None)
    plan = _plan(tx, search, sight)
    total = plan.total() if search.total == "accurate" else None
    if not search.count:
        return Page([], [], None, total)
    found = plan.page(search.cursor, search.count + 1)
    shown = found[: search.count]
    following = Cursor(*shown[-1]) if len(found) > search.count else None
    matches = _current(tx, [each.pid for each in shown], sight)
    return Page(matches, _includes(tx, search, matches, sight), following, total)


def explain(tx: ResourceReads, search: Search, scope: Scope) -> str:
    """Return in words how a search would be driven; for tests and operators."""
    sight = sight_of(tx, scope)
    return "nothing: the scope holds no site" if sight is None else _plan(tx, search, sight).words


def sight_of(tx: ResourceReads, scope: Scope) -> Sight | None:
    """Return a scope in the store's terms, or None where it lets nothing be seen."""
    parts = [Sql("r.deleted=0 AND r.test=?", (int(scope.test),))]
    if scope.hidden:
        parts.append(Sql("(r.sensitivity & ?)=0", (scope.hidden,)))
    sites = None
    if scope.sites is not None:
        sites = frozenset(n for name in scope.sites if (n := tx.names.find("site", name)) is not None)
        if not sites:
            return None
        parts.append(in_list("r.site_id", sorted(sites)))
    return Sight(all_of(parts), sites, scope.hidden, int(scope.test))


def _plan(tx: ResourceReads, search: Search, sight: Sight) -> Plan:
    return choose(tx.session, search, Compiler(tx.session, search, sight.sql))


_CURRENT = (
    "SELECT r.pid, r.deleted, r.site_id, r.sensitivity, r.test, r.type_id, r.fid, r.ver, r.updated_us, v.body,"
    " r.patient_pid FROM resource r JOIN version v ON v.vid = (r.pid << 24 | r.ver)"
)


def _current(tx: ResourceReads, pids: Sequence[int], sight: Sight) -> list[StoredHit]:
    """Return current versions in the order asked; what was deleted or hidden since the index was read is left out."""
    rows = tx.session.keyed(_CURRENT, (("pid", "int"),), [(pid,) for pid in pids])
    hits = {
        row[0]: StoredHit(type_name(row[5]), row[6], row[7], row[8], unpack(row[9]), row[10])
        for row in rows
        if sight.allows(*row[1:5])
    }
    return [hits[pid] for pid in pids if pid in hits]


def _includes(tx: ResourceReads, search: Search, matches: Sequence[StoredHit], sight: Sight) -> list[StoredHit]:
    if not search.include:
        return []
    wanted: dict[tuple[int, str], None] = {}
    for match in matches:
        body = msgspec.json.decode(match.body)
        for parameter, target in search.include:
            for _, type_of, fid in extract.targets(body, parameter):
                if type_of in TYPE_ID and target in ("", type_of):
                    wanted[TYPE_ID[type_of], fid] = None
    for match in matches:
        wanted.pop((TYPE_ID[match.type], match.fid), None)
    rows = tx.session.keyed(
        "SELECT type_id, fid, pid FROM resource", (("type_id", "int"), ("fid", "text")), list(wanted)
    )
    return _current(tx, [pid for _, _, pid in rows], sight)
