"""Names in Latin letters: pinyin in Chinese order whichever way it was sent, others given name first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity import romanized


@pytest.mark.parametrize(("word", "syllables"), [
    ("zhangsan", ("zhang", "san")), ("lishen", ("li", "shen")), ("xian", ("xian",)), ("ouyangxiu", ("ou", "yang", "xiu")),
    ("lvbu", ("lv", "bu")), ("smith", ()), ("", ()), ("sanzhang", ()), ("wangxiaoming", ("wang", "xiao", "ming")),
    ("lirongrongrongrongrong", ()), ("zhang?", ("zhang",)),
])  # fmt: skip
def test_syllables_of_a_name(word, syllables):
    assert romanized.syllables(word) == syllables


@pytest.mark.parametrize("parts", [
    ("ZHANG SAN", "", ""), ("San Zhang", "", ""), ("zhangsan", "", ""), ("Zhang, San", "", ""), ("", "Zhang", "San"),
    ("", "San", "Zhang"), ("", "ZHANG", "SAN"), ("", "zhangsan", ""),
])  # fmt: skip
def test_pinyin_is_brought_into_chinese_order(parts):
    assert romanized.parts(*parts) == (("zhang",), ("san",))


@pytest.mark.parametrize("parts", [
    ("John Smith", "", ""), ("Smith, John", "", ""), ("", "Smith", "John"), ("JOHN  SMITH", "", ""), ("", "", "John Smith"),
])  # fmt: skip
def test_other_names_end_with_the_surname(parts):
    assert romanized.parts(*parts) == (("smith",), ("john",))


def test_accents_and_umlauts():
    assert romanized.parts("José García", "", "") == (("garcia",), ("jose",))
    assert romanized.parts("Lü Bu", "", "") == romanized.parts("LV BU", "", "") == romanized.parts("LYU BU", "", "")


@given(st.text(max_size=30), st.text(max_size=20), st.text(max_size=20))
def test_no_text_is_too_odd(whole, family, given_name):
    last, first = romanized.parts(whole, family, given_name)
    assert all(word.isalnum() for word in (*last, *first))
