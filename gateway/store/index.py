"""Writing of the search index: rows of new resources go in, of changed ones only what changed, of deleted ones out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.search import parameters
from gateway.search.extract import Rows
from gateway.search.hashes import hash48, hash64
from gateway.search.kinds.string import LONGEST
from gateway.store.dialect import Row, Session
from gateway.store.index_tables import COLUMNS
from gateway.store.tx import Tx
from gateway.store.type_ids import TYPE_ID, type_name
from gateway.store.values import clean

Entry = tuple[int, str, Rows, bool]
"""What to index: pid, type, rows, and whether the resource is new (has no rows yet)."""

Batch = dict[str, list[Row]]

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


def _clinical_params() -> dict[str, tuple[int, int, int]]:
    ids = {}
    for name, (patient, code, moment) in CLINICAL.items():
        known = parameters.for_type(name)
        ids[name] = (known[patient].id, known[code].id, known[moment].id)
    return ids


_CLINICAL = _clinical_params()


def target(type_of: str, fid: str, pids: Mapping[tuple[str, str], int]) -> int:
    """Return what stands for a reference in the index: the pid of ours, a negative hash of anything else."""
    return pids.get((type_of, fid)) or unknown_target(type_of, fid)


def unknown_target(type_of: str, fid: str) -> int:
    """Return the negative hash of a reference to what was not stored yet, or is not ours."""
    return -1 - (hash64(f"{type_of}/{fid}" if type_of else fid) & (NOT_OURS - 1))


def replace(tx: Tx, entries: Sequence[Entry], known: Mapping[tuple[str, str], int] | None = None) -> None:
    """Make the index of these resources equal to their rows, in bulk.

    `known` gives pids of (type, id) pairs the caller has at hand, so that fewer are looked up; resources of the same
    transaction must be written before their references are indexed.
    """
    pids = _pids(tx.session, entries, known or {})
    new = batch((entry for entry in entries if entry[3]), pids)
    for kind, rows in new.items():
        _insert(tx.session, kind, rows)
    changed = [entry for entry in entries if not entry[3]]
    if changed:
        _rewrite(tx.session, changed, batch(changed, pids))


def remove(tx: Tx, pids: Iterable[int]) -> None:
    """Take resources out of the index."""
    entries: list[Entry] = [(pid, kind, Rows(), False) for pid, kind in _types(tx.session, pids)]
    _rewrite(tx.session, entries, batch(entries, {}))


def stored(tx: Tx, pid: int, kind: str) -> Batch:
    """Return the rows the index holds of a resource, by kind; for fsck and tests."""
    held = _held(tx.session, [pid])
    held["clinical"] = _clinical_rows(kind, held)
    return held


def _pids(
    session: Session, entries: Sequence[Entry], known: Mapping[tuple[str, str], int]
) -> Mapping[tuple[str, str], int]:
    wanted = {row[1:] for entry in entries for row in entry[2].reference if row[1]}
    wanted |= {row[1] for entry in entries for row in entry[2].composite if len(row[1]) == 2 and row[1][0] in TYPE_ID}
    unknown = [(TYPE_ID[key[0]], key[1]) for key in wanted if key not in known and key[0] in TYPE_ID]
    if not unknown:
        return known
    rows = session.keyed("SELECT type_id, fid, pid FROM resource", (("type_id", "int"), ("fid", "text")), unknown)
    return {**known, **{(type_name(type_id), fid): pid for type_id, fid, pid in rows}}


def batch(entries: Iterable[Entry], pids: Mapping[tuple[str, str], int]) -> Batch:
    """Return the table rows of resources, by kind."""
    made: Batch = {kind: [] for kind in COLUMNS}
    tokens, identifiers = made["token"], made["identifier"]
    references, dates, clinical = made["reference"], made["date"], made["clinical"]
    for pid, type_of, rows, _ in entries:
        for param, code, _system, _code, system, exact in rows.token:
            if exact is None:
                tokens.append((pid, param, code, system))
            else:
                identifiers.append((pid, param, clean(exact)[:LONGEST], system))
        for param, kind, fid in rows.reference:
            references.append((pid, param, pids.get((kind, fid)) or unknown_target(kind, fid)))
        for param, low, high in rows.date:
            dates.append((pid, param, low, high))
        if rows.quantity:
            made["quantity"] += [
                (pid, param, low, high, hash48(unit), hash48(system))
                for param, low, high, system, unit in rows.quantity
            ]
        _rare(pid, rows, pids, made)
        if type_of in _CLINICAL:
            clinical += _clinical_of(pid, type_of, rows, pids)
    return made


def _rare(pid: int, rows: Rows, pids: Mapping[tuple[str, str], int], made: Batch) -> None:
    """Append the rows of kinds that most messages have few of."""
    if rows.string:
        made["string"] += [(pid, param, clean(folded), clean(exact)) for param, folded, exact in rows.string]
    if rows.uri:
        made["uri"] += [(pid, param, clean(value)[:LONGEST]) for param, value in rows.uri]
    if rows.number:
        made["number"] += [(pid, param, low, high) for param, low, high in rows.number]
    if rows.composite:
        made["composite"] += [_pair(pid, row, pids) for row in rows.composite]


def _pair(pid: int, row: Any, pids: Mapping[tuple[str, str], int]) -> Row:
    param, first, second = row
    left = (target(first[0], first[1], pids), 0) if len(first) == 2 else (first[0], first[3])
    if isinstance(second[0], int):  # a token; its code takes the place of a unit
        return (pid, param, *left, 0.0, 0.0, second[0], second[3])
    low, high, system, unit = second
    return (pid, param, *left, low, high, hash48(unit), hash48(system))


def _clinical_of(pid: int, type_of: str, rows: Rows, pids: Mapping[tuple[str, str], int]) -> list[Row]:
    patient_param, code_param, date_param = _CLINICAL[type_of]
    codes = {row[1] for row in rows.token if row[0] == code_param}
    moment = max((row[1] for row in rows.date if row[0] == date_param), default=UNDATED)
    return [
        (TYPE_ID[type_of], target(row[1], row[2], pids), code, moment, pid)
        for row in rows.reference
        if row[0] == patient_param
        for code in codes
    ]


def _clinical_rows(type_of: str, held: Batch) -> list[Row]:
    """Return the clinical rows that stored narrow rows imply."""
    if type_of not in _CLINICAL:
        return []
    patient_param, code_param, date_param = _CLINICAL[type_of]
    moments: dict[int, int] = {}
    for pid, param, low, _ in held["date"]:
        if param == date_param:
            moments[pid] = max(low, moments.get(pid, low))
    codes = {(row[0], row[2]) for row in held["token"] if row[1] == code_param}
    patients = [row for row in held["reference"] if row[1] == patient_param]
    return [
        (TYPE_ID[type_of], patient, code, moments.get(pid, UNDATED), pid)
        for pid, _, patient in patients
        for of, code in codes
        if of == pid
    ]


def _insert(session: Session, kind: str, rows: list[Row]) -> None:
    if not rows:
        return
    if session.name == "sqlite":  # a code twice in one resource is one row; here ignoring it costs nothing
        session.insert_new(f"search_{kind}", COLUMNS[kind], rows)
    else:
        session.insert(f"search_{kind}", COLUMNS[kind], list(dict.fromkeys(rows)))


def _rewrite(session: Session, entries: Sequence[Entry], wanted: Batch) -> None:
    """Delete rows no longer wanted and insert those not held yet."""
    held = _held(session, [entry[0] for entry in entries])
    held["clinical"] = [row for type_of, some in _by_type(entries, held) for row in _clinical_rows(type_of, some)]
    for kind, rows in wanted.items():
        before, after = set(held[kind]), set(rows)
        where = " AND ".join(f"{column}=?" for column in COLUMNS[kind])
        session.many(f"DELETE FROM search_{kind} WHERE {where}", sorted(before - after))  # noqa: S608  constants
        _insert(session, kind, sorted(after - before))


def _held(session: Session, pids: list[int]) -> Batch:
    keys = [(pid,) for pid in pids]
    return {
        kind: session.keyed(
            f"SELECT {','.join(COLUMNS[kind])} FROM search_{kind}",  # noqa: S608  constants
            (("pid", "int"),),
            keys,
        )
        for kind in _NARROW
    }


def _by_type(entries: Sequence[Entry], held: Batch) -> Iterator[tuple[str, Batch]]:
    types = {pid: type_of for pid, type_of, _, _ in entries}
    for type_of in _CLINICAL.keys() & set(types.values()):
        kinds = ("token", "reference", "date")
        yield type_of, {kind: [row for row in held[kind] if types[row[0]] == type_of] for kind in kinds}


def _types(session: Session, pids: Iterable[int]) -> list[tuple[int, str]]:
    rows = session.keyed("SELECT pid, type_id FROM resource", (("pid", "int"),), [(pid,) for pid in pids])
    return [(pid, type_name(type_id)) for pid, type_id in rows]
