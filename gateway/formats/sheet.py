"""The front door for tables: the bytes, never the file's name, say which reader takes them."""

from gateway.formats import delimited, html_table, spreadsheet_xml, workbook
from gateway.formats.sheet_model import NotATable, Row, Sheet

__all__ = ["NotATable", "Row", "Sheet", "read"]

# How files start that are sent by mistake.
_OTHERS = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture (PNG)",
    b"\xff\xd8\xff": "a picture (JPEG)",
    b"GIF8": "a picture (GIF)",
    b"{\\rtf": "a text document (RTF)",
    b"\x1f\x8b": "a gzip archive",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"MIME-Version:": "a web archive (MHTML)",
    b"SQLite format 3\x00": "a database",
}


def read(raw: bytes, *, charset: str | None = None, delimiter: str | None = None) -> list[Sheet]:
    """Return every sheet that holds cells; `charset` and `delimiter` are the feed's, for text.

    Raises NotATable when the bytes hold no table, GatewayError when the feed names an unknown charset or delimiter.
    """
    if not raw:
        raise NotATable("The file is empty; ask the sender to export it again.")
    for start, kind in _OTHERS.items():
        if raw.startswith(start):
            raise NotATable(f"The file is {kind}, not a table; ask the sender for CSV or XLSX.")
    if workbook.is_workbook(raw):
        return workbook.read(raw, charset)
    if spreadsheet_xml.is_spreadsheet_xml(raw):
        return spreadsheet_xml.read(raw, charset)
    if html_table.is_html(raw):
        return html_table.read(raw, charset)
    return [delimited.read(raw, charset, delimiter)]
