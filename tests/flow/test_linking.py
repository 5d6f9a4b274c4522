"""One person of two sites, from the bytes on: linked, found, told apart again, decided by a person, kept from tests."""

import json

import pytest

from gateway.identity import review, upkeep
from gateway.identity.judging import judging
from gateway.record import fsck
from tests.support.county import county
from tests.support.patients import id_number
from tests.support.two_sites import clinic, hospital, report
from tests.web.county import make

ONE = id_number()
NOBODY = {"name": "李娜", "sex": "F", "birth": "20010203"}
LI = review.person("Dr Li")


@pytest.fixture
def town(database_url, tmp_path):
    with county(database_url, tmp_path) as made:
        yield made


def pairs(town):
    """Return the links of one person with itself, as pairs of sites."""
    with town.store.read() as tx:
        links = tx.links_after(0, "same", 100)
        heads = tx.heads_by_pid({pid for link in links for pid in link[2:4]})
    return [tuple(sorted(heads[pid].site for pid in link[2:4])) for link in links]


def waiting(town):
    with town.store.read() as tx:
        return tx.case_list()


def faults(town):
    return [str(one) for check in (fsck.check, upkeep.check) for step in check(town.store) for one in step.findings]


def fid(town, site):
    (found,) = [body["id"] for body in town.all("Patient") if f"/{site}/" in json.dumps(body["identifier"])]
    return found


def found(town, tmp_path, patient):
    """Return how many measurements a search by one Patient finds."""
    answer = make(town.store, tmp_path).fhir(f"Observation?patient={patient}")
    return len(answer.get("entry", ()))


def test_what_one_site_measured_is_found_by_the_patient_of_the_other(town, tmp_path):
    town.run(report("M1"), hospital("M2", number=ONE), clinic("M3", number=ONE))
    assert pairs(town) == [("county-hospital", "generic")]
    assert found(town, tmp_path, fid(town, "generic")) == 1
    assert faults(town) == []


def test_a_card_that_was_another_persons_ends_the_link_and_asks_a_person(town, tmp_path):
    town.run(hospital("M1", number=ONE), report("M2"), clinic("M3", number=ONE))
    assert pairs(town) == [("county-hospital", "generic")]
    town.run(hospital("M4", number=ONE, **NOBODY, time="20260107080000"))
    assert pairs(town) == []
    assert found(town, tmp_path, fid(town, "generic")) == 0
    (case,) = waiting(town)
    assert json.loads(case.reasons)["reasons"][0][0] == "was-linked"
    assert faults(town) == []


def test_what_a_person_decided_holds_against_later_messages(town):
    judge, _ = judging(town.gateway.settings.profiles)
    town.run(hospital("M1", number=ONE), clinic("M2", number=ONE))
    ends = (fid(town, "county-hospital"), fid(town, "generic"))
    review.decide_pair(town.store, judge, ends, "different", LI, "two cousins with one card")
    town.run(hospital("M3", number=ONE, phone="10024681357", time="20260107080000"))
    assert (pairs(town), waiting(town)) == ([], [])
    review.decide_pair(town.store, judge, ends, "same", LI, "they are one after all")
    town.run(hospital("M4", number=ONE, **NOBODY, time="20260108080000"))
    assert pairs(town) == [("county-hospital", "generic")]
    assert [case.state for case in waiting(town)] == ["open"]
    assert faults(town) == []


def test_a_message_of_the_test_partition_meets_nobody(town):
    town.run(clinic("M1", number=ONE), hospital("M2", number=ONE).replace(b"|P|2.4", b"|T|2.4"))
    assert town.states() == ["applied", "applied"]
    assert pairs(town) == []


def test_where_linking_is_off_nothing_is_linked_and_it_goes_on_where_it_was(database_url, tmp_path):
    with county(database_url, tmp_path, linking=False) as town:
        town.run(hospital("M1", number=ONE), clinic("M2", number=ONE))
        assert pairs(town) == []
    with county(database_url, tmp_path) as town:
        town.work()
        assert pairs(town) == [("county-hospital", "generic")]


def test_of_two_workers_one_links_and_the_other_takes_over(town):
    town.worker.step()
    other = town.gateway.worker("other")
    other.step()
    town.worker._renew(now=True)
    other._renew(now=True)
    assert town.worker._leases.links != other._leases.links
    town.send(hospital("M1", number=ONE), clinic("M2", number=ONE))
    while town.worker.step() + other.step():
        pass
    assert pairs(town) == [("county-hospital", "generic")]
    linking, rest = (town.worker, other) if town.worker._leases.links else (other, town.worker)
    linking._leases.release()
    rest._renew(now=True)
    town.send(clinic("M3", patient="78", number=ONE))
    while rest.step():
        pass
    assert len(pairs(town)) == 3
    assert faults(town) == []
