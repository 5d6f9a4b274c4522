"""What became of a name on its way is undone where nothing was lost (china.md section 5.2 cases 1 to 6)."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity import glyphs, lists

NAMES = ["张三", "李珅", "王小明", "欧阳修", "赵珇", "陈玘", "刘建国", "黄玥", "周䶮"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_read_in_the_wrong_encoding_is_read_again(name):
    for wrong, right in (("gb18030", "utf-8"), ("latin-1", "utf-8"), ("latin-1", "gb18030"), ("cp1252", "gb18030")):
        try:
            broken = name.encode(right).decode(wrong)
        except UnicodeDecodeError:
            continue
        assert glyphs.mended(broken) == name


@pytest.mark.parametrize(("broken", "found"), [
    ("王小明".encode().decode("gbk", "replace"), "王小?"),
    ("锟斤拷三", "?三"), ("张锟斤", "张?"), ("双向转诊\ufffd", "双向转诊?"), ("张?", "张?"), ("张□", "张?"), ("王*明", "王?明"),
    ("张某某", "张??"), ("李⿰王申", "李?"), ("李\ue000", "李?"),
])  # fmt: skip
def test_what_was_lost_is_marked(broken, found):
    assert glyphs.mended(broken) == found


@pytest.mark.parametrize("written", ["周䶮", "周&#x4DAE;", "周&#19886;", "周\\u4DAE", "周U+4DAE", "周\ue863"])
def test_a_rare_glyph_written_as_its_number_or_in_an_old_private_place_is_itself(written):
    assert glyphs.mended(written) == "周䶮"


@pytest.mark.parametrize(("one", "other"), [
    ("張國華", "张国华"), ("葉範餘", "叶范余"), ("肖战", "萧战"), ("付平", "傅平"), ("闫妮", "阎妮"), ("检査", "检查"), ("⺠", "民"),
    ("ＬＩ", "LI"), ("刘喆", "刘哲"), ("髙明", "高明"),
])  # fmt: skip
def test_variants_of_a_character_are_one(one, other):
    assert glyphs.mended(one) == glyphs.mended(other)


@pytest.mark.parametrize(
    "name", ["José García", "Zoë", "Müller", "O’Brien", "Алия", "김철수", "", " ", "A&B", "a\\b", "····", "·•"]
)
def test_names_of_other_letters_are_not_taken_for_broken_ones(name):
    assert "?" not in glyphs.mended(name)
    assert glyphs.mended(name) == unicodedata.normalize("NFKC", name)


def test_a_number_that_is_no_character_is_lost():
    assert glyphs.mended("张&#x110000;") == "张?"
    assert glyphs.mended("张&#xD800;") == "张?"


@given(st.text(max_size=40))
def test_any_text_is_mended_once_and_for_all(text):
    found = glyphs.mended(text)
    assert glyphs.mended(found) == found or "?" in found or "&" in found or "\\" in found or "+" in found


def test_the_table_of_variants_leads_to_characters_that_stay():
    table = lists.variants()
    assert len(table) > 5000
    assert not {ord(one) for one in table.values()} & table.keys()


def test_which_texts_are_chinese():
    assert glyphs.holds_han("Li 李")
    assert not glyphs.holds_han("Li?")
