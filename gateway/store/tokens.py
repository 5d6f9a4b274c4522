"""Tokens as predicates: codes, identifiers, what they are called (`:text`), and sets of codes (`:in`, `:below`)."""

from collections.abc import Iterable, Sequence

from gateway.errors import GatewayError
from gateway.search.extract import leaf_types
from gateway.search.hashes import hash48, hash64
from gateway.search.kinds.string import exactly
from gateway.search.kinds.token import OfType, Token, Words, mark_of
from gateway.search.parameters import Parameter
from gateway.search.terms import Branch, Codes, InSet
from gateway.store.dialect import Session
from gateway.store.predicates import (
    LAST,
    NEVER,
    Predicate,
    Span,
    Sql,
    all_of,
    any_of,
    exists,
    from_spans,
    in_list,
    negated,
    of_param,
    union,
)

TEXTS = frozenset({"Identifier", "ContactPoint"})
"""Types whose values stand in the index as text."""

_CODED = frozenset({"CodeableConcept", "Coding"})
_MANY = 16
_TEXTS_READ = 200

_SYSTEMS = """WITH RECURSIVE s(x) AS (
SELECT min(system) FROM {table} WHERE param=? AND {column}=? UNION ALL
SELECT (SELECT min(system) FROM {table} WHERE param=? AND {column}=? AND system > s.x) FROM s WHERE s.x IS NOT NULL)
SELECT x FROM s WHERE x IS NOT NULL LIMIT ?"""
_CALLED = (
    "(SELECT 1 FROM search_token t CROSS JOIN display d CROSS JOIN code c WHERE t.pid=r.pid AND t.param=? AND"
    " d.param=t.param AND d.code=t.code AND d.system=t.system AND (d.words & 2147483647)=t.words AND c.hash=d.words"
    " AND c.text>=? AND c.text<? LIMIT 1) IS NOT NULL"
)
_BESIDE = (
    "(SELECT 1 FROM search_text t CROSS JOIN code c WHERE t.pid=r.pid AND t.param=? AND c.hash=t.words"
    " AND c.text>=? AND c.text<? LIMIT 1) IS NOT NULL"
)
_FIND_CALLED = (
    "SELECT d.code, d.system, d.words FROM code c CROSS JOIN display d"
    " WHERE c.text>=? AND c.text<? AND d.param=? AND d.words=c.hash LIMIT ?"
)
_FIND_BESIDE = (
    "SELECT c.hash FROM code c WHERE c.text>=? AND c.text<?"
    " AND (SELECT 1 FROM search_text t WHERE t.param=? AND t.words=c.hash LIMIT 1) IS NOT NULL LIMIT ?"
)
_BELOW = """WITH RECURSIVE b(code) AS (SELECT c.code FROM concept c WHERE c.system_id=? AND c.parent=? UNION
SELECT c.code FROM b JOIN concept c ON c.system_id=? AND c.parent=b.code) SELECT code FROM b"""
_ABOVE = """WITH RECURSIVE b(code) AS (
SELECT c.parent FROM concept c WHERE c.system_id=? AND c.code=? AND c.parent<>'' UNION
SELECT c.parent FROM b JOIN concept c ON c.system_id=? AND c.code=b.code AND c.parent<>'') SELECT code FROM b"""


def token(session: Session, stored: Parameter, value: Token) -> Predicate:
    """Return the predicate of `code`, `system|code`, `|code` or `system|`."""
    types = leaf_types(stored)
    made = [identified(session, stored, value)] if types & TEXTS else []
    if types - TEXTS:
        code = None if value.code is None else hash64(value.code)
        made.append(_keyed(session, stored, "search_token", "code", code, value.system))
    return union(made)


def identified(session: Session, stored: Parameter, value: Token) -> Predicate:
    """Return the predicate of an identifier: of a token, or of the one a reference bears."""
    code = None if value.code is None else exactly(value.code)
    return _keyed(session, stored, "search_identifier", "value", code, value.system)


def of_type(stored: Parameter, value: OfType) -> Predicate:
    """Return the predicate of an identifier with its type."""
    where = of_param(stored.id, Sql("t.value=? AND t.kind=?", (exactly(value.value), mark_of(value.type))))
    return from_spans([Span("search_identifier", where)])


def _keyed(
    session: Session, stored: Parameter, table: str, column: str, code: str | int | None, system: str | None
) -> Predicate:
    if code is None:
        return Predicate(exists(table, of_param(stored.id, Sql("t.system=?", (hash48(system or ""),)))))
    any_system = of_param(stored.id, Sql(f"t.{column}=?", (code,)))
    systems = _systems(session, table, column, stored.id, code) if system is None else [hash48(system)]
    if len(systems) > _MANY:
        return from_spans([Span(table, any_system)])
    one = Sql(f"t.{column}=? AND t.system=?")
    spans = [Span(table, of_param(stored.id, Sql(one.text, (code, each))), True) for each in systems]
    check = exists(table, any_system) if system is None else from_spans(spans).check
    return Predicate(check, tuple(spans))


