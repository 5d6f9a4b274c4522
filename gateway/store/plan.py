"""Plans of a search: what drives it, and in which order it is read."""

from collections.abc import Sequence
from typing import Any

from gateway.search import parameters
from gateway.search.criteria import Criterion
from gateway.search.hashes import hash64
from gateway.search.kinds.reference import Target
from gateway.search.kinds.token import Token
from gateway.search.request import Search, Within
from gateway.store.compile import Compiler
from gateway.store.dialect import Session
from gateway.store.index import CLINICAL
from gateway.store.narrowing import narrowed
from gateway.store.pages import Plan
from gateway.store.predicates import ALWAYS, Predicate, Span, Sql, all_of, any_of, in_list
from gateway.store.sorting import order_of
from gateway.store.type_ids import TYPE_ID

PROBE = 1000
"""Matches up to which a predicate is read whole and sorted; above, the order is walked instead."""

_WALKED = 16
FEW = 5000  # matches up to which sorting them can be sooner than walking an index; 20 of a million resources


def choose(session: Session, search: Search, compiler: Compiler) -> Plan:
    """Return the plan of a search: the cheapest that its predicates allow."""
    predicates = [compiler.predicate(criterion) for criterion in search.criteria]
    if search.within is not None:
        predicates.append(_within(search.within, search.type, compiler))
    type_id = TYPE_ID[search.type]
    guard = all_of([Sql("+r.type_id=?", (type_id,)), compiler.guard])
    order = order_of(search.sort, type_id)
    full = _where(guard, predicates)
    plan = Plan(session, search, full, full, "", order)
    if any(each.spans == () for each in predicates):
        plan.spans, plan.words = (), "nothing: one condition has no rows"
        return plan
    together = narrowed(search.criteria, predicates)
    return _clinical(plan, compiler) or _single(plan, guard, predicates) or _probed(plan, guard, predicates, together)


def _within(within: Within, type_name: str, compiler: Compiler) -> Predicate:
    """Return the predicate of a compartment: any of its parameters refers to the owner."""
    value = (Target((within.owner,)),)
    parts = [compiler.predicate(Criterion(each, value)) for each in within.parameters]
    if within.itself:
        itself = parameters.for_type(type_name)["_id"]
        parts.append(compiler.predicate(Criterion(itself, (Token(None, within.owner.fid),))))
    spans = dict.fromkeys(span for part in parts for span in part.spans or ())
    return Predicate(any_of(part.check for part in parts), tuple(spans), all(part.exact for part in parts))


def _where(guard: Sql, predicates: Sequence[Predicate], driver: Predicate | None = None) -> Sql:
    """Return what a resource is checked for when the driver yields it."""
    return all_of([guard, *(each.check for each in predicates if each is not driver or not each.exact)])


def _single(plan: Plan, guard: Sql, predicates: Sequence[Predicate]) -> Plan | None:
    """One condition that can be read newest first needs no probe."""
    if plan.order.keys or len(predicates) != 1 or not predicates[0].ordered:
        return None
    return _walk(plan, guard, predicates, predicates[0])


def _probed(plan: Plan, guard: Sql, predicates: Sequence[Predicate], together: Sequence[Predicate]) -> Plan:
    """Choose by how many entries each condition has: few are all read, of many an order is walked."""
    drivers = [*together, *(each for each in predicates if each.spans)]
    every = Predicate(ALWAYS, (Span("resource", Sql("t.type_id=?", (TYPE_ID[plan.search.type],))),))
    sizes = probe(plan.session, [*drivers, every])
    size, driver = min(zip(sizes, [*drivers, every], strict=True), key=lambda pair: pair[0])
    if size < PROBE:
        plan.spans, plan.where = driver.spans, _where(guard, predicates, driver)
        plan.words = f"all {size} rows of {_tables(driver)}, sorted"
        return plan
    if plan.order.keys:
        return _ordered(plan, drivers)
    plan.others = [each.spans for each in drivers if each.spans and not each.ordered]
    walkable = next((each for each in drivers if each.ordered), None)
    if walkable is not None:
        return _walk(plan, guard, predicates, walkable)
    plan.whole, plan.words = (drivers[0].spans if drivers else None), "every resource, newest first"
    return plan


