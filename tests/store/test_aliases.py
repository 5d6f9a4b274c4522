"""Business keys: a site's number means one resource, merges re-point it, claims have one holder."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.store.failures import Conflict
from gateway.store.values import AliasKey, Target

CARD = AliasKey("Patient", "urn:card", "100")
VISIT = AliasKey("Encounter", "urn:visit", "7", "20260102")


def test_finds_what_was_added(store):
    with store.write() as tx:
        assert tx.aliases("county", [CARD]) == {}
        tx.add_aliases("county", {CARD: Target(1, "a"), VISIT: Target(2, "b")})
    with store.read() as tx:
        found = tx.aliases("county", [CARD, VISIT, CARD._replace(value="101"), CARD._replace(system="urn:new")])
        assert found == {CARD: (1, "a"), VISIT: (2, "b")}


@pytest.mark.parametrize(
    "other", [VISIT._replace(day="20260103"), VISIT._replace(type="Patient"), VISIT._replace(system="urn:card")]
)
def test_every_part_of_a_key_counts(store, other):
    with store.write() as tx:
        tx.add_aliases("county", {VISIT: Target(2, "b"), CARD: Target(1, "a")})
        assert tx.aliases("county", [other]) == {}


def test_the_same_number_at_two_sites_is_two_persons(store):
    with store.write() as tx:
        tx.add_aliases("county", {CARD: Target(1, "a")})
        tx.add_aliases("township", {CARD: Target(2, "b")})
    with store.read() as tx:
        assert tx.aliases("township", [CARD]) == {CARD: (2, "b")}
        assert tx.aliases("village", [CARD]) == {}


def test_a_key_of_another_resource_is_a_conflict(store):
    with store.write() as tx:
        tx.add_aliases("county", {CARD: Target(1, "a")})
    with store.write() as tx:
        tx.add_aliases("county", {CARD: Target(1, "a")})
    with pytest.raises(Conflict, match=r"urn:card\|100"), store.write() as tx:
        tx.add_aliases("county", {CARD: Target(9, "z"), VISIT: Target(9, "z")})
    with store.read() as tx:
        assert tx.aliases("county", [CARD, VISIT]) == {CARD: (1, "a")}


def test_merge_and_unmerge_repoint(store):
    with store.write() as tx:
        tx.add_aliases("county", {CARD: Target(1, "a")})
        tx.repoint_aliases("county", {CARD: Target(2, "b"), VISIT: Target(2, "b")})
        assert set(tx.aliases("county", [CARD, VISIT]).values()) == {(2, "b")}
        assert tx.aliases_of(2) == [("county", VISIT), ("county", CARD)]
        tx.repoint_aliases("county", {CARD: Target(1, "a")})
        assert tx.aliases("county", [CARD]) == {CARD: (1, "a")}
        tx.remove_aliases("county", [CARD, CARD._replace(system="urn:unknown")])
        assert tx.aliases("county", [CARD]) == {}


def test_numbers_of_a_rolled_back_name_are_not_remembered(store):
    with pytest.raises(ValueError, match="undo"), store.write() as tx:
        tx.add_aliases("lost-site", {CARD: Target(1, "a")})
        raise ValueError("undo")
    with store.write() as tx:
        tx.add_aliases("kept-site", {CARD: Target(2, "b")})
    with store.read() as tx:
        assert tx.aliases("lost-site", [CARD]) == {}
        assert tx.aliases_of(2) == [("kept-site", CARD)]


def test_new_names_from_many_writers_agree(new_store):
    stores = [new_store() for _ in range(4)]

    def add(number):
        with stores[number].write() as tx:
            tx.add_aliases("county", {AliasKey("Patient", f"urn:{n}", str(number)): Target(n, "x") for n in range(9)})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(4)))
    keys = [AliasKey("Patient", f"urn:{n}", str(number)) for n in range(9) for number in range(4)]
    with stores[0].read() as tx:
        assert {key.system: target.pid for key, target in tx.aliases("county", keys).items()} == {
            f"urn:{n}": n for n in range(9)
        }


def test_of_parallel_claims_one_is_granted(new_store):
    stores = [new_store() for _ in range(4)]

    def claim(number):
        try:
            with stores[number].write() as tx:
                tx.add_claims("Patient", {"id|100": number})
        except Conflict:
            return None
        return number

    with ThreadPoolExecutor(4) as pool:
        granted = [number for number in pool.map(claim, range(4)) if number is not None]
    with stores[0].write() as tx:
        assert tx.claims("Patient", ["id|100", "id|200"]) == {"id|100": granted[0]}
        assert tx.claims("Person", ["id|100"]) == {}
        tx.drop_claims("Patient", ["id|100"])
        assert tx.claims("Patient", ["id|100"]) == {}
    assert len(granted) == 1


def test_free_keys_are_added_and_taken_ones_stay(store):
    with store.write() as tx:
        tx.add_free_aliases("county", {CARD: Target(1, "a")})
        tx.add_free_aliases("county", {CARD: Target(2, "b"), VISIT: Target(2, "b")})
        tx.add_free_aliases("county", {})
    with store.read() as tx:
        assert tx.aliases("county", [CARD, VISIT]) == {CARD: (1, "a"), VISIT: (2, "b")}


def test_a_claim_that_is_held_makes_others_wait_and_see_what_was_done(store):
    entered, results = threading.Event(), []

    def second():
        entered.wait()
        with store.write() as tx:
            tx.hold_claims("s", ["k"])
            results.append(tx.claims("s", ["k"]))

    other = threading.Thread(target=second)
    other.start()
    with store.write() as tx:
        tx.hold_claims("s", ["k", "j"])
        entered.set()
        assert results == []
        tx.set_claims("s", {"k": 7})
    other.join()
    assert results == [{"k": 7}]


def test_claims_are_set_anew_and_released_with_what_holds_them(store):
    with store.write() as tx:
        tx.set_claims("s", {"k": 7, "j": 8})
        tx.set_claims("s", {"k": 9, "j": 8})
        tx.set_claims("kept", {"k": 9})
    with store.write() as tx:
        tx.release_claims([9], besides="kept")
        assert (tx.claims("s", ["k", "j"]), tx.claims("kept", ["k"])) == ({"j": 8}, {"k": 9})
