"""Resources and their versions: heads, bodies, history, and the bulk write of new versions."""

from collections.abc import Iterable, Sequence
from typing import Any

from gateway.search.scope import Scope
from gateway.store.bodies import pack, unpack
from gateway.store.dialect import Kind, Row
from gateway.store.failures import Conflict
from gateway.store.names import Interning
from gateway.store.tx import Tx
from gateway.store.type_ids import TYPE_ID, type_name
from gateway.store.values import MODE_ID, MODES, VERSION_BITS, Head, NewVersion, Op, Stored, version_id

_RESOURCE = (
    "pid",
    "type_id",
    "fid",
    "ver",
    "updated_us",
    "deleted",
    "site_id",
    "patient_pid",
    "sensitivity",
    "source_us",
    "mode",
    "item_id",
    "mapping_id",
    "seq",
    "digest",
    "test",
)
_VERSION = (
    "vid",
    "op",
    "updated_us",
    "seq",
    "item_id",
    "mapping_id",
    "mode",
    "source_us",
    "actor",
    "reason",
    "body",
)
_CHANGE = ("seq", "vid", "type_id")
_CHANGING = tuple(name for name in _RESOURCE if name not in ("pid", "type_id", "fid"))
_FID: tuple[tuple[str, Kind], ...] = (("type_id", "int"), ("fid", "text"))

_HEAD = f"SELECT {','.join(_RESOURCE)} FROM resource"  # noqa: S608  constants
SELECT_STORED = (
    "SELECT r.pid, r.type_id, r.fid, r.site_id, r.patient_pid, r.sensitivity, r.test, v.vid & 16777215, v.op,"
    " v.updated_us, v.seq, v.item_id, v.mapping_id, v.mode, v.source_us, v.actor, v.reason, v.body"
)
_STORED = f"{SELECT_STORED} FROM resource r"
_CURRENT = f"{_STORED} JOIN version v ON v.vid = (r.pid << 24 | r.ver)"
_READ = f"{_CURRENT} WHERE r.type_id=? AND r.fid=?"
_ANY_VERSION = f"{_STORED} JOIN version v ON v.vid = ? WHERE r.pid=?"
_HISTORY = f"{_STORED} JOIN version v ON v.vid BETWEEN ? AND ? WHERE r.pid=? ORDER BY v.vid DESC LIMIT ?"  # constants
_UPDATE = f"UPDATE resource SET {','.join(f'{name}=?' for name in _CHANGING)} WHERE pid=? AND ver=? AND seq<?"  # noqa: S608


