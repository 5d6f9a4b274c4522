"""Reads SpreadsheetML 2003, the XML that some systems save under the name .xls."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree as Tree

from gateway.formats import delimited_text
from gateway.formats.sheet_model import NotATable, Sheet, error_issue
from gateway.formats.workbook_grid import Area, Grid
from gateway.formats.workbook_values import cut, number, precision, writer

_SS = "{urn:schemas-microsoft-com:office:spreadsheet}"
_NAMESPACE = b"urn:schemas-microsoft-com:office:spreadsheet"
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_SAID = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([\w-]+)""")
_HEAD = 8192
_MOST_ROWS = 1_048_576
_MOST_COLUMNS = 16_384


def is_spreadsheet_xml(raw: bytes) -> bool:
    """Say whether the bytes are XML in the namespace of SpreadsheetML 2003."""
    head = raw[:_HEAD].replace(b"\x00", b"")
    return head.lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t").startswith(b"<") and _NAMESPACE in head and b"Workbook" in head


def read(raw: bytes, charset: str | None = None) -> list[Sheet]:
    """Return the sheets that hold text; raises NotATable when the XML is damaged or holds none."""
    said = _SAID.search(raw[:_HEAD])
    decoded = delimited_text.decode(raw, charset, said.group(1).decode("ascii", "replace") if said else None)
    if decoded.bad:
        line, why = next(iter(decoded.bad.items()))
        raise NotATable(why, where=f"line {line}")
    book = _parsed(decoded.text)
    formats = dict(_formats(book))
    sheets = [_sheet(found, formats, decoded) for found in book.iter(f"{_SS}Worksheet")]
    if not any(sheet.rows for sheet in sheets):
        raise NotATable("The workbook holds no cells with text; ask the sender to export it again.")
    return [sheet for sheet in sheets if sheet.rows]


def _parsed(text: str) -> Tree.Element:
    if "<!DOCTYPE" in text[:_HEAD] or "<!ENTITY" in text:
        raise NotATable("The XML declares a document type, which no workbook does; ask the sender for XLSX or CSV.")
    try:
        return Tree.fromstring(_DECLARATION.sub("", text, count=1))  # noqa: S314 - no entities can be declared
    except (Tree.ParseError, ValueError) as error:
        raise NotATable(f"The XML of the workbook is damaged ({error}); ask the sender to send it again.") from error


def _formats(book: Tree.Element) -> Iterator[tuple[str, str]]:
    for style in book.iter(f"{_SS}Style"):
        found = style.find(f"{_SS}NumberFormat")
        if found is not None:
            yield style.get(f"{_SS}ID", ""), found.get(f"{_SS}Format", "")


def _sheet(found: Tree.Element, formats: dict[str, str], decoded: delimited_text.Text) -> Sheet:
    grid, errors, row = Grid(), list[str](), 0
    for line in found.iter(f"{_SS}Row"):
        row = _index(line, row, _MOST_ROWS)
        grid.cells[row] = _cells(line, row, formats, grid.areas, errors)
    issues = (*decoded.issues, *error_issue(errors))
    return Sheet(grid.rows(), "xml", decoded.encoding, "", found.get(f"{_SS}Name", ""), issues)


def _cells(
    line: Tree.Element, row: int, formats: dict[str, str], areas: list[Area], errors: list[str]
) -> dict[int, str]:
    cells: dict[int, str] = {}
    column = 0
    for cell in line.iter(f"{_SS}Cell"):
        column = _index(cell, column, _MOST_COLUMNS)
        data = cell.find(f"{_SS}Data")
        style = formats.get(cell.get(f"{_SS}StyleID", line.get(f"{_SS}StyleID", "")), "")
        cells[column - 1] = "" if data is None else _text(data, style)
        if data is not None and data.get(f"{_SS}Type") == "Error":
            errors.append(f"row {row} column {column}")
        across, down = _count(cell, "MergeAcross"), _count(cell, "MergeDown")
        if across or down:
            areas.append(Area(row, column - 1, row + down, column - 1 + across))
            column += across
    return cells


def _text(data: Tree.Element, style: str) -> str:
    text = "".join(data.itertext())
    kind = data.get(f"{_SS}Type")
    if kind == "Number":
        return writer(style)(text) if style else number(text)
    if kind == "Boolean":
        return {"1": "TRUE", "0": "FALSE"}.get(text, text)
    return cut(text, precision(style) or "yMdhms") if kind == "DateTime" else text


def _index(element: Tree.Element, before: int, most: int) -> int:
    """Return the element's ss:Index, or the place after the one before."""
    index = _count(element, "Index") or before + 1
    if index > most:
        raise NotATable(f"The workbook is damaged: it has a row or column {index}. Ask the sender to send it again.")
    return index


def _count(element: Tree.Element, name: str) -> int:
    digits = element.get(f"{_SS}{name}", "")
    return int(digits) if digits.isdecimal() and len(digits) < 8 else 0
