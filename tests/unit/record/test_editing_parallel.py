"""Many clients at once: conditions make one resource, If-Match makes one line of versions, nothing is lost."""

import json
import threading
from collections.abc import Callable
from typing import Any

from gateway.errors import Category, GatewayError
from gateway.record.editing import Done, Edit
from gateway.store.values import Stored
from tests.unit.record.clients import COUNTY, by_number, create, delete, editor, one, person, put, text, update


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run work in threads that start at once; return what each returned, or the failure it raised."""
    start, results = threading.Barrier(count), [None] * count

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = work(number)
        except GatewayError as fault:
            results[number] = fault

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def all_done(results: list[Any]) -> list[Done]:
    faults = [result for result in results if isinstance(result, GatewayError)]
    assert faults == []
    return results


def count_of(stored: Stored) -> int:
    return int(json.loads(stored.body)["code"]["text"])


def test_of_64_parallel_conditional_creates_one_creates_and_63_find_it(store):
    edit = create("Patient", person("7"), criteria=by_number("7"))
    desk = editor(store)
    done = all_done(together(64, lambda _: desk.apply(COUNTY, [edit])[0]))
    assert sum(each.created for each in done) == 1
    assert len({each.stored.fid for each in done}) == 1
    with store.read() as tx:
        assert tx.last_pid() == max(each.stored.pid for each in done)
        assert len(tx.heads_by_pid(range(1, 2000))) == 1


def test_16_writers_with_if_match_make_a_linear_history(store):
    fid = one(store, create("Basic", text("Basic", code={"text": "0"}))).stored.fid
    desk = editor(store)

    def write(number: int) -> list[int]:
        """Add one to what stands, three times, each time reading again until nobody was faster."""
        made: list[int] = []
        while len(made) < 3:
            with store.read() as tx:
                stored = tx.read("Basic", fid, COUNTY.scope)
            body = text("Basic", id=fid, code={"text": str(count_of(stored) + 1)})
            try:
                done = desk.apply(COUNTY, [update("Basic", fid, body, if_match=stored.ver)])[0]
            except GatewayError as fault:
                assert fault.category is Category.PRECONDITION
            else:
                made.append(done.stored.ver)
        return made

    versions = sorted(ver for made in all_done(together(16, write)) for ver in made)
    assert versions == list(range(2, 50))
    with store.read() as tx:
        history = tx.history("Basic", fid, COUNTY.scope, 100)
    assert [count_of(stored) for stored in history] == list(range(48, -1, -1))
    moments = [stored.updated_us for stored in history]
    assert moments == sorted(set(moments), reverse=True)


def test_writers_without_if_match_lose_no_version_and_are_never_refused(store):
    put(store, "a", active=True)
    desk = editor(store)
    done = all_done(
        together(
            12,
            lambda n: desk.apply(COUNTY, [update("Patient", "a", text("Patient", id="a", name=[{"text": str(n)}]))])[0],
        )
    )
    assert sorted(each.stored.ver for each in done) == list(range(2, 14))


def test_the_same_new_id_put_by_many_is_one_resource(store):
    desk = editor(store)
    edits = [update("Patient", "same", text("Patient", id="same", name=[{"text": str(n)}])) for n in range(8)]
    done = all_done(together(8, lambda n: desk.apply(COUNTY, [edits[n]])[0]))
    assert sum(each.created for each in done) == 1
    assert sorted(each.stored.ver for each in done) == list(range(1, 9))


def test_conditional_updates_at_once_make_one_resource(store):
    desk = editor(store)

    def write(number: int) -> Done:
        edit = Edit("update", "Patient", text=person("8", name=[{"text": str(number)}]), criteria=by_number("8"))
        return desk.apply(COUNTY, [edit])[0]

    done = all_done(together(12, write))
    assert sum(each.created for each in done) == 1
    assert len({each.stored.pid for each in done}) == 1


def test_creates_and_deletes_by_condition_at_once_leave_at_most_one(store):
    desk = editor(store)
    edits = [create("Patient", person("9"), criteria=by_number("9")), delete("Patient", criteria=by_number("9"))]
    all_done(together(16, lambda n: desk.apply(COUNTY, [edits[n % 2]])[0]))
    last = desk.apply(COUNTY, [edits[0]])[0]
    with store.read() as tx:
        standing = [head.fid for head in tx.heads_by_pid(range(1, 2000)).values() if not head.deleted]
    assert standing == [last.stored.fid]


def test_transactions_over_the_same_resources_do_not_lock_each_other_out(store):
    desk = editor(store)
    for fid in "abc":
        put(store, fid, active=True)

    def write(number: int) -> list[Done]:
        names = "abc"[:: -1 if number % 2 else 1]
        words = [{"text": str(number)}]
        return desk.apply(COUNTY, [update("Patient", fid, text("Patient", id=fid, name=words)) for fid in names])

    for made in all_done(together(8, write)):
        assert len(made) == 3
    with store.read() as tx:
        assert {head.ver for head in tx.heads([("Patient", fid) for fid in "abc"]).values()} == {9}
