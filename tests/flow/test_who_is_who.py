"""What messages of who is who leave behind: links, cases and an event of each, in the transaction of the message."""

import json

import pytest

from tests.support.county import county, hl7, lab, msh, pid


@pytest.fixture
def town(database_url, tmp_path):
    with county(database_url, tmp_path, linking=False) as made:
        made.run(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2", "李四")))
        yield made


def tell(town, event, *segments, control):
    town.run(hl7(msh(control, event, time="20260110080000"), *segments))
    return town.states()[-1]


def pids(town):
    with town.store.read() as tx:
        return sorted(one.pid for one in tx.current(range(1, tx.last_pid() + 1)).values() if one.type == "Patient")


def events(town):
    with town.store.read() as tx:
        return [(one.action, one.low_pid, one.high_pid, one.actor) for one in tx.identity_events(pids(town))]


def cases(town):
    with town.store.read() as tx:
        return [(case.state, case.actor) for case in tx.cases_of(pids(town))]


def test_a_merge_and_its_unlink_are_events_of_the_feed_and_the_two_are_called_different(town):
    pair = tuple(pids(town))
    assert tell(town, "ADT^A40", pid("P1"), "MRG|P2^^^^LocalID", control="M3") == "applied"
    assert events(town) == [("merged", *pair, "feed:county-his")]
    assert tell(town, "ADT^A37", pid("P1"), pid("P2", "李四"), control="M4") == "applied"
    assert events(town)[1:] == [("unmerged", *pair, "feed:county-his"), ("decided-different", *pair, "feed:county-his")]
    assert cases(town) == [("different", "feed:county-his")]
    assert tell(town, "ADT^A40", pid("P1"), "MRG|P2^^^^LocalID", control="M5") == "applied"
    assert cases(town) == [("same", "feed:county-his")]
    assert tell(town, "ADT^A37", pid("P1"), pid("P2", "李四"), control="M6") == "applied"
    assert cases(town) == [("different", "feed:county-his")]


def test_a_link_joins_two_records_that_both_go_on_until_an_unlink(town):
    pair = tuple(pids(town))
    both = pid("P1"), pid("P2", "李四")
    assert tell(town, "ADT^A24", *both, control="M3") == "applied"
    assert tell(town, "ADT^A24", *both, control="M4") == "applied"
    with town.store.read() as tx:
        (link,) = tx.links(pair, kind="same")
    assert (link.from_pid, link.to_pid, link.made) == (*pair, "message")
    assert all("active" not in body and "link" not in body for body in town.all("Patient"))
    assert events(town) == [("linked", *pair, "feed:county-his")]
    assert tell(town, "ADT^A37", *both, control="M5") == "applied"
    with town.store.read() as tx:
        assert tx.links(pair, kind="same") == []
    assert [one[0] for one in events(town)] == ["linked", "unlinked", "decided-different"]
    assert tell(town, "ADT^A40", pid("P1"), "MRG|P2^^^^LocalID", control="M6") == "applied"
    assert tell(town, "ADT^A24", *both, control="M7") == "applied"
    assert "one record already" in town.items()[-1].issues


def test_a_visit_that_moves_is_an_event_of_the_two_patients(town):
    visit = "PV1|1|I|9400^402^11^4400^心内科||||||||||||||||V1|||||||||||||||||||||||||20260109083000"
    assert tell(town, "ADT^A01", pid("P1"), visit, control="M3") == "applied"
    for control in ("M4", "M5"):
        assert tell(town, "ADT^A44", pid("P2", "李四"), "MRG|P1^^^^LocalID||||V1", control=control) == "applied"
    assert [one[0] for one in events(town)] == ["moved"]
    with town.store.read() as tx:
        (event,) = tx.identity_events(pids(town))
    assert json.loads(event.evidence)["visit"] == f"Encounter/{town.only('Encounter')['id']}"


@pytest.mark.parametrize("event", ["ADT^A35", "ADT^A41", "ADT^A49"])
def test_two_accounts_of_one_patient_become_one_and_nobody_is_merged(town, event):
    account = "||||||||||"
    assert tell(town, event, f"{pid('P1')}{account}A1", "MRG|P1^^^^LocalID||A2", control="M3") == "applied"
    assert {one["identifier"][0]["value"]: one["status"] for one in town.all("Account")} == {
        "A1": "active",
        "A2": "inactive",
    }
    assert events(town) == []


def test_a_number_that_goes_to_another_patient_is_left_to_a_person(town):
    before = town.all("Patient")
    assert tell(town, "ADT^A43", pid("P1", "王五"), "MRG|P2^^^^LocalID", control="M3") == "parked refused"
    assert "a person has to look" in town.items()[-1].issues
    assert town.all("Patient") == before


def test_a_merge_may_repeat_the_number_both_records_share(town):
    """A card registered twice: both records bear the resident ID, and the merge names it on both sides."""
    card = "~519927197209142229^^^^IdentifyNO"
    retired = f"MRG|P2^^^^LocalID{card}"
    assert tell(town, "ADT^A40", pid("P1").replace("LocalID", f"LocalID{card}"), retired, control="M3") == "applied"
    assert [one[0] for one in events(town)] == ["merged"]


def test_a_number_merged_into_one_is_not_merged_into_another_unsaid(town):
    town.run(hl7(msh("M3"), pid("P3")))
    assert tell(town, "ADT^A40", pid("P1"), "MRG|P2^^^^LocalID", control="M4") == "applied"
    assert tell(town, "ADT^A40", pid("P3"), "MRG|P2^^^^LocalID", control="M5") == "parked refused"
    assert "unlink the two" in town.items()[-1].issues
    both = "MRG|P2^^^^LocalID~P1^^^^LocalID"
    town.store.work.discard([town.items()[-1].item_id], "told better")
    assert tell(town, "ADT^A40", pid("P3"), both, control="M6") == "applied"


def test_a_correction_under_the_retired_number_leaves_a_result_where_it_was_filed(town):
    town.run(lab("M3", "R1", ("GLU", "5"), patient="P2"))
    before = town.only("DiagnosticReport")["subject"]
    tell(town, "ADT^A40", pid("P1"), "MRG|P2^^^^LocalID", control="M4")
    town.run(lab("M5", "R1", ("GLU", "6"), patient="P2", status="C", time="20260111090000"))
    report = town.only("DiagnosticReport")
    assert (report["subject"], report["status"]) == (before, "corrected")
    town.store.work.replay([item.item_id for item in town.items()])
    town.work()
    assert town.only("DiagnosticReport") == report
