"""Profiles, tags and security labels in use: for each a resource that bears it, found by skipping through the index."""

from collections.abc import Iterable, Iterator

from gateway.search import parameters
from gateway.store.hits import Sight
from gateway.store.resources import ResourceReads

_NAMES = ("_profile", "_tag", "_security")
_LEAST = -(1 << 63)
_COLUMNS = {
    "token": (("code", "system"), (_LEAST, _LEAST)),
    "uri": (("value",), ("",)),
}


def bearers(tx: ResourceReads, kinds: Iterable[str], sight: Sight, most: int) -> list[int]:
    """Return pids of resources of some types that together bear every label in use there, `most` labels at most."""
    found: dict[int, None] = {}
    labels = 0
    for kind in kinds:
        for name in _NAMES:
            for pid in _each(tx, parameters.for_type(kind)[name], sight):
                found[pid] = None
                labels += 1
                if labels >= most:
                    return list(found)
    return list(found)


def _each(tx: ResourceReads, parameter: parameters.Parameter, sight: Sight) -> Iterator[int]:
    """Yield the pid of a resource the scope sees for each value of a parameter."""
    names, last = _COLUMNS[parameter.kind]
    columns = ",".join(f"t.{name}" for name in names)
    marks = ",".join("?" * len(names))
    sql = (
        f"SELECT {columns}, t.pid FROM search_{parameter.kind} t CROSS JOIN resource r"  # noqa: S608  constants
        f" WHERE t.param=? AND ({columns}) > ({marks}) AND r.pid=t.pid AND {sight.sql.text} ORDER BY {columns} LIMIT 1"
    )
    while row := tx.session.one(sql, (parameter.id, *last, *sight.sql.params)):
        *values, pid = row
        last = tuple(values)
        yield pid