def _systems(session: Session, table: str, column: str, param: int, code: str | int) -> list[int]:
    """Return the systems a code stands in, found by skipping from one to the next."""
    sql = _SYSTEMS.format(table=table, column=column)
    return [row[0] for row in session.run(sql, (param, code, param, code, _MANY + 1))]


# --- what codes are called ------------------------------------------------------------------------------------------


def words(session: Session, stored: Parameter, value: Words) -> Predicate:
    """Return the predicate of a text: displays of codes, and texts that stand beside codes or references."""
    between = (value.text, value.text + LAST)
    checks = [Sql(_BESIDE, (stored.id, *between))]
    if stored.kind == "token":
        checks.append(Sql(_CALLED, (stored.id, *between)))
    return Predicate(any_of(checks), _spoken(session, stored, between))


def _spoken(session: Session, stored: Parameter, between: tuple[str, str]) -> tuple[Span, ...] | None:
    """Return the spans of every text in a range, None where they are too many."""
    beside = session.run(_FIND_BESIDE, (*between, stored.id, _TEXTS_READ + 1))
    called = session.run(_FIND_CALLED, (*between, stored.id, _TEXTS_READ + 1)) if stored.kind == "token" else []
    if len(beside) + len(called) > _TEXTS_READ:
        return None
    marks: dict[tuple[int, int], list[int]] = {}
    for code, system, told in called:
        marks.setdefault((code, system), []).append(told & 0x7FFFFFFF)
    few = len(beside) + len(marks) <= _MANY
    spans = [Span("search_text", of_param(stored.id, Sql("t.words=?", one)), few) for one in beside]
    for key, held in marks.items():
        where = all_of([Sql("t.code=? AND t.system=?", key), in_list("t.words", held)])
        spans.append(Span("search_token", of_param(stored.id, where), few))
    return tuple(spans)


# --- sets of codes --------------------------------------------------------------------------------------------------


def in_set(session: Session, stored: Parameter, value: InSet) -> Predicate:
    """Return the predicate of a code of a set; GatewayError where a code system it needs is not here."""
    if leaf_types(stored) <= TEXTS:
        return NEVER
    bare = bool(leaf_types(stored) - _CODED - TEXTS)
    inside = _by_system(session, stored, _listed(session, stored, value.inside), bare=bare)
    outside = _by_system(session, stored, _listed(session, stored, value.outside), bare=bare)
    taken = [*inside, *_whole(value.inside)]
    refused = [*outside, *_whole(value.outside)]
    where = all_of([any_of(taken), *([negated(any_of(refused))] if refused else [])])
    check = exists("search_token", of_param(stored.id, where))
    if value.inside.systems:
        return Predicate(check)
    spans = [Span("search_token", of_param(stored.id, all_of([one, *map(negated, refused)]))) for one in inside]
    return Predicate(check, tuple(spans))


def _whole(codes: Codes) -> list[Sql]:
    return [in_list("t.system", [hash48(system) for system in sorted(codes.systems)])] if codes.systems else []


def _listed(session: Session, stored: Parameter, codes: Codes) -> set[tuple[str, str]]:
    found = set(codes.listed)
    for branch in codes.branches:
        found |= {(branch.system, code) for code in _branch(session, stored, branch)}
    return found


def _branch(session: Session, stored: Parameter, branch: Branch) -> list[str]:
    number = session.value("SELECT max(id) FROM code_system WHERE url=?", (branch.system,))
    if number is None:
        text = f"The code system {branch.system!r} is not here, so what stands above or below a code is not known."
        raise GatewayError(f"{text} Import it with gateway terminology.", where=stored.name)
    rows = session.run(_ABOVE if branch.above else _BELOW, (number, branch.code, number))
    return [*(code for (code,) in rows), *([branch.code] if branch.itself else [])]


def _by_system(session: Session, stored: Parameter, pairs: Iterable[tuple[str, str]], *, bare: bool) -> list[Sql]:
    """Return conditions over `t`, one for each code system; only codes that any resource has are asked for.

    An element of type code has no system: there a code of any system fits (`bare`).
    """
    wanted = {(system, code): hash64(code) for system, code in pairs}
    used = {row[0] for row in session.keyed("SELECT hash FROM code", (("hash", "int"),), _keys(wanted.values()))}
    systems: dict[int, list[int]] = {}
    for (system, _), number in wanted.items():
        if number in used:
            for each in {hash48(system), 0} if bare else {hash48(system)}:
                systems.setdefault(each, []).append(number)
    return [
        all_of([in_list("t.code", list(dict.fromkeys(numbers))), Sql("t.system=?", (system,))])
        for system, numbers in systems.items()
    ]


def _keys(numbers: Iterable[int]) -> Sequence[tuple[int]]:
    return [(number,) for number in sorted(set(numbers))]
