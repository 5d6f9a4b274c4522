"""The store of identity: evidence of each Patient under its blocks, cases for a reviewer, events, counters."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from gateway.store.dialect import Row, Session, insert_sql
from gateway.store.failures import Conflict
from gateway.store.tx import Tx
from gateway.store.type_ids import TYPE_ID
from gateway.store.values import clean

LOCK = 3  # the lock of links: one order of ids, and no two locks to wait for crosswise
LINKER_AT = "identity.at"
"""The cursor of the linker: the number of the last change it has dealt with."""

UNDECIDED = ("open", "later")
STATES = ("open", "later", "same", "different", "settled")
"""States of a case: the first two wait for a person, `settled` was closed by the linker because data changed."""

_TURN = "identity.turn"
_CASE = (
    "id",
    "low_pid",
    "high_pid",
    "state",
    "score",
    "reasons",
    "model",
    "created_us",
    "decided_us",
    "actor",
    "note",
)
_EVENT = ("at_us", "action", "low_pid", "high_pid", "actor", "evidence", "model")
_CASES = f"SELECT {','.join(_CASE)} FROM identity_case"  # noqa: S608  constants
_EVENTS = f"SELECT id, {','.join(_EVENT)} FROM identity_event"  # noqa: S608  constants
_OPEN = "state IN ('open','later')"
_MEMBERS = "SELECT key, pid FROM identity_block WHERE key=? ORDER BY pid LIMIT ?"
_MEMBERS_OF_ALL = (
    "SELECT w.key, b.pid FROM unnest(?::bigint[], ?::bigint[]) AS w(key, most) CROSS JOIN LATERAL"
    " (SELECT pid FROM identity_block WHERE key=w.key ORDER BY pid LIMIT w.most) AS b"
)


class Members(NamedTuple):
    """Who is found under each key, lowest pid first, and the keys under which there are more than were asked for."""

    found: dict[int, list[int]]
    cut: frozenset[int]


class NewEvidence(NamedTuple):
    """A Patient's evidence as stored: its digest, its packed form, the keys it is found under."""

    pid: int
    digest: bytes
    body: bytes
    keys: Collection[int]


class NewCase(NamedTuple):
    """A pair that waits for a person (low pid first); `reasons` is JSON text, `score` in bits."""

    low_pid: int
    high_pid: int
    score: float
    reasons: str
    model: str
    created_us: int
    state: str = "open"
    decided_us: int | None = None
    actor: str = ""
    note: str = ""


class Case(NamedTuple):
    """One pair that a person decides or has decided, or that the linker closed; times in microseconds since 1970."""

    id: int
    low_pid: int
    high_pid: int
    state: str
    score: float
    reasons: str
    model: str
    created_us: int
    decided_us: int | None
    actor: str
    note: str


class NewEvent(NamedTuple):
    """Something that was done about two records (low pid first): by whom, on what evidence (JSON text)."""

    at_us: int
    action: str
    low_pid: int
    high_pid: int
    actor: str
    evidence: str = "{}"
    model: str = ""


class Event(NamedTuple):
    """One event as stored; ids rise in the order in which things were done."""

    id: int
    at_us: int
    action: str
    low_pid: int
    high_pid: int
    actor: str
    evidence: str
    model: str


