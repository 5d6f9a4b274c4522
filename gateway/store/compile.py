"""Compiling of a search: each criterion becomes a predicate over the index, with what it needs looked up first."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from gateway.search import parameters
from gateway.search.criteria import AnyCriterion, Chain, Has
from gateway.search.extract import leaf_types, paired, whole
from gateway.search.hashes import hash48, hash64
from gateway.search.kinds.composite import Composite
from gateway.search.kinds.date import Date
from gateway.search.kinds.number import Number
from gateway.search.kinds.quantity import Quantity
from gateway.search.kinds.reference import Target
from gateway.search.kinds.string import String
from gateway.search.kinds.token import OfType, Token, Words
from gateway.search.kinds.uri import Uri
from gateway.search.parameters import Parameter
from gateway.search.request import Search
from gateway.search.terms import InSet
from gateway.search.values import Value
from gateway.store import chains, provenances, tokens
from gateway.store.dialect import Session
from gateway.store.index import INTERNED, unknown_target
from gateway.store.linked import linked_patients
from gateway.store.predicates import (
    ALWAYS,
    NEVER,
    Predicate,
    Span,
    Sql,
    all_of,
    any_of,
    date_check,
    date_spans,
    exists,
    from_spans,
    in_list,
    interned_check,
    negated,
    number_check,
    number_spans,
    of_param,
    point_check,
    quantity_check,
    quantity_spans,
    string_check,
    union,
    uri_check,
)
from gateway.store.type_ids import TYPE_ID


class Compiler:
    """Turns the criteria of one search into predicates; `guard` is what the scope lets a resource `r` be."""

    def __init__(self, session: Session, search: Search, guard: Sql) -> None:
        self.session = session
        self.search = search
        self.guard = guard
        self._targets: dict[tuple[str, str], list[int]] = {}

    @property
    def linked(self) -> bool:
        """Say whether patients stand for the linked ones."""
        return self.search.linked

    def predicate(self, criterion: AnyCriterion, type_name: str = "") -> Predicate:
        """Return the predicate of one criterion, of resources of the search's type where no other is given."""
        if isinstance(criterion, Chain):
            return chains.chain(self, criterion)
        if isinstance(criterion, Has):
            return chains.has(self, criterion, type_name or self.search.type)
        if criterion.missing is not None:
            return _missing(criterion.parameter, absent=criterion.missing)
        made = self._values(criterion.parameter, criterion.values)
        return Predicate(negated(made.check)) if criterion.negated else made

    def _values(self, parameter: Parameter, values: Sequence[Value]) -> Predicate:
        if parameter.name == "_id":
            return _ids(parameter, cast(Sequence[Token], values))
        if parameter.name == "_lastUpdated":
            return _updated(parameter, cast(Sequence[Date], values))
        if parameter.kind == "composite":
            return union([self._composite(parameter, cast(Composite, value)) for value in values])
        made = [self._one(each, value) for value in values for each in parameters.stored(parameter)]
        if parameter.name == "_source":
            made += [provenances.told(self.session, value) for value in values if isinstance(value, Uri)]
        return union(made)

    def _one(self, stored: Parameter, value: Value) -> Predicate:
        if isinstance(value, Target):
            return self._reference(stored, value)
        if isinstance(value, Token) and stored.kind == "reference":
            return tokens.identified(self.session, stored, value)
        asks = _ASKED.get(type(value))
        if asks is not None:
            return asks(self.session, stored, value)
        return _PLAIN[type(value)](stored, value)

    # --- references ---

    def _reference(self, stored: Parameter, value: Target) -> Predicate:
        targets = [number for option in value.options for number in self.targets(option)]
        present = self.present(stored.id, targets)
        return from_spans(
            [Span("search_reference", of_param(stored.id, Sql("t.target=?", (each,))), True) for each in present]
        )

    def targets(self, option: tuple[str, str]) -> list[int]:
        """Return what may stand in the index for a (type, id): pids of it and its linked patients, and hashes."""
        known = self._targets.get(option)
        if known is None:
            known = self._targets[option] = self._find_targets(option)
        return known

    def _find_targets(self, option: tuple[str, str]) -> list[int]:
        type_of, fid = option
        found = [unknown_target(type_of, fid)]
        if type_of not in TYPE_ID:
            return found
        pid = self.session.value("SELECT pid FROM resource WHERE type_id=? AND fid=?", (TYPE_ID[type_of], fid))
        if pid is None:
            return found
        if type_of != "Patient" or not self.search.linked:
            return [pid, *found]
        others = linked_patients(self.session, pid, self.guard)
        return [pid, *others, *found, *(unknown_target("Patient", fid) for fid in others.values())]

    def present(self, param: int, targets: Sequence[int]) -> list[int]:
        """Return the targets that have rows, so that a search walks no empty stretches."""
        unsure = list(dict.fromkeys(targets))
        if len(unsure) < 2:
            return unsure
        one = "(SELECT 1 FROM search_reference t WHERE t.param=? AND t.target=? LIMIT 1)"
        row = self.session.one(f"SELECT {','.join([one] * len(unsure))}", [v for each in unsure for v in (param, each)])
        return [each for each, found in zip(unsure, row or (), strict=True) if found]

    # --- composites ---

    def _composite(self, parameter: Parameter, value: Composite) -> Predicate:
        made = [self._whole(parameter, value)] if whole(parameter) else []
        if paired(parameter):
            made.append(self._paired(parameter, value))
        return union(made)

    def _whole(self, parameter: Parameter, value: Composite) -> Predicate:
        parts = [
            union([self._one(each, part) for each in _at_root(parameter, component.name, component.expression)])
            for component, part in zip(parameter.components, value.parts, strict=True)
        ]
        return Predicate(all_of(part.check for part in parts), parts[0].spans, exact=False)

    def _paired(self, parameter: Parameter, value: Composite) -> Predicate:
        first, second, *third = value.parts
        heads = [_token_pair(first, "code", "code_system")]
        if isinstance(first, Target):
            heads = [Sql("t.code=?", (each,)) for option in first.options for each in self.targets(option)]
        tails = [_token_pair(second, "unit", "system")]
        if isinstance(second, Quantity):
            tails = [quantity_check(second, ask, hash48) for ask in second.asks]
        if third:
            tails = [all_of([point_check(second, "t.low"), point_check(third[0], "t.high")])]
        where = of_param(parameter.id, all_of([any_of(heads), any_of(tails)]))
        return from_spans([Span("search_composite", where)])


