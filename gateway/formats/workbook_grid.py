"""Gathers the sparse cells of a workbook or HTML sheet into rows of equal width, merged areas filled."""

from dataclasses import dataclass, field

from gateway.formats.sheet_model import Row

_SPARE_CELLS = 1_000_000
_HEAD_ROWS = 20
_FILLED = 1_000_000


@dataclass(frozen=True, slots=True)
class Area:
    """A merged area, inclusive: rows from 1, columns from 0."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class Grid:
    """Cells by row (from 1) and column (from 0), and the merged areas."""

    cells: dict[int, dict[int, str]] = field(default_factory=dict)
    areas: list[Area] = field(default_factory=list)

    def rows(self) -> list[Row]:
        """Return the rows that hold any text, padded to the width of the sheet, each area full of its first cell."""
        self._fill()
        filled = {line: found for line, found in sorted(self.cells.items()) if any(found.values())}
        width = _width(filled)
        return [Row(line, 1, _cells(found, width)) for line, found in filled.items()]

    def _fill(self) -> None:
        left = _FILLED
        for area in self.areas:
            text = self.cells.get(area.top, {}).get(area.left, "")
            if not text or left <= 0:
                continue
            right = min(area.right, area.left + _SPARE_CELLS // 1000)
            for line in range(area.top, min(area.bottom, area.top + left // (right - area.left + 1)) + 1):
                left -= self._fill_row(line, area.left, right, text)

    def _fill_row(self, line: int, first: int, last: int, text: str) -> int:
        row = self.cells.get(line)
        if row is None:
            return 1
        for column in range(first, last + 1):
            row[column] = row.get(column) or text
        return last - first + 1


def _width(filled: dict[int, dict[int, str]]) -> int:
    """Return the widest row's width; the first rows' if one stray cell far to the right would make all of them huge."""
    widths = [_last(found) + 1 for found in filled.values()]
    width = max(widths, default=0)
    if width * len(widths) > 8 * sum(map(len, filled.values())) + _SPARE_CELLS:
        return max(widths[:_HEAD_ROWS])
    return width


def _last(found: dict[int, str]) -> int:
    return max(column for column, text in found.items() if text)


def _cells(found: dict[int, str], width: int) -> tuple[str, ...]:
    width = max(width, _last(found) + 1)
    cells = [""] * width
    for column, text in found.items():
        if text:
            cells[column] = text
    return tuple(cells)
