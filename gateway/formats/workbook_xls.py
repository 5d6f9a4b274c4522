"""Reads Excel workbooks of the years before 2007 (BIFF 2 to 8, with or without OLE container) through xlrd."""

import io
from collections.abc import Iterator
from typing import Any

from gateway.formats.sheet_model import NotATable, Sheet, error_issue, hidden_issue
from gateway.formats.workbook_grid import Area, Grid
from gateway.formats.workbook_values import BUILT_IN, Writer, number, writer

_UNICODE_SINCE = 80  # BIFF 8; older ones hold text in the code page of the machine that wrote them
_TEXT, _NUMBER, _DATE, _BOOL, _ERROR = 1, 2, 3, 4, 5


def read(raw: bytes, charset: str = "gb18030") -> list[Sheet]:
    """Return the sheets of an .xls workbook that hold text; `charset` reads old ones that do not name theirs.

    Raises NotATable when the workbook is protected or damaged.
    """
    try:
        book = _open(raw, charset)
        styles = [_style(book, style) for style in book.xf_list]
        return [sheet for sheet in _sheets(book, styles) if sheet.rows]
    except Exception as error:  # xlrd meets damage with whatever its slicing and struct raise
        if "encrypt" in str(error).lower():
            raise protected() from error
        raise NotATable(
            f"The workbook is damaged or of an unknown kind ({type(error).__name__}: {error}). Ask the sender to save "
            "it as XLSX."
        ) from error


def protected() -> NotATable:
    """Return the refusal of a workbook that needs a password."""
    return NotATable("The workbook is protected by a password; ask the sender to save it without one.")


def _open(raw: bytes, charset: str) -> Any:
    import xlrd  # noqa: PLC0415 - few feeds send such files, and every process would pay for the import

    wanted = {"file_contents": raw, "formatting_info": True, "ragged_rows": True, "logfile": io.StringIO()}
    book = xlrd.open_workbook(**wanted)
    if book.biff_version < _UNICODE_SINCE and not book.codepage:
        return xlrd.open_workbook(**wanted, encoding_override=charset)
    return book


def _style(book: Any, style: Any) -> Writer:
    found = book.format_map.get(style.format_key)
    shown = "" if found is None else str(found.format_str)
    return writer(BUILT_IN.get(style.format_key, shown), bool(book.datemode))


def _sheets(book: Any, styles: list[Writer]) -> Iterator[Sheet]:
    for sheet in book.sheets():
        grid, errors = _grid(sheet, styles)
        hidden = hidden_issue(sheet.name) if sheet.visibility else ()
        yield Sheet(grid.rows(), "xls", book.encoding or "", "", sheet.name, (*hidden, *error_issue(errors)))


def _grid(sheet: Any, styles: list[Writer]) -> tuple[Grid, list[str]]:
    """Return the cells of a sheet and the references of those that hold an error."""
    grid, errors = Grid(), list[str]()
    for row in range(sheet.nrows):
        cells = sheet.row(row)
        grid.cells[row + 1] = {column: _text(cell, styles) for column, cell in enumerate(cells)}
        errors += [f"{_letters(column)}{row + 1}" for column, cell in enumerate(cells) if cell.ctype == _ERROR]
    grid.areas = [Area(top + 1, left, bottom, right - 1) for top, bottom, left, right in sheet.merged_cells]
    return grid, errors


def _text(cell: Any, styles: list[Writer]) -> str:
    if cell.ctype == _TEXT:
        return str(cell.value)
    if cell.ctype in (_NUMBER, _DATE):
        raw = repr(cell.value).removesuffix(".0")
        return styles[cell.xf_index](raw) if 0 <= (cell.xf_index or 0) < len(styles) else number(raw)
    if cell.ctype == _BOOL:
        return "TRUE" if cell.value else "FALSE"
    return _error(cell.value) if cell.ctype == _ERROR else ""


def _error(code: int) -> str:
    from xlrd import error_text_from_code  # noqa: PLC0415 - see _open

    return str(error_text_from_code.get(code, "#ERROR"))


def _letters(column: int) -> str:
    return chr(65 + column) if column < 26 else _letters(column // 26 - 1) + chr(65 + column % 26)
