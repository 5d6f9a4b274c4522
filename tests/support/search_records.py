"""Resources put into a store with their index, as the record does it, and the naive search that tests compare with."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from gateway.search import extract, parameters
from gateway.search.criteria import Criterion
from gateway.search.request import Search
from gateway.store import index
from gateway.store.engine import Store
from gateway.store.values import NewVersion, Op

Json = dict[str, Any]
START_US = 1_767_225_600_000_000


def put(store: Store, *resources: Json, site: str = "h1", sensitivity: int = 0, test: bool = False) -> list[int]:
    """Create resources of one site in one transaction; return their pids."""
    with store.write() as tx:
        pids = list(tx.allocate(len(resources)))
        versions = [
            NewVersion(
                pid=pid,
                ver=1,
                type=body["resourceType"],
                fid=body["id"],
                op=Op.CREATE,
                body=json.dumps(body).encode(),
                digest=hashlib.blake2b(json.dumps(body).encode(), digest_size=16).digest(),
                site=site,
                updated_us=START_US + pid,
                sensitivity=sensitivity,
                test=test,
            )
            for pid, body in zip(pids, resources, strict=True)
        ]
        tx.put(versions)
        index.replace(tx, [entry(pid, body) for pid, body in zip(pids, resources, strict=True)])
    return pids


def change(store: Store, pid: int, ver: int, body: Json, site: str = "h1") -> None:
    """Write the next version of a resource."""
    text = json.dumps(body).encode()
    version = NewVersion(
        pid=pid,
        ver=ver,
        type=body["resourceType"],
        fid=body["id"],
        op=Op.UPDATE,
        body=text,
        digest=hashlib.blake2b(text, digest_size=16).digest(),
        site=site,
        updated_us=START_US + 1_000_000 + pid,
    )
    with store.write() as tx:
        tx.put([version])
        index.replace(tx, [entry(pid, body, new=False)])


def entry(pid: int, body: Json, *, new: bool = True) -> index.Entry:
    """Return what `index.replace` takes for a resource."""
    kind = body["resourceType"]
    return (pid, kind, extract.rows(body, kind), new)


def naive(search: Search, resources: Iterable[Json]) -> list[str]:
    """Return the ids of the resources that satisfy every criterion, by looking at each one's rows."""
    mine = [body for body in resources if body["resourceType"] == search.type]
    return [body["id"] for body in mine if all(satisfied(each, body) for each in search.criteria)]


def satisfied(criterion: Criterion, body: Json) -> bool:
    """Evaluate one criterion on one resource."""
    if criterion.parameter.kind == "composite" and extract.whole(criterion.parameter):
        if criterion.missing is not None:
            parts = all(satisfied(Criterion(part, missing=False), body) for part in _parts(criterion))
            return (parts or bool(rows_of(criterion, body))) != criterion.missing
        return any(_together(criterion, value, body) for value in criterion.values)
    by_id = criterion.parameter.name == "_id"
    held = [(0, 0, "", body["id"], 0, None)] if by_id else rows_of(criterion, body)
    if criterion.missing is not None:
        return bool(held) != criterion.missing
    found = any(value.matches(row) for value in criterion.values for row in held)
    return found != criterion.negated


def _together(criterion: Criterion, value: Any, body: Json) -> bool:
    """A composite over the resource itself is its parts at once; one over components too needs its own rows."""
    pairs = zip(_parts(criterion), value.parts, strict=True)
    whole = all(satisfied(Criterion(part, (one,)), body) for part, one in pairs)
    return whole or any(value.matches(row) for row in rows_of(criterion, body))


def _parts(criterion: Criterion) -> list[parameters.Parameter]:
    names = parameters.for_type(criterion.parameter.type)
    roots = {"combo-code": "code", "combo-value-quantity": "value-quantity", "combo-value-concept": "value-concept"}
    return [names[roots.get(part.name, part.name)] for part in criterion.parameter.components]


def rows_of(criterion: Criterion, body: Json) -> list[Any]:
    """Return the rows a criterion's parameter has in a resource, whichever parameters hold them."""
    parameter = criterion.parameter
    rows = extract.rows(body, parameter.type)
    ids = {each.id for each in parameters.stored(parameter)}
    held = [row for row in getattr(rows, parameter.kind) if row[0] in ids]
    return [row for row in held if not parameter.only or row[1] == parameter.only]
