"""Delimited text: any charset, any line end, forgiving quotes; every physical line stands in exactly one row."""

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats import delimited, delimited_rows
from gateway.formats.sheet_model import NotATable, Row, Sheet

HEAD = "编号,姓名,诊断\r\n"


def rows(text: str | bytes, **said: str) -> list[tuple[int, int, tuple[str, ...]]]:
    raw = text.encode() if isinstance(text, str) else text
    return [(row.line, row.lines, row.cells) for row in delimited.read(raw, **said).rows]


def faults(found: Sheet) -> dict[int, str]:
    return {row.line: row.fault for row in found.rows if row.fault}


@pytest.mark.parametrize("mark", [",", "\t", "|", ";", "\x01"])
def test_the_delimiter_is_what_makes_rows_equally_wide(mark: str):
    text = "\n".join([mark.join(("a", "b", "c")), mark.join(("1;2", "x,y", "p|q" if mark != "|" else "p")), ""])
    if mark in ",;":
        text = mark.join(("a", "b", "c")) + "\n" + mark.join(("1", "2", "3")) + "\n"
    found = delimited.read(text.encode())
    assert found.delimiter == mark
    assert [len(row.cells) for row in found.rows] == [3, 3]
    assert found.kind == ("tab" if mark == "\t" else "csv")


def test_title_and_total_lines_do_not_mislead_the_delimiter():
    text = "青禾县,检验日报;全部\r\n样本号\t姓名\tWBC\r\n1\t王桂兰\t3,5\r\n2\t李珅\t4,1\r\n合计\t2\t\r\n"
    assert delimited.read(text.encode("gbk")).delimiter == "\t"


def test_a_pipe_inside_a_gbk_character_is_no_delimiter():
    raw = "编号|姓名|性别\r\n1|李珅|男\r\n2|陈玘|女\r\n".encode("gbk")
    assert rows(raw)[1:] == [(2, 1, ("1", "李珅", "男")), (3, 1, ("2", "陈玘", "女"))]


def test_a_spool_keeps_its_padding_and_its_last_line():
    text = "编号      |姓名      \n----------|----------\n1         |王桂兰    \n\n已选择 1 行。\n"
    assert rows(text) == [
        (1, 1, ("编号      ", "姓名      ")),
        (2, 1, ("----------", "----------")),
        (3, 1, ("1         ", "王桂兰    ")),
        (4, 1, ("",)),
        (5, 1, ("已选择 1 行。",)),
    ]


def test_hive_knows_no_quotation_marks():
    assert rows('a\x01"b\n1\x01"2\n') == [(1, 1, ("a", '"b')), (2, 1, ("1", '"2'))]


def test_excel_says_its_delimiter_in_the_first_line():
    found = delimited.read(b"sep=;\r\na,1;b,2\r\nc,1;d,2\r\n")
    assert (found.delimiter, found.rows[1].cells) == (";", ("a,1", "b,2"))


@pytest.mark.parametrize(("name", "mark"), [("tab", "\t"), ("PIPE", "|"), ("\\u0001", "\x01"), ("^", "^"), (",", ",")])
def test_a_feed_names_its_delimiter(name: str, mark: str):
    assert delimited.named_delimiter(name) == mark
    assert delimited.read(b"a,b;c", delimiter=name).delimiter == mark


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_line_ends(end: str):
    text = end.join(["a,b", '"x' + end + 'y",1', "", "c,d"])
    assert rows(text) == [(1, 1, ("a", "b")), (2, 2, ("x" + end + "y", "1")), (4, 1, ("",)), (5, 1, ("c", "d"))]


def test_mixed_line_ends_and_characters_that_only_look_like_one():
    assert rows("a,b\r1,\u2028\n2,\x0b\r\n3,\x85") == [
        (1, 1, ("a", "b")),
        (2, 1, ("1", "\u2028")),
        (3, 1, ("2", "\x0b")),
        (4, 1, ("3", "\x85")),
    ]