def _ordered(plan: Plan, drivers: Sequence[Predicate]) -> Plan:
    """Many matches in an order: its first key's index is walked where that is shorter than sorting all of them."""
    sizes = probe(plan.session, drivers, FEW) if drivers else []
    pairs = ((size, driver.spans) for size, driver in zip(sizes, drivers, strict=True))
    size, plan.whole = min(pairs, key=lambda pair: pair[0], default=(FEW, None))
    road = plan.order.keys[0].road()
    if road is None or (size < FEW and _sooner_sorted(plan, size)):
        plan.spans, plan.words = plan.whole, "all matches, sorted"
    else:
        plan.walk, plan.words = True, f"in the order of {road.source.split()[0]}"
    return plan


def _sooner_sorted(plan: Plan, size: int) -> bool:
    """Say whether so many matches are sooner sorted than found along an index of all resources."""
    resources = plan.session.value("SELECT max(pid) FROM resource") or 0
    return bool((plan.search.count + 1) * resources > size * size)


def _walk(plan: Plan, guard: Sql, predicates: Sequence[Predicate], driver: Predicate) -> Plan:
    plan.spans, plan.walk = driver.spans, len(driver.spans or ()) <= _WALKED
    plan.where = _where(guard, predicates, driver)
    plan.words = f"{_tables(driver)}, newest first"
    return plan


def _tables(driver: Predicate) -> str:
    return ", ".join(dict.fromkeys(span.table for span in driver.spans or ()))


def probe(session: Session, predicates: Sequence[Predicate], most: int = 0) -> list[int]:
    """Return how many index rows each predicate has, counted no further than `most` (0: PROBE) in each span."""
    counts: list[str] = []
    params: list[Any] = []
    for predicate in predicates:
        parts = []
        for span in predicate.spans or ():
            parts.append(f"(SELECT count(*) FROM (SELECT 1 FROM {span.table} t WHERE {span.where.text} LIMIT ?) c)")  # noqa: S608
            params += [*span.where.params, most or PROBE]
        counts.append("+".join(parts))
    row = session.one(f"SELECT {','.join(counts)}", params)
    return [int(count) for count in row or ()]


# --- one patient's coded results ----------------------------------------------------------------------------------


def _clinical(plan: Plan, compiler: Compiler) -> Plan | None:
    """Patient and code together have rows of their own, newest first."""
    asked = _patient_and_code(plan.search)
    if asked is None:
        return None
    patients = dict.fromkeys(number for option in asked[0] for number in compiler.targets(option))
    of_type = Sql("t.type_id=?", (TYPE_ID[plan.search.type],))
    where = all_of([of_type, in_list("t.patient", list(patients)), in_list("t.code", asked[1])])
    plan.spans = (Span("search_clinical", where),)
    plan.words = "search_clinical"
    return plan


def _patient_and_code(search: Search) -> tuple[list[tuple[str, str]], list[int]] | None:
    names = CLINICAL.get(search.type)
    if names is None:
        return None
    patient, code = _asked(search, names[0]), _asked(search, names[1])
    if patient is None or code is None:
        return None
    targets = [value for value in patient.values if isinstance(value, Target)]
    tokens = [value for value in code.values if isinstance(value, Token)]
    if len(targets) < len(patient.values) or len(tokens) < len(code.values):
        return None  # modifiers have values of other kinds
    codes = [token.code for token in tokens]
    if None in codes:
        return None
    options = [option for value in targets for option in value.options]
    return options, [hash64(each) for each in dict.fromkeys(codes) if each is not None]


def _asked(search: Search, name: str) -> Criterion | None:
    """Return the criterion answered by the rows of one parameter."""
    for each in search.criteria:
        if not isinstance(each, Criterion) or each.missing is not None or each.negated:
            continue
        if [stored.name for stored in parameters.stored(each.parameter)] == [name]:
            return each
    return None
