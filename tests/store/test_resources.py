"""The record: versions kept exactly, heads that move by one, nothing seen outside its scope."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.search import extract
from gateway.search.scope import Scope
from gateway.store.failures import Conflict
from gateway.store.type_ids import TYPE_ID
from gateway.store.values import Op, item_id
from tests.store.make import ALL, create, version


def test_reads_back_the_exact_text(store):
    text = '{"resourceType":"Patient","id":"珅","x":72.50, "y" : "\\u0001\U0001f600"}'.encode()
    (pid,) = create(store, "a", body=text, source_us=5, mode="fill", item_id=9, mapping_id=3, sensitivity=0)
    found = store.resources.read("Patient", "a", ALL)
    assert found.body == text
    assert (found.pid, found.ver, found.op, found.deleted) == (pid, 1, Op.CREATE, False)
    assert (found.site, found.mode, found.source_us, found.item_id, found.mapping_id) == ("county", "fill", 5, 9, 3)
    assert store.resources.read("Patient", "b", ALL) is None
    assert store.resources.read("Person", "a", ALL) is None


def test_every_version_stays(store):
    (pid,) = create(store, "a")
    for ver in (2, 3):
        with store.write() as tx:
            tx.put([version(pid, "a", ver, actor="dr", reason="typo")])
    with store.write() as tx:
        tx.put([version(pid, "a", 4, op=Op.DELETE, body=None)])
    gone = store.resources.read("Patient", "a", ALL)
    assert (gone.deleted, gone.body, gone.ver) == (True, b"", 4)
    assert b'"versionId":"2"' in store.resources.vread("Patient", "a", 2, ALL).body
    assert store.resources.vread("Patient", "a", 2, ALL).actor == "dr"
    assert store.resources.vread("Patient", "a", 5, ALL) is None
    assert store.resources.vread("Patient", "zz", 1, ALL) is None
    history = store.resources.history("Patient", "a", ALL)
    assert [entry.ver for entry in history] == [4, 3, 2, 1]
    assert [entry.ver for entry in store.resources.history("Patient", "a", ALL, count=2, before=3)] == [2, 1]
    assert store.resources.history("Patient", "zz", ALL) == []
    with store.read() as tx:
        assert [entry.ver for entry in tx.versions(pid)] == [1, 2, 3, 4]


def test_pages_of_history_neither_repeat_nor_skip(store):
    (pid,) = create(store, "a")
    create(store, "neighbour")
    with store.write() as tx:
        for ver in range(2, 24):
            tx.put([version(pid, "a", ver)])
    seen, before = [], 0
    while page := store.resources.history("Patient", "a", ALL, count=5, before=before):
        seen += [entry.ver for entry in page]
        before = seen[-1]
    assert seen == list(range(23, 0, -1))


@pytest.mark.parametrize(
    ("scope", "sees"),
    [
        (ALL, True),
        (Scope(frozenset({"county"})), True),
        (Scope(frozenset({"village"})), False),
        (Scope(frozenset()), False),
        (Scope(None, hidden=0b100), False),
        (Scope(None, hidden=0b010), True),
        (Scope(None, test=True), False),
    ],
)
def test_nothing_is_seen_outside_the_scope(store, scope, sees):
    create(store, "a", sensitivity=0b101)
    assert (store.resources.read("Patient", "a", scope) is not None) == sees
    assert (store.resources.vread("Patient", "a", 1, scope) is not None) == sees
    assert bool(store.resources.history("Patient", "a", scope)) == sees


def test_test_traffic_has_its_own_partition(store):
    create(store, "a", test=True)
    assert store.resources.read("Patient", "a", ALL) is None
    assert store.resources.read("Patient", "a", Scope(None, test=True)).test


def test_heads_and_bodies_come_in_batches(store):
    fids = [f"f{n}" for n in range(40)]
    pids = create(store, *fids)
    with store.read() as tx:
        heads = tx.heads([("Patient", fid) for fid in fids] + [("Patient", "none"), ("Person", "f1")])
        bodies = tx.bodies([(pid, 1) for pid in pids] + [(pids[0], 2)])
        current = tx.current(pids[:3])
        by_pid = tx.heads_by_pid([pids[1], 10**6])
    assert [heads["Patient", fid].pid for fid in fids] == pids
    assert heads["Patient", "f0"].digest == b"\x01" * 16
    assert len(heads) == len(bodies) == 40
    assert b'"id":"f2"' in bodies[pids[2], 1]
    assert current[pids[1]].body == bodies[pids[1], 1]
    assert by_pid == {pids[1]: heads["Patient", "f1"]}


def test_a_head_moves_with_its_version(store):
    (pid,) = create(store, "a", item_id=1, patient_pid=5)
    with store.write() as tx:
        tx.put([version(pid, "a", 2, site="township", item_id=2, patient_pid=6, sensitivity=4, mode="advance")])
        head = tx.heads([("Patient", "a")])["Patient", "a"]
    assert (head.ver, head.site, head.item_id, head.patient_pid) == (2, "township", 2, 6)
    assert (head.sensitivity, head.mode, head.digest, head.deleted) == (4, "advance", b"\x02" * 16, False)


@pytest.mark.parametrize("ver", [2, 1, 4])
def test_a_version_written_elsewhere_is_a_conflict(store, ver):
    (pid,) = create(store, "a")
    with store.write() as tx:
        tx.put([version(pid, "a", 2)])
    with pytest.raises(Conflict), store.write() as tx:
        tx.put([version(pid, "a", ver, body=b"lost")])
    assert store.resources.read("Patient", "a", ALL).body != b"lost"


def test_a_taken_id_is_a_conflict_and_undoes_all(store):
    create(store, "a")
    with pytest.raises(Conflict), store.write() as tx:
        first, second = tx.allocate(2)
        tx.put([version(first, "new"), version(second, "a")])
    assert store.resources.read("Patient", "new", ALL) is None
    assert len(store.outbox.since(0, 10)) == 1


def test_of_parallel_updates_one_wins(new_store):
    stores = [new_store() for _ in range(4)]
    (pid,) = create(stores[0], "a")

    def update(number):
        try:
            with stores[number].write() as tx:
                tx.put([version(pid, "a", 2, body=f"writer {number}".encode())])
        except Conflict:
            return None
        return number

    with ThreadPoolExecutor(4) as pool:
        winners = [number for number in pool.map(update, range(4)) if number is not None]
    assert len(winners) == 1
    assert stores[0].resources.read("Patient", "a", ALL).body == f"writer {winners[0]}".encode()


def test_pids_are_new_and_rise(new_store):
    one, two = new_store(), new_store()
    given = []
    with one.read() as tx:
        assert tx.last_pid() == 0
    for n in range(6):
        with (one, two)[n % 2].write() as tx:
            pids = [*tx.allocate(300), *tx.allocate(2000)]
            assert pids == sorted(pids)
            tx.put([version(pid, f"{n}-{pid}") for pid in (pids[0], pids[-1])])
        given += [pids[0], pids[-1]]
    assert len(set(given)) == len(given)
    with two.read() as tx:
        assert tx.last_pid() == max(given)


def test_an_item_names_the_versions_it_made(store):
    (pid,) = create(store, "a", item_id=item_id(7, 0))
    create(store, "b", item_id=item_id(8, 0))
    with store.write() as tx:
        tx.put([version(pid, "a", 2, item_id=item_id(8, 0))])
    with store.read() as tx:
        made = [(entry.fid, entry.ver) for entry in tx.versions_of_item(item_id(8, 0))]
        assert tx.versions_of_item(item_id(9, 0)) == []
    assert made == [("b", 1), ("a", 2)]


def test_a_failed_block_leaves_nothing(store):
    with pytest.raises(ValueError, match="stop"), store.write() as tx:
        tx.put([version(tx.allocate(1)[0], "a")])
        raise ValueError("stop")
    assert store.resources.read("Patient", "a", ALL) is None
    create(store, "b")
    assert store.resources.read("Patient", "b", ALL).site == "county"


def test_bulk_puts_of_any_size_agree_with_a_model(store):
    rolls, model = random.Random(3), {}
    for _ in range(12):
        with store.write() as tx:
            moving = rolls.sample(sorted(model), min(len(model), rolls.randrange(15)))
            batch = [version(pid, model[pid][0], model[pid][1] + 1) for pid in moving]
            batch += [version(pid, f"f{pid}") for pid in tx.allocate(rolls.randrange(25))]
            tx.put(batch)
        model |= {new.pid: (new.fid, new.ver) for new in batch}
    with store.read() as tx:
        heads = tx.heads_by_pid(model)
    assert {pid: (head.fid, head.ver) for pid, head in heads.items()} == model


def test_the_search_index_is_written_in_the_same_transaction(store):
    resource = {"resourceType": "Patient", "id": "a", "gender": "female"}
    with pytest.raises(ValueError, match="undo"), store.write() as tx:
        (pid,) = tx.allocate(1)
        tx.put([version(pid, "a")])
        tx.index([(pid, TYPE_ID["Patient"], extract.rows(resource, "Patient"), True)])
        assert tx.session.value("SELECT count(*) FROM search_token") > 0
        raise ValueError("undo")
    with store.read() as tx:
        assert tx.session.value("SELECT count(*) FROM search_token") == 0


def test_heads_that_are_locked_wait_for_who_holds_them(store):
    create(store, "a", "b")
    entered, seen = threading.Event(), []

    def second():
        entered.wait()
        with store.write() as tx:
            seen.append(tx.lock_heads([("Patient", "b"), ("Patient", "a"), ("Patient", "zz")]))

    other = threading.Thread(target=second)
    other.start()
    with store.write() as tx:
        heads = tx.lock_heads([("Patient", "a")])
        entered.set()
        tx.put([version(heads["Patient", "a"].pid, "a", 2)])
        assert seen == []
    other.join()
    assert {name: head.ver for name, head in seen[0].items()} == {("Patient", "a"): 2, ("Patient", "b"): 1}


def test_the_newest_item_that_told_of_a_resource_is_known_after_clients_changed_it(store):
    (pid,) = create(store, "a", item_id=5)
    with store.write() as tx:
        tx.put([version(pid, "a", 2, item_id=7)])
    with store.write() as tx:
        numbers = tx.put([version(pid, "a", 3, actor="clinic")])
        assert len(numbers) == 1
    with store.read() as tx:
        assert (tx.last_item(pid), tx.last_item(pid + 1)) == (7, 0)
