"""Bytes in, FHIR out: the promises of the line, on every database."""

import json

import pytest

from gateway.pipeline import worker as workers
from gateway.store.values import State
from tests.support.county import ALL, county, hl7, lab, msh, pid


@pytest.fixture
def town(database_url, tmp_path):
    with county(database_url, tmp_path) as made:
        yield made


def test_a_report_becomes_a_patient_a_report_and_its_results(town):
    town.run(lab("M1", "R1", ("GLU", "5.10"), ("K", "3.50")))
    assert town.states() == ["applied"]
    patient = town.only("Patient")
    report = town.only("DiagnosticReport")
    results = town.all("Observation")
    assert report["subject"] == {"reference": f"Patient/{patient['id']}"}
    assert [one["reference"] for one in report["result"]] == [f"Observation/{each['id']}" for each in results]
    assert all(each["id"].startswith(report["id"] + "-") for each in results)
    stored = town.store.resources.read("Observation", results[0]["id"], ALL)
    assert b'"value":5.10' in stored.body, "the digits that were sent"


def test_every_version_names_the_message_and_the_definitions_that_made_it(town):
    (item,) = town.run(lab("M1", "R1", ("GLU", "5.1")))
    stored = town.store.resources.read("Patient", town.only("Patient")["id"], ALL)
    assert stored.item_id == item.item_id
    with town.store.read() as tx:
        assert tx.mapping_digest(stored.mapping_id) == town.gateway.catalog.version


def test_the_same_message_again_has_no_second_effect(town):
    message = lab("M1", "R1", ("GLU", "5.1"))
    assert town.send(message, message, message) == ["stored", "duplicate", "duplicate"]
    town.work()
    assert len(town.items()) == 1
    assert [each["meta"]["versionId"] for each in town.all("Observation")] == ["1"]


def test_an_unchanged_report_under_a_new_control_id_makes_no_version(town):
    town.run(lab("M1", "R1", ("GLU", "5.1")), lab("M2", "R1", ("GLU", "5.1")))
    assert town.states() == ["applied", "applied"]
    assert [each["meta"]["versionId"] for each in town.all("Observation")] == ["1"]


def test_a_correction_makes_a_version_and_an_older_report_does_not_undo_it(town):
    corrected = lab("M2", "R1", ("GLU", "6.2"), status="C", time="20260106120000")
    late = lab("M3", "R1", ("GLU", "5.1"), status="F", time="20260106090000")
    town.run(lab("M1", "R1", ("GLU", "5.1"), time="20260106090000"), corrected, late)
    result = town.only("Observation")
    assert (result["valueQuantity"]["value"], result["meta"]["versionId"]) == (6.2, "2")
    history = town.store.resources.history("Observation", result["id"], ALL)
    assert [json.loads(version.body)["valueQuantity"]["value"] for version in history] == [6.2, 5.1]


def test_a_report_number_that_comes_with_another_person_is_parked(town):
    town.run(lab("M1", "R1", ("GLU", "5.1")), lab("M2", "R1", ("GLU", "9.9"), patient="P2"))
    assert town.states() == ["applied", "parked key-reused"]
    assert town.only("Observation")["valueQuantity"]["value"] == 5.1


def test_results_that_name_no_patient_are_parked(town):
    message = lab("M1", "R1", ("GLU", "5.1")).split(b"\r")
    town.run(b"\r".join(line for line in message if not line.startswith(b"PID")))
    assert town.states() == ["parked unidentified"]
    assert town.all("Observation") == []


def test_undecodable_bytes_are_parked_whole(town):
    raw = lab("M1", "R1", ("GLU", "5.1")).replace("张三".encode(), b"\xff\x80\xfe\x7c")
    (item,) = town.run(raw)
    assert town.states() == ["parked undecodable"]
    assert town.store.inbox.raw(item.item_id >> 20) == raw