# ---- quotation marks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('1,"他说"好"了",肺炎', ("1", '他说"好"了', "肺炎")),
        ('1,王"桂"兰,肺炎', ("1", '王"桂"兰', "肺炎")),
        ('1,"a, "b", c",肺炎', ("1", 'a, "b', ' c"', "肺炎")),
        ('1,"""a"""x",肺炎', ("1", '"a""x', "肺炎")),
        ('1,""a"",肺炎', ("1", '""a""', "肺炎")),
        ('1,"",""""', ("1", "", '"')),
        ('"1","2","3"x"', ("1", "2", '3"x')),
    ],
)
def test_marks_that_are_not_doubled(line: str, cells: tuple[str, ...]):
    text = HEAD + line + '\r\n2,"x"y",z\r\n3,b,c\r\n'
    found = rows(text)
    assert found[1] == (2, 1, cells)
    assert found[2:] == [(3, 1, ("2", 'x"y', "z")), (4, 1, ("3", "b", "c"))]


def test_loose_marks_are_told_with_their_lines():
    (issue,) = delimited.read((HEAD + '1,"他"好",x\r\n').encode()).issues
    assert (issue.severity, issue.where) == ("information", "line 2")
    assert "not doubled in line 2" in issue.text


def test_a_mark_that_opens_and_never_closes_costs_one_line():
    text = HEAD + '1,"王桂兰,肺炎\r\n2,李珅,"支气管炎"\r\n3,"陈"玘",x\r\n4,a\r\n'
    assert rows(text)[1:] == [
        (2, 1, ("1", '"王桂兰', "肺炎")),
        (3, 1, ("2", "李珅", "支气管炎")),
        (4, 1, ("3", '陈"玘', "x")),
        (5, 1, ("4", "a")),
    ]


def test_an_open_mark_in_a_line_of_the_wrong_width_is_a_fault():
    found = delimited.read((HEAD + '1,"王桂兰\r\n2,李珅,"支气管炎"\r\n3,c,d\r\n').encode())
    assert list(faults(found)) == [2]
    assert "never closed" in faults(found)[2]
    assert found.rows[1].cells == ('1,"王桂兰',)
    assert found.rows[2].cells == ("2", "李珅", "支气管炎")


def test_a_long_quoted_cell_is_read_although_the_csv_module_gives_up():
    long = "影像所见\r\n" * 30_000
    found = rows(HEAD + f'1,"{long}",x\r\n2,b,c\r\n')
    assert found[1:] == [(2, 30_001, ("1", long, "x")), (30_003, 1, ("2", "b", "c"))]


def test_open_marks_in_every_line_take_time_in_proportion(monkeypatch: pytest.MonkeyPatch):
    text = "a,b,c\n" + '1,"x\n2,y,"z"q\n' * 3000
    reader = delimited_rows._Tolerant(text, ",", 3)
    found, _ = reader.read()
    assert [row.line for row in found] == list(range(1, 6002))
    assert reader.budget > 0


def test_without_budget_only_cells_within_their_line_are_quoted():
    reader = delimited_rows._Tolerant('a,"b,c"\n1,"x\ny"\n', ",", 2)
    reader.budget = -1
    found, _ = reader.read()
    assert [row.cells for row in found] == [("a", "b,c"), ("1", '"x'), ('y"',)]


# ---- charsets ----------------------------------------------------------------------------------------------


def test_one_line_in_another_charset():
    raw = HEAD.encode("gbk") + "1,王桂兰,肺炎\r\n".encode("gbk") * 3 + "2,李珅,高血压\r\n".encode() + b"\x31,x,y\r\n"
    found = delimited.read(raw)
    assert found.encoding == "gb18030"
    assert found.rows[4].cells == ("2", "李珅", "高血压")
    assert not faults(found)
    assert "line 5 is UTF-8" in found.issues[0].text


