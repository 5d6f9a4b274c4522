"""What senders rely on: bytes kept exactly, the same message answered alike, nothing skipped by a reader."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.store.values import NewReject
from tests.store.make import arrival


def test_keeps_bytes_and_facts_exactly(store):
    raw = bytes(range(256)) * 3
    new = arrival(raw, type="ADT", event="A01", peer="10.0.0.1", listener="mllp", charset="GB18030")
    (receipt,) = store.inbox.append([new._replace(envelope='{"msh3":"HIS"}', answer="AA", test=True)])
    kept = store.inbox.arrival(receipt.id)
    assert store.inbox.raw(receipt.id) == kept.body == raw
    assert (kept.digest, kept.size, kept.charset, kept.test) == (new.digest, 768, "GB18030", True)
    assert kept.envelope == '{"msh3":"HIS"}'
    assert kept.received_us == receipt.received_us > 0


def test_the_same_message_gets_the_first_receipt(store):
    first, twin, other = store.inbox.append(
        [arrival("a", answer="AA"), arrival("a", answer="CA"), arrival("b", answer="AA")]
    )
    (again,) = store.inbox.append([arrival("a", answer="AE", received_us=5)])
    assert not first.duplicate
    assert not other.duplicate
    assert twin == again == first._replace(duplicate=True)
    assert again.answer == "AA"
    assert store.inbox.counts() == {"arrivals": 2, "rejects": 0}


@pytest.mark.parametrize("difference", [{"feed": "county-lis"}, {"control_id": "M2"}, {"body": b"z"}])
def test_another_feed_number_or_body_is_another_message(store, difference):
    receipts = store.inbox.append([arrival("a"), arrival(**{"body": "a"} | difference)])
    assert [receipt.duplicate for receipt in receipts] == [False, False]


def test_any_mix_of_repeats_is_stored_once_each(store):
    rolls = random.Random(7)
    seen = {}
    for _ in range(30):
        batch = [arrival(f"body {rolls.randrange(60)}") for _ in range(rolls.randrange(1, 12))]
        for new, receipt in zip(batch, store.inbox.append(batch), strict=True):
            assert receipt.duplicate == (new.digest in seen)
            assert seen.setdefault(new.digest, receipt.id) == receipt.id
    assert store.inbox.counts()["arrivals"] == len(seen)
    assert [row.digest for row in store.inbox.unpicked(0, 1000)] == list(seen)


def test_parallel_writers_leave_one_gapless_order(new_store):
    stores = [new_store() for _ in range(3)]

    def send(number):
        return [stores[number].inbox.append([arrival(f"{number}-{n}")])[0].id for n in range(20)]

    with ThreadPoolExecutor(3) as pool:
        ids = list(pool.map(send, range(3)))
    assert all(sent == sorted(sent) for sent in ids)
    assert sorted(number for sent in ids for number in sent) == list(range(1, 61))


def test_parallel_twins_become_one(new_store):
    stores = [new_store() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        receipts = list(pool.map(lambda store: store.inbox.append([arrival("same")])[0], stores))
    assert {receipt.id for receipt in receipts} == {1}
    assert sum(not receipt.duplicate for receipt in receipts) == 1


def test_unpicked_goes_on_where_the_reader_stopped(store):
    store.inbox.append([arrival(f"body {n}") for n in range(10)])
    first = store.inbox.unpicked(0, 4)
    rest = store.inbox.unpicked(first[-1].id, 100)
    assert [row.body for row in first + rest] == [f"body {n}".encode() for n in range(10)]
    assert store.inbox.unpicked(rest[-1].id, 100) == []
    assert store.inbox.last_id() == rest[-1].id


def test_unpicked_bounds_memory_but_always_moves_on(store):
    store.inbox.append([arrival(bytes([n]) * 1000) for n in range(5)])
    assert len(store.inbox.unpicked(0, 100, max_bytes=2500)) == 2
    assert len(store.inbox.unpicked(0, 100, max_bytes=1)) == 1


def test_arrivals_by_id_and_unknown_ones(store):
    (receipt,) = store.inbox.append([arrival("a")])
    assert set(store.inbox.arrivals([receipt.id, 99])) == {receipt.id}
    assert store.inbox.arrival(99) is None
    assert store.inbox.raw(99) is None
    assert store.inbox.append([]) == []


def test_a_later_answer_is_the_one_repeated(store):
    (receipt,) = store.inbox.append([arrival("a", answer="")])
    store.inbox.answered(receipt.id, "AE")
    assert store.inbox.append([arrival("a")])[0].answer == "AE"


def test_text_no_database_can_hold_is_kept_readable(store):
    odd = "M\0\ud800\U0001f600珅"
    (receipt,) = store.inbox.append([arrival("a", control_id=odd, envelope=odd)])
    assert store.inbox.arrival(receipt.id).control_id == "M\ufffd\ufffd\U0001f600珅"
    assert store.inbox.append([arrival("a", control_id=odd)])[0].duplicate


def test_retention_forgets_bytes_and_keeps_the_rest(store):
    store.inbox.append([arrival("old", received_us=100), arrival("new", received_us=900)])
    assert store.inbox.prune(500) == (1, 1)
    assert store.inbox.prune(500, after_id=1) == (0, 1)
    kept = store.inbox.arrival(1)
    assert (kept.body, kept.size, kept.received_us) == (None, 3, 100)
    assert store.inbox.append([arrival("old")])[0].duplicate
    assert store.inbox.raw(2) == b"new"


def test_rejects_keep_the_head_and_why(store):
    rejects = [NewReject(f"not HL7 {n}", b"x" * 9000, 9000, "mllp", "10.0.0.1", '{"msh3":""}') for n in range(3)]
    store.inbox.reject(rejects)
    newest, *older = store.inbox.rejects()
    assert (newest.reason, len(newest.head), newest.size) == ("not HL7 2", 4096, 9000)
    assert [row.reason for row in older] == ["not HL7 1", "not HL7 0"]
    assert store.inbox.rejects(before_id=newest.id, limit=1) == older[:1]
    assert store.inbox.counts() == {"arrivals": 0, "rejects": 3}


def file(text, name="slots.csv", feed="hospital"):
    return arrival(text, control_id=name, feed=feed, type="TABLE")


def test_a_file_is_known_only_while_no_other_of_its_name_came_in_between(store):
    """Hourly exports go back to what they said before; that is news, not a repetition."""
    told = [store.inbox.append([file(text)])[0] for text in "AABABB"]
    assert [(receipt.id, receipt.duplicate) for receipt in told] == [
        (1, False), (1, True), (2, False), (3, False), (4, False), (4, True)
    ]  # fmt: skip
    assert [(one.id, one.duplicate) for one in store.inbox.append([file(text) for text in "BABAA"])] == [
        (4, True), (5, False), (6, False), (7, False), (7, True)
    ]  # fmt: skip
    assert [store.inbox.raw(number) for number in range(1, 8)] == [b"A", b"B", b"A", b"B", b"A", b"B", b"A"]


def test_files_of_other_names_and_feeds_do_not_come_in_between(store):
    first = [file("A", "10.csv"), file("B", "11.csv"), file("A", "10.csv", "another"), file("C", "")]
    ids = [receipt.id for receipt in store.inbox.append(first)]
    assert ids == [1, 2, 3, 4]
    again = store.inbox.append(first)
    assert [(receipt.id, receipt.duplicate) for receipt in again] == [(number, True) for number in ids]
