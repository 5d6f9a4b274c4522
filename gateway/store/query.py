"""Searching: the smallest predicate drives, found by a capped probe; the others are checked resource by resource.

A page is read newest first by pid, or by its sort values; its cursor is those values and the pid, so pages neither
repeat nor skip while others write. Every statement carries the scope.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.fhir.issues import Issue
from gateway.search.request import Cursor, Search, Sort
from gateway.search.scope import Scope
from gateway.store import including
from gateway.store.compile import Compiler
from gateway.store.hits import Sight, StoredHit, current, sight_of
from gateway.store.pages import Found, Plan
from gateway.store.plan import choose
from gateway.store.resources import ResourceReads


class Reach(NamedTuple):
    """How far an answer goes: included resources of a page, rounds of `:iterate`, matches an estimate counts."""

    included: int = 1000
    rounds: int = 10
    estimated: int = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an answer; `next` is where the following one begins, None on the last.

    `notes` tell the client what was left out, and of an estimated `total` where counting stopped; `ignored` are the
    parameters that a lenient client let pass unanswered.
    """

    matches: list[StoredHit]
    includes: list[StoredHit]
    next: Cursor | None
    total: int | None
    notes: tuple[Issue, ...] = ()
    ignored: tuple[str, ...] = ()


def run(tx: ResourceReads, search: Search, scope: Scope, reach: Reach = Reach()) -> Page:  # noqa: B008  a value
    """Return one page of a search, as much of it as the scope may see."""
    return run_all(tx, (search,), scope, reach)


def run_all(tx: ResourceReads, searches: Sequence[Search], scope: Scope, reach: Reach = Reach()) -> Page:  # noqa: B008
    """Return one page of searches of several types that ask the same, in one order."""
    asked = searches[0]
    sight = sight_of(tx, scope)
    if sight is None:
        return Page([], [], None, None if asked.total == "none" else 0)
    plans = [_plan(tx, search, sight) for search in searches]
    total, notes = _total(plans, asked, reach)
    if not asked.count:
        return Page([], [], None, total, notes)
    found = _merged([plan.page(asked.cursor, asked.count + 1) for plan in plans], asked)
    shown = found[: asked.count]
    following = Cursor(*shown[-1]) if len(found) > asked.count else None
    hits = current(tx, [each.pid for each in shown], sight)
    matches = list(hits.values())
    if not asked.include:
        return Page(matches, [], following, total, notes)
    included = including.follow(tx, asked.include, hits, sight, reach.included, reach.rounds)
    return Page(matches, included.hits, following, total, notes + included.notes)


def explain(tx: ResourceReads, search: Search, scope: Scope) -> str:
    """Return in words how a search would be driven; for tests and operators."""
    sight = sight_of(tx, scope)
    return "nothing: the scope holds no site" if sight is None else _plan(tx, search, sight).words


def _plan(tx: ResourceReads, search: Search, sight: Sight) -> Plan:
    return choose(tx.session, search, Compiler(tx.session, search, sight.sql))


def _total(plans: Sequence[Plan], asked: Search, reach: Reach) -> tuple[int | None, tuple[Issue, ...]]:
    if asked.total == "none":
        return None, ()
    if asked.total == "accurate":
        return sum(plan.total() for plan in plans), ()
    most = reach.estimated
    counted = 0
    for plan in plans:
        counted += plan.estimate(most + 1 - counted)
        if counted > most:
            text = f"There are more than {most} matches; counting stopped there. _total=accurate counts them all."
            return most, (Issue("information", "informational", text, "_total"),)
    return counted, ()


def _merged(pages: Sequence[list[Found]], asked: Search) -> list[Found]:
    """Return the matches of several types in the order that each page has."""
    if len(pages) == 1:
        return pages[0]
    found = [each for page in pages for each in page]
    found.sort(key=lambda each: each.pid, reverse=not asked.sort or asked.sort[0].descending)
    for at, sort in reversed(list(enumerate(asked.sort))):
        found = _by(found, at, sort)
    return found


def _by(found: list[Found], at: int, sort: Sort) -> list[Found]:
    """Return matches sorted by one value, those without it last; equal ones stay as they stand."""
    held = [each for each in found if each.values[at] is not None]
    held.sort(key=lambda each: each.values[at], reverse=sort.descending)  # type: ignore[arg-type, return-value]  # one kind
    return held + [each for each in found if each.values[at] is None]
