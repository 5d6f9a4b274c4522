"""Resources of an answer: what a scope may see of them, and their texts read in bulk."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from gateway.search.scope import Scope
from gateway.store.bodies import unpack
from gateway.store.dialect import Row
from gateway.store.predicates import Sql, all_of, in_list
from gateway.store.resources import ResourceReads
from gateway.store.type_ids import TYPE_ID, type_name

_HIT = (
    "SELECT r.pid, r.deleted, r.site_id, r.sensitivity, r.test, r.type_id, r.fid, v.vid & 16777215, v.updated_us,"
    " v.body, r.patient_pid FROM resource r JOIN version v ON v.vid = "
)
_CURRENT = f"{_HIT}(r.pid << 24 | r.ver)"
_NAMED = f"{_HIT}(r.pid << 24 | ?) WHERE r.type_id=? AND r.fid=? AND v.body IS NOT NULL"


_PRESENT = """WITH RECURSIVE s(x) AS (
SELECT min(type_id) FROM resource UNION ALL
SELECT (SELECT min(type_id) FROM resource WHERE type_id > s.x) FROM s WHERE s.x IS NOT NULL)
SELECT x FROM s WHERE x IS NOT NULL"""


class StoredHit(NamedTuple):
    """One resource of an answer, its body as stored."""

    type: str
    fid: str
    ver: int
    updated_us: int
    body: bytes
    patient_pid: int | None = None


Hits = dict[int, StoredHit]
"""Resources by pid, in their order."""


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


def present_types(tx: ResourceReads) -> frozenset[str]:
    """Return the types of which the record holds resources, so that no others need be looked at."""
    return frozenset(type_name(number) for (number,) in tx.session.run(_PRESENT))


def current(tx: ResourceReads, pids: Iterable[int], sight: Sight) -> Hits:
    """Return current versions in the order asked; what was deleted or hidden since the index was read is left out."""
    wanted = list(pids)
    rows = tx.session.keyed(_CURRENT, (("pid", "int"),), [(pid,) for pid in wanted])
    seen = {row[0]: _hit(row) for row in rows if sight.allows(*row[1:5])}
    return {pid: seen[pid] for pid in wanted if pid in seen}


def named(tx: ResourceReads, kind: str, fid: str, ver: int, sight: Sight) -> tuple[int, StoredHit] | None:
    """Return (pid, hit) of one version of a resource, None where there is none that the scope may see."""
    rows: Sequence[Row] = tx.session.run(_NAMED, (ver, TYPE_ID[kind], fid))
    return next(((row[0], _hit(row)) for row in rows if sight.allows(*row[1:5])), None)


def _hit(row: Any) -> StoredHit:
    return StoredHit(type_name(row[5]), row[6], row[7], row[8], unpack(row[9]), row[10])