def test_gbk_lines_in_a_file_of_utf8():
    raw = (HEAD + "1,王桂兰,肺炎\r\n" * 3).encode() + "2,李丽珅,高血压\r\n".encode("gbk") * 2
    found = delimited.read(raw)
    assert found.encoding == "utf-8"
    assert found.rows[4].cells == found.rows[5].cells == ("2", "李丽珅", "高血压")
    assert "lines 5, 6 are GB18030" in found.issues[0].text


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_text_cut_in_a_character_is_kept_with_its_half(encoding: str, quote: str):
    def line(*cells: bytes) -> bytes:
        return b",".join(quote.encode() + cell + quote.encode() for cell in cells) + b"\r\n"

    cut, last = "王桂".encode(encoding)[:-1], "肺炎".encode(encoding)[:-1]
    raw = (HEAD + "0,张三,感冒\r\n").encode(encoding) + line(b"1", cut + b" ", last)
    found = delimited.read(raw + "2,李丽珅,高血压\r\n".encode(encoding))
    assert not faults(found)
    number, name, illness = found.rows[2].cells
    assert (number, name[:3], illness[:3]) == ("1", "王\\x", "肺\\x")
    assert bytes.fromhex(illness[1:].replace("\\x", "")) == last[len("肺".encode(encoding)) :]
    assert found.rows[3].cells == ("2", "李丽珅", "高血压")


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
@pytest.mark.parametrize("cells", ["1,王\0 x,肺炎\r\n", "1,王\0\r\n", "1,\1\1,肺炎\r\n"])
def test_other_bytes_that_are_no_character_are_a_fault_of_their_row(encoding: str, cells: str):
    half = "桂".encode(encoding)[:-1]
    bad = cells.encode(encoding).replace(b"\0", half).replace(b"\1", b"\xff")
    raw = (HEAD + "0,张三,感冒\r\n").encode(encoding) + bad + "2,李丽珅,高血压\r\n".encode(encoding)
    found = delimited.read(raw)
    assert list(faults(found)) == [3]
    assert f"are not {encoding.upper()}" in faults(found)[3]
    assert found.rows[2].cells[0].startswith("1,")
    assert found.rows[3].cells == ("2", "李丽珅", "高血压")


def test_half_a_character_that_takes_the_separator_with_it_is_a_fault():
    rows = "1|王桂兰|肺炎\r\n2|李珅|高血压\r\n".encode("gb18030")
    cut = b"3|" + "王妡".encode("gb18030")[:-1] + "|感冒\r\n".encode("gb18030")
    found = delimited.read(HEAD.replace(",", "|").encode("gb18030") + rows * 2 + cut)
    assert list(faults(found)) == [6]
    assert "one cell too few" in faults(found)[6]
    assert found.rows[2].cells == ("2", "李珅", "高血压")


def test_the_pinned_charset_is_binding():
    raw = (HEAD + "1,王桂兰,肺炎\r\n").encode()
    with pytest.raises(NotATable, match="No line with other than ASCII characters can be read"):
        delimited.read(raw[:-3] + b"\xff\r\n", "ASCII")
    found = delimited.read(raw + b"2,\xff,x\r\n", "UTF-8")
    assert list(faults(found)) == [3]


@pytest.mark.parametrize("pinned", [None, "GBK"])
def test_a_byte_order_mark_that_lies(pinned: str | None):
    found = delimited.read(b"\xef\xbb\xbf" + (HEAD + "1,周䶮,肺炎\r\n").encode("gb18030"), pinned)
    assert found.rows[1].cells == ("1", "周䶮", "肺炎")
    assert found.encoding == "gb18030"
    assert "byte order mark of UTF-8, but its text is GB18030" in found.issues[0].text


def test_a_lying_mark_over_a_broken_body():
    raw = b"\xef\xbb\xbf" + (HEAD + "1,王桂兰,肺炎\r\n").encode("gbk") + b"2,\xff,x\r\n"
    found = delimited.read(raw)
    assert list(faults(found)) == [3]
    assert found.rows[0].cells[0] == "编号"


