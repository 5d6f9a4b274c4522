"""The hospital's messages: every one is read, its labels are true of it."""

import re

import pytest

from gateway.formats import charset, hl7v2, hl7v2_batch
from gateway.simulate.names import beyond_gb2312, holds_delimiter


def messages(county):
    """Every message by control number and file, decoded; the broken one left out."""
    found = {}
    for entry in county.files:
        if entry["kind"] != "hl7":
            continue
        raw = (county.folder / entry["file"]).read_bytes()
        for offset, length in hl7v2_batch.split(raw).messages:
            one = raw[offset : offset + length]
            try:
                text = charset.decode(one, declared=charset.sniff_hl7(one)).text
            except charset.Undecodable:
                found[(entry["file"], None)] = None
                continue
            message = hl7v2.parse(text)
            found[(entry["file"], message.segments[0].value(10))] = message
    return found


@pytest.fixture(scope="module")
def sent(days):
    return messages(days)


def of(sent, label):
    return sent[(label["file"], label["control_id"])]


def segments(message, name):
    return [segment for segment in message.segments if segment.name == name]


def test_all_are_read_but_the_one_that_is_broken_on_purpose(sent, days):
    broken = [file for (file, _), message in sent.items() if message is None]
    labelled = {each["file"] for each in days.truth if each["expect"].get("reason") == "undecodable"}
    assert set(broken) == labelled
    assert len(sent) > 100


def test_each_comes_from_an_application_that_a_feed_knows(sent):
    for (file, _), message in sent.items():
        if message:
            header = message.segments[0]
            assert header.value(4) == "QHXRMYY"
            assert file.startswith({"HIS": "county-his", "LIS": "county-lis", "RIS": "county-ris"}[header.value(3)])


def test_all_kinds_of_messages_occur(sent):
    kinds = {(m.segments[0].value(9), m.segments[0].value(9, 2)) for m in sent.values() if m}
    assert {("ADT", event) for event in ("A01", "A03", "A04", "A08", "A40")} <= kinds
    assert {("ORM", "O01"), ("OML", "O21"), ("ORU", "R01")} <= kinds


def test_names_stand_whole_in_the_first_component(sent, days):
    by_mrn = {each["sites"]["county-hospital"]["patient"][0]: each for each in days.persons.values()
              if "county-hospital" in each["sites"] and "patient" in each["sites"]["county-hospital"]}  # fmt: skip
    plain = 0
    for message in filter(None, sent.values()):
        (pid,) = segments(message, "PID")
        person = by_mrn.get(pid.value(3))
        plain += bool(person) and pid.value(5) == person["name"]
    assert plain > len(sent) * 0.8


def test_labels_of_rare_names_are_true(sent, days):
    for label in (each for each in days.truth if each["case"] in ("1", "2") and "control_id" in each):
        name = segments(of(sent, label), "PID")[0].value(5)
        assert label["expect"]["name"] == name
        assert holds_delimiter(name) if label["case"] == "1" else beyond_gb2312(name)


def test_the_visit_card_is_no_resident_id(sent):
    for message in filter(None, sent.values()):
        (pid,) = segments(message, "PID")
        kinds = {part.split("^")[4]: part.split("^")[0] for part in pid.reps(3)}
        assert kinds["IDCard"].startswith("K")
        assert kinds["LocalID"].startswith("P")
        assert not re.fullmatch(r"\d{17}[\dX]", kinds["IDCard"])


def test_odd_values_stand_where_the_label_says(sent, days):
    labels = [each for each in days.truth if each["variant"] == "value" and "control_id" in each]
    assert labels
    for label in labels:
        place = int(re.search(r"OBX\[(\d+)\]", label["expect"]["field"])[1])
        assert segments(of(sent, label), "OBX")[place - 1].value(5) == label["expect"]["value"]


@pytest.mark.parametrize(
    ("variant", "state", "result"), [("corrected", "C", "C"), ("withdrawn", "X", "W"), ("resent", "F", "F")]
)
def test_later_reports_repeat_the_number_of_the_first(sent, days, variant, state, result):
    labels = [each for each in days.truth if each["case"] == "21" and each["variant"] == variant]
    assert labels
    for label in labels:
        (obr,) = segments(of(sent, label), "OBR")
        assert (obr.value(25), obr.value(3)) == (state, label["expect"]["report"])
        assert {obx.value(11) for obx in segments(of(sent, label), "OBX")} == {result}


def test_reports_come_after_their_orders_but_where_it_is_labelled(sent, days):
    ordered, late = {}, []
    for position, message in enumerate(filter(None, sent.values())):
        for obr in segments(message, "OBR"):
            ordered.setdefault(obr.value(2), position)
            if message.segments[0].value(9) == "OML" and ordered[obr.value(2)] != position:
                late.append(message.segments[0].value(10))
    labelled = {each["control_id"] for each in days.truth if each["variant"] == "result-first"}
    assert set(late) <= labelled
    assert late


def test_a_reused_report_number_is_another_persons(sent, days):
    (label, *_) = [each for each in days.truth if each["case"] == "N4" and each["variant"] == "message"]
    mine = segments(of(sent, label), "PID")[0].value(3)
    reports = [
        m
        for m in sent.values()
        if m and segments(m, "OBR") and segments(m, "OBR")[0].value(3) == label["expect"]["report"]
    ]
    assert {segments(m, "PID")[0].value(3) for m in reports} > {mine}
    assert label["expect"] == {**label["expect"], "outcome": "parked", "reason": "key-reused"}


def test_a_storm_is_the_same_file_again_on_the_manifest(days):
    storms = {each["file"] for each in days.truth if each["variant"] == "storm"}
    for file in storms:
        assert sum(entry["file"] == file for entry in days.manifest) >= 3


def test_an_open_frame_is_followed_by_the_whole_one(days):
    opened = [place for place, entry in enumerate(days.manifest) if entry.get("frame") == "open"]
    assert opened
    for place in opened:
        assert days.manifest[place + 1]["file"] == days.manifest[place]["file"]
        assert "frame" not in days.manifest[place + 1]


def test_several_messages_stand_in_one_frame(days):
    file = next(each["file"] for each in days.truth if each["variant"] == "several")
    raw = (days.folder / file).read_bytes()
    assert len(hl7v2_batch.split(raw).messages) == 2


def test_a_merge_names_the_second_record(sent, days):
    for label in (each for each in days.truth if each["variant"] == "second-record" and "into" in each["expect"]):
        message = of(sent, label)
        assert segments(message, "MRG")[0].value(1) == label["expect"]["patient"]
        assert segments(message, "PID")[0].value(3) == label["expect"]["into"]


def test_who_is_discharged_was_admitted_or_lay_there_before(sent):
    came = {segments(m, "PV1")[0].value(19) for m in sent.values() if m and m.segments[0].value(9, 2) == "A01"}
    for message in filter(None, sent.values()):
        if message.segments[0].value(9, 2) == "A03":
            pv1 = segments(message, "PV1")[0]
            assert pv1.value(19) in came or pv1.value(44) < "20261229"
            assert pv1.value(36) in "12345"
            assert pv1.value(45) > pv1.value(44)