class ResourceReads(Tx):
    """Questions about resources."""

    def heads(self, refs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Head]:
        """Return the heads of (type, id) pairs, deleted ones too; unknown ones are left out."""
        rows = self.session.keyed(_HEAD, _FID, [(TYPE_ID[kind], fid) for kind, fid in refs])
        heads = [_head(row, self.names) for row in rows]
        return {(head.type, head.fid): head for head in heads}

    def heads_by_pid(self, pids: Iterable[int]) -> dict[int, Head]:
        """Return the heads of these pids; unknown ones are left out."""
        rows = self.session.keyed(_HEAD, (("pid", "int"),), [(pid,) for pid in pids])
        return {row[0]: _head(row, self.names) for row in rows}

    def last_item(self, pid: int) -> int:
        """Return the newest item that told of a resource, 0 where clients alone did."""
        first, last = version_id(pid, 0), version_id(pid + 1, 0) - 1
        sql = "SELECT item_id FROM version WHERE vid BETWEEN ? AND ? AND +item_id IS NOT NULL ORDER BY vid DESC LIMIT 1"
        return int(self.session.value(sql, (first, last)) or 0)

    def current(self, pids: Iterable[int]) -> dict[int, Stored]:
        """Return the current versions, with bodies, of these pids."""
        rows = self.session.keyed(_CURRENT, (("pid", "int"),), [(pid,) for pid in pids])
        return {row[0]: stored_of(row, self.names) for row in rows}

    def bodies(self, versions: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
        """Return the texts of (pid, version) pairs; deletions and unknown ones are left out."""
        wanted = {version_id(*pair): pair for pair in versions}
        rows = self.session.keyed("SELECT vid, body FROM version", (("vid", "int"),), [(vid,) for vid in wanted])
        return {wanted[vid]: unpack(body) for vid, body in rows if body is not None}

    def versions_of_item(self, item_id: int) -> list[Stored]:
        """Return every version an item made, in the order written."""
        rows = self.session.run(
            f"{_STORED} JOIN version v ON r.pid = v.vid >> 24 WHERE v.item_id=? ORDER BY v.seq", (item_id,)
        )
        return [stored_of(row, self.names) for row in rows]

    def read(self, kind: str, fid: str, scope: Scope) -> Stored | None:
        """Return the current version (a deletion too) if the scope may see it."""
        return _seen(self._stored_rows(_READ, (TYPE_ID[kind], fid)), scope)

    def vread(self, kind: str, fid: str, ver: int, scope: Scope) -> Stored | None:
        """Return one version if the scope may see the resource."""
        pid = self._pid(kind, fid)
        return None if pid is None else _seen(self._stored_rows(_ANY_VERSION, (version_id(pid, ver), pid)), scope)

    def history(self, kind: str, fid: str, scope: Scope, count: int = 50, before: int = 0) -> list[Stored]:
        """Return versions newest first, `before` a version number (0: from the newest)."""
        pid = self._pid(kind, fid)
        if pid is None:
            return []
        last = version_id(pid, before) - 1 if before else version_id(pid + 1, 0) - 1
        found = self._stored_rows(_HISTORY, (version_id(pid, 0), last, pid, count))
        return [version for version in found if visible(version, scope)]

    def last_pid(self) -> int:
        """Return the newest pid, 0 in an empty store."""
        return int(self.session.value("SELECT coalesce(max(pid), 0) FROM resource"))

    def count_resources(self, last: int | None = None) -> int:
        """Return how many resources there are, deleted ones too; with `last` only those up to that pid."""
        where = "" if last is None else " WHERE pid <= ?"
        return int(self.session.value(f"SELECT count(*) FROM resource{where}", () if last is None else (last,)))  # noqa: S608

    def versions(self, pid: int) -> list[Stored]:
        """Return every version of a resource, oldest first; for replay and maintenance, without a scope."""
        rows = self._stored_rows(_HISTORY, (version_id(pid, 0), version_id(pid + 1, 0) - 1, pid, 1 << VERSION_BITS))
        return rows[::-1]

    def _pid(self, kind: str, fid: str) -> int | None:
        pid = self.session.value("SELECT pid FROM resource WHERE type_id=? AND fid=?", (TYPE_ID[kind], fid))
        return None if pid is None else int(pid)

    def _stored_rows(self, sql: str, params: Sequence[Any]) -> list[Stored]:
        return [stored_of(row, self.names) for row in self.session.run(sql, params)]


class ResourceWrites(ResourceReads):
    """Changes of resources; the engine gives pids and change numbers."""

    def allocate(self, count: int) -> Sequence[int]:
        """Return `count` new pids in rising order."""
        raise NotImplementedError

    def hold_resources(self, after: int, count: int) -> list[int]:
        """Return the next pids after one, and keep other writers off these resources to the end of the transaction."""
        lock = " FOR UPDATE" if self.session.name == "postgresql" else ""
        sql = f"SELECT pid FROM resource WHERE pid > ? ORDER BY pid LIMIT ?{lock}"  # noqa: S608  constants
        return [pid for (pid,) in self.session.run(sql, (after, count))]

    def next_seqs(self, count: int) -> range:
        """Return the next `count` change numbers."""
        raise NotImplementedError

    def lock_heads(self, refs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Head]:
        """Return heads as `heads` does, and let no other transaction change them before the end of this one."""
        if self.session.name == "sqlite":  # one writer is alone
            return self.heads(refs)
        wanted = [(TYPE_ID[kind], fid) for kind, fid in refs]
        rows = self.session.keyed(_HEAD, _FID, wanted, "true ORDER BY resource.pid FOR UPDATE OF resource")
        heads = [_head(row, self.names) for row in rows]
        return {(head.type, head.fid): head for head in heads}

    def put(self, versions: Sequence[NewVersion]) -> range:
        """Write versions, move the heads and enter them in the outbox, all in bulk; return their change numbers.

        Raises Conflict where another writer took the id or the version first.
        """
        if not versions:
            return range(0)
        seqs = self.next_seqs(len(versions))
        heads, rows = _rows(versions, seqs, self.names)
        self._put_heads(heads)
        self.session.insert("version", _VERSION, rows)
        types = [TYPE_ID[new.type] for new in versions]
        self.session.insert("change", _CHANGE, [(row[3], row[0], kind) for row, kind in zip(rows, types, strict=True)])
        return seqs

    def _put_heads(self, heads: list[Row]) -> None:
        self.session.insert("resource", _RESOURCE, [head for head in heads if head[3] == 1])
        moved = [(*head[3:], head[0], head[3] - 1, head[13]) for head in heads if head[3] > 1]
        if self.session.many(_UPDATE, moved) != len(moved):
            raise Conflict("Another writer changed one of these resources first. Read again and retry.")


def visible(stored: Stored | Head, scope: Scope) -> bool:
    """Say whether a scope may see a resource: site, sensitivity and test partition."""
    in_sites = scope.sites is None or stored.site in scope.sites
    return in_sites and not stored.sensitivity & scope.hidden and stored.test == scope.test


def _seen(found: list[Stored], scope: Scope) -> Stored | None:
    return found[0] if found and visible(found[0], scope) else None


def _rows(versions: Sequence[NewVersion], seqs: range, names: Interning) -> tuple[list[Row], list[Row]]:
    """Return the rows of `resource` and `version`; one flat loop, because every resource of the gateway passes it."""
    heads: list[Row] = []
    rows: list[Row] = []
    sites = {site: names.number("site", site) for site in {new.site for new in versions}}
    for new, seq in zip(versions, seqs, strict=True):
        (pid, ver, kind, fid, op, body, digest, site, updated, patient, hidden, source, mode, item, mapping) = new[:15]
        actor, reason, test = new[15:]
        mode_id = MODE_ID[mode]
        who = (pid, TYPE_ID[kind], fid, ver, updated, int(op == 3), sites[site], patient, hidden)
        heads.append((*who, source, mode_id, item, mapping, seq, digest, int(test)))
        packed = None if body is None else pack(body)
        rows.append((pid << 24 | ver, int(op), updated, seq, item, mapping, mode_id, source, actor, reason, packed))
    return heads, rows


def _head(row: Row, names: Interning) -> Head:
    pid, type_id, fid, ver, updated, deleted, site_id, patient, sensitivity, source, mode, *rest = row
    item_id, mapping_id, seq, digest, test = rest
    return Head(
        pid,
        type_name(type_id),
        fid,
        ver,
        updated,
        bool(deleted),
        names.name("site", site_id),
        patient,
        sensitivity,
        source,
        MODES[mode],
        item_id,
        mapping_id,
        seq,
        digest,
        bool(test),
    )


def stored_of(row: Row, names: Interning) -> Stored:
    """Return the version a row of `SELECT_STORED` tells of."""
    pid, type_id, fid, site_id, patient, sensitivity, test, ver, op, *rest = row
    updated, seq, item_id, mapping_id, mode, source, actor, reason, body = rest
    return Stored(
        pid,
        type_name(type_id),
        fid,
        names.name("site", site_id),
        patient,
        sensitivity,
        bool(test),
        ver,
        Op(op),
        updated,
        seq,
        item_id,
        mapping_id,
        MODES[mode],
        source,
        actor,
        reason,
        b"" if body is None else unpack(body),
    )
