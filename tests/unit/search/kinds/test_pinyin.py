"""Names in Chinese: found by how they sound, whole and by initials, and never so when asked exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.search import extract, parameters
from gateway.search.kinds import string
from gateway.search.kinds.pinyin import spoken


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("张三", ["zhangsan", "zs"]),
        ("单田芳", ["shantianfang", "dantianfang", "stf", "dtf"]),
        ("曾国藩", ["zengguofan", "cengguofan", "zgf", "cgf"]),
        ("解晓东", ["xiexiaodong", "jiexiaodong", "xxd", "jxd"]),
        ("区小明", ["ouxiaoming", "quxiaoming", "oxm", "qxm"]),
        ("仇和", ["qiuhe", "chouhe", "qh", "ch"]),
        ("吕布", ["lvbu", "lb"]),
        ("阿卜杜·热合曼", ["abodureheman", "abdrhm"]),
        ("Müller", []),
        ("张 Wei", []),
        ("张" * 30, []),
        ("", []),
    ],
)
def test_names_as_they_sound(name, wanted):
    assert list(spoken((name, None))) == [
        one for one in wanted if not any(o != one and o.startswith(one) for o in wanted)
    ]


def test_parts_that_the_whole_covers_have_no_rows():
    assert spoken(("张三", "张", "三")) == ("zhangsan", "zs", "san")


@given(st.text())
def test_any_text_sounds_like_letters_or_not_at_all(text):
    assert all(one.isascii() and one.isalpha() for one in spoken((text,)))


@pytest.mark.parametrize(
    ("value", "modifier", "wanted"),
    [
        ("zhangs", "", True),
        ("ZS", "", True),
        ("zhang san", "", True),
        ("angs", "contains", True),
        ("zhangsan", "exact", False),
        ("张三", "exact", True),
        ("san", "", True),
        ("li", "", False),
    ],
)
def test_persons_are_found_by_sound(value, modifier, wanted):
    for kind in sorted(string.PERSONS):
        made = extract.rows({"resourceType": kind, "name": [{"text": "张三", "given": ["三"]}]}, kind)
        number = parameters.for_type(kind)["name"].id
        asked = [string.parse("name", one, modifier) for one in string.spellings(value, modifier)]
        assert any(one.matches(row) for one in asked for row in made.string if row[0] == number) is wanted


def test_other_texts_are_not():
    organization = extract.rows({"resourceType": "Organization", "name": "张三"}, "Organization").string
    assert all(row[1] == "张三" for row in organization)
