"""SpreadsheetML 2003: indexes, merges, dates and charsets of the XML that is sent as .xls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats import sheet, spreadsheet_xml
from gateway.formats.sheet_model import NotATable

HEAD = (
    '<?xml version="1.0" encoding="GBK"?>\r\n<?mso-application progid="Excel.Sheet"?>\r\n'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
    '<Styles><Style ss:ID="d"><NumberFormat ss:Format="Short Date"/></Style><Style ss:ID="n"/>'
    '<Style ss:ID="p"><NumberFormat ss:Format="Percent"/></Style></Styles>'
)
BODY = (
    '<Worksheet ss:Name="居民"><Table><Row><Cell ss:MergeDown="1"><Data ss:Type="String">姓名</Data></Cell>'
    '<Cell ss:MergeAcross="1"><Data ss:Type="String">血压</Data></Cell><Cell><Data ss:Type="String">日期</Data></Cell></Row>'
    '<Row><Cell ss:Index="2"><Data ss:Type="String">收缩压</Data></Cell><Cell><Data ss:Type="String">舒张压</Data></Cell></Row>'
    '<Row ss:Index="5"><Cell><Data ss:Type="String">王<B>桂</B>兰</Data></Cell><Cell><Data ss:Type="Number">158.0</Data></Cell><Cell/>'
    '<Cell ss:StyleID="d"><Data ss:Type="DateTime">2026-11-09T08:30:00.000</Data></Cell>'
    '<Cell><Data ss:Type="DateTime">2026-11-09T08:30:00.000</Data></Cell><Cell><Data ss:Type="Boolean">1</Data></Cell>'
    '<Cell ss:StyleID="p"><Data ss:Type="Number">0.5</Data></Cell><Cell><Data ss:Type="Error">#N/A</Data></Cell></Row>'
    '</Table></Worksheet><Worksheet ss:Name="空"><Table/></Worksheet></Workbook>'
)
PAD = ("",) * 4


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "utf-16"])
def test_a_workbook_in_xml(encoding: str):
    said = "GBK" if encoding == "gbk" else encoding
    (found,) = sheet.read((HEAD.replace("GBK", said) + BODY).encode(encoding))
    assert (found.kind, found.name) == ("xml", "居民")
    assert [(row.line, row.cells) for row in found.rows] == [
        (1, ("姓名", "血压", "血压", "日期", *PAD)),
        (2, ("姓名", "收缩压", "舒张压", "", *PAD)),
        (5, ("王桂兰", "158", "", "2026-11-09", "2026-11-09T08:30:00", "TRUE", "50%", "#N/A")),
    ]
    assert "row 5 column 8 gives an error" in found.issues[0].text


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ((HEAD + BODY[:-20]).encode("gbk"), "is damaged"),
        ((HEAD + "</Workbook>").encode("gbk"), "no cells with text"),
        ((HEAD + BODY).replace("<Styles>", "<!DOCTYPE a><Styles>").encode("gbk"), "declares a document type"),
        ((HEAD + BODY).replace('Index="5"', 'Index="9999999"').encode("gbk"), "row or column 9999999"),
        ((HEAD + BODY).encode("gbk").replace("桂".encode("gbk"), b"\xff"), "are not GB18030"),
    ],
)
def test_damage_is_told(raw: bytes, sentence: str):
    with pytest.raises(NotATable, match=sentence):
        sheet.read(raw)


@given(st.integers(0, 1500), st.text(max_size=3))
def test_noise_is_read_or_refused(at: int, noise: str):
    text = HEAD + BODY
    try:
        spreadsheet_xml.read((text[:at] + noise + text[at:]).encode("utf-8"), "UTF-8")
    except NotATable as error:
        assert error.text
