"""Marks beside names: taken off, kept, and never invented."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.community.recognition.marks import read, split


@pytest.mark.parametrize(
    ("text", "name", "marks"),
    [
        ("★谷丙转氨酶", "谷丙转氨酶", ["★"]),
        ("*谷丙转氨酶", "谷丙转氨酶", ["*"]),
        ("*钾 K+", "钾 K+", ["*"]),
        (" ＊ 钠 ", "钠", ["＊"]),
        ("葡萄糖★", "葡萄糖", ["★"]),
        ("鄂HR 葡萄糖", "葡萄糖", ["鄂HR"]),
        ("鄂HR葡萄糖", "葡萄糖", ["鄂HR"]),
        ("武汉HR：葡萄糖", "葡萄糖", ["武汉HR"]),
        ("全国ＨＲ 铁", "铁", ["全国ＨＲ"]),
        ("京津冀HR 尿酸", "尿酸", ["京津冀HR"]),
        ("[武汉HR]葡萄糖", "葡萄糖", ["[武汉HR]"]),
        ("葡萄糖（宜昌HR）", "葡萄糖", ["（宜昌HR）"]),
        ("葡萄糖 鄂HR", "葡萄糖", ["鄂HR"]),
        ("★鄂HR总胆固醇*", "总胆固醇", ["★", "鄂HR", "*"]),
        ("（互认）钠", "钠", ["（互认）"]),
        # no marks
        ("HR-HPV", "HR-HPV", []),
        ("HR", "HR", []),
        ("★", "★", []),
        ("静息HR", "静息HR", []),
        ("肌酐(酶法)", "肌酐(酶法)", []),
        ("10*9/L", "10*9/L", []),
        ("", "", []),
        ("  ", "", []),
    ],
)
def test_a_name_is_told_from_its_marks(text, name, marks):
    found = split(text)
    assert found.name == name
    assert [mark.text for mark in found.marks] == marks


@pytest.mark.parametrize(
    ("text", "scope", "star"),
    [("★", "", "★"), ("☆", "", "★"), ("＊", "", "*"), ("省HR", "省", ""), ("HR", "", ""), ("某某HR", "某某", "")],
)
def test_a_mark_says_its_scope_or_its_sign(text, scope, star):
    (mark,) = read(text)
    assert (mark.scope, mark.star) == (scope, star)


def test_several_marks_of_one_text_are_read_in_order():
    assert [mark.text for mark in read("★鄂HR")] == ["★", "鄂HR"]
    assert read("▲") == read("") == read("合格") == ()
    assert len(read("★" * 50)) == 8


@settings(max_examples=100)
@given(st.text(alphabet="★*鄂武汉HR 钾()（）[]：", max_size=14))
def test_nothing_of_a_text_is_lost(text):
    found = split(text)
    kept = "".join(mark.text for mark in found.marks) + found.name
    assert set(text.replace(" ", "").replace("：", "")) <= set(kept + "：")
    assert bool(found.name) is bool(text.strip())
