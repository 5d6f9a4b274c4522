"""What belongs to somebody: the resources that refer to a patient or an encounter, in order of arrival, in parts.

Every part is read from the index of references by its values, so no part costs more than those before it.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from gateway.search import compartments, parameters
from gateway.store.hits import Sight
from gateway.store.index import unknown_target
from gateway.store.linked import linked_patients
from gateway.store.predicates import Sql, in_list
from gateway.store.resources import ResourceReads
from gateway.store.type_ids import TYPE_ID

_DATELESS = frozenset({"Patient", "Person", "RelatedPerson", "Coverage"})
"""Who somebody is and how he is insured belongs to every period."""

_LOOK = 500


class Owner(NamedTuple):
    """Whose belongings: the compartment, and pid -> id of its owner, of a patient those linked to him too."""

    compartment: str
    members: dict[int, str]


class Filter(NamedTuple):
    """Which belongings: of some types (none: all), changed since a moment, of care between two moments (0: open)."""

    types: tuple[str, ...] = ()
    since_us: int = 0
    start_us: int = 0
    end_us: int = 0


def owner_of(tx: ResourceReads, compartment: str, fid: str, sight: Sight) -> Owner | None:
    """Return the owner of a compartment with the patients linked to him; None for one the scope does not see."""
    sql = f"SELECT r.pid FROM resource r WHERE r.type_id=? AND r.fid=? AND {sight.sql.text}"  # noqa: S608  constants
    pid = tx.session.value(sql, (TYPE_ID[compartment], fid, *sight.sql.params))
    if pid is None:
        return None
    linked = linked_patients(tx.session, pid, sight.sql) if compartment == "Patient" else {}
    return Owner(compartment, {pid: fid, **linked})


def part(
    tx: ResourceReads, owner: Owner, sight: Sight, wanted: Filter, after: int, limit: int
) -> tuple[list[int], int | None]:
    """Return `limit` pids of belongings above `after` at most, rising, and where to go on (None: that was all).

    Where moments are asked for it looks at a few hundred candidates, of which those that are not wanted or not seen
    are left out; so there may be none where there is more to come.
    """
    narrowed = wanted.since_us or wanted.start_us or wanted.end_us
    look = max(limit, _LOOK) if narrowed else limit
    found = _candidates(tx, owner, wanted.types, after, look)
    chosen = _chosen(tx, found[:look], sight, wanted)
    if len(chosen) > limit:
        return chosen[:limit], chosen[limit - 1]
    return chosen, found[look - 1] if len(found) > look else None


def _candidates(tx: ResourceReads, owner: Owner, types: tuple[str, ...], after: int, limit: int) -> list[int]:
    targets = [*owner.members, *(unknown_target(owner.compartment, fid) for fid in owner.members.values())]
    keys = [(param, target) for param in _params(owner.compartment, types) for target in targets]
    also = f"pid > {int(after)} GROUP BY pid ORDER BY pid LIMIT {int(limit) + 1}"
    rows = tx.session.keyed("SELECT pid FROM search_reference", (("param", "int"), ("target", "int")), keys, also)
    own = [pid for pid in owner.members if pid > after and (not types or owner.compartment in types)]
    return sorted({*own, *(pid for (pid,) in rows)})[: limit + 1]


@cache
def _params(compartment: str, types: tuple[str, ...]) -> tuple[int, ...]:
    found = (
        stored.id
        for kind, names in compartments.members(compartment).items()
        if not types or kind in types
        for name in names
        for stored in parameters.stored(parameters.for_type(kind)[name])
    )
    return tuple(dict.fromkeys(found))


@cache
def _dates(compartment: str) -> tuple[int, ...]:
    kinds = [kind for kind in (*compartments.members(compartment), compartment) if kind not in _DATELESS]
    found = (one for kind in kinds for one in parameters.for_type(kind).values() if one.kind == "date")
    return tuple(sorted({stored.id for one in found for stored in parameters.stored(one)}))


def _chosen(tx: ResourceReads, pids: Sequence[int], sight: Sight, wanted: Filter) -> list[int]:
    """Return those of some pids that the scope sees and that are wanted, in the same order."""
    if not pids:
        return []
    parts = [in_list("r.pid", pids), sight.sql]
    if wanted.types:
        parts.append(in_list("r.type_id", [TYPE_ID[kind] for kind in wanted.types]))
    if wanted.since_us:
        parts.append(Sql("r.updated_us>=?", (wanted.since_us,)))
    where = " AND ".join(each.text for each in parts)
    params = [param for each in parts for param in each.params]
    seen = {pid for (pid,) in tx.session.run(f"SELECT r.pid FROM resource r WHERE {where}", params)}  # noqa: S608
    if wanted.start_us or wanted.end_us:
        seen -= _outside(tx, sorted(seen), wanted)
    return [pid for pid in pids if pid in seen]


def _outside(tx: ResourceReads, pids: Sequence[int], wanted: Filter) -> set[int]:
    """Return those that have dates of care but none within the period."""
    params = _dates("Patient")
    within = {
        (pid, low < (wanted.end_us or 1 << 62) and high > wanted.start_us)
        for pid, param, low, high in tx.session.keyed(
            "SELECT pid, param, low, high FROM search_date", (("pid", "int"),), [(pid,) for pid in pids]
        )
        if param in params
    }
    return {pid for pid, _ in within} - {pid for pid, inside in within if inside}


def pids_of(tx: ResourceReads, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return (type, id) -> pid of the resources there are."""
    rows = tx.session.keyed(
        "SELECT type_id, fid, pid FROM resource",
        (("type_id", "int"), ("fid", "text")),
        [(TYPE_ID[kind], fid) for kind, fid in names],
    )
    known = {(type_id, fid): pid for type_id, fid, pid in rows}
    return {(kind, fid): known[TYPE_ID[kind], fid] for kind, fid in names if (TYPE_ID[kind], fid) in known}
