"""What clinics write in ways of their own: marks at names, ages in words, numbers of one day, supplies, drugs."""

from decimal import Decimal

import pytest

from gateway.mapping import clinical
from gateway.mapping.environment import Environment
from gateway.mapping.making import Making

ENV = Environment("town", "f", units={"天": "d", "mg": "mg"}, absent=frozenset({"无"}))


def _making(**args):
    return Making(ENV, "REC-3", args)


class Running:
    """A row that a step may look at."""

    def __init__(self, *fields):
        self.peers = {"REC": ["REC", *fields]}
        self.fields = []
        self.notes = []

    def note(self, number, notes):
        self.notes.append((number, notes))


@pytest.mark.parametrize(
    ("raw", "name", "mark"),
    [
        ("★钾", "钾", "★"),
        ("*钾 K+", "钾 K+", "*"),
        ("鄂HR 总胆固醇", "总胆固醇", "鄂HR"),
        ("谷丙转氨酶★", "谷丙转氨酶", "★"),
        ("钾", "钾", None),
    ],
)
def test_the_mark_of_recognition_is_taken_off_the_name_and_kept(raw, name, mark):
    found = clinical.marked_name(_making())(raw).value
    assert found["text"] == name
    assert [one["valueString"] for one in found.get("extension", ())] == ([mark] if mark else [])


def test_a_name_that_is_nothing_but_a_mark_stays_a_name():
    assert clinical.marked_name(_making())("★").value == {"text": "★"}
    assert clinical.marked_name(_making())("").value is None


def test_an_age_in_words_is_kept_as_words():
    age = clinical.age_said(_making())
    assert age("076Y").value["valueAge"]["value"] == Decimal(76)
    assert age("虚岁66").value == {"valueString": "虚岁66"}
    assert age("").value is None


def _day_number(*fields, **args):
    body, run = {}, Running(*fields)
    clinical.day_number(_making(kind="outpatient", **args))(run, body, fields[2])
    return body.get("identifier", []), run.notes


def test_a_number_of_the_day_says_its_day_and_its_institution():
    found, _ = _day_number("柳溪镇中心卫生院", "2026-11-09 08:12:00", "0613", name="REC-1", start="REC-2")
    assert found == [
        {
            "system": f"{ENV.numbers}柳溪镇中心卫生院/outpatient",
            "value": "0613",
            "period": {"start": "2026-11-09", "end": "2026-11-09"},
            "assigner": {"display": "柳溪镇中心卫生院"},
        }
    ]


def test_a_number_of_the_day_may_lack_its_institution_or_its_day_and_a_word_is_none():
    assert _day_number("", "", "0613", name="REC-1", start="REC-2")[0] == [
        {"system": f"{ENV.numbers}outpatient", "value": "0613"}
    ]
    named, _ = _day_number("", "", "0613", name="柳溪镇中心卫生院", start="REC-2")
    assert named[0]["assigner"] == {"display": "柳溪镇中心卫生院"}
    found, notes = _day_number("", "", "无", name="REC-1", start="REC-2")
    assert found == []
    assert notes[0][0] == 3


@pytest.mark.parametrize(
    ("raw", "value", "unit", "code"),
    [
        ("5盒", "5", "盒", None),
        ("4", "4", None, None),
        ("7付", "7", "付", None),
        ("1,200", "1200", None, None),
        ("14天", "14", "天", "d"),
    ],
)
def test_an_amount_keeps_its_counting_word(raw, value, unit, code):
    found = clinical.supply(_making())(raw).value
    assert (found["value"], found.get("unit"), found.get("code")) == (Decimal(value), unit, code)


def test_a_bare_amount_has_the_unit_of_the_column_and_words_are_none():
    assert clinical.supply(_making(unit="天"))("30").value["code"] == "d"
    assert clinical.supply(_making())("适量").notes
    assert clinical.supply(_making())("").value is None


def test_a_drug_of_a_follow_up_is_name_and_dosage_in_words():
    read = clinical.drug_said(_making())
    assert read("氨氯地平5mg qd").value == {
        "medicationCodeableConcept": {"text": "氨氯地平"},
        "dosage": [{"text": "5mg qd"}],
    }
    assert read("格列美脲片2mg 每日一次").value["dosage"] == [{"text": "2mg 每日一次"}]
    assert read("降压药").value == {"medicationCodeableConcept": {"text": "降压药"}}
    assert read("").value is None


def test_a_dicom_uid_is_an_identifier_and_other_words_are_none():
    assert clinical.study_uid("1.2.999.519927.1.20261110.47").value == {
        "system": "urn:dicom:uid",
        "value": "urn:oid:1.2.999.519927.1.20261110.47",
    }
    assert clinical.study_uid("DR2611060012").notes
    assert clinical.study_uid("").value is None


def test_a_diagnosis_is_a_code_or_words_or_both():
    read = clinical.diagnosis(_making(system="urn:icd"))
    assert read("E11.9").value == {"coding": [{"system": "urn:icd", "code": "E11.9"}]}
    assert read("2型糖尿病").value == {"text": "2型糖尿病"}
    both = read("I10.x00 高血压").value
    assert both["coding"][0] == {"system": "urn:icd", "code": "I10.x00", "display": "高血压"}
