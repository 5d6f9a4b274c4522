"""What a Person is made of: the Patients linked to one, the links between them, and when they were told of last."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.store.engine import ReadTx
from gateway.store.hits import Sight
from gateway.store.linked import STATES, linked_patients, visible
from gateway.store.type_ids import TYPE_ID
from gateway.store.values import MODE_ID, Link, Stored, version_id

_TOLD = (
    "SELECT mode, max(coalesce(source_us, updated_us)) FROM version"
    " WHERE vid BETWEEN ? AND ? AND body IS NOT NULL GROUP BY mode"
)


class Component(NamedTuple):
    """One person's Patients as far as a scope sees them, by pid from the oldest on, and the links that join them."""

    patients: dict[int, Stored]
    links: tuple[Link, ...]


class Told(NamedTuple):
    """When a Patient's demographics were told last, and whether a demographic authority did (ruling R6)."""

    at_us: int
    authority: bool


def patient(tx: ReadTx, fid: str, sight: Sight) -> int | None:
    """Return the pid of a Patient the scope sees, None where there is none."""
    sql = f"SELECT r.pid FROM resource r WHERE r.type_id=? AND r.fid=? AND {sight.sql.text}"  # noqa: S608  constants
    pid = tx.session.value(sql, (TYPE_ID["Patient"], fid, *sight.sql.params))
    return None if pid is None else int(pid)


def component(tx: ReadTx, pid: int, sight: Sight) -> Component:
    """Return the person a Patient is of, as far as the scope sees it; nobody where it does not see the Patient."""
    if not visible(tx.session, [pid], sight.sql):
        return Component({}, ())
    pids = sorted({pid, *linked_patients(tx.session, pid, sight.sql)})
    stored = tx.current(pids)
    links = tx.links(pids) if len(pids) > 1 else []
    holding = (link for link in links if link.state in STATES and {link.from_pid, link.to_pid} <= stored.keys())
    return Component({each: stored[each] for each in pids if each in stored}, tuple(holding))


def told(tx: ReadTx, pids: Iterable[int]) -> dict[int, Told]:
    """Return, for Patients, when what they say was told by those whose saying weighs most."""
    return {pid: _told(tx.session.run(_TOLD, (version_id(pid, 0), version_id(pid + 1, 0) - 1))) for pid in pids}


def _told(rows: Sequence[tuple[int, int]]) -> Told:
    by_mode = dict(rows)
    owner = by_mode.get(MODE_ID["replace"])
    return Told(max(by_mode.values(), default=0) if owner is None else owner, owner is not None)
