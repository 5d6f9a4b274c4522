"""Linked patients: the records of other sites that are known to be of the same person, as far as a scope sees them."""

from gateway.store.dialect import Session
from gateway.store.predicates import Sql
from gateway.store.type_ids import TYPE_ID

MOST = 64
STATES = ("active",)
"""Link states that hold; a proposed link is for a reviewer and joins nothing."""

_ENDS = (
    "SELECT from_pid, to_pid, state FROM link WHERE from_pid=? AND ended_us IS NULL UNION ALL "
    "SELECT to_pid, from_pid, state FROM link WHERE to_pid=? AND ended_us IS NULL"
)


def linked_patients(session: Session, pid: int, guard: Sql) -> dict[int, str]:
    """Return pid -> id of the patients linked to one, at most MOST with itself; `guard` over `r` is the scope."""
    found = [pid]
    for each in found:
        if len(found) >= MOST:
            break
        rows = session.run(_ENDS, (each, each))
        found += dict.fromkeys(other for _, other, state in rows if state in STATES and other not in found)
    others = found[1:MOST]
    return {other: fid for other in others for fid in _visible(session, other, guard)}


def _visible(session: Session, pid: int, guard: Sql) -> list[str]:
    sql = f"SELECT r.fid FROM resource r WHERE r.pid=? AND r.type_id=? AND {guard.text}"  # noqa: S608  constants
    return [fid for (fid,) in session.run(sql, (pid, TYPE_ID["Patient"], *guard.params))]
