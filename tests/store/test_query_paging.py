"""Pages while others write: whoever was there all along is seen once and only once, in every order."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.search import parameters
from gateway.search.request import parse, parse_all
from gateway.search.scope import Scope
from gateway.store import pages, plan, query
from gateway.store.failures import TooSlow
from gateway.store.narrowing import single
from gateway.store.query import Reach
from gateway.store.values import NewLink
from tests.support.asking import ALL, ZONE, ids, included, listed, observation, patient, search
from tests.support.search_records import START_US, change, naive, put

ORDERS = st.sampled_from(["", "date", "-date", "code,-date", "-subject,date", "-_lastUpdated", "_id", "value-quantity"])
DAYS = st.sampled_from([None, "2026-01-01", "2026-01-02", "2026-01-03"])


def result(fid: str, day: str | None, code: str):
    return observation(fid, code=code, **({"effectiveDateTime": day} if day else {}))


@pytest.mark.parametrize("probe", [2, 1000])
def test_what_stays_is_seen_once_whatever_is_added_meanwhile(store, monkeypatch, probe):
    monkeypatch.setattr(plan, "PROBE", probe)
    numbers = iter(range(10**6))

    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(st.tuples(DAYS, st.sampled_from("ab")), min_size=1, max_size=8),
        st.lists(st.tuples(DAYS, st.sampled_from("ab")), max_size=6),
        ORDERS,
        st.integers(1, 3),
    )
    def property_(first, later, order, size):
        mark = f"t{next(numbers)}"
        device = {"method": {"coding": [{"code": mark}]}}
        before = [result(f"o{next(numbers)}", *each) | device for each in first]
        added = [result(f"o{next(numbers)}", *each) | device for each in later]
        put(store, *before)
        asked = [("method", mark), ("_count", str(size)), *([("_sort", order)] if order else [])]
        seen, cursor = [], None
        while True:
            page = search(store, "Observation", *asked, cursor=cursor)
            seen += ids(page)
            cursor = page.next
            if added:
                put(store, added.pop())
            if cursor is None:
                break
        assert len(seen) == len(set(seen))
        assert {body["id"] for body in before} <= set(seen)

    property_()


def test_a_resource_that_changes_keeps_its_place_newest_first(store):
    pids = put(store, *(observation(f"o{n}") for n in range(6)))
    first = search(store, "Observation", ("_count", "3"))
    change(store, pids[1], 2, observation("o1", code="x"))
    assert ids(search(store, "Observation", ("_count", "3"), cursor=first.next)) == ["o2", "o1", "o0"]


# --- what is rare among much ---------------------------------------------------------------------------------------

NEEDLES = [
    [("date", "ge2026-01-05"), ("date", "lt2026-01-08")],
    [("code", "a"), ("date", "lt2026-01-03")],
    [("code", "a,b"), ("date", "ge2026-01-02"), ("date", "le2026-01-02")],
    [("date", "lt2026-01-04")],
    [("status:not", "amended"), ("date", "sa2026-01-25")],
    [("_lastUpdated", "ge2026-01-01"), ("_lastUpdated", "lt2027"), ("date", "2026-01-09")],
    [("code", "b"), ("date", "ge2026-01-02"), ("date", "lt2026-01-20"), ("_sort", "-date")],
    [("date", "ge2026-01-02"), ("date", "lt2026-01-20"), ("_sort", "code,date")],
]


@pytest.mark.parametrize(("gather", "few"), [(10, 0), (50_000, 5000)])
def test_the_rare_among_much_is_found_page_by_page(store, monkeypatch, gather, few):
    for name, number in (("NEAR", 4), ("GATHER", gather), ("WALK", 4)):
        monkeypatch.setattr(pages, name, number)
    monkeypatch.setattr(plan, "PROBE", 3)
    monkeypatch.setattr(plan, "FEW", few)
    bodies = [result(f"o{n}", f"2026-01-{n * 5 % 28 + 1:02d}", "ab"[n % 3 == 0]) for n in range(70)]
    periods = [{"start": "2025-12-01", "end": "2026-01-06"}, {"start": "2026-01-06"}, {"end": "2026-01-03"}]
    bodies += [observation(f"x{n}", code="a", effectivePeriod=period) for n, period in enumerate(periods)]
    schedule = {"event": ["2026-01-26"], "repeat": {"boundsPeriod": {"end": "2026-01-02"}}}
    bodies.append(observation("t", code="a", effectiveTiming=schedule))
    put(store, *bodies)
    for pairs in NEEDLES:
        wanted = naive(parse("Observation", pairs, ZONE), bodies) if "_lastUpdated" not in str(pairs) else None
        seen = listed(store, "Observation", *pairs)
        assert len(seen) == len(set(seen)) > 0
        assert wanted is None or sorted(seen) == sorted(wanted), pairs
        if not any(name == "_sort" for name, _ in pairs):
            order = [body["id"] for body in reversed(bodies)]
            assert seen == sorted(seen, key=order.index)
        assert search(store, "Observation", *pairs, ("_total", "accurate")).total == len(seen)


def test_only_dates_that_a_resource_has_once_are_taken_together():
    names = parameters.for_type("Observation") | {"dosage": parameters.for_type("MedicationRequest")["date"]}
    assert [single(names[name]) for name in ("date", "_lastUpdated", "value-date", "code", "dosage")] == [
        True,
        True,
        True,
        False,
        False,
    ]


# --- totals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("probe", [2, 1000])
def test_an_estimate_counts_to_its_limit_and_says_so(store, monkeypatch, probe):
    monkeypatch.setattr(plan, "PROBE", probe)
    put(store, *(observation(f"o{n}", code="ab"[n % 2]) for n in range(8)))
    for asked in ([("code", "a")], [("code", "a"), ("_sort", "date")], [("code:not", "b")], [("code", "a,none")]):
        page = search(store, "Observation", *asked, ("_total", "estimate"), ("_count", "1"))
        assert (page.total, page.notes, len(page.matches)) == (4, (), 1)
        page = search(store, "Observation", *asked, ("_total", "estimate"), reach=Reach(estimated=3))
        assert page.total == 3
        assert "more than 3 matches" in page.notes[0].text
    assert search(store, "Observation", ("code", "none"), ("_total", "estimate")).total == 0
    nowhere = Scope(frozenset({"nowhere"}))
    assert search(store, "Observation", ("_total", "estimate"), scope=nowhere).total == 0


# --- several types, compartments ----------------------------------------------------------------------------------


def across(store, kinds, *pairs, scope=ALL):
    found, cursor = [], None
    while True:
        with store.read() as tx:
            page = query.run_all(tx, parse_all(kinds, [*pairs, ("_count", "2")], ZONE, cursor), scope)
        found += [f"{hit.type}/{hit.fid}" for hit in page.matches]
        cursor = page.next
        if cursor is None:
            return found


def test_types_are_read_in_one_order(store):
    put(store, patient("x"), observation("b"), patient("c"), observation("a", effectiveDateTime="2026-01-01"))
    encounter = {"resourceType": "Encounter", "id": "e", "status": "finished", "period": {"start": "2026-01-02"}}
    put(store, encounter)
    both = ("Observation", "Patient")
    assert across(store, both) == ["Observation/a", "Patient/c", "Observation/b", "Patient/x"]
    assert across(store, both, ("_sort", "_id")) == ["Observation/a", "Observation/b", "Patient/c", "Patient/x"]
    assert across(store, both, ("_sort", "-_id"), ("_id", "a,x")) == ["Patient/x", "Observation/a"]
    dated = ("Observation", "Encounter")
    assert across(store, dated, ("_sort", "-date")) == ["Encounter/e", "Observation/a", "Observation/b"]
    assert across(store, dated, ("_sort", "date,_id")) == ["Observation/a", "Encounter/e", "Observation/b"]
    with store.read() as tx:
        page = query.run_all(tx, parse_all(both, [("_total", "accurate"), ("_count", "1")], ZONE), ALL)
        assert (page.total, len(page.matches)) == (4, 1)
        page = query.run_all(tx, parse_all(both, [("_total", "estimate")], ZONE), ALL, Reach(estimated=3))
        assert page.total == 3
        page = query.run_all(tx, parse_all(both, [("_include", "Observation:subject")], ZONE), ALL)
        assert included(page) == []


def test_a_compartment_holds_what_any_of_its_parameters_places_there(store):
    pids = put(store, patient("p0"), patient("p1"), patient("p2"))
    performed = {"performer": [{"reference": "Patient/p0"}]}
    put(
        store,
        observation("mine"),
        observation("by", "p1", **performed),
        observation("other", "p1"),
        observation("of2", "p2"),
    )
    owner = ("Patient", "p0")
    assert ids(search(store, "Observation", owner=owner)) == ["by", "mine"]
    assert ids(search(store, "Observation", ("code", "718-7"), ("_sort", "_id"), owner=owner)) == ["by", "mine"]
    assert ids(search(store, "Observation", ("patient", "p1"), owner=owner)) == ["by"]
    assert ids(search(store, "Patient", owner=owner)) == ["p0"]
    assert ids(search(store, "Observation", owner=("Patient", "nobody"))) == []
    with store.write() as tx:
        tx.links_add([NewLink("replaced-by", pids[0], pids[2], "active", START_US)])
    assert ids(search(store, "Observation", owner=owner)) == ["of2", "by", "mine"]
    assert ids(search(store, "Observation", ("_linked", "false"), owner=owner)) == ["by", "mine"]
    assert ids(search(store, "Observation", owner=owner, scope=Scope(frozenset({"h2"})))) == []


def test_a_long_compartment_is_walked(store, monkeypatch):
    monkeypatch.setattr(plan, "PROBE", 2)
    monkeypatch.setattr(plan, "FEW", 0)
    monkeypatch.setattr(pages, "WALK", 3)
    put(store, patient("p0"), *(observation(f"o{n}", effectiveDateTime=f"2026-01-{n + 10}") for n in range(9)))
    seen, cursor = [], None
    for _ in range(5):
        page = search(store, "Observation", ("_count", "2"), ("_sort", "-date"), owner=("Patient", "p0"), cursor=cursor)
        seen += ids(page)
        cursor = page.next
    assert seen == [f"o{8 - n}" for n in range(9)]


def test_a_search_past_its_deadline_is_given_up(store):
    if not store.is_sqlite:
        pytest.skip("PostgreSQL times each statement itself; see test_failures")
    put(store, *(observation(f"o{n}", code=str(n)) for n in range(200)))
    with pytest.raises(TooSlow, match="Narrow the search"), store.read(1e-9) as tx:
        query.run(tx, parse("Observation", [("_sort", "code")], ZONE), ALL)
    assert len(ids(search(store, "Observation", ("_count", "300")))) == 200