def test_what_comes_behind_a_parked_message_of_the_same_patient_waits_for_it(town):
    bad = hl7(msh("M1"), pid("P1")).replace("张三".encode(), b"\xff\x80\xfe\x7c")
    poison = lab("M1", "R1", ("GLU", "1"))
    town.run(poison, lab("M2", "R1", ("GLU", "2"), patient="P2"))
    assert town.states()[-1] == "parked key-reused"
    town.run(hl7(msh("M3"), pid("P2")), hl7(msh("M4"), pid("P3")), bad)
    assert town.states() == ["applied", "parked key-reused", "held", "applied", "parked undecodable"]


def test_discarding_a_parked_message_lets_go_what_waited(town):
    town.run(lab("M1", "R1", ("GLU", "1")), lab("M2", "R1", ("GLU", "2"), patient="P2"), hl7(msh("M3"), pid("P2")))
    parked = next(item for item in town.items() if item.state == State.PARKED)
    assert town.store.work.discard([parked.item_id], "sender's mistake") == [parked.item_id]
    town.work()
    assert town.states() == ["applied", "discarded", "applied"]


def test_a_merge_moves_numbers_and_links_but_no_result(town):
    town.run(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2")), lab("M3", "R1", ("GLU", "5.1"), patient="P2"))
    before = town.only("DiagnosticReport")
    town.run(hl7(msh("M4", "ADT^A40"), "EVN|A40|20260107", pid("P1"), "MRG|P2^^^^LocalID"))
    assert town.states()[-1] == "applied"
    kept, retired = town.all("Patient")
    assert (retired["active"], retired["link"][0]["type"]) == (False, "replaced-by")
    assert retired["link"][0]["other"]["reference"] == f"Patient/{kept['id']}"
    assert town.only("DiagnosticReport") == before
    town.run(lab("M5", "R2", ("K", "3.5"), patient="P2"))
    assert town.all("DiagnosticReport")[-1]["subject"]["reference"] == f"Patient/{kept['id']}"


def test_a_merge_into_itself_is_refused(town):
    town.run(hl7(msh("M1"), pid("P1")))
    town.run(hl7(msh("M4", "ADT^A40"), "EVN|A40|20260107", pid("P1"), "MRG|P1^^^^LocalID"))
    assert town.states() == ["applied", "parked refused"]


def test_the_same_number_at_two_sites_is_two_patients(town):
    message = hl7(msh("M1"), pid("P1"))
    town.run(message, feed="county-his")
    town.run(hl7(msh("M2", sender="ELSEWHERE"), pid("P1")), feed="generic")
    assert len(town.all("Patient")) == 2


def test_test_traffic_never_touches_the_record(town):
    test = hl7(msh("T1").replace("|P|2.4", "|T|2.4"), pid("P1", "测试"))
    town.run(hl7(msh("M1"), pid("P1")), test)
    assert town.states() == ["applied", "applied"]
    real, kept_apart = town.all("Patient")
    assert (real["name"][0]["text"], real["meta"]["versionId"]) == ("张三", "1")
    assert town.store.resources.read("Patient", kept_apart["id"], ALL) is None


def test_a_batch_that_breaks_off_is_worked_off_message_by_message(town, monkeypatch):
    mapper = town.gateway.catalog.mapper("county-his")
    genuine = type(mapper).map

    def breaks(self, message, **given):
        if message.control_id == "M2":
            raise RuntimeError("a transform of the site")
        return genuine(self, message, **given)

    monkeypatch.setattr(type(mapper), "map", breaks)
    town.run(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2")), hl7(msh("M3"), pid("P3")))
    assert town.states() == ["applied", "retry", "applied"]
    assert "a transform of the site" in town.items()[1].issues


def test_five_content_failures_park_a_message(town, monkeypatch):
    mapper = town.gateway.catalog.mapper("county-his")
    monkeypatch.setattr(type(mapper), "map", lambda self, message, **given: 1 / 0)
    monkeypatch.setattr(workers.faults, "_BACKOFF", (0.0,) * 7)
    town.run(hl7(msh("M1"), pid("P1")))
    assert town.states() == ["parked poison"]
    assert town.items()[0].attempts == 5


def test_a_replay_with_the_same_definitions_changes_nothing(town):
    items = town.run(
        lab("M1", "R1", ("GLU", "5.1")), lab("M2", "R1", ("GLU", "6.1"), status="C", time="20260106120000")
    )
    town.store.work.replay([item.item_id for item in items])
    town.work()
    assert town.states() == ["applied", "applied"]
    assert town.only("Observation")["meta"]["versionId"] == "2"
    assert town.only("Observation")["valueQuantity"]["value"] == 6.1


def test_a_replay_after_a_change_of_the_definitions_refolds_in_source_order(database_url, tmp_path):
    with county(database_url, tmp_path) as town:
        first = lab("M1", "R1", ("GLU", "5.1"))
        items = town.run(first, lab("M2", "R1", ("GLU", "6.1"), status="C", time="20260106120000"))
    overlay = tmp_path / "overlay" / "base" / "segments"
    overlay.mkdir(parents=True)
    rule = '{id: OBX-12/site, from: OBX-3.2, to: "method.text"}'
    (overlay / "obx.yaml").write_text(f'segment: "OBX[Observation]"\nrules:\n  - {rule}\n', encoding="utf-8")
    with county(database_url, tmp_path, [tmp_path / "overlay"]) as town:
        town.store.work.replay([items[0].item_id])
        town.work()
        result = town.only("Observation")
    assert (result["method"]["text"], result["valueQuantity"]["value"]) == ("项目GLU", 6.1)
    assert result["meta"]["versionId"] == "3"


def test_an_item_that_kills_workers_is_set_aside_after_three_deaths(town):
    town.send(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2")))
    arrivals = town.store.inbox.unpicked(0, 10)
    killer = arrivals[0].id << 20
    town.worker._diary.open([killer], 2)
    town.work()
    assert town.states() == ["parked poison", "applied"]


def test_a_worker_that_died_after_its_commit_does_nothing_twice(town):
    (item,) = town.run(hl7(msh("M1"), pid("P1")))
    town.worker._diary.open([item.item_id])
    again = town.gateway.worker("test")
    while again.step():
        pass
    assert town.only("Patient")["meta"]["versionId"] == "1"
    assert town.states() == ["applied"]


def test_a_file_of_many_messages_is_queued_and_worked_off(town, monkeypatch):
    count = 4 * town.gateway.settings.batch_size + 7
    batch = b"".join(hl7(msh(f"M{n}"), pid(f"P{n}")) for n in range(count))
    town.run(batch, feed="county-his")
    assert len(town.all("Patient")) == count
    assert {item.control_id for item in town.items()} == {f"M{n}" for n in range(count)}


def test_two_workers_share_the_patients_and_keep_their_order(town):
    other = town.gateway.worker("second")
    messages = [
        hl7(msh(f"M{n}-{k}", time=f"2026010508{n:02d}00"), pid(f"P{k}", f"名{n}")) for n in range(3) for k in range(8)
    ]
    town.worker.step()
    other.step()
    town.worker._leases.renew(now=True)
    other._leases.renew(now=True)
    town.send(*messages)
    while town.worker.step() + other.step():
        pass
    assert town.states() == ["applied"] * 24
    assert [each["name"][0]["text"] for each in town.all("Patient")] == ["名2"] * 8
    assert {each["meta"]["versionId"] for each in town.all("Patient")} == {"3"}


def test_a_message_of_a_feed_that_is_gone_is_parked(town):
    town.send(hl7(msh("M1"), pid("P1")))
    town.worker._book = type(town.worker._book)([])
    town.work()
    assert town.states() == ["parked unknown-feed"]


def test_the_line_leaves_a_sound_store(town):
    from gateway.record import fsck

    town.run(lab("M1", "R1", ("GLU", "5.1")), hl7(msh("M2"), pid("P1", "李四")))
    assert [finding for step in fsck.check(town.store) for finding in step.findings] == []
