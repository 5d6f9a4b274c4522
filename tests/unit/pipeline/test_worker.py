"""The worker among others: overtaken, fenced, short of a database, and with a message in hand when it died."""

import threading

import pytest

from gateway.errors import Transient
from gateway.pipeline import faults, inbox
from gateway.pipeline import worker as workers
from gateway.pipeline.limits import Overtime
from gateway.store.failures import Conflict
from gateway.store.values import State
from tests.support.county import county, hl7, lab, msh, pid


def poisoned(town, monkeypatch, fault, control="M2"):
    mapper = type(town.gateway.catalog.mapper("county-his"))
    genuine = mapper.map

    def breaks(self, message, **given):
        if message.control_id == control:
            raise fault
        return genuine(self, message, **given)

    monkeypatch.setattr(mapper, "map", breaks)


@pytest.mark.parametrize("fault", [Overtime("late"), MemoryError()], ids=["time", "memory"])
def test_a_message_beyond_its_limits_is_parked_after_three_tries_and_holds_its_patient(town, monkeypatch, fault):
    monkeypatch.setattr(faults, "_BACKOFF", (0.0,) * 7)
    poisoned(town, monkeypatch, fault)
    town.run(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2")), hl7(msh("M3"), pid("P2")), hl7(msh("M4"), pid("P3")))
    assert town.states() == ["applied", "parked poison", "held", "applied"]
    assert town.items()[1].attempts == 3


def test_once_mended_a_poisonous_message_and_what_waited_for_it_are_applied(town, monkeypatch):
    monkeypatch.setattr(faults, "_BACKOFF", (0.0,) * 7)
    with monkeypatch.context() as broken:
        poisoned(town, broken, Overtime("late"))
        town.run(hl7(msh("M2"), pid("P2")), hl7(msh("M3", time="20260105090000"), pid("P2", "李四")))
    town.store.work.retry([town.items()[0].item_id])
    town.work()
    assert town.states() == ["applied", "applied"]
    assert town.only("Patient")["name"][0]["text"] == "李四"


def overtaken(town, monkeypatch, times, fault):
    """Let the first `times` commits find that another writer was first."""
    genuine, left = workers.commit, [times]

    def commit(store, batch, *rest):
        if left[0] and (batch.checked or batch.parked):
            left[0] -= 1
            raise fault("another writer was first")
        genuine(store, batch, *rest)

    monkeypatch.setattr(workers, "commit", commit)


def test_another_workers_haste_is_no_fault_of_the_message(town, monkeypatch):
    overtaken(town, monkeypatch, 7, Conflict)
    town.run(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2")))
    assert town.states() == ["applied", "applied"]
    assert [item.attempts for item in town.items()] == [1, 1]


def test_a_worker_overtaken_for_ever_tries_again_later(town, monkeypatch):
    overtaken(town, monkeypatch, 1000, Conflict)
    town.send(hl7(msh("M1"), pid("P1")))
    with pytest.raises(Transient, match="first time and again"):
        town.worker.step()
    monkeypatch.undo()
    town.work()
    assert town.states() == ["applied"]


def test_a_worker_that_lost_its_lanes_writes_nothing_and_the_other_goes_on(database_url, tmp_path):
    with county(database_url, tmp_path) as town:
        town.worker.step()
        other = town.gateway.worker("other")
        town.store.lanes.release(town.worker._tools.owner)  # as if it had been silent for 15 s
        other.step()
        town.send(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2")))
        assert town.worker.step() == 2
        assert town.items() == []
        while other.step() + town.worker.step():
            pass
        assert town.states() == ["applied", "applied"]


def test_a_worker_that_no_longer_picks_up_moves_no_cursor(database_url, tmp_path, monkeypatch):
    with county(database_url, tmp_path, batch_size=2) as town:
        town.worker.step()
        town.store.lanes.release(town.worker._tools.owner)
        other = town.gateway.worker("other")
        town.send(b"".join(hl7(msh(f"M{n}"), pid(f"P{n}")) for n in range(20)), feed="county-his")
        while other.step():
            pass
        assert town.worker.step() == 20, "it still believes it picks up, and finds out"
        assert town.states() == ["applied"] * 20
        with town.store.read() as tx:
            assert tx.cursor("arrivals") == 1


def test_two_workers_that_queue_the_same_file_queue_it_once(town, monkeypatch):
    monkeypatch.setattr(workers, "queue", lambda *given: (_ for _ in ()).throw(Conflict("taken")))
    town.send(b"".join(hl7(msh(f"M{n}"), pid(f"P{n}")) for n in range(300)), feed="county-his")
    assert town.worker.step() == 300
    monkeypatch.undo()
    town.work()
    assert town.states() == ["applied"] * 300


def test_an_item_in_hand_whose_lane_went_to_another_worker_is_left_to_it(town):
    town.send(hl7(msh("M1"), pid("P1")))
    (arrival,) = town.store.inbox.unpicked(0, 10)
    other = town.gateway.worker("other")
    town.store.lanes.release(town.worker._tools.owner)
    other._renew()
    dead = town.gateway.worker("dead")
    dead._diary.open([arrival.id << 20], 5)
    dead.step()
    assert town.items() == []
    while other.step():
        pass
    assert town.states() == ["applied"]


def test_a_killer_holds_back_what_follows_of_its_patient(town):
    town.send(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P1", "李四")))
    (first, _) = town.store.inbox.unpicked(0, 10)
    town.worker._diary.open([first.id << 20], 2)
    town.work()
    assert town.states() == ["parked poison", "held"]


def test_a_killer_that_cannot_even_be_read_is_parked_blind(town, monkeypatch):
    town.send(hl7(msh("M1"), pid("P1")))
    (first,) = town.store.inbox.unpicked(0, 10)
    town.worker._diary.open([first.id << 20], 3)
    monkeypatch.setattr(workers, "read", lambda item: 1 / 0)
    town.work()
    assert town.states() == ["parked poison"]
    assert town.items()[0].patient_key == ""


def test_what_waits_already_is_taken_up_by_the_next_worker(town, monkeypatch):
    town.send(b"".join(hl7(msh(f"M{n}"), pid(f"P{n}")) for n in range(300)), feed="county-his")
    town.worker.step()
    items = [item.item_id for item in town.items()]
    assert set(town.states()) == {"queued"}
    again = town.gateway.worker("test")
    again._diary.open(items[:2])
    while again.step():
        pass
    assert set(town.states()) == {"applied"}
    assert {item.attempts for item in town.items()} == {1}


def test_after_a_death_items_in_hand_are_taken_one_by_one_in_their_place(town):
    """What waits in a lane comes first, though the worker had a later message in hand when it died."""
    town.send(hl7(msh("M1"), pid("P1")), hl7(msh("M2", time="20260106080000"), pid("P1", "李四")))
    first, second = town.store.inbox.unpicked(0, 10)
    town.worker._diary.open([second.id << 20], 1)
    noted = []
    genuine = town.worker._diary.open
    town.worker._diary.open = lambda items, deaths=0: noted.append((items, deaths)) or genuine(items, deaths)
    town.work()
    assert noted[1:] == [([first.id << 20], 0), ([second.id << 20], 2)]
    assert town.only("Patient")["name"][0]["text"] == "李四"
    assert [item.applied_us for item in town.items()] == sorted(item.applied_us for item in town.items())


def test_a_message_done_before_its_worker_died_for_the_third_time_is_no_killer(town):
    (item,) = town.run(hl7(msh("M1"), pid("P1")))
    with town.store.write() as tx:
        tx.cursor_set("arrivals", 0)
    again = town.gateway.worker("test")
    again._diary.open([item.item_id], 7)
    while again.step():
        pass
    assert town.states() == ["applied"]
    assert town.only("Patient")["meta"]["versionId"] == "1"


def test_it_works_until_it_is_told_to_stop_and_gives_its_lanes_back(town, monkeypatch):
    stop, beats = threading.Event(), []
    genuine, failures = town.worker.step, [Transient("the disk is full"), Transient("still")]

    def step():
        if failures:
            raise failures.pop()
        done = genuine()
        if not done:
            stop.set()
        return done

    monkeypatch.setattr(town.worker, "step", step)
    monkeypatch.setattr(faults, "_BACKOFF", (0.0,) * 7)
    town.send(hl7(msh("M1"), pid("P1")))
    town.worker.run(stop, beats.append)
    assert town.states() == ["applied"]
    assert beats == [0, 0, 1, 1, 1]  # failed twice, took the message, linked its patient, found nothing more
    assert {owner for owner, _ in town.store.lanes.owners().values()} == {""}


def test_items_whose_bytes_retention_removed_are_parked_with_that_reason(town):
    town.send(hl7(msh("M1"), pid("P1")))
    town.store.inbox.prune(1 << 62)
    town.work()
    town.store.work.retry([item.item_id for item in town.items()])
    town.work()
    assert town.states()[0].startswith("parked")
    assert "retention" in town.items()[0].issues


def test_a_row_whose_arrival_is_unknown_is_passed_over(town):
    (item,) = town.run(hl7(msh("M1"), pid("P1")))
    picked = inbox.again([item._replace(item_id=99 << 20)], {}, town.gateway.book())
    assert (picked.items, picked.orphans) == ([], [])


def test_a_gone_feed_among_others_does_not_stop_them(town, monkeypatch):
    """A batch that breaks off is taken apart; its orphans are parked once."""
    town.send(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2")), lab("M3", "R1", ("GLU", "1"), patient="P9"))
    book = town.gateway.book()
    town.worker._book = type(book)([feed for feed in town.gateway.catalog.feeds if feed.name != "county-lis"])
    poisoned(town, monkeypatch, ValueError("a transform"))
    town.work()
    assert town.states() == ["applied", "retry", "parked unknown-feed"]
    assert town.items()[1].state == State.RETRY


def test_a_merge_waits_for_both_numbers_and_goes_on_when_either_is_free(town):
    """What holds a merge back may be a message of the number that is to be retired."""
    town.run(lab("M1", "R1", ("GLU", "1")), lab("M2", "R1", ("GLU", "2"), patient="P2"))
    assert town.states() == ["applied", "parked key-reused"]
    town.run(hl7(msh("M3", "ADT^A40"), "EVN|A40|20260107", pid("P9"), "MRG|P2^^^^LocalID"))
    assert town.states()[-1] == "held"
    town.store.work.discard([town.items()[1].item_id], "mistake")
    town.work()
    assert town.states() == ["applied", "discarded", "applied"]


def merged(town, workers_, *messages):
    """Let workers share the lanes, send, and work all off in turns of one step each."""
    for _ in range(2):
        for each in workers_:
            each._renew(now=True)
    town.send(*messages)
    while sum(each.step() for each in workers_) or any(state in ("queued", "held") for state in town.states()):
        workers_[0]._renew(now=True)
    return town.states()


@pytest.mark.parametrize("turn", [0, 1], ids=["picker first", "other first"])
@pytest.mark.parametrize("pair", [("P1", "P3"), ("P3", "P1"), ("P2", "P4"), ("P5", "P8")], ids="<-".join)
def test_a_merge_is_applied_in_its_place_whoever_holds_the_two_lanes(town, pair, turn):
    kept, gone = pair
    town.worker.step()
    both = [town.worker, town.gateway.worker("other")]
    states = merged(
        town,
        both[::-1] if turn else both,
        hl7(msh("M1"), pid(gone)),
        lab("M2", "R1", ("GLU", "5.1"), patient=gone),
        hl7(msh("M3"), pid(kept, "李四")),
        hl7(
            msh("M4", "ADT^A40", time="20260107080000"), "EVN|A40|20260107", pid(kept, "李四"), f"MRG|{gone}^^^^LocalID"
        ),
        lab("M5", "R2", ("GLU", "6.1"), patient=gone),
        hl7(msh("M6", time="20260108080000"), pid(gone, "王五")),
    )
    assert states == ["applied"] * 6
    people = {each.get("active", True): each for each in town.all("Patient")}
    assert len(people) == 2
    assert people[True]["name"][0]["text"] == "李四"
    assert people[False]["name"][0]["text"] == "王五", "of whom a number is said goes on being said"
    first, second = town.all("DiagnosticReport")
    assert first["subject"]["reference"] == f"Patient/{people[False]['id']}"
    assert second["subject"]["reference"] == f"Patient/{people[True]['id']}"


def test_what_waits_for_something_done_in_the_same_moment_is_let_go(town):
    """The other worker was done between our question and our answer: nobody else would let it go."""
    (item,) = town.run(hl7(msh("M1"), pid("P1")))
    town.send(hl7(msh("M2"), pid("P1", "李四")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "gateway.store.engine.ReadTx.blocked", lambda self, keys, besides=(): {"county-hospital|P1": item.item_id}
        )
        town.worker.step()
    assert town.states() == ["applied", "held"]
    town.worker._renew(now=True)
    town.work()
    assert town.states() == ["applied", "applied"]


def test_messages_of_one_patient_that_wait_together_are_applied_together(town, monkeypatch):
    """A batch file of one patient's messages is worked off a batch at a time, in the order of the file."""
    count = 4 * town.gateway.settings.batch_size + 1
    names = [msh(f"M{n}", time=f"202601{n // 24 % 28 + 1:02d}{n % 24:02d}0000") for n in range(count)]
    town.send(b"".join(hl7(head, pid("P1", f"名{n}")) for n, head in enumerate(names)), feed="county-his")
    steps = 0
    while town.worker.step():
        steps += 1
    assert set(town.states()) == {"applied"}
    assert steps <= 7
    assert town.only("Patient")["meta"]["versionId"] == str(count)


def test_a_lane_keeps_its_order_across_patients(town):
    other = town.gateway.worker("other")
    both = [town.worker, other]
    messages = [
        hl7(msh(f"M{n}", time=f"2026010{1 + n // 40}08{n % 40:02d}00"), pid(f"P{n % 7}", f"名{n}")) for n in range(120)
    ]
    assert set(merged(town, both, *messages)) == {"applied"}
    lanes = {}
    for item in town.items():
        lanes.setdefault(item.lane, []).append(item.applied_us)
    assert all(times == sorted(times) for times in lanes.values())
