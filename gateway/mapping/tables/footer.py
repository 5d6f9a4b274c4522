"""Lines of a sheet that are no data: totals, which are reconciled, and what programs and people write around tables."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from gateway.fhir.issues import Issue
from gateway.mapping import scalars
from gateway.mapping.tables.header import plain

TOTALS = ("合计", "总计", "共计", "总和", "小计", "本页合计", "本页小计")
BEGINNINGS = (*TOTALS, *"填制审复打导统报负单经查注备说第已选共(-=_─—（", "Page", "page")
_PARTIAL = frozenset({"小计", "本页合计", "本页小计"})
_REST = re.compile(r"[:\d人次例条行份笔项户名个()]{0,12}")
_COUNT = re.compile(r"(?:共|计)?:?(\d[\d,]*)(?:人次|人|例|条|行|份|笔|项|户|名|个)(?:记录|数据)?")
_SELECTED = re.compile(
    r"\(?(?:已选择|选定了?|共|共计)?(\d+)(?:行|条|rowsselected|rowselected|rowsaffected|rowaffected|rows|records)"
    r"(?:受影响|记录|数据)?\.?。?\)?"
)
_RULED = re.compile(r"[-=_─—\s]{2,}")
_DIFFERS = "the total of {0.what} says {0.told}, the rows give {0.found}"
_FOOTERS = re.compile(
    r"(?:填表|制表|填报|审核|复核|打印|导出|统计|报表|负责|单位负责|报送|制单|经办|查询|注|备注|说明|备注说明)[^:]{0,8}:.*|第\d+页.*|page\d+.*"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One number of a total line (`rows`, or a column) beside what the rows above it give."""

    what: str
    told: Decimal
    found: Decimal

    @property
    def good(self) -> bool:
        """Say whether both are the same."""
        return self.told == self.found


@dataclass(frozen=True, slots=True)
class Total:
    """A line of totals: where it stands, how it begins, and its numbers."""

    line: int
    label: str
    checks: tuple[Check, ...] = ()


def is_ruled(cells: Sequence[str]) -> bool:
    """Say whether a row only underlines a header (SQL*Plus)."""
    told = [cell for cell in cells if cell]
    return bool(told) and all(_RULED.fullmatch(cell) for cell in told)


def is_footer(first: str, extra: Sequence[str]) -> bool:
    """Say whether a row that begins with this text is a footer; `extra` are the beginnings a table names."""
    text = "".join(unicodedata.normalize("NFKC", first).split()).casefold()
    return bool(_FOOTERS.fullmatch(text)) or any(plain(first).startswith(plain(word)) for word in extra)


def selected(text: str) -> Decimal | None:
    """Return the count in `已选择 12 行。`, `(12 rows affected)` and their like, None for other texts."""
    found = _SELECTED.fullmatch(plain(text))
    return Decimal(found[1]) if found is not None else None


@dataclass(slots=True)
class Sums:
    """What the rows of a file add up to, since its start and since the last partial total."""

    labels: tuple[str, ...]
    columns: tuple[tuple[int, str], ...]
    _all: list[Decimal] = field(default_factory=list)
    _part: list[Decimal] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.labels = tuple(dict.fromkeys(plain(text) for text in (*self.labels, *TOTALS)))
        self._all = [Decimal()] * (len(self.columns) + 1)
        self._part = list(self._all)

    def add(self, cells: Sequence[str]) -> None:
        """Count one row of data."""
        self._all[0] += 1
        self._part[0] += 1
        for place, (column, _) in enumerate(self.columns, 1):
            amount = number(cells[column])
            if amount:
                self._all[place] += amount
                self._part[place] += amount

    def label(self, first: str) -> str:
        """Return the label of a total line that begins with this text, '' when it is none."""
        text = plain(first)
        found = next((word for word in self.labels if text.startswith(word)), "")
        return found if found and _REST.fullmatch(text[len(found) :]) else ""

    def total(self, line: int, label: str, cells: Sequence[str]) -> None:
        """Note a line of totals and compare it with the rows above."""
        sums = self._part if label in _PARTIAL else self._all
        checks = [Check("rows", count, sums[0]) for cell in cells if (count := _count(cell)) is not None][:1]
        for place, (column, name) in enumerate(self.columns, 1):
            told = number(cells[column])
            if told is not None:
                checks.append(Check(name, told, sums[place]))
        self.totals.append(Total(line, label, tuple(checks)))
        if label in _PARTIAL:
            self._part = [Decimal()] * len(self._part)

    def counted(self, line: int, label: str, told: Decimal) -> None:
        """Note a line in which a program says how many rows it wrote."""
        self.totals.append(Total(line, label, (Check("rows", told, self._all[0]),)))

    def issues(self, table: str) -> list[Issue]:
        """Return a warning for every total that the rows do not add up to."""
        return [
            Issue("warning", "business-rule", _DIFFERS.format(check), f"{table} {total.line}")
            for total in self.totals
            for check in total.checks
            if not check.good
        ]


def number(text: str) -> Decimal | None:
    """Return an amount as people write it (`1,203.5`, `￥15.00`, `15元`), None for other texts."""
    found = scalars.number(scalars.ungrouped(text)) if text else None
    return found[0] if found is not None else None


def _count(cell: str) -> Decimal | None:
    text = plain(cell)
    for word in TOTALS:
        text = text.removeprefix(word)
    found = _COUNT.fullmatch(text)
    return Decimal(found[1].replace(",", "")) if found is not None else None
