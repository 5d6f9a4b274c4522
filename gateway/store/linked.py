"""Linked patients: the records of other sites that are known to be of the same person, as far as a scope sees them."""

from collections.abc import Iterable, Mapping

from gateway.store.dialect import Session
from gateway.store.predicates import Sql
from gateway.store.type_ids import TYPE_ID

MOST = 64
STATES = ("active",)
"""Link states that hold; a proposed link is for a reviewer and joins nothing."""

_ENDS = "SELECT from_pid, to_pid, state FROM link"
_OPEN = "ended_us IS NULL"
_MANY = 500


def linked_patients(session: Session, pid: int, guard: Sql) -> dict[int, str]:
    """Return pid -> id of the patients linked to one, at most MOST with itself; `guard` over `r` is the scope.

    A patient that the scope does not see has none and leads to none.
    """
    found = expand(session, {pid: ""} if visible(session, [pid], guard) else {}, guard)
    return {other: fid for other, fid in list(found.items())[:MOST] if other != pid}


def expand(session: Session, patients: Mapping[int, str], guard: Sql) -> dict[int, str]:
    """Return pid -> id of patients and all that are linked to them, MOST for each at most, the given ones first."""
    found, edge = dict(patients), set(patients)
    while edge and len(found) < MOST * len(patients):
        ends = [(pid,) for pid in sorted(edge)]
        rows = session.keyed(_ENDS, (("from_pid", "int"),), ends, _OPEN)
        rows += session.keyed(_ENDS, (("to_pid", "int"),), ends, _OPEN)
        near = {pid for start, end, state in rows if state in STATES for pid in (start, end)}
        new = visible(session, sorted(near - found.keys()), guard)
        found |= new
        edge = set(new)
    return found


def visible(session: Session, pids: Iterable[int], guard: Sql) -> dict[int, str]:
    """Return pid -> id of those that are patients the scope sees."""
    wanted = list(pids)
    found: dict[int, str] = {}
    for at in range(0, len(wanted), _MANY):
        part = wanted[at : at + _MANY]
        marks = ",".join("?" * len(part))
        sql = f"SELECT r.pid, r.fid FROM resource r WHERE r.pid IN ({marks}) AND +r.type_id=? AND {guard.text}"  # noqa: S608
        found |= dict(session.run(sql, (*part, TYPE_ID["Patient"], *guard.params)))
    return found


def any_link(session: Session) -> bool:
    """Say whether any two records are linked at all."""
    return session.value(f"SELECT 1 FROM link WHERE {_OPEN} LIMIT 1") is not None  # noqa: S608  a constant


def family(start: str, guard: Sql) -> Sql:
    """Return a query of the pids of the patient `start` (SQL) and those linked to it, as far as the scope sees them."""
    states = ",".join(f"'{state}'" for state in STATES)
    other = "CASE WHEN k.from_pid=l.pid THEN k.to_pid ELSE k.from_pid END"
    seen = f"+r.type_id={TYPE_ID['Patient']} AND {guard.text}"
    text = (
        f"WITH RECURSIVE l(pid) AS (SELECT r.pid FROM resource r WHERE r.pid={start} AND {seen} UNION"  # noqa: S608
        " SELECT r.pid FROM l JOIN link k ON (k.from_pid=l.pid OR k.to_pid=l.pid) AND k.ended_us IS NULL"
        f" AND k.state IN ({states}) JOIN resource r ON r.pid={other} AND {seen}) SELECT l.pid FROM l LIMIT {MOST}"
    )
    return Sql(text, (*guard.params, *guard.params))
