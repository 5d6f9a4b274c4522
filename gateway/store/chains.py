"""Chains and `_has` as predicates: resolved to few resources first where they are few, else checked one by one.

Every resource that is passed on the way is within the scope. A chain that arrives at a patient takes the linked ones
too; `_has` follows the literal reference (architecture, decision 8).
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from gateway.search import parameters
from gateway.search.criteria import AnyCriterion, Chain, Criterion, Has
from gateway.search.hashes import hash64
from gateway.search.kinds.token import Token
from gateway.search.parameters import Parameter
from gateway.store import linked
from gateway.store.dialect import Session
from gateway.store.index import CLINICAL, unknown_target
from gateway.store.predicates import NEVER, Predicate, Span, Sql, all_of, exists, from_spans, in_list, of_param
from gateway.store.type_ids import TYPE_ID

FEW = 1000
"""Index rows up to which the inner condition is read first."""

_ORDERED = 16

# A reference stored before its target stands as a hash; `unstored` says of what.
_TARGET = (
    "(CASE WHEN t.target>=0 THEN t.target ELSE (SELECT x.pid FROM unstored u JOIN resource x"
    " ON x.fid=u.fid AND x.type_id=u.type_id WHERE u.hash=t.target) END)"
)
_ME = "(r.pid, (SELECT u.hash FROM unstored u WHERE u.fid=r.fid AND u.type_id=r.type_id))"


class Compiling(Protocol):
    """What a chain needs of the compiler of its search."""

    session: Session
    guard: Sql

    @property
    def linked(self) -> bool:
        """Say whether patients stand for the linked ones."""
        ...

    def predicate(self, criterion: AnyCriterion, type_name: str = "") -> Predicate:
        """Return the predicate of any criterion, of resources of a type."""
        ...

    def present(self, param: int, targets: Sequence[int]) -> list[int]:
        """Return the targets that have rows."""
        ...


def chain(compiler: Compiling, asked: Chain) -> Predicate:
    """Return the predicate of a chain."""
    inner = compiler.predicate(asked.inner, asked.type)
    found = resolve(compiler, asked.type, inner)
    params = [stored.id for stored in parameters.stored(asked.parameter)]
    if found is None:
        return Predicate(_forward(compiler, asked.type, params, inner.check))
    if asked.type == "Patient" and compiler.linked:
        found = linked.expand(compiler.session, found, compiler.guard)
    return _referring(compiler, asked.type, params, found)


def _referring(compiler: Compiling, type_name: str, params: list[int], found: Mapping[int, str]) -> Predicate:
    """Return the predicate of a reference to one of some resources."""
    earlier = [(unknown_target(type_name, fid),) for fid in found.values()]
    rows = compiler.session.keyed("SELECT hash FROM unstored", (("hash", "int"),), earlier)
    targets = [*found, *(number for (number,) in rows)]
    if not targets:
        return NEVER
    if len(targets) > _ORDERED:
        many = tuple(Span("search_reference", of_param(each, in_list("t.target", targets))) for each in params)
        # + keeps a database from looking each target up for each candidate
        one = all_of([in_list("t.param", params), in_list("+t.target", targets)])
        return Predicate(exists("search_reference", one), many)
    spans = [
        Span("search_reference", of_param(each, Sql("t.target=?", (target,))), True)
        for each in params
        for target in compiler.present(each, targets)
    ]
    return from_spans(spans)


def _forward(compiler: Compiling, type_name: str, params: list[int], inner: Sql) -> Sql:
    """Say that a reference of `r` leads to a resource that satisfies the inner condition."""
    follow = type_name == "Patient" and compiler.linked and linked.any_link(compiler.session)
    family = linked.family(_TARGET, compiler.guard) if follow else None
    arrived = Sql(f"r.pid IN ({family.text})", family.params) if family else Sql(f"r.pid={_TARGET}")
    there = _some("resource r", all_of([arrived, Sql("+r.type_id=?", (TYPE_ID[type_name],)), compiler.guard, inner]))
    return exists("search_reference", all_of([in_list("t.param", params), there]))


def has(compiler: Compiling, asked: Has, type_name: str) -> Predicate:
    """Return the predicate of `_has` for resources of a type."""
    inner = compiler.predicate(asked.inner, asked.type)
    found = resolve(compiler, asked.type, inner)
    stored = parameters.stored(asked.parameter)
    if found is None:
        back = _backward(compiler, asked.type, stored, inner.check)
        return Predicate(all_of([*_clinical(asked), back]))
    pids = _targets_of(compiler, stored, list(found))
    if not pids:
        return NEVER
    where = all_of([Sql("+t.type_id=?", (TYPE_ID[type_name],)), in_list("t.pid", pids)])
    return Predicate(in_list("r.pid", pids), (Span("resource", where),))


def _backward(compiler: Compiling, source: str, stored: Sequence[Parameter], inner: Sql) -> Sql:
    """Say that a resource which satisfies the inner condition refers to `r`."""
    there = all_of([Sql("r.pid=t.pid AND +r.type_id=?", (TYPE_ID[source],)), compiler.guard, inner])
    params = in_list("t.param", [each.id for each in stored])
    return _some("search_reference t", all_of([params, Sql(f"t.target IN {_ME}"), _some("resource r", there)]))


def _clinical(asked: Has) -> list[Sql]:
    """Say, of a patient's coded results, that there is one at all: one seek, before any is looked at."""
    names, inner = CLINICAL.get(asked.type), asked.inner
    if names is None or not isinstance(inner, Criterion) or inner.negated or inner.missing is not None:
        return []
    refers = [each.name for each in parameters.stored(asked.parameter)] == [names[0]]
    codes = [value.code for value in inner.values if isinstance(value, Token) and value.code is not None]
    if not refers or inner.parameter.name != names[1] or len(codes) < len(inner.values):
        return []
    coded = in_list("t.code", [hash64(code) for code in dict.fromkeys(codes)])
    where = all_of([Sql(f"t.type_id=? AND t.patient IN {_ME}", (TYPE_ID[asked.type],)), coded])
    return [_some("search_clinical t", where)]


