"""Telephone numbers and addresses are one however they are typed, and masked or invented ones are none (case 13)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.identity import contacts

AREA = "https://yigong.example/fhir/StructureDefinition/area-code"


def phones(*values, **more):
    return contacts.of_telecom([{"system": "phone", "value": value} | more for value in values])


def place(**told):
    return contacts.of_addresses([told])


@pytest.mark.parametrize("value", [
    "10012345601", "+86 10012345601", "0086-100-1234-5601", "86 10012345601", "010012345601", "100 1234 5601", "１００１２３４５６０１",
    "(100)12345601", "电话:10012345601", "10012345601转2",
])  # fmt: skip
def test_a_mobile_is_one_number(value):
    assert phones(value) == ("10012345601",)


@pytest.mark.parametrize("value", ["0851-5330191", "(0851)5330191", "+86 851 5330191", "0086-851-5330191", "0851 533 0191", "0851-5330191转12",
                                   "0851-5330191 ext.3"])  # fmt: skip
def test_a_landline_is_one_number(value):
    assert phones(value) == ("08515330191",)


def test_a_number_without_its_area_code_is_the_same_number():
    assert contacts.same_phone("5330191", "08515330191")
    assert contacts.same_phone("08515330191", "08515330191")
    assert not contacts.same_phone("5330191", "08515330192")
    assert not contacts.same_phone("12345601", "10012345601")


def test_a_number_abroad_keeps_its_country():
    assert phones("+1 415 555 2671", "00 44 20 7946 0958") == ("+14155552671", "+442079460958")


@pytest.mark.parametrize("joined", ["10012345601/10012345602", "10012345601、10012345602", "10012345601 10012345602", "10012345601;10012345602",
                                    "10012345601或10012345602", "10012345601，+86 10012345602"])  # fmt: skip
def test_two_numbers_in_one_cell(joined):
    assert phones(joined) == ("10012345601", "10012345602")


@pytest.mark.parametrize("value", [
    "138****1234", "100xxxx5601", "****5601", "100*2345601", "13800138000", "13888888888", "10000000000", "13000000000",
    "12345678901", "1234567", "12345678", "88888888", "0851-8888888", "00000000", "无", "不详", "110", "12345", "1001234560",
    "100123456011", "", "张三", "0", "13812345678",
])  # fmt: skip
def test_a_masked_or_invented_number_is_none(value):
    assert phones(value) == ()


def test_only_telephones_in_use_count():
    told = [
        {"system": "email", "value": "10012345601"}, {"system": "fax", "value": "10012345602"}, {"value": "10012345603"},
        {"system": "phone", "use": "old", "value": "10012345604"}, {"system": "sms", "value": "10012345605"},
    ]  # fmt: skip
    assert contacts.of_telecom(told) == ("10012345603", "10012345605")


@pytest.mark.parametrize("told", [
    {"text": "四川省青禾县石桥镇大坝村五组12号"}, {"text": "青禾县石桥镇大坝村5组12号"}, {"text": "石桥镇大坝村5社12号"}, {"text": "石桥乡大坝村５组１２号"},
    {"line": ["四川省青禾县石桥镇大坝村5组12号"], "state": "四川省", "city": "青禾县"}, {"line": ["石桥镇大坝村", "5组12号"], "state": "四川省", "city": "青禾县"},
    {"text": "石桥镇大坝村委会 5组，12号"}, {"text": "四川省青禾縣石橋鎮大壩村5組12號"}, {"text": "中国四川省青禾县石桥镇大坝行政村5小组12号"},
])  # fmt: skip
def test_an_address_is_one_however_it_is_written(told):
    assert place(**told) == ("石桥大坝5组12号", "石桥/大坝")


@pytest.mark.parametrize(("text", "found"), [
    ("青禾县城关镇朝阳路12号", ("城关朝阳路12号", "城关")), ("阳光小区3栋二单元", ("阳光小区3栋2单元", "")),
    ("内蒙古自治区锡林郭勒盟东乌珠穆沁旗乌里雅斯太镇", ("乌里雅斯太", "乌里雅斯太")), ("石桥乡街道村\n二组", ("石桥街道2组", "石桥/街道")),
    ("乐山市市中区龙泉街道办事处龙泉社区居委会十楼", ("龙泉龙泉10楼", "龙泉/龙泉")), ("北京市朝阳区建国路二十三号", ("建国路23号", "")),
    ("一百零八号院", ("108号院", "")), ("二三号楼", ("23号楼", "")),
])  # fmt: skip
def test_places(text, found):
    assert place(text=text) == found


@pytest.mark.parametrize("text", ["无", "不详", "同上", "四川省", "四川省青禾县", "", "  ", "石桥镇***", "-"])
def test_what_is_no_address(text):
    assert place(text=text) == ("", "")


def test_home_counts_first_and_an_address_with_an_area_before_one_without():
    told = [
        {"use": "work", "text": "城关镇东街1号"},
        {"use": "old", "text": "石桥镇大坝村1组"},
        {"text": "新村路1号"},
        {"use": "home", "text": "平通镇红星村9组"},
    ]
    assert contacts.of_addresses(told) == ("平通红星9组", "平通/红星")
    assert contacts.of_addresses(told[:3]).area == "城关"
    assert contacts.of_addresses([{"text": "新村路1号"}]) == ("新村路1号", "")


def test_the_number_of_an_area_counts_where_the_words_tell_none():
    coded = {"extension": [{"url": AREA, "valueCoding": {"code": "519927101"}}]}
    assert place(text="新村路1号", **coded) == ("新村路1号", "519927101")
    assert place(text="石桥镇大坝村1组", **coded).area == "石桥/大坝"
    assert place(text="新村路1号", extension=[{"url": AREA, "valueCoding": {"code": "000000"}}]).area == ""
    assert place(text="新村路1号", extension=[{"url": AREA}, 3, {"url": "x"}]).area == ""


@settings(max_examples=50)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=12),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
                        st.sampled_from(["system", "value", "use", "text", "line", "city", "state", "extension", "url", "valueCoding"]), inner)))  # fmt: skip
def test_nothing_is_too_odd_for_a_contact(told):
    for one in (told, [told]):
        contacts.of_telecom(one)
        contacts.of_addresses(one)


@given(st.text("石桥镇大坝村五组12号省县路０ ,，", max_size=20))
def test_a_folded_address_is_folded_once_and_for_all(text):
    found = place(text=text)
    assert place(text=f" {text} ") == found
