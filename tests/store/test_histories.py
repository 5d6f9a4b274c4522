"""Histories: in order, in stretches, by index, as much as a scope may see."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.search.scope import Scope
from gateway.store import histories
from gateway.store.engine import open_store
from gateway.store.failures import Conflict
from gateway.store.histories import Past, Period, Stretch
from gateway.store.values import Op
from tests.store.make import ALL, create, version

ALWAYS = Stretch(0, 1 << 62)
EVERYTHING = Past()


def put(store, wanted_us, *versions):
    """Write one transaction and return the moment it got."""
    with store.write() as tx:
        moment = tx.moment(wanted_us)
        tx.put([each._replace(updated_us=moment) for each in versions])
    return moment


def told(store, past=EVERYTHING, scope=ALL, within=ALWAYS, limit=100, **given):
    """The id and version of what a history tells."""
    with store.read() as tx:
        return [f"{one.fid}/{one.ver}" for one in histories.read(tx, past, scope, within, limit, **given)]


def a_day(store):
    """Two patients and a result: made, changed and deleted at moments of one second each."""
    with store.write() as tx:
        a, b, r = tx.allocate(3)
    result = {"type": "Observation"}
    steps = [
        [version(a, "a")],
        [version(b, "b", site="township")],
        [version(r, "r", **result), version(a, "a", 2)],
        [version(r, "r", 2, op=Op.DELETE, body=None, **result)],
        [version(b, "b", 2, site="township")],
    ]
    return (a, b, r), [put(store, n * 1_000_000, *step) for n, step in enumerate(steps, start=1)]


def test_everything_of_a_type_and_of_one_newest_first(store):
    (a, _, r), _ = a_day(store)
    assert told(store) == ["b/2", "r/2", "a/2", "r/1", "b/1", "a/1"]
    assert told(store, oldest_first=True) == ["a/1", "b/1", "r/1", "a/2", "r/2", "b/2"]
    assert told(store, Past("Patient")) == ["b/2", "a/2", "b/1", "a/1"]
    assert told(store, Past("Observation")) == ["r/2", "r/1"]
    assert told(store, Past("Encounter")) == []
    whole = Stretch(histories.beginning(Past("Patient", a)), (a + 1) << 24)
    assert told(store, Past("Patient", a), within=whole) == ["a/2", "a/1"]
    with store.read() as tx:
        gone, made = histories.read(tx, Past("Observation"), ALL, ALWAYS, 9)
    assert (gone.deleted, gone.body, made.deleted) == (True, b"", False)
    assert gone.pid == r


def test_stretches_join_without_a_gap(store):
    a_day(store)
    with store.read() as tx:
        found = histories.read(tx, EVERYTHING, ALL, ALWAYS, 100)
        numbers = [histories.number(EVERYTHING, one) for one in found]
        for cut in numbers:
            newer = histories.read(tx, EVERYTHING, ALL, Stretch(cut, 1 << 62), 100)
            older = histories.read(tx, EVERYTHING, ALL, Stretch(0, cut + 1), 100)
            assert newer + older == found
        assert histories.read(tx, EVERYTHING, ALL, Stretch(numbers[0], numbers[0] + 1), 100) == []


def test_since_is_exact_to_the_microsecond(store):
    (a, _, _), moments = a_day(store)
    with store.read() as tx:
        end = histories.end(tx, EVERYTHING)
        for past in (EVERYTHING, Past("Patient")):
            for moment in moments:
                for asked in (moment, moment - 1, moment + 1):
                    first = histories.since(tx, past, asked, Stretch(0, end))
                    found = histories.read(tx, past, ALL, Stretch(first - 1, end), 100)
                    expected = [one for one in histories.read(tx, past, ALL, ALWAYS, 100) if one.updated_us >= asked]
                    assert found == expected
        one = Past("Patient", a)
        within = Stretch(histories.beginning(one), histories.end(tx, one))
        first = histories.since(tx, one, moments[2], within)
        assert [each.ver for each in histories.read(tx, one, ALL, Stretch(first - 1, within.before), 9)] == [2]
        assert histories.since(tx, one, 1 << 60, within) == within.before


def test_what_was_current_at_a_moment_or_in_a_period(store):
    (a, _, _), (one, two, three, four, five) = a_day(store)
    between = Period(two + 1, two + 2)
    assert told(store, at=between) == ["b/1", "a/1"]
    assert told(store, at=Period(three, three + 1)) == ["a/2", "r/1", "b/1"]
    assert told(store, at=Period(four, four + 1)) == ["r/2", "a/2", "b/1"]
    assert told(store, at=Period(four + 1, four + 2)) == ["a/2", "b/1"]
    assert told(store, at=Period(one, five + 1)) == ["b/2", "r/2", "a/2", "r/1", "b/1", "a/1"]
    assert told(store, at=Period(0, one)) == []
    assert told(store, Past("Patient"), at=between) == ["b/1", "a/1"]
    within = Stretch(a << 24, (a + 1) << 24)
    assert told(store, Past("Patient", a), within=within, at=between) == ["a/1"]


def test_a_scope_sees_its_own_part(store):
    a_day(store)
    assert told(store, scope=Scope(frozenset({"township"}))) == ["b/2", "b/1"]
    assert told(store, Past("Patient"), Scope(frozenset({"township", "county"}))) == ["b/2", "a/2", "b/1", "a/1"]
    assert told(store, scope=Scope(frozenset())) == []
    assert told(store, scope=Scope(frozenset({"nowhere"}))) == []
    assert told(store, scope=Scope(None, test=True)) == []
    create(store, "hidden", sensitivity=2)
    assert "hidden/1" in told(store)
    assert "hidden/1" not in told(store, scope=Scope(None, hidden=2))


def test_moments_rise_whatever_a_clock_says(store):
    with store.write() as tx:
        pids = tx.allocate(4)
    moments = [
        put(store, wanted, version(pid, f"p{pid}")) for pid, wanted in zip(pids, (5000, 9, 9, 5001), strict=True)
    ]
    assert moments == sorted(set(moments))
    if store.is_sqlite:
        assert moments == [5000, 5001, 5002, 5003]


def test_a_moment_is_taken_before_anything_else(store):
    """PostgreSQL: what is written or locked first gives the transaction its number before its moment."""
    if store.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    with pytest.raises(AssertionError, match="before it writes or locks anything"), store.write() as tx:
        tx.cursor_set("x", 1)
        tx.moment(0)


def test_of_two_writers_the_one_who_began_first_does_not_overwrite(new_store):
    """PostgreSQL: else a later version would have an earlier number and moment."""
    one, two = new_store(), new_store()
    if one.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    (pid,) = create(one, "a")
    with pytest.raises(Conflict), one.write() as first:
        moment = first.moment(0)
        assert put(two, 0, version(pid, "a", 2)) > moment
        first.put([version(pid, "a", 3, updated_us=moment)])


def test_what_is_under_way_ends_a_history(new_store):
    """PostgreSQL: what began before and is not over hides what came after it, so that nothing comes in between."""
    one, two = new_store(), new_store()
    if one.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    begun, finish = threading.Event(), threading.Event()

    def slow():
        with one.write() as tx:
            moment = tx.moment(0)
            begun.set()
            assert finish.wait(5)
            tx.put([version(tx.allocate(1)[0], "slow", updated_us=moment)])
        return moment

    def seen():
        with two.read() as tx:
            end = histories.end(tx, EVERYTHING)
        return told(two, within=Stretch(0, end))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(slow)
        assert begun.wait(5)
        with two.write() as tx:
            pid = tx.allocate(1)[0]
        quick = put(two, 0, version(pid, "quick"))
        assert seen() == []
        finish.set()
        assert running.result(5) < quick
    assert seen() == ["quick/1", "slow/1"]


WALKS = [
    (EVERYTHING, "SEARCH c USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    (Past("Observation"), "SEARCH c USING INDEX change_type (type_id=? AND seq>? AND seq<?)"),
    (Past("Patient", 1), "SEARCH v USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
]


def test_each_walks_one_index_and_sorts_nothing(tmp_path):
    """On SQLite; PostgreSQL chooses by statistics, which an empty database does not have."""
    store = open_store(f"sqlite:///{tmp_path}/gateway.db")
    store.migrate()
    a_day(store)
    with store.read() as tx:
        run = tx.session.run
        for past, index in WALKS:
            for at in (None, Period(1, 2)):
                asked = []
                tx.session.run = lambda sql, params=(), asked=asked: asked.append((sql, params)) or run(sql, params)
                histories.read(tx, past, ALL, ALWAYS, 10, at=at)
                sql, params = asked[-1]
                plan = [row[3] for row in run(f"EXPLAIN QUERY PLAN {sql}", params)]
                assert plan[0] == index
                assert not [step for step in plan if re.search("SCAN|TEMP B-TREE", step)]
    store.close()
