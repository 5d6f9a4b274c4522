"""Proposes the definitions of a feed of exports: which table a file is, its headers' aliases, its codes, its doubts."""

import difflib
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import NamedTuple

from stdnum.cn import ric, uscc

from gateway.errors import GatewayError
from gateway.formats.sheet import Sheet
from gateway.mapping import dates
from gateway.mapping.proposal.values import SURE, Decision, Proposal, most, report, shape, share, word
from gateway.mapping.tables import header
from gateway.mapping.tables.definition import TableDef
from gateway.mapping.tables.header import Header, Names

_ALIKE = 0.6
_FEW_CODES = 12
_TESTED = 500  # rows
_DIGITS = re.compile(r"\d{4,}")
_KNOWN_HALF = 0.5


class File(NamedTuple):
    """One sample file, read."""

    name: str
    sheets: Sequence[Sheet]


class Guess(NamedTuple):
    """What the values of a column look like: what they are called in tables, and how many agree."""

    what: str
    agree: int


@dataclass(slots=True)
class _Column:
    """One column of a sample: its header, its values that say something."""

    head: str
    values: list[str]

    @property
    def counted(self) -> Counter[str]:
        """Return how often each value stands there."""
        return Counter(self.values)


# What values are, told by a test that few others pass; the words are looked for among a table's headers.
_TESTS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("身份证号", ric.is_valid),
    ("统一社会信用代码", uscc.is_valid),
    ("电话", lambda text: re.fullmatch(r"1\d{10}|0\d{2,3}-?\d{7,8}", text) is not None),
    ("诊断编码", lambda text: re.fullmatch(r"[A-TV-Z]\d\d(\.\w{1,9})?", text) is not None),
    ("日期", lambda text: len(text) >= 8 and dates.date_time(text).value is not None),
)


def propose(site: str, feed: str, files: Sequence[File], tables: Sequence[TableDef]) -> Proposal:
    """Return the folder of a new feed of exports; raises GatewayError when a file has no header."""
    proposal, uses, heads = Proposal(), {}, []
    names = [Names(table) for table in tables]
    for file in files:
        table, text, told = _file(file, names, proposal)
        uses[table] = f"*{_DIGITS.sub('*', PurePath(file.name).stem)}*".replace("**", "*")
        heads.append(told)
        if text:
            proposal.files[f"{site}/{feed}/tables/{table}.yaml"] = text
    lines = ["# Proposed from samples; DECIDE.md says what is open.", f"title: {word(feed)}", "format: csv", "tables:"]
    lines += [f"  {table}: {{mode: delta, files: [{word(pattern)}]}}" for table, pattern in uses.items()]
    mode = "full, where every file holds all rows; window, where all rows of its dates"
    proposal.decisions.append(
        Decision("mode of each table", "samples do not tell; delta lets nothing go missing", mode)
    )
    proposal.files[f"{site}/site.yaml"] = f"site: {word(site)}\n"
    proposal.files[f"{site}/{feed}/feed.yaml"] = "\n".join(lines) + "\n"
    proposal.files[f"{site}/{feed}/DECIDE.md"] = report(feed, proposal, heads)
    return proposal


def _file(file: File, names: Sequence[Names], proposal: Proposal) -> tuple[str, str, str]:
    """Return the table a file is, the text of its overlay, and a line about it."""
    found = [(header.find(one.rows, names), one) for one in file.sheets]
    known = [(head, one) for head, one in found if head is not None and _fits(head)]
    if not known:
        return _unknown(file, proposal)
    head, one = max(known, key=lambda pair: pair[0].rank)
    if head.missing:
        lacking = f"{head.names.table.name} needs {', '.join(head.missing)}"
        proposal.decisions.append(Decision("a column that is not there", lacking, "which header means it?"))
    columns = _columns(head.heads, head.last, one)
    text = _overlay(head, columns, proposal)
    told = f"{head.matched} of {len([name for name in head.heads if name])} headers known"
    return head.names.table.name, text, f"- {file.name}: {head.names.table.title or head.names.table.name}, {told}"


def _fits(head: Header) -> bool:
    return head.matched >= _KNOWN_HALF * len([name for name in head.heads if name])


def _columns(heads: Sequence[str], last: int, one: Sheet) -> list[_Column]:
    rows = [row.cells for row in one.rows[last + 1 : last + 1 + _TESTED] if not row.fault]
    return [
        _Column(name, [cells[at].strip() for cells in rows if at < len(cells) and cells[at].strip()])
        for at, name in enumerate(heads)
    ]