def _at_root(parameter: Parameter, name: str, expression: str) -> list[Parameter]:
    """Return the stored parameters that read a composite's part at the resource itself."""
    first = expression.split(".", maxsplit=1)[0]
    wanted = re.compile(rf"\(?{parameter.type}\.{first}\b")
    found = parameters.stored(parameters.for_type(parameter.type)[name])
    return [each for each in found if wanted.match(each.expression)]


def _token_pair(value: Any, code: str, system: str) -> Sql:
    if not isinstance(value, Token):
        return NEVER.check
    parts = [] if value.code is None else [Sql(f"t.{code}=?", (hash64(value.code),))]
    parts += [] if value.system is None else [Sql(f"t.{system}=?", (hash48(value.system),))]
    return all_of(parts)


def _ranged(table: str, check: Sql, spans: list[Span] | None) -> Predicate:
    return Predicate(exists(table, check), None if spans is None else tuple(spans))


def _date(stored: Parameter, value: Date) -> Predicate:
    check = of_param(stored.id, date_check(value))
    return _ranged("search_date", check, date_spans("search_date", stored.id, value))


def _string(stored: Parameter, value: String) -> Predicate:
    return from_spans([Span("search_string", of_param(stored.id, string_check(value)))])


def _uri(stored: Parameter, value: Uri) -> Predicate:
    if stored.name in INTERNED:
        return from_spans([Span("search_token", of_param(stored.id, interned_check(value)), not value.below)])
    return from_spans([Span("search_uri", of_param(stored.id, uri_check(value)), not value.below)])