def _targets_of(compiler: Compiling, stored: Sequence[Parameter], pids: Sequence[int]) -> list[int]:
    """Return what some resources refer to by a parameter, as far as it is stored."""
    if not pids:
        return []
    where = all_of([in_list("t.pid", pids), in_list("t.param", [each.id for each in stored])])
    sql = f"SELECT DISTINCT {_TARGET} FROM search_reference t WHERE {where.text}"  # noqa: S608  constants
    return sorted(pid for (pid,) in compiler.session.run(sql, where.params) if pid is not None)


def resolve(compiler: Compiling, type_name: str, inner: Predicate) -> dict[int, str] | None:
    """Return pid -> id of what satisfies an inner condition; None where more than FEW rows would have to be read."""
    if inner.spans is None:
        return None
    if not inner.spans:
        return {}
    one = "SELECT pid FROM (SELECT t.pid FROM {} t WHERE {} LIMIT ?) c"
    sql = " UNION ALL ".join(one.format(span.table, span.where.text) for span in inner.spans)
    params = [value for span in inner.spans for value in (*span.where.params, FEW + 1)]
    pids = [pid for (pid,) in compiler.session.run(sql, params)]
    if len(pids) > FEW:
        return None
    if not pids:
        return {}
    check = [] if inner.exact else [inner.check]
    of_type = Sql("+r.type_id=?", (TYPE_ID[type_name],))
    where = all_of([in_list("r.pid", sorted(set(pids))), of_type, compiler.guard, *check])
    rows = compiler.session.run(f"SELECT r.pid, r.fid FROM resource r WHERE {where.text}", where.params)  # noqa: S608
    return dict(rows)


def _some(source: str, where: Sql) -> Sql:
    return Sql(f"(SELECT 1 FROM {source} WHERE {where.text} LIMIT 1) IS NOT NULL", where.params)  # noqa: S608  constants
