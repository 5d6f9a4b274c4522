"""What a table file is once it has been read: sheets of rows of text cells, each knowing its physical line."""

from dataclasses import dataclass

from gateway.errors import Category, GatewayError
from gateway.fhir.issues import Issue

_LINES_NAMED = 10
_ERRORS_NAMED = 5


class NotATable(GatewayError):
    """The bytes hold no table that can be read: another kind of file, protected, damaged or too large."""

    category = Category.UNSUPPORTED


@dataclass(frozen=True, slots=True)
class Row:
    """One row: first physical line (1-based; the sheet's row in a workbook), lines spanned, cells as text.

    `fault` is a sentence saying why the row cannot be trusted ('' when it can); then cells[0] is its raw text, alone.
    """

    line: int
    lines: int
    cells: tuple[str, ...]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table as it stands in the file; `kind` is csv, tab, text, xlsx, xls, xlsb, ods, html or xml."""

    rows: list[Row]
    kind: str
    encoding: str = ""
    delimiter: str = ""
    name: str = ""
    issues: tuple[Issue, ...] = ()


def lines_named(lines: list[int]) -> str:
    """Return line numbers for a sentence: `line 3`, `lines 3, 5` or `lines 1, 2 … (240 lines)`."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    shown = ", ".join(map(str, lines[:_LINES_NAMED]))
    return f"lines {shown}" if len(lines) <= _LINES_NAMED else f"lines {shown} … ({len(lines)} lines)"


def hidden_issue(name: str) -> tuple[Issue, ...]:
    """Return the issue that says a sheet with cells is hidden in the workbook."""
    return (Issue("information", "informational", f"The sheet '{name}' is hidden in the workbook; it was read too."),)


def error_issue(cells: list[str]) -> tuple[Issue, ...]:
    """Return the issue that names the cells (A1 …) holding an error such as #N/A, () for none."""
    if not cells:
        return ()
    shown = ", ".join(cells[:_ERRORS_NAMED]) + (f" … ({len(cells)} cells)" if len(cells) > _ERRORS_NAMED else "")
    text = f"The formula of {shown} gives an error; it was read as the error's text."
    return (Issue("warning", "value", text, f"cell {cells[0]}"),)
