"""Places as chains from the whole to the part; contact points in the guide's terms."""

import pytest

from gateway.mapping.making import Making
from gateway.mapping.places import contact_point, location


def chain(proto):
    names = []
    while proto is not None:
        names.append(proto.body["name"])
        proto = proto.refs[0].proto if proto.refs else None
    return names


def test_a_location_is_part_of_the_wider_ones(env):
    cell = location(Making(env, "PV1-3"))("Ward^Room^Bed^Site&1.2&ISO^x^BED^House^3^by the window^N1^AUTH^more")
    assert chain(cell.value) == ["Bed", "Room", "3", "Ward", "House", "Site"]
    assert cell.value.body["description"] == "by the window"
    assert cell.value.body["identifier"][-1]["value"] == "N1"
    assert cell.value.body["identifier"][-1]["assigner"] == {"display": "AUTH"}
    assert cell.value.body["physicalType"]["coding"][0]["code"] == "bd"
    assert [note.component for note in cell.notes] == ["5", "12"]


def test_two_beds_of_one_name_are_two_places(env):
    convert = location(Making(env, "PV1-3"))
    assert convert("A^1^1").value.keys != convert("B^1^1").value.keys
    assert convert("^^^^^^").value is None


def test_a_place_in_an_ndl(env):
    convert = location(Making(env, "OBR-32", {"levels": "NDL"}))
    assert chain(convert("1&Li^20260101^^Lab^R1^^Site").value) == ["R1", "Lab", "Site"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("10012345678", {"system": "phone", "value": "10012345678"}),
        ("10012345678^PRN^PH", {"system": "phone", "value": "10012345678", "use": "home"}),
        ("10012345678^PRN^CP", {"system": "phone", "value": "10012345678", "use": "mobile"}),
        ("^NET^Internet^a@b.cn", {"system": "email", "value": "a@b.cn"}),
        ("^^^a@b.cn", {"system": "email", "value": "a@b.cn"}),
        ("^^^^^^^^^^^10012345678", {"system": "phone", "value": "10012345678"}),
        ("10012345678^^^^^^^^^^^^20200101^20210101^^^^1", {"system": "phone", "value": "10012345678", "rank": 1, "period": {"start": "2020-01-01", "end": "2021-01-01"}}),
        ("无", None),
        ("^WPN^PH", None),
    ],
)  # fmt: skip
def test_contact_points(env, raw, expected):
    assert contact_point(Making(env, "PID-13"))(raw).value == expected


def test_a_masked_number_is_left_out_and_said(env):
    cell = contact_point(Making(env, "PID-13"))("100****1234")
    assert cell.value is None
    assert "masked telephone number" in cell.notes[0].text


def test_the_parts_of_a_number_are_kept_beside_it(env):
    found = contact_point(Making(env, "PID-13"))("x^WPN^PH^^86^0571^1234567^8").value
    assert found["value"] == "+86 0571 1234567 X8"
    assert [item["valueString"] for item in found["extension"]] == ["86", "0571", "1234567", "8"]


def test_unknown_words_are_noted(env):
    cell = contact_point(Making(env, "PID-13"))("1001234^HOME^TEL")
    assert [note.component for note in cell.notes] == ["2", "3"]
