"""The bytes decide the kind; every sample of a county reads the same in every form; no bytes crash the door."""

import csv
import io
from pathlib import Path

import openpyxl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import Category, GatewayError
from gateway.formats import sheet
from gateway.formats.sheet_model import NotATable, lines_named

SAMPLES = sorted((Path(__file__).resolve().parents[4] / "shared" / "samples" / "csv").glob("*.csv"))
OWN = (
    '个人档案编号,姓名,药物过敏史,现住址\r\n519927001,王桂兰,2;5,"青禾县,城关镇\r\n一组"\r\n'
    '519927002,周䶮,,"他说""好""了"\r\n519927003,李珅,1,陈玘家\r\n'
)
TEXTS = {"own": OWN, **{path.stem: path.read_bytes().decode() for path in SAMPLES}}


def cells(raw: bytes, **said: str) -> list[tuple[str, ...]]:
    (found,) = sheet.read(raw, **said)
    assert not [row.fault for row in found.rows if row.fault]
    return [row.cells for row in found.rows]


def expected(text: str) -> list[tuple[str, ...]]:
    return [tuple(found) or ("",) for found in csv.reader(io.StringIO(text, newline=""))]


def tabbed(text: str) -> str:
    out = io.StringIO()
    csv.writer(out, dialect="excel-tab").writerows(expected(text))
    return out.getvalue()


def test_the_samples_of_a_county_are_at_hand():
    if not SAMPLES:
        pytest.skip("NO county CSV samples in ../shared: only our own text is read in every form")
    assert len(SAMPLES) == 25


@pytest.mark.parametrize("name", TEXTS)
def test_every_form_of_a_file_gives_the_same_cells(name: str):
    text = TEXTS[name]
    want = expected(text)
    assert cells(text.encode()) == want
    assert cells(b"\xef\xbb\xbf" + text.encode()) == want
    assert cells(text.encode("gb18030")) == want
    assert cells(text.encode("gb18030"), charset="GBK", delimiter="comma") == want
    assert cells(b"\xef\xbb\xbf" + text.encode("gb18030")) == want
    assert cells(tabbed(text).encode("utf-16")) == want
    assert cells(b"\xfe\xff" + tabbed(text).encode("utf-16-be")) == want
    assert cells(tabbed(text).encode("gb18030")) == want


@pytest.mark.parametrize("name", TEXTS)
def test_a_workbook_of_the_same_cells(name: str):
    book = openpyxl.Workbook()
    want = expected(TEXTS[name])
    for row in want:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    width = max(map(len, want))
    shown = [(*row, *[""] * (width - len(row))) for row in want]
    found = cells(out.getvalue())
    if not openpyxl.LXML:  # then it writes a CR as it stands, and XML reads that as no part of the text
        shown = [tuple(cell.replace("\r\n", "\n") for cell in row) for row in shown]
    assert found == shown


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "The file is empty"),
        (b"  \r\n \r\n", "only blanks"),
        (b"\xef\xbb\xbf", "only blanks"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\x89PNG\r\n", "a picture"),
        (b"\x1f\x8b\x08", "a gzip archive"),
        (b"MIME-Version: 1.0\r\n", "a web archive"),
        (b"PK\x03\x04 cut", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "without a workbook"),
        (bytes(range(2, 9)) * 40, "neither text nor a workbook"),
        ("<html><body>请登录</body></html>".encode(), "without a table"),
    ],
)
def test_what_is_no_table_is_told_in_a_sentence(raw: bytes, sentence: str):
    with pytest.raises(NotATable, match=sentence) as caught:
        sheet.read(raw)
    assert caught.value.category is Category.UNSUPPORTED


def test_a_feed_that_names_an_unknown_charset_or_delimiter():
    with pytest.raises(GatewayError, match="'KLINGON', which is not known"):
        sheet.read("姓名".encode(), charset="KLINGON")
    with pytest.raises(GatewayError, match="'<>' of the feed is not one character"):
        sheet.read(b"a<>b", delimiter="<>")


def test_lines_are_named_for_people():
    assert lines_named([3]) == "line 3"
    assert lines_named([3, 5]) == "lines 3, 5"
    assert lines_named(list(range(1, 31))) == "lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 … (30 lines)"


STARTS = st.sampled_from(
    [
        b"",
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"<table>",
        b"<?xml ",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\t\x00",
    ]
)
PIECES = st.sampled_from(
    [
        b'"',
        b",",
        b"\r\n",
        b"\r",
        b"\n",
        b"\x00",
        b"\xff",
        "王".encode(),
        "王".encode("gbk"),
        b"|",
        b"\t",
        b"<td>",
        b"</tr>",
        b"x",
        b"\x09\x08",
    ]
)


@given(
    st.builds(
        lambda start, rest: start + rest,
        STARTS,
        st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=60).map(b"".join)),
    ),
    st.sampled_from([None, "GBK", "UTF-8", "UTF-16"]),
)
@example(b"\x09\x08\x10\x00\x00\x06\x05\x00", None)
@example(b"\xff\xfea", None)
@example(b"\xfe\xff\xd8\x00", None)
def test_any_bytes_are_sheets_or_a_refusal(raw: bytes, charset: str | None):
    try:
        found = sheet.read(raw, charset=charset)
    except NotATable as error:
        assert error.text
        return
    for one in found:
        assert one.rows
        for row in one.rows:
            assert row.cells
            "".join(row.cells).encode("utf-8")
