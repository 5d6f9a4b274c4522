"""Text exports: what is written is what a reader reads, and the lines told are the lines."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats import sheet
from gateway.simulate.sheets import Form, Sheet
from gateway.simulate.values import Bare, Cut, Row

COLUMNS = ("编号", "姓名", "病情", "备注")
WORDS = st.text(
    st.characters(whitelist_categories=("Lo", "Nd"), min_codepoint=0x4E00, max_codepoint=0x9FA5), max_size=6
)


def written(rows, form, header=None):
    out = io.BytesIO()
    one = Sheet(out, COLUMNS, form)
    told = [line for _, line in one.write([Row(dict(zip(COLUMNS, row, strict=True))) for row in rows], header)]
    return out.getvalue(), told, one


@pytest.mark.parametrize("kind", ["csv", "quoted", "tab", "pipe", "spool", "soh", "html"])
def test_each_form_is_read_back_with_its_lines(kind):
    rows = [(f"N{n}", "李珅", "胸闷, 气短", "无") for n in range(25)]
    raw, told, _ = written(rows, Form(kind))
    found = {row.line: row.cells for row in sheet.read(raw)[0].rows}
    for line, row in zip(told, rows, strict=True):
        assert found[line] == row


@given(
    st.lists(
        st.tuples(WORDS.filter(bool), WORDS, st.sampled_from(["a\nb", 'say "x"', "1,2", ""]), WORDS),
        min_size=3,
        max_size=8,
    )
)
def test_breaks_and_quotes_in_cells_keep_rows_whole(rows):
    raw, told, _ = written([(f"N{n}", *row[1:]) for n, row in enumerate(rows)], Form(encoding="utf-8"))
    found = {row.line: row.cells[0] for row in sheet.read(raw, charset="utf-8")[0].rows}
    assert [found[line] for line in told] == [f"N{n}" for n in range(len(rows))]


def test_a_title_a_total_and_a_count_stand_around_the_rows():
    raw, told, one = written([("1", "王", "", "")], Form("tab", title="日报", total=("合计", "1人次")))
    assert raw.decode("gb18030").split("\r\n")[0] == "日报"
    assert (told, one.total_line) == ([3], 4)
    spool, _, _ = written([("1", "王", "", "")] * 41, Form("spool"))
    text = spool.decode("gb18030")
    assert text.count("编号|姓名") == 3
    assert text.endswith("\r\n已选择 41 行。\r\n")


def test_a_cell_cut_in_half_ends_in_half_a_character():
    raw, _, _ = written([("1", Cut("转诊"), "", "")], Form())
    with pytest.raises(UnicodeDecodeError):
        raw.decode("gb18030")
    assert "转".encode("gb18030") + "诊".encode("gb18030")[:1] + b"," in raw


def test_bare_cells_and_mixed_files_are_as_bad_as_in_life():
    raw, _, _ = written([("1", Bare('"说"疼"了"'), "", "")], Form(mixed=True))
    assert raw.startswith(b"\xef\xbb\xbf" + "编号".encode())
    assert '"说"疼"了"'.encode("gb18030") in raw


def test_another_header_stands_over_the_same_cells():
    raw, _, _ = written([("1", "王", "", "")], Form(), header=("A", "B", "C", "D"))
    assert raw.decode("gb18030").startswith("A,B,C,D\r\n1,王")
