"""Asks a store and the naive evaluator the same, and compares matches, totals, order, pages and includes."""

import hashlib
import json
from collections import Counter
from typing import Any

from gateway.errors import Category, GatewayError
from gateway.search import extract
from gateway.search.request import Search, parse
from gateway.search.scope import Scope
from gateway.store import index, query
from gateway.store.engine import Store
from gateway.store.index_tables import COLUMNS
from gateway.store.values import NewLink, NewVersion, Op
from tests.oracle.worlds import HIDDEN, Placed, World
from tests.support import naive

Json = dict[str, Any]
Pairs = list[tuple[str, str]]

ZONE = "Asia/Shanghai"
START_US = 1_767_225_600_000_000
SORTS = {"_sort"}


def fill(store: Store, world: World) -> None:
    """Make a store hold a world and nothing else."""
    with store.write() as tx:
        for table in TABLES:
            tx.session.do(f"DELETE FROM {table}")
    with store.write() as tx:
        pids = list(tx.allocate(len(world.placed)))
        tx.put([_version(pid, one) for pid, one in zip(pids, world.placed, strict=True)])
        entries = [_entry(pid, one.body) for pid, one in zip(pids, world.placed, strict=True)]
        index.replace(tx, entries)
        people = {
            one.body["id"]: pid
            for pid, one in zip(pids, world.placed, strict=True)
            if one.body["resourceType"] == "Patient"
        }
        if world.links:
            tx.links_add([NewLink("replaced-by", people[a], people[b], "active", START_US) for a, b in world.links])


TABLES = (
    *(f"search_{kind}" for kind in COLUMNS),
    "link",
    "change",
    "version",
    "resource",
)


def _version(pid: int, one: Placed) -> NewVersion:
    text = json.dumps(one.body).encode()
    return NewVersion(
        pid=pid,
        ver=1,
        type=one.body["resourceType"],
        fid=one.body["id"],
        op=Op.CREATE,
        body=text,
        digest=hashlib.blake2b(text, digest_size=16).digest(),
        site=one.site,
        updated_us=START_US + pid,
        sensitivity=HIDDEN if one.hidden else 0,
    )


def _entry(pid: int, body: Json) -> index.Entry:
    kind = body["resourceType"]
    return (pid, kind, extract.rows(body, kind), True)


def asked(kind: str, pairs: Pairs, counts: Counter) -> Search | None:
    """Return the search, or None where the server says that it does not offer this."""
    try:
        return parse(kind, pairs, ZONE)
    except GatewayError as refused:
        if refused.category != Category.UNSUPPORTED:
            raise
        counts["refused", refused.where] += 1
        return None


def fault(store: Store, world: World, scope: Scope, kind: str, pairs: Pairs, size: int) -> Exception | None:
    """Return what goes wrong with one search of a world, None where nothing does."""
    fill(store, world)
    try:
        judge(store, world, scope, kind, pairs, size, Counter())
    except Exception as found:
        return found
    return None


def judge(store: Store, world: World, scope: Scope, kind: str, pairs: Pairs, size: int, counts: Counter) -> None:
    """Compare one search, page by page, with what the naive evaluator finds in what the scope lets be seen."""
    if asked(kind, pairs, counts) is None:
        return
    seen = world.seen(scope.sites, all_labels=not scope.hidden)
    plain = naive.World(seen, world.links, now=_now())
    wanted = plain.search(kind, pairs)
    told = f"{kind}?{'&'.join('='.join(pair) for pair in pairs)}"
    with store.read() as tx:
        found = _pages(tx, kind, pairs, scope, size)
        total = query.run(tx, parse(kind, [*pairs, ("_summary", "count")], ZONE), scope).total
    listed = [fid for page, _, _ in found for fid in page]
    assert sorted(listed) == sorted(one["id"] for one in wanted), told
    assert total == len(wanted), told
    assert all(len(page) == size for page, _, _ in found[:-1]), told
    _ordered(plain, kind, pairs, listed, told)
    for page, included, _ in found:
        matches = [plain.by_key[kind, fid] for fid in page]
        assert included == plain.included(matches, pairs), (told, page)
    counts["searches"] += 1
    counts["with some, not all"] += 0 < len(wanted) < sum(one["resourceType"] == kind for one in seen)


def _ordered(plain: naive.World, kind: str, pairs: Pairs, listed: list[str], told: str) -> None:
    keys = [key for name, value in pairs if name == "_sort" for key in value.split(",")]
    first: dict[str, str] = {}
    for key in keys:
        first.setdefault(key.removeprefix("-"), key)
    assert naive.in_order([plain.by_key[kind, fid] for fid in listed], list(first.values())), (told, listed)


def _pages(tx: Any, kind: str, pairs: Pairs, scope: Scope, size: int) -> list[tuple[list[str], set[naive.Key], None]]:
    pages, cursor = [], None
    while True:
        page = query.run(tx, parse(kind, [*pairs, ("_count", str(size))], ZONE, cursor), scope)
        included = {(hit.type, hit.fid) for hit in page.includes}
        assert len(included) == len(page.includes)
        pages.append(([hit.fid for hit in page.matches], included, None))
        cursor = page.next
        if cursor is None:
            return pages


def _now() -> int:
    from gateway import clock

    return clock.now_us()
