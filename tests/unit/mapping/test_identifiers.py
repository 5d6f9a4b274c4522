"""Identifiers: each in its site's series, national numbers checked."""

import pytest

from gateway.mapping.environment import Environment, Series
from gateway.mapping.identifiers import coded, cx, entity, entity_of_pair, licence, replaced_document, resident, system
from gateway.mapping.making import Making

ID = "https://yigong.example/fhir/id/generic/"
NATIONAL = "urn:oid:2.16.156.10011.1.3"


def make(maker, env, **args):
    return maker(Making(env, "PID-3", args))


@pytest.mark.parametrize(
    ("raw", "series"),
    [
        ("7", "number"),
        ("7^^^HIS", "his"),
        ("7^^^HIS^MR", "his-mr"),
        ("7^^^&1.2.3&ISO", "1.2.3"),
        ("7^^^^IDCard", "visit-card"),
        ("7^^^HIS^PatientNO", "inpatient"),
    ],
)
def test_series_by_type_and_authority(env, raw, series):
    assert make(cx, env)(raw).value["system"] == ID + series


def test_the_whole_of_a_cx(env):
    found = make(cx, env)("7^5^M11^ADT1&1.2.3&ISO^MR^H1^20200101^20250101").value
    assert list(found) == ["extension", "type", "system", "value", "period", "assigner"]
    assert found["extension"][0]["valueString"] == "5"
    assert found["type"]["coding"][0]["code"] == "MR"
    assert found["period"] == {"start": "2020-01-01", "end": "2025-01-01"}
    assert found["assigner"]["display"] == "ADT1"
    assert found["assigner"]["identifier"]["value"] == "urn:oid:1.2.3"


def test_kind_and_series_of_a_rule(env):
    assert make(cx, env, kind="external")("7").value["system"] == ID + "external"
    assert make(cx, env, kind="external")("7^^^H").value["system"] == ID + "h"
    assert make(cx, env, series="visit")("7^^^H^VN").value["system"] == ID + "visit"


def test_components_without_a_place_are_left_over(env):
    assert [note.component for note in make(cx, env)("7^^^^^^^^x").notes] == ["9"]


@pytest.mark.parametrize("raw", ["", "^^^A", "无", "110***********002X", "000000000000000000", "111111111111111"])
def test_what_identifies_nobody_is_left_out(env, raw):
    assert make(cx, env)(raw).value is None


@pytest.mark.parametrize(
    "raw", ["11010519491231002X", "11010519491231002x", "１１０１０５１９４９１２３１００２Ｘ", "11010519491231002×"]
)
def test_a_resident_id_is_national_in_one_form(env, raw):
    cell = make(cx, env)(f"{raw}^^^^IdentifyNO")
    assert cell.value == {"system": NATIONAL, "value": "11010519491231002X"}
    assert cell.notes == ()


def test_fifteen_digits_become_eighteen_and_both_are_kept(env):
    new, old = make(cx, env)("110105491231002^^^^IdentifyNO").value
    assert new == {"system": NATIONAL, "value": "11010519491231002X"}
    assert old == {"use": "old", "system": f"{ID}resident-id-15", "value": "110105491231002"}


@pytest.mark.parametrize("raw", ["110105194912310021", "11010519491331002X", "12345", "11010519491231002"])
def test_a_wrong_resident_id_is_kept_but_not_as_national(env, raw):
    cell = make(cx, env)(f"{raw}^^^^IdentifyNO")
    assert cell.value["system"] == f"{ID}unverified-resident-id"
    assert cell.value["value"] == raw
    assert cell.notes[0].severity == "warning"


def test_the_issue_about_a_wrong_id_does_not_repeat_it(env):
    assert "110105194912310021" not in make(cx, env)("110105194912310021^^^^IdentifyNO").notes[0].text


def test_pid_19_is_national_only_if_it_has_the_form(env):
    convert = make(resident, env, type="SB")
    assert convert("11010519491231002X").value["system"] == NATIONAL
    assert convert("123-45-6789").value == {
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "SB"}]},
        "system": f"{ID}social-number",
        "value": "123-45-6789",
    }
    assert convert("").value is None
    assert convert("无").value is None


@pytest.mark.parametrize("raw", ["519927201503090000", "５１９９２７２０１５０３０９００００"])
def test_in_an_export_an_id_that_a_spreadsheet_may_have_ended_in_zeros_is_none(env, raw):
    cell = resident(Making(env, "REC-5"))(raw)
    assert cell.value["system"] == f"{ID}unverified-resident-id"
    assert cell.value["value"] == raw
    assert cell.value["type"]["text"] == "resident ID, last digits lost"
    assert "a spreadsheet" in cell.notes[0].text
    assert make(resident, env)("519927201503090000").value["system"] == NATIONAL, "a message was in no spreadsheet"
    assert resident(Making(env, "REC-5"))("110105491231000").value[0]["system"] == NATIONAL, "15 digits are kept"


@pytest.mark.parametrize("raw", ["11010519491231002", "11010519491231002 ", "11010519491231002?"])
def test_in_an_export_an_id_without_its_last_character_is_none_and_said(env, raw):
    cell = resident(Making(env, "REC-5"))(raw)
    assert cell.value["system"] == f"{ID}unverified-resident-id"
    assert "is no resident ID" in cell.notes[0].text
    assert resident(Making(env, "REC-5"))("EC1234567").value["system"] == f"{ID}social-number", "a passport"


def test_an_authority_series_can_be_named_with_its_type():
    env = Environment("s", "f", identifiers={"H/MR": Series("ward-list")})
    assert make(cx, env)("7^^^H^MR").value["system"].endswith("/s/ward-list")
    assert make(cx, env)("7^^^H^XX").value["system"].endswith("/s/h-xx")


def test_entities(env):
    convert = make(entity, env, kind="placer", type="PLAC")
    found = convert("A1^HIS^1.2.3^ISO").value
    assert (found["system"], found["value"]) == (f"{ID}placer", "A1")
    assert found["assigner"]["identifier"]["value"] == "urn:oid:1.2.3"
    assert convert("A1&HIS^B1").value["value"] == "A1"
    assert convert("^1.2.3").value["value"] == "1.2.3"
    assert convert("").value is None


def test_halves_of_a_pair(env):
    pair = "P1&HIS^F1&LIS"
    assert make(entity_of_pair, env, component=1, kind="specimen")(pair).value["value"] == "P1"
    assert make(entity_of_pair, env, component=2, kind="specimen")(pair).value["value"] == "F1"
    assert make(entity_of_pair, env, component=2, kind="specimen")("P1").value is None


def test_every_code_of_a_coded_number_is_an_identifier(env):
    first, second = make(coded, env, kind="plan")("310^职工^YB^A7^other^L").value
    assert first == {"type": {"text": "职工"}, "system": f"{ID}plan-yb", "value": "310"}
    assert second["system"] == f"{ID}plan-l"
    assert make(coded, env)("^x").value is None


def test_other_numbers(env):
    assert make(licence, env)("D7^BJ^20300101").value["system"] == f"{ID}driver-licence-bj"
    assert make(licence, env)("D7").value["system"] == f"{ID}driver-licence"
    assert make(licence, env)("^BJ").value is None
    assert make(system, env, kind="staff")("HR&1.2&ISO").value == f"{ID}staff-hr"
    assert make(system, env)("").value is None
    assert make(replaced_document, env, kind="document")("D1").value["target"]["identifier"]["value"] == "D1"
    assert make(replaced_document, env)("").value is None
