"""Includes: the resources that matches refer to or are referred to by, each once, as far as the scope sees them.

References are read off the index; a resource's text is read only where one of them names a version, which the index
does not keep.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from gateway.fhir.issues import Issue
from gateway.search import parameters
from gateway.search.include import Include, Literal, literals, pointing, references
from gateway.search.parameters import Parameter
from gateway.store.hits import Hits, Sight, StoredHit, current, named, present_types
from gateway.store.index import unknown_target
from gateway.store.predicates import in_list
from gateway.store.resources import ResourceReads
from gateway.store.type_ids import TYPE_ID

_CHUNK = 128
_VERSIONED = b"/_history/"
_TARGETS = "SELECT pid, param, target FROM search_reference"
_LATE = "SELECT hash, pid FROM unstored u JOIN resource r ON r.type_id=u.type_id AND r.fid=u.fid"

Wanted = dict[int | Literal, frozenset[str] | None]
"""What to fetch, a pid or a version by name -> the types it may be of (None any)."""


class Included(NamedTuple):
    """Included resources, and what the client is told of what was left out."""

    hits: list[StoredHit]
    notes: tuple[Issue, ...] = ()


def follow(
    tx: ResourceReads, includes: Sequence[Include], matches: Hits, sight: Sight, most: int, rounds: int
) -> Included:
    """Return what includes lead to from the matches: at most `most` resources, `:iterate` at most `rounds` times."""
    desk = _Desk(tx, sight, most, matches)
    layer, asked = matches, includes
    for _ in range(rounds + 1):
        layer = desk.round(asked, layer)
        asked = [each for each in includes if each.iterate]
        if desk.full or not layer or not asked:
            break
    else:
        text = f"_include:iterate was followed {rounds} times; what lies further on was left out."
        return Included(desk.hits, (Issue("warning", "incomplete", text, "_include"),))
    return Included(desk.hits, (cut(most),) if desk.full else ())


def cut(most: int) -> Issue:
    """Return what a client is told whose includes were cut at a number."""
    text = (
        f"Only {most} resources were included; others that _include or _revinclude asked for were left out. "
        "Ask for a smaller page (_count), or search for them by themselves."
    )
    return Issue("warning", "incomplete", text, "_include")


class _Desk:
    """What was gathered so far."""

    def __init__(self, tx: ResourceReads, sight: Sight, most: int, matches: Hits) -> None:
        self.tx = tx
        self.sight = sight
        self.most = most
        self.seen = {(pid, hit.ver) for pid, hit in matches.items()}
        self.current = set(matches)
        self.hits: list[StoredHit] = []
        self.full = False

    def round(self, asked: Sequence[Include], layer: Hits) -> Hits:
        """Take in what one following of the references of a layer leads to; return what is new."""
        fresh = self._fetched(self._forward([each for each in asked if not each.reverse], layer))
        for each in asked:
            if each.reverse and not self.full:
                fresh |= self._fetched(self._reverse(each, layer))
        return fresh

    # --- what the resources refer to ---

    def _forward(self, asked: Sequence[Include], layer: Hits) -> Wanted:
        wanted: Wanted = {}
        if not asked:
            return wanted
        targets: dict[int, list[tuple[int, int]]] = {}
        rows = self.tx.session.keyed(_TARGETS, (("pid", "int"),), [(pid,) for pid in layer])
        late = self._late({target for _, _, target in rows if target < 0})
        for pid, param, target in rows:
            known = target if target > 0 else late.get(target)
            if known is not None:
                targets.setdefault(pid, []).append((param, known))
        for pid, hit in layer.items():
            for each in asked:
                if each.type in ("", hit.type):
                    self._from(hit, each, targets.get(pid, []), wanted)
        return wanted

    def _late(self, hashes: set[int]) -> dict[int, int]:
        """Return hash -> pid of targets that were stored after what refers to them."""
        return dict(self.tx.session.keyed(_LATE, (("hash", "int"),), [(one,) for one in hashes])) if hashes else {}

    def _from(self, hit: StoredHit, asked: Include, rows: list[tuple[int, int]], wanted: Wanted) -> None:
        followed = references(hit.type) if asked.parameter is None else [asked.parameter]
        params = {stored.id for parameter in followed for stored in parameters.stored(parameter)}
        found = [target for param, target in rows if param in params]
        types = _types(asked)
        if found and _VERSIONED in hit.body:
            self._by_text(hit, followed, types, wanted)
        else:
            for target in found:
                _want(wanted, target, types)

    def _by_text(
        self, hit: StoredHit, followed: Sequence[Parameter], types: frozenset[str] | None, wanted: Wanted
    ) -> None:
        found = list(dict.fromkeys(literals(msgspec.json.decode(hit.body), followed)))
        plain = [(TYPE_ID[each.type], each.fid) for each in found if each.ver is None]
        keys: Any = (("type_id", "int"), ("fid", "text"))
        for _, _, pid in self.tx.session.keyed("SELECT type_id, fid, pid FROM resource", keys, plain):
            _want(wanted, pid, types)
        for each in found:
            if each.ver is not None:
                _want(wanted, each, types)

    # --- what refers to them ---

    def _reverse(self, asked: Include, layer: Hits) -> Wanted:
        room = self.most - len(self.hits) + 1
        return dict.fromkeys(islice(self._pointing(asked, layer), room))

    def _pointing(self, asked: Include, layer: Hits) -> Iterator[int]:
        """Yield the pids of visible resources that refer to those of a layer and were not taken in yet, each once."""
        told: set[int] = set()
        for pid, hit in layer.items():
            params = self._params(asked, hit.type)
            for target in (pid, unknown_target(hit.type, hit.fid)) if params else ():
                for one in self._referring(params, target):
                    if one not in self.current and one not in told:
                        told.add(one)
                        yield one

    def _params(self, asked: Include, target: str) -> list[int]:
        """Return the parameters by which an instruction looks for what refers to resources of a type."""
        if asked.target not in ("", target):
            return []
        if asked.parameter is not None:
            fits = asked.parameter.only in ("", target)
            return [each.id for each in parameters.stored(asked.parameter)] if fits else []
        types = [asked.type] if asked.type else sorted(present_types(self.tx))
        return [each.id for type_name_ in types for each in pointing(type_name_, target)]

    def _referring(self, params: Sequence[int], target: int) -> Iterator[int]:
        """Yield visible resources that refer to a target, newest first, a chunk read at a time."""
        before = 1 << 62
        any_of_them = in_list("t.param", params)
        sql = (
            f"SELECT DISTINCT t.pid FROM search_reference t CROSS JOIN resource r WHERE {any_of_them.text}"  # noqa: S608
            f" AND t.target=? AND t.pid<? AND r.pid=t.pid AND {self.sight.sql.text} ORDER BY t.pid DESC LIMIT ?"
        )
        while True:
            given = (*any_of_them.params, target, before, *self.sight.sql.params, _CHUNK)
            rows = self.tx.session.run(sql, given)
            yield from (pid for (pid,) in rows)
            if len(rows) < _CHUNK:
                return
            before = rows[-1][0]

    # --- their texts ---

    def _fetched(self, wanted: Wanted) -> Hits:
        fresh: Hits = {}
        for pid, hit in self._read(wanted):
            if (pid, hit.ver) in self.seen:
                continue
            if len(self.hits) == self.most:
                self.full = True
                break
            self.seen.add((pid, hit.ver))
            self.hits.append(hit)
            fresh[pid] = hit
        return fresh

    def _read(self, wanted: Wanted) -> Iterator[tuple[int, StoredHit]]:
        """Yield visible resources of the types asked for, reading no more of them than are taken."""
        pids = iter([each for each in wanted if isinstance(each, int) and each not in self.current])
        while chunk := list(islice(pids, _CHUNK)):
            for pid, hit in current(self.tx, chunk, self.sight).items():
                types = wanted[pid]
                if types is None or hit.type in types:
                    self.current.add(pid)
                    yield pid, hit
        for each, types in wanted.items():
            if isinstance(each, Literal) and (types is None or each.type in types):
                found = named(self.tx, each.type, each.fid, each.ver or 0, self.sight)
                if found is not None:
                    yield found


def _want(wanted: Wanted, one: int | Literal, types: frozenset[str] | None) -> None:
    before = wanted.get(one, frozenset())
    wanted[one] = None if types is None or before is None else before | types


def _types(asked: Include) -> frozenset[str] | None:
    """Return the types an instruction leads to, None for any."""
    only = asked.parameter.only if asked.parameter else ""
    named_types = {each for each in (asked.target, only) if each}
    return frozenset(named_types if len(named_types) == 1 else ()) if named_types else None