def test_utf16_without_a_mark_and_utf16_cut_off():
    raw = (HEAD + "1,王桂兰,肺炎\r\n").encode("utf-16-le")
    assert delimited.read(raw).rows[1].cells == ("1", "王桂兰", "肺炎")
    assert delimited.read((HEAD * 2).encode("utf-16-be")).encoding == "utf-16-be"
    found = delimited.read(b"\xff\xfe" + raw[:-5])
    assert list(faults(found)) == [2]
    assert faults(found)[2].startswith("The bytes")


def test_files_that_read_two_ways_ask_for_a_pin():
    with pytest.raises(NotATable, match="Pin the charset"):
        delimited.read(b'a,b\r\n1,"\xc2\xa1"\r\n')


def test_text_that_was_garbled_before_us_is_told_with_its_line():
    (issue,) = delimited.read((HEAD + "1,寮犱笁李,x\r\n1,锟斤拷锟斤拷,x\r\n").encode()).issues[:1]
    assert issue.where in ("line 2", "line 3")


def test_zero_bytes_and_marks_between_joined_files_are_left_out():
    found = delimited.read(("\ufeff" + HEAD + "1,王\x00桂兰,x\r\n" + "\ufeff" + HEAD).encode())
    assert [row.cells for row in found.rows] == [
        ("编号", "姓名", "诊断"),
        ("1", "王桂兰", "x"),
        ("编号", "姓名", "诊断"),
    ]
    assert found.issues[0].text == "Zero bytes were left out in line 2."


def test_the_end_mark_of_dos_is_no_row():
    assert rows(b"a,b\r\n1,2\r\n\x1a") == [(1, 1, ("a", "b")), (2, 1, ("1", "2"))]


# ---- properties --------------------------------------------------------------------------------------------

CHARS = st.one_of(
    st.sampled_from("a1 ,;|\t\"'王桂兰周䶮·\r\n"),
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff"),
)
CELLS = st.text(CHARS, max_size=8)
TABLES = st.integers(2, 5).flatmap(lambda width: st.lists(st.tuples(*[CELLS] * width), min_size=2, max_size=8))


@given(TABLES, st.sampled_from(["utf-8", "gb18030", "utf-16", "utf-16-be"]), st.sampled_from(",\t|;"))
def test_what_is_written_is_read(table: list[tuple[str, ...]], encoding: str, mark: str):
    out = io.StringIO()
    csv.writer(out, delimiter=mark, quoting=csv.QUOTE_ALL).writerows(table)
    raw = out.getvalue().encode(encoding)
    found = delimited.read(raw, None if encoding == "utf-16" else encoding, mark)
    assert [row.cells for row in found.rows] == table


def physical(text: str) -> int:
    lines = re.split("\r\n|\r|\n", text)
    return len(lines) - (lines[-1] == "")


@given(
    st.lists(st.sampled_from(['"', '""', ",", "a", "王", "\r\n", "\r", "\n", "|", " ", ',"', '",']), max_size=60).map(
        "".join
    ),
    st.integers(0, 4),
)
def test_every_physical_line_stands_in_exactly_one_row(text: str, width: int):
    found, loose = delimited_rows.read(text, ",", width)
    lines = [number for row in found for number in range(row.line, row.line + row.lines)]
    assert lines == list(range(1, physical(text) + 1))
    assert set(loose) <= {row.line for row in found}


@given(
    st.lists(
        st.sampled_from([b'"', b",", b"!", "王".encode(), "王".encode("gbk"), b"\r\n", b"\r", b"\n", b"\xff"]),
        min_size=1,
        max_size=40,
    ).map(b"".join)
)
def test_undecodable_bytes_stay_visible(raw: bytes):
    try:
        found = delimited.read(raw)
    except NotATable:
        return
    text = "".join(cell for row in found.rows for cell in row.cells)
    assert raw.count(b"!") == text.count("!")
    assert all(len(row.cells) == 1 for row in found.rows if row.fault)


def test_rows_are_small_values():
    assert Row(1, 1, ("a",)) == Row(1, 1, ("a",), "")