class IdentityReads(Tx):
    """Questions about evidence, cases, events and counters."""

    def evidence(self, pids: Iterable[int]) -> dict[int, bytes]:
        """Return the packed evidence of these pids; those without are left out."""
        rows = [(pid,) for pid in set(pids)]
        return dict(self.session.keyed("SELECT pid, body FROM identity_evidence", (("pid", "int"),), rows))

    def evidence_digests(self, pids: Iterable[int]) -> dict[int, bytes]:
        """Return the digests of the evidence stored for these pids."""
        rows = [(pid,) for pid in set(pids)]
        return dict(self.session.keyed("SELECT pid, digest FROM identity_evidence", (("pid", "int"),), rows))

    def patients_after(self, pid: int, limit: int) -> list[int]:
        """Return the next Patients after a pid, deleted ones too."""
        sql = "SELECT pid FROM resource WHERE pid > ? AND +type_id=? ORDER BY pid LIMIT ?"
        return [row[0] for row in self.session.run(sql, (pid, TYPE_ID["Patient"], limit))]

    def block_members(self, keys: Mapping[int, int]) -> Members:
        """Return who is found under these keys, each key with how many at most."""
        found: dict[int, list[int]] = {}
        for key, pid in self._members(sorted(keys.items())):
            found.setdefault(key, []).append(pid)
        cut = frozenset(key for key, pids in found.items() if len(pids) > keys[key])
        return Members({key: sorted(pids)[: keys[key]] for key, pids in found.items()}, cut)

    def blocks_of(self, pids: Iterable[int]) -> dict[int, set[int]]:
        """Return the keys under which these pids are found."""
        rows = [(pid,) for pid in set(pids)]
        found: dict[int, set[int]] = {}
        for pid, key in self.session.keyed("SELECT pid, key FROM identity_block", (("pid", "int"),), rows):
            found.setdefault(pid, set()).add(key)
        return found

    def cases_of(self, pids: Iterable[int]) -> list[Case]:
        """Return every case, decided or not, with one of these pids on either side, oldest first."""
        rows = [(pid,) for pid in set(pids)]
        found = {
            row[0]: Case(*row)
            for side in ("low_pid", "high_pid")
            for row in self.session.keyed(_CASES, ((side, "int"),), rows)
        }
        return [found[number] for number in sorted(found)]

    def case(self, number: int) -> Case | None:
        """Return one case, None where there is none of this number."""
        row = self.session.one(f"{_CASES} WHERE id=?", (number,))
        return None if row is None else Case(*row)

    def case_list(self, states: Sequence[str] = UNDECIDED, limit: int = 50, before: int = 0) -> list[Case]:
        """Return cases in some states, newest first, `before` a number (0: from the newest)."""
        marks = ",".join("?" * len(states))
        sql = f"{_CASES} WHERE state IN ({marks}) AND id < ? ORDER BY id DESC LIMIT ?"
        return [Case(*row) for row in self.session.run(sql, (*states, before or 1 << 62, limit))]

    def case_counts(self) -> dict[str, int]:
        """Return how many cases wait for a person, by state."""
        sql = f"SELECT state, count(*) FROM identity_case WHERE {_OPEN} GROUP BY state"  # noqa: S608  constants
        return dict.fromkeys(UNDECIDED, 0) | dict(self.session.run(sql))

    def called_different(self, after: int, limit: int) -> list[Case]:
        """Return the next cases after a number that a person decided as different."""
        sql = f"{_CASES} WHERE state='different' AND id > ? ORDER BY id LIMIT ?"
        return [Case(*row) for row in self.session.run(sql, (after, limit))]

    def identity_events(self, pids: Iterable[int], limit: int = 100) -> list[Event]:
        """Return the newest events that concern any of these pids, oldest first."""
        rows = [(pid,) for pid in set(pids)]
        found = {
            row[0]: Event(*row)
            for side in ("low_pid", "high_pid")
            for row in self.session.keyed(_EVENTS, ((side, "int"),), rows)
        }
        return [found[number] for number in sorted(found)][-limit:]

    def tallies(self, prefix: str) -> dict[str, int]:
        """Return the counters whose name begins with a prefix, by the rest of their name."""
        sql = "SELECT name, n FROM identity_tally WHERE name >= ? AND name < ? ORDER BY name"
        rows = self.session.run(sql, (prefix, prefix + "\x7f"))
        return {name[len(prefix) :]: int(n) for name, n in rows}

    def identity_turn(self) -> int:
        """Return the number of changes made to identity so far; `identity_take_turn` compares it."""
        return int(self.session.value("SELECT value FROM cursor WHERE name=?", (_TURN,)) or 0)

    def _members(self, asked: Sequence[tuple[int, int]]) -> list[Row]:
        """Ask for one more than wanted, so that a cut is seen: a loop of one statement on SQLite, else one query."""
        if not asked:
            return []
        if self.session.name == "sqlite":
            run = self.session.run
            return [row for key, most in asked for row in run(_MEMBERS, (key, most + 1))]
        keys, most = [key for key, _ in asked], [number + 1 for _, number in asked]
        return self.session.run(_MEMBERS_OF_ALL, (keys, most))