def _overlay(head: Header, columns: Sequence[_Column], proposal: Proposal) -> str:
    table = head.names.table
    free = [name for name in table.columns if name not in head.columns]
    aliases = []
    for column, name in zip(columns, head.columns, strict=True):
        if column.head and not name:
            aliases += _alias(table, column, free, proposal)
    codes = _codes(table, dict(zip(head.columns, columns, strict=True)), proposal)
    if not aliases and not codes:
        return ""
    lines = [f"table: {table.name}", *(["columns:", *aliases] if aliases else [])]
    asked = ["# Codes seen that no map knows; write their targets and take the signs # away.", "# codes:", *codes]
    return "\n".join([*lines, *(asked if codes else [])]) + "\n"


def _alias(table: TableDef, column: _Column, free: Sequence[str], proposal: Proposal) -> list[str]:
    """Return the line that gives an unknown header to the column it most looks like, if to any."""
    guess = _guess(column.values)
    scores = {name: _likeness(column.head, name, table, guess) for name in free}
    best = max(scores, key=lambda name: scores[name], default="")
    seen = f"{table.name}: {column.head} ({_looks(column, guess)})"
    if not best or scores[best] < _ALIKE:
        proposal.decisions.append(Decision("a column no rule reads", seen, "a column with a rule, or kept"))
        return []
    proposal.decisions.append(Decision("a header that is new", seen, f"the same as {best}?"))
    return [f"  - {{name: {word(best)}, also: [{word(column.head)}]}}  # ? {scores[best]:.0%} alike"]


def _likeness(text: str, name: str, table: TableDef, guess: Guess | None) -> float:
    known = (name, *table.columns[name].also)
    alike = max(difflib.SequenceMatcher(None, header.plain(text), header.plain(one)).ratio() for one in known)
    return min(1.0, alike + 0.3) if guess is not None and any(guess.what in one for one in known) else alike


def _guess(values: Sequence[str]) -> Guess | None:
    for what, test in _TESTS:
        agree = sum(map(test, values))
        if values and agree >= SURE * len(values):
            return Guess(what, agree)
    return None


def _looks(column: _Column, guess: Guess | None) -> str:
    if guess is not None:
        return f"{guess.agree} of {len(column.values)} look like {guess.what}"
    shapes = Counter(shape(text)[:20] for text in column.values)
    return most(shapes, 3) if shapes else "always empty"


def _codes(table: TableDef, columns: dict[str, _Column], proposal: Proposal) -> list[str]:
    """Return the codes seen that no map knows, as lines a person completes; a meaning is never invented (R4)."""
    lines: list[str] = []
    for name in dict.fromkeys(_coded(table)):
        known = table.codes[name].rows if name in table.codes else {}
        column = columns.get(name.split(".", maxsplit=1)[0])
        counted = column.counted if column is not None else Counter[str]()
        new = {value: number for value, number in counted.most_common() if value not in known}
        if not new or len(new) > _FEW_CODES:
            continue
        lines += [f"#   {word(name)}:", *(f'#     "{code}": ?  {share(counted, code)}' for code in new)]
        proposal.decisions.append(Decision("what codes mean", f"{table.name}: {name}: {most(Counter(new))}"))
    return lines


def _coded(table: TableDef) -> list[str]:
    rules = [rule for told in table.maps.values() for rule, _ in told.values()]
    return [str(rule.get("from", rule.get("id", ""))).split("/", maxsplit=1)[0] for rule in rules if rule.get("code")]


def _unknown(file: File, proposal: Proposal) -> tuple[str, str, str]:
    """Return a skeleton for an export no table knows: its columns, with what their values look like."""
    one = max(file.sheets, key=lambda sheet: len(sheet.rows), default=None)
    at = next((n for n, row in enumerate(one.rows[: header.ROWS]) if _is_header(row.cells)), -1) if one else -1
    if one is None or at < 0:
        raise GatewayError(f"{file.name} has no row that looks like a header in its first {header.ROWS}.")
    columns = [column for column in _columns([cell.strip() for cell in one.rows[at].cells], at, one) if column.head]
    table = re.sub(r"[^a-z0-9_]+", "_", PurePath(file.name).stem.lower()).strip("_0123456789") or "export"
    lines = [f"table: {table}", "columns:"]
    for column in columns:
        guess = _guess(column.values)
        lines.append(f"  - {word(column.head)}  # {_looks(column, guess)}")
    unique = [one.head for one in columns if one.values and len(set(one.values)) == len(one.values)]
    lines.append(f"key: [{word(unique[0])}]  # ? each value once" if unique else f"key: [{word(columns[0].head)}]  # ?")
    proposal.decisions.append(
        Decision("an export no table knows", f"{file.name}: {len(columns)} columns", "maps, resources")
    )
    return table, "\n".join(lines) + "\n", f"- {file.name}: no table of ours; its columns and a key are proposed"


def _is_header(cells: Sequence[str]) -> bool:
    told = [cell.strip() for cell in cells if cell.strip()]
    return len(told) > 1 and len(set(told)) == len(told) and not any(_DIGITS.search(text) for text in told)
