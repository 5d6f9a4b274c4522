"""Cells: spellings of nothing, wrappings, lost digits, several values and parts in one cell."""

import pytest

from gateway.mapping.tables.cells import NULL, Cells, clean
from gateway.mapping.tables.definition import Column

ANY = Column("x")


@pytest.mark.parametrize(
    "cell",
    ["", "  ", "\u3000", "NULL", "(Null)", "[NULL]", "\\N", "-", "—", "/", "无", "不详", "未查", "未测", "不适用", "9999-12-31",
     "9999-12-31 23:59:59", '""', '="" '],
)  # fmt: skip
def test_spellings_of_nothing(cell):
    assert clean(cell, ANY) == ("", None)


@pytest.mark.parametrize("cell", ["1900-01-01", "1900/1/1 0:00:00", "1900-01-01 00:00:00.000", "0000-00-00"])
def test_a_date_that_is_none_is_empty_and_said(cell):
    text, note = clean(cell, ANY)
    assert text == ""
    assert note is not None
    assert note.text == f"'{cell}' means that no date was given"
    assert note.severity == "information"


@pytest.mark.parametrize(("cell", "meant"), [("寮犱笁", " (张三 was meant)"), ("锟斤拷锟斤拷", "")])
def test_a_text_read_in_a_wrong_charset_before_is_kept_and_said(cell, meant):
    text, note = clean(cell, ANY)
    assert text == cell
    assert note is not None
    assert f"before it came here{meant}; it was kept" in note.text


@pytest.mark.parametrize("cell", ["0", "否", "1900-01-02", "19000101", "无症状", "-1", "1/2", "9999"])
def test_what_is_something(cell):
    assert clean(cell, ANY) == (cell, None)


def test_a_column_may_keep_or_add_spellings():
    column = Column("x", keeps=frozenset({"无", "-"}), nulls=frozenset({"0"}))
    assert clean("无", column)[0] == "无"
    assert clean("-", column)[0] == "-"
    assert clean("0", column)[0] == ""
    assert clean("不详", column)[0] == ""


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('="0101"', "0101"),
        ("'440524188001010014", "440524188001010014"),
        ("\t11010519491231002X ", "11010519491231002X"),
        ("'引号'里", "'引号'里"),
        ("=SUM(A1)", "=SUM(A1)"),
    ],
)
def test_wrappings_come_off(cell, text):
    assert clean(cell, ANY)[0] == text


def test_lost_digits_are_never_guessed():
    text, note = clean("1.10105E+17", ANY)
    assert text == ""
    assert note is not None
    assert "has lost digits" in note.text
    assert clean("1.10105E+17", Column("x", exponent=True)) == ("1.10105E+17", None)


@pytest.mark.parametrize(
    ("cell", "text"), [("1.5E+3", "1500"), ("1.10105123456E+11", "110105123456"), ("2e4", "20000")]
)
def test_an_exponent_that_lost_nothing_is_written_out(cell, text):
    found, note = clean(cell, ANY)
    assert found == text
    assert note is not None
    assert note.severity == "information"


@pytest.mark.parametrize("cell", ["E11.9", "1E", "I10E5", "3.5e", "MB0001E5"])
def test_codes_are_no_exponents(cell):
    assert clean(cell, ANY) == (cell, None)


def test_a_text_cut_in_a_character_is_kept_and_said():
    text, note = clean("家属陪同前来要求双向转\\xd5", ANY)
    assert text == "家属陪同前来要求双向转\\xd5"
    assert note is not None
    assert "cut in the middle of a character" in note.text
    assert clean("C:\\x", ANY) == ("C:\\x", None)


def test_separators_in_texts_are_text():
    cells = Cells(ANY, "", clears=False)
    assert cells["a^b~c&d|e\\f"] == "a\\S\\b\\R\\c\\T\\d\\F\\e\\E\\f"
    assert cells["两行\n文字"] == "两行\n文字"


def test_several_values_and_parts():
    cells = Cells(Column("x", split=";；", parts="()（）"), "", clears=False)
    assert cells["高血压(2012-03);糖尿病； "] == "高血压^2012-03~糖尿病"
    assert cells.told("高血压(2012-03);糖尿病") == ["高血压^2012-03", "糖尿病"]
    assert cells.told("高血压(2012-03);糖尿病") == ["高血压^2012-03", "糖尿病"]
    assert cells.told("NULL") == []


def test_units_stand_beside_the_number():
    assert Cells(Column("x"), "10^9/L", clears=False)["6.21"] == "6.21^10\\S\\9/L"
    assert Cells(Column("x", parts="/"), "mmHg", clears=False)["158/94"] == "158&mmHg^94&mmHg"
    assert Cells(Column("x", parts="/"), "mmHg", clears=False)["/94"] == "^94&mmHg"


def test_empty_cells_take_back_where_the_feed_says_so():
    assert Cells(ANY, "", clears=True)["未查"] == NULL
    assert Cells(ANY, "", clears=False)["未查"] == ""


def test_the_memory_for_cells_is_bounded():
    cells = Cells(ANY, "", clears=False)
    for number in range(5000):
        assert cells[f"1.10{number:04}E+17"] == ""
    assert len(cells) <= 4096
    assert len(cells.notes) <= 4096
    assert cells["x" * 1000] == "x" * 1000
    assert "x" * 1000 not in cells
