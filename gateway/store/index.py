"""Writing of the search index: rows of new resources go in, of changed ones only what changed, of deleted ones out."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from gateway.search import parameters
from gateway.search.extract import Rows
from gateway.search.hashes import hash48, hash64
from gateway.search.kinds.string import exactly
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

INTERNED = frozenset({"_profile"})
"""Parameters of addresses that many resources share: they stand in `search_token` by hash, and in `code` as text."""

_NARROW = tuple(kind for kind in COLUMNS if kind != "clinical")


def _clinical_params(at: int) -> dict[int, int]:
    """Return id -> type number of the parameters at one place of CLINICAL."""
    return {parameters.for_type(name)[given[at]].id: TYPE_ID[name] for name, given in CLINICAL.items()}


_PATIENTS, _CODES, _MOMENTS = (_clinical_params(at) for at in range(3))
_INTERNED = {parameters.for_type(kind)[name].id for kind in parameters.types() for name in INTERNED}
_hash = lru_cache(maxsize=16384)(hash64)


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
    _note(tx, entries, pids)
    changed = [entry for entry in entries if not entry[3]]
    if changed:
        _rewrite(tx.session, _held(tx.session, [entry[0] for entry in changed]), batch(changed, pids))


def remove(tx: Tx, pids: Iterable[int]) -> None:
    """Take resources out of the index."""
    _rewrite(tx.session, _held(tx.session, list(pids)), {kind: [] for kind in COLUMNS})


def renew(tx: Tx, entries: Sequence[Entry]) -> int:
    """Make the index of stored resources right, whatever it holds of them; return how many rows that changed."""
    pids = _pids(tx.session, entries, {})
    _note(tx, entries, pids)
    held, wanted = _held(tx.session, [entry[0] for entry in entries]), batch(entries, pids)
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
    tokens = _tokens(entries)
    made["token"] = _once(tokens)
    made["identifier"] = _once(
        [
            (pid, param, exactly(clean(exact)), system, mark)
            for pid, _, rows, _ in entries
            for param, _, _, _, system, exact, _, mark in rows.token
            if exact is not None
        ]
    )
    made["text"] = [(pid, param, _hash(folded)) for pid, _, rows, _ in entries for param, folded in rows.text]
    if len(made["token"]) < len(tokens):
        made["text"] += _other_words(entries)
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


def _tokens(entries: Sequence[Entry]) -> list[Row]:
    """Return the rows of codes and of shared addresses, in the order in which they stand on disk."""
    made: list[Row] = []
    for pid, _, rows, _ in entries:
        made += [(pid, row[0], row[1], row[4], row[7]) for row in rows.token if row[5] is None]
        if rows.uri:
            made += [(pid, param, _hash(value), 0, 0) for param, value in rows.uri if param in _INTERNED]
    return made


def _once(rows: list[Row]) -> list[Row]:
    """Return rows with the first of those that differ in their mark only: that is beside the key."""
    if len({row[:-1] for row in rows}) == len(rows):
        return rows
    return list({row[:-1]: row for row in reversed(rows)}.values())[::-1]


def _other_words(entries: Sequence[Entry]) -> list[Row]:
    """Return the rows of further texts of a code that a resource has several times."""
    made: dict[Row, None] = {}
    for pid, _, rows, _ in entries:
        first: dict[Any, str] = {}
        for row in rows.token:
            if row[5] is None and first.setdefault(row[:5], row[6]) != row[6] and row[6]:
                made[pid, row[0], _hash(row[6])] = None
    return list(made)


def _note(tx: Tx, entries: Sequence[Entry], pids: Pids) -> None:
    """Keep what hashes in rows mean: codes, what they are called, addresses, units, references to what is missing."""
    seen = [row for _, _, rows, _ in entries for row in rows.token if row[5] is None]
    told = {row[4] for _, _, rows, _ in entries for row in rows.quantity}
    told |= {folded for _, _, rows, _ in entries for _, folded in rows.text}
    told |= {value for _, _, rows, _ in entries for param, value in rows.uri if param in _INTERNED}
    told.discard("")
    new = tx.names.unnoted(seen)
    texts = {row[3] for row in new} | {row[6] for row in new if row[6]} | tx.names.unnoted(told)
    tx.session.insert_new("code", ("hash", "text"), sorted((hash64(one), exactly(clean(one))) for one in texts))
    called = {(row[0], hash64(row[6]), row[1], row[4]) for row in new if row[6]}
    tx.session.insert_new("display", ("param", "words", "code", "system"), sorted(called))
    _unstored(tx, entries, pids)


def _unstored(tx: Tx, entries: Sequence[Entry], pids: Pids) -> None:
    missing = {(kind, fid) for entry in entries for _, kind, fid in entry[2].reference if (kind, fid) not in pids}
    new = tx.names.unnoted((unknown_target(*key), TYPE_ID[key[0]], key[1]) for key in missing if key[0] in TYPE_ID)
    tx.session.insert_new("unstored", ("hash", "type_id", "fid"), sorted(new))


def _rare(pid: int, rows: Rows, pids: Pids, made: Batch) -> None:
    """Append the rows of kinds that most messages have few of."""
    if rows.string:
        made["string"] += [(pid, param, clean(folded), clean(exact)) for param, folded, exact in rows.string]
    if rows.uri:
        made["uri"] += [(pid, param, exactly(clean(value))) for param, value in rows.uri if param not in _INTERNED]
    if rows.number:
        made["number"] += [(pid, param, low, high) for param, low, high in rows.number]
    if rows.composite:
        made["composite"] += [_group(pid, row, pids) for row in rows.composite]


def _group(pid: int, row: Any, pids: Pids) -> Row:
    """Return the row of a composite: a code or target first; then a code, a quantity, or two numbers."""
    param, first, second, *third = row
    left = (target(first[0], first[1], pids), 0) if len(first) == 2 else (first[0], first[3])
    if third:
        return (pid, param, *left, second[0], third[0][0], 0, 0)
    if len(second) == 7:  # a token; its code takes the place of a unit
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
        for pid, param, code, _, _ in narrow["token"]
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