class IdentityWrites(IdentityReads):
    """Changes of evidence, cases, events and counters."""

    def identity_take_turn(self, seen: int | None = None) -> int:
        """Let one writer at a time change identity, to the end of the transaction; return the number of its change.

        Raises Conflict where another one was there after the caller had `seen` how far the changes were.
        """
        self.session.lock(LOCK)
        held = self.identity_turn()
        if seen is not None and held != seen:
            raise Conflict("Somebody else linked or decided meanwhile. Read again and retry.")
        self.session.upsert("cursor", ("name",), ("value",), [(_TURN, held + 1)])
        return held + 1

    def evidence_put(self, new: Sequence[NewEvidence]) -> None:
        """Store evidence and the keys it is found under, instead of what was stored for these pids."""
        known = self.evidence_digests([one.pid for one in new])
        held = self.blocks_of([one.pid for one in new])
        rows = sorted((one.pid, one.digest, one.body) for one in new)
        self.session.insert(
            "identity_evidence", ("pid", "digest", "body"), [row for row in rows if row[0] not in known]
        )
        self.session.many(
            "UPDATE identity_evidence SET digest=?, body=? WHERE pid=?",
            [(digest, body, pid) for pid, digest, body in rows if pid in known],
        )
        wanted = {(key, one.pid) for one in new for key in one.keys}
        stored = {(key, pid) for pid, keys in held.items() for key in keys}
        self._drop_blocks(stored - wanted)
        self.session.insert("identity_block", ("key", "pid"), sorted(wanted - stored))

    def evidence_drop(self, pids: Iterable[int]) -> None:
        """Forget the evidence of these pids and the keys it was found under."""
        wanted = sorted(set(pids))
        self._drop_blocks({(key, pid) for pid, keys in self.blocks_of(wanted).items() for key in keys})
        self.session.many("DELETE FROM identity_evidence WHERE pid=?", [(pid,) for pid in wanted])

    def cases_add(self, cases: Sequence[NewCase]) -> list[int]:
        """Add cases and return their numbers; a second undecided one of a pair is a Conflict."""
        if not cases:
            return []
        first = self._next("identity_case")
        rows = [
            (first + n, *one[:2], one.state, one.score, clean(one.reasons), one.model, one.created_us, one.decided_us,
             clean(one.actor), clean(one.note))
            for n, one in enumerate(cases)
        ]  # fmt: skip
        self.session.insert("identity_case", _CASE, rows)
        return [row[0] for row in rows]

    def cases_judge(self, judged: Sequence[tuple[int, float, str, str]]) -> None:
        """Give undecided cases what was found last: (number, score, reasons, model)."""
        sql = f"UPDATE identity_case SET score=?, reasons=?, model=? WHERE id=? AND {_OPEN}"  # noqa: S608  constants
        self.session.many(sql, [(score, clean(reasons), model, number) for number, score, reasons, model in judged])

    def case_decide(self, number: int, state: str, actor: str, note: str, at_us: int | None) -> None:
        """Give a case a state, by whom and why; `at_us` is None where it goes on waiting."""
        self.session.do(
            "UPDATE identity_case SET state=?, decided_us=?, actor=?, note=? WHERE id=?",
            (state, at_us, clean(actor), clean(note), number),
        )

    def identity_events_add(self, events: Sequence[NewEvent]) -> None:
        """Add events; they are never changed afterwards."""
        if not events:
            return
        first = self._next("identity_event")
        rows = [
            (
                first + n,
                one.at_us,
                one.action,
                one.low_pid,
                one.high_pid,
                clean(one.actor),
                clean(one.evidence),
                one.model,
            )
            for n, one in enumerate(events)
        ]
        self.session.insert("identity_event", ("id", *_EVENT), rows)

    def tally(self, counts: Mapping[str, int]) -> None:
        """Add to counters."""
        add_tallies(self.session, counts)

    def _drop_blocks(self, rows: Collection[tuple[int, int]]) -> None:
        self.session.many("DELETE FROM identity_block WHERE key=? AND pid=?", sorted(rows))

    def _next(self, table: str) -> int:
        self.session.lock(LOCK)
        return int(self.session.value(f"SELECT coalesce(max(id), 0) FROM {table}")) + 1  # noqa: S608  constants


def add_tallies(session: Session, counts: Mapping[str, int]) -> None:
    """Add to counters, each where it stands."""
    sql = insert_sql("identity_tally", ("name", "n"))
    rows = [(name, n) for name, n in sorted(counts.items()) if n]
    session.many(f"{sql} ON CONFLICT (name) DO UPDATE SET n=identity_tally.n+excluded.n", rows)
