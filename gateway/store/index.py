"""Writing of the search index: rows of new resources go in, of changed ones only what changed, of deleted ones out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.search import parameters
from gateway.search.extract import Rows
from gateway.search.hashes import hash48, hash64
from gateway.search.kinds.string import LONGEST
from gateway.store.dialect import Kind, Row, Session
from gateway.store.index_tables import COLUMNS, bucket
from gateway.store.tx import Tx
from gateway.store.type_ids import TYPE_ID, type_name
from gateway.store.values import clean

Entry = tuple[int, str, Rows, bool]
"""What to index: pid, type, rows, and whether the resource is new (has no rows yet)."""

Batch = dict[str, list[Row]]
"""Table rows by kind."""

Pids = Mapping[tuple[str, str], int]
"""Pids of (type, id) pairs."""

NOT_OURS = 1 << 62

CLINICAL: dict[str, tuple[str, str, str]] = {
    "Observation": ("subject", "code", "date"),
    "DiagnosticReport": ("subject", "code", "date"),
    "Encounter": ("subject", "class", "date"),
}
"""Types with a row per coding in `search_clinical`: the parameters that give patient, code and moment."""

UNDATED = -NOT_OURS
"""Moment of a resource without one; newest first, it comes last."""

_NARROW = tuple(kind for kind in COLUMNS if kind != "clinical")


def _clinical_params(at: int) -> dict[int, int]:
    """Return id -> type number of the parameters at one place of CLINICAL."""
    return {parameters.for_type(name)[given[at]].id: TYPE_ID[name] for name, given in CLINICAL.items()}


_PATIENTS, _CODES, _MOMENTS = (_clinical_params(at) for at in range(3))


def target(type_of: str, fid: str, pids: Pids) -> int:
    """Return what stands for a reference in the index: the pid of ours, a negative hash of anything else."""
    return pids.get((type_of, fid)) or unknown_target(type_of, fid)


def unknown_target(type_of: str, fid: str) -> int:
    """Return the negative hash of a reference to what was not stored yet, or is not ours."""
    return -1 - (hash64(f"{type_of}/{fid}" if type_of else fid) & (NOT_OURS - 1))


def replace(tx: Tx, entries: Sequence[Entry], known: Pids | None = None) -> None:
    """Make the index of these resources equal to their rows, in bulk.

    `known` gives pids of (type, id) pairs the caller has at hand, so that fewer are looked up; resources of the same
    transaction must be written before their references are indexed.
    """
    pids = _pids(tx.session, entries, known or {})
    new = batch([entry for entry in entries if entry[3]], pids)
    for kind, rows in new.items():
        _insert(tx.session, kind, rows)
    changed = [entry for entry in entries if not entry[3]]
    if changed:
        _rewrite(tx.session, _held(tx.session, [entry[0] for entry in changed]), batch(changed, pids))


def remove(tx: Tx, pids: Iterable[int]) -> None:
    """Take resources out of the index."""
    _rewrite(tx.session, _held(tx.session, list(pids)), {kind: [] for kind in COLUMNS})


def renew(tx: Tx, entries: Sequence[Entry]) -> int:
    """Make the index of stored resources right, whatever it holds of them; return how many rows that changed."""
    held, wanted = _held(tx.session, [entry[0] for entry in entries]), batch(entries, _pids(tx.session, entries, {}))
    held["clinical"] = _present(tx.session, {*held["clinical"], *wanted["clinical"]})
    return _rewrite(tx.session, held, wanted)


def stored(tx: Tx, *pids: int) -> Batch:
    """Return the rows the index holds of resources, by kind; for fsck and tests.

    Of clinical rows those are asked for that the others imply; where one is missing, it is not among the answers.
    """
    held = _held(tx.session, list(pids))
    return held | {"clinical": _present(tx.session, set(held["clinical"]))}


def _present(session: Session, clinical: set[Row]) -> list[Row]:
    """Return those of some clinical rows that there are."""
    key: list[tuple[str, Kind]] = [(column, "int") for column in COLUMNS["clinical"]]
    asked = f"SELECT {','.join(COLUMNS['clinical'])} FROM search_clinical"  # noqa: S608  constants
    return session.keyed(asked, tuple(key), clinical)


def _pids(session: Session, entries: Sequence[Entry], known: Pids) -> Pids:
    wanted = {(type_of, fid) for entry in entries for _, type_of, fid in entry[2].reference}
    wanted |= {row[1] for entry in entries for row in entry[2].composite if len(row[1]) == 2}
    unknown = [(TYPE_ID[key[0]], key[1]) for key in wanted if key not in known and key[0] in TYPE_ID]
    if not unknown:
        return known
    rows = session.keyed("SELECT type_id, fid, pid FROM resource", (("type_id", "int"), ("fid", "text")), unknown)
    return {**known, **{(type_name(type_id), fid): pid for type_id, fid, pid in rows}}


def batch(entries: Sequence[Entry], pids: Pids) -> Batch:
    """Return the table rows of resources, by kind."""
    made: Batch = {kind: [] for kind in COLUMNS}
    made["token"] = [
        (pid, param, code, system)
        for pid, _, rows, _ in entries
        for param, code, _, _, system, exact in rows.token
        if exact is None
    ]
    made["identifier"] = [
        (pid, param, clean(exact)[:LONGEST], system)
        for pid, _, rows, _ in entries
        for param, _, _, _, system, exact in rows.token
        if exact is not None
    ]
    find = pids.get
    made["reference"] = [
        (pid, param, find((type_of, fid)) or unknown_target(type_of, fid))
        for pid, _, rows, _ in entries
        for param, type_of, fid in rows.reference
    ]
    made["date"] = [(pid, *row) for pid, _, rows, _ in entries for row in rows.date]
    made["quantity"] = [
        (pid, param, bucket(low), low, high, hash48(unit), hash48(system))
        for pid, _, rows, _ in entries
        for param, low, high, system, unit in rows.quantity
    ]
    for pid, _, rows, _ in entries:
        _rare(pid, rows, pids, made)
    made["clinical"] = _clinical(made)
    return made


def _rare(pid: int, rows: Rows, pids: Pids, made: Batch) -> None:
    """Append the rows of kinds that most messages have few of."""
    if rows.string:
        made["string"] += [(pid, param, clean(folded), clean(exact)) for param, folded, exact in rows.string]
    if rows.uri:
        made["uri"] += [(pid, param, clean(value)[:LONGEST]) for param, value in rows.uri]
    if rows.number:
        made["number"] += [(pid, param, low, high) for param, low, high in rows.number]
    if rows.composite:
        made["composite"] += [_pair(pid, row, pids) for row in rows.composite]


def _pair(pid: int, row: Any, pids: Pids) -> Row:
    param, first, second = row
    left = (target(first[0], first[1], pids), 0) if len(first) == 2 else (first[0], first[3])
    if isinstance(second[0], int):  # a token; its code takes the place of a unit
        return (pid, param, *left, 0.0, 0.0, second[0], second[3])
    low, high, system, unit = second
    return (pid, param, *left, low, high, hash48(unit), hash48(system))


def _clinical(narrow: Batch) -> list[Row]:
    """Return the clinical rows that narrow rows imply: one for each code of a resource that has a patient."""
    patients = {pid: target for pid, param, target in narrow["reference"] if param in _PATIENTS}
    moments: dict[int, int] = {}
    for pid, param, low, _ in narrow["date"]:
        if param in _MOMENTS:
            moments[pid] = max(low, moments.get(pid, low))
    return [
        (_CODES[param], patients[pid], code, moments.get(pid, UNDATED), pid)
        for pid, param, code, _ in narrow["token"]
        if param in _CODES and pid in patients
    ]


def _insert(session: Session, kind: str, rows: list[Row]) -> None:
    if not rows:
        return
    if session.name == "sqlite":  # a code twice in one resource is one row; here ignoring it costs nothing
        session.insert_new(f"search_{kind}", COLUMNS[kind], rows)
    else:
        session.insert(f"search_{kind}", COLUMNS[kind], list(dict.fromkeys(rows)))


def _rewrite(session: Session, held: Batch, wanted: Batch) -> int:
    """Delete rows no longer wanted, insert those not held yet, and return how many these were."""
    changed = 0
    for kind, rows in wanted.items():
        before, after = set(held[kind]), set(rows)
        where = " AND ".join(f"{column}=?" for column in COLUMNS[kind])
        session.many(f"DELETE FROM search_{kind} WHERE {where}", sorted(before - after))  # noqa: S608  constants
        _insert(session, kind, sorted(after - before))
        changed += len(before ^ after)
    return changed


def _held(session: Session, pids: list[int]) -> Batch:
    keys = [(pid,) for pid in pids]
    held = {
        kind: session.keyed(
            f"SELECT {','.join(COLUMNS[kind])} FROM search_{kind}",  # noqa: S608  constants
            (("pid", "int"),),
            keys,
        )
        for kind in _NARROW
    }
    return held | {"clinical": _clinical(held)}