def _number(stored: Parameter, value: Number) -> Predicate:
    check = number_check(value.prefix, value)
    spans = number_spans("search_number", stored.id, value.prefix, value, check)
    return _ranged("search_number", of_param(stored.id, check), spans)


def _quantity(session: Session, stored: Parameter, value: Quantity) -> Predicate:
    """Return the predicate of a quantity in every unit that it goes into and that any resource has."""
    first, *others = value.asks
    known = session.keyed("SELECT text FROM code", (("hash", "int"),), [(hash64(ask.unit or ""),) for ask in others])
    used = {unit for (unit,) in known}
    asks = [first, *(ask for ask in others if ask.unit in used)]
    checks = [quantity_check(value, ask, hash48) for ask in asks]
    found = [
        quantity_spans("search_quantity", stored.id, value.prefix, ask, check)
        for ask, check in zip(asks, checks, strict=True)
    ]
    spans = [span for each in found for span in each or ()]
    return _ranged("search_quantity", of_param(stored.id, any_of(checks)), None if None in found else spans)


_ASKED: dict[type[Any], Callable[[Session, Parameter, Any], Predicate]] = {
    Token: tokens.token,
    Words: tokens.words,
    InSet: tokens.in_set,
    Quantity: _quantity,
    OfType: lambda _, stored, value: tokens.of_type(stored, value),
}
_PLAIN: dict[type[Any], Callable[[Parameter, Any], Predicate]] = {
    Date: _date,
    String: _string,
    Uri: _uri,
    Number: _number,
}


def _ids(parameter: Parameter, values: Iterable[Token]) -> Predicate:
    fids = [value.code for value in values if value.code is not None and not value.system]
    where = all_of([Sql("t.type_id=?", (TYPE_ID[parameter.type],)), in_list("t.fid", fids)])
    return Predicate(in_list("r.fid", fids), (Span("resource", where),) if fids else ())


def _updated(parameter: Parameter, values: Iterable[Date]) -> Predicate:
    checks = [date_check(value) for value in values]
    spans = []
    for check in checks:
        text = check.text.replace("t.low", "t.updated_us").replace("t.high", "t.updated_us+1")
        spans.append(Span("resource", Sql(f"t.type_id=? AND {text}", (TYPE_ID[parameter.type], *check.params))))
    at = [check.text.replace("t.low", "r.updated_us").replace("t.high", "(r.updated_us+1)") for check in checks]
    merged = any_of(Sql(text, check.params) for text, check in zip(at, checks, strict=True))
    return Predicate(merged, tuple(spans))


def _missing(parameter: Parameter, *, absent: bool) -> Predicate:
    if parameter.name in ("_id", "_lastUpdated"):
        return NEVER if absent else Predicate(ALWAYS)
    found = any_of(_held(parameter))
    return Predicate(negated(found) if absent else found)


def _held(parameter: Parameter) -> Iterator[Sql]:
    """Yield the conditions under which a resource has a value of the parameter."""
    if parameter.name == "_source":
        yield provenances.MAPPED
    if parameter.kind != "composite":
        yield from (_present(each, parameter.only) for each in parameters.stored(parameter))
        return
    if paired(parameter):
        yield _present(parameter, "")
    if whole(parameter):
        parts = [_at_root(parameter, part.name, part.expression) for part in parameter.components]
        yield all_of(any_of(_present(each, "") for each in part) for part in parts)


def _present(stored: Parameter, only: str) -> Sql:
    if only:  # a target not stored yet has no type to tell; it counts
        of_type = "(t.target<0 OR (SELECT x.type_id FROM resource x WHERE x.pid=t.target)=?)"
        return exists("search_reference", of_param(stored.id, Sql(of_type, (TYPE_ID[only],))))
    any_row = Sql("t.param=?", (stored.id,))
    return any_of(exists(table, any_row) for table in _tables(stored))


def _tables(stored: Parameter) -> list[str]:
    if stored.name in INTERNED:
        return ["search_token"]
    if stored.kind != "token":
        return [f"search_{stored.kind}"]
    types = leaf_types(stored)
    tables = ["search_identifier"] if types & tokens.TEXTS else []
    return tables + (["search_token"] if types - tokens.TEXTS else [])
