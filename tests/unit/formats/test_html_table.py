"""Web pages under the name .xls: tables with spans, in the page's charset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats import html_table, sheet
from gateway.formats.sheet_model import NotATable

PAGE = (
    '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta http-equiv="Content-Type" '
    'content="text/html; charset=gb2312"><style>td{mso-number-format:"\\@"}</style><title>标题</title></head><body>'
    "<table border=1><thead><tr><th rowspan=2>姓名</th><th colspan='2'>血压</th></tr><tr><th>收缩压</th><th>舒张压</th></tr>"
    "</thead><tbody><tr><td>王桂兰&nbsp;</td><td> 158 <b>mm</b></td><td>94&amp;</td></tr>\r\n"
    "<tr><td>李珅<td><td>x<br>y &lt;z&gt;</table></body></html>"
)
CELLS = [
    ("姓名", "血压", "血压"),
    ("姓名", "收缩压", "舒张压"),
    ("王桂兰", "158 mm", "94&"),
    ("李珅", "", "x\ny <z>"),
]


@pytest.mark.parametrize(
    "raw",
    [
        PAGE.encode("gbk"),
        PAGE.replace("gb2312", "utf-8").encode(),
        b"\xef\xbb\xbf" + PAGE.encode(),
        PAGE.encode("utf-16"),
        b"\r\n<!-- x -->" + PAGE.encode("gbk"),
        b"<!DOCTYPE html>" + PAGE.encode("gb18030"),
        b'<?xml version="1.0"?>' + PAGE.encode(),
    ],
)
def test_a_page_in_any_charset(raw: bytes):
    (found,) = sheet.read(raw)
    assert [row.cells for row in found.rows] == CELLS
    assert [row.line for row in found.rows] == [1, 2, 3, 4]
    assert found.kind == "html"


def cells(body: str) -> list[list[tuple[str, ...]]]:
    return [[row.cells for row in found.rows] for found in html_table.read(body.encode(), "UTF-8")]


def test_tables_side_by_side_and_within():
    assert cells("<table><tr><td>a<table><tr><td>b</table>c</table><table></table><table><tr><td>d") == [
        [("ac",)],
        [("b",)],
        [("d",)],
    ]


def test_cells_under_a_tall_one_move_right():
    body = "<table><tr><td>a<td rowspan=3>b<td>c<tr><td>d<td>e<tr><td colspan=x>f<td rowspan=0>g</table>"
    assert cells(body) == [[("a", "b", "c"), ("d", "b", "e"), ("f", "b", "g")]]


def test_a_cell_without_a_row_and_huge_spans():
    ((first,),) = cells("<table><td colspan=99999999>a<td>b</table>")
    assert (len(first), first[0], first[-1]) == (1001, "a", "b")


def test_scripts_declarations_and_self_closing_tags_are_no_text():
    body = "<table><tr><td>a<script>var b</script><br/><![CDATA[c]]><style/>d<p>e</p></td></tr></table></table></style>"
    assert cells(body) == [[("a\nd\ne",)]]


def test_a_row_with_undecodable_bytes_is_a_fault():
    raw = PAGE.replace("gb2312", "utf-8").replace("</tr>", "</tr>\r\n").encode().replace("桂".encode(), b"\xe6\xa1")
    (found,) = html_table.read(raw)
    assert [bool(row.fault) for row in found.rows] == [False, False, True, False]
    assert len(found.rows[2].cells) == 1
    assert found.rows[3].cells == CELLS[3]


def test_an_undecodable_cell_without_a_row():
    (found,) = html_table.read("<table><td>王桂兰".encode() + b"\xff<table><td>a")[:1]
    assert "\\xff" in found.rows[0].cells[0]
    assert found.rows[0].fault


def test_pages_without_tables():
    with pytest.raises(NotATable, match="web page without a table"):
        html_table.read(b"<html><table><tr><td> </table>")


@given(
    st.lists(
        st.sampled_from(
            [
                "<table>",
                "</table>",
                "<tr>",
                "<td>",
                "</td>",
                "<td rowspan=2>",
                "<td colspan=2>",
                "a",
                "&",
                "<",
                "<!",
                "<![",
                "<?",
                "\n",
                "<style>",
                "</style>",
                '"',
            ]
        ),
        max_size=40,
    ).map("".join)
)
def test_any_tags_are_tables_or_a_refusal(body: str):
    try:
        found = html_table.read(body.encode())
    except NotATable:
        return
    assert all(any(row.cells) for one in found for row in one.rows)
