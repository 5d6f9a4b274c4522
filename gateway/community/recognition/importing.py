"""An institution's item dictionary -> a file of knowledge that still needs a person's name (ruling R13).

What the dictionary says becomes rows of codes, quality and prices; what it leaves open becomes a remark, never a guess.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

import yaml

from gateway.community.recognition.catalogue import OWN, Coding, Found
from gateway.community.recognition.knowledge import Knowledge
from gateway.community.recognition.marks import read, split
from gateway.community.recognition.places import House, Scope

STATUS = {
    "合格": "passed", "通过": "passed", "优秀": "passed", "不合格": "failed", "未通过": "failed",
    "暂停": "suspended", "取消": "suspended", "未参加": "not-joined", "未参评": "not-joined",
}  # fmt: skip
"""Words for the result of an EQA; any other is a remark."""
_HEAD = """\
# Made from an item dictionary. Nothing here is in force until a named person has read it and added a line such as
# approved: {by: 张某某, on: 2026-12-02}
"""


class Row(NamedTuple):
    """One row of an item dictionary, as sent: `table` is the local table of its codes, `item` the 互认项目编码."""

    table: str
    code: str
    name: str = ""
    specimen: str = ""
    item: str = ""
    mark: str = ""
    price: str = ""
    assessor: str = ""
    round: str = ""
    result: str = ""
    until: str = ""
    active: bool = True


@dataclass(slots=True)
class Proposal:
    """The text of a YAML file, not approved, and what a person must settle."""

    text: str = ""
    remarks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Draft:
    house: House
    day: date
    known: Knowledge
    source: str
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    quality: list[dict[str, Any]] = field(default_factory=list)
    prices: list[dict[str, Any]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def take(self, row: Row) -> None:
        found = self._item(row)
        if found is None:
            return
        self._evaluated(row, found)
        self._priced(row, found)

    def _item(self, row: Row) -> str | None:
        """Return the item by the row's recognition code or what its local code means already; else hints only."""
        own = self.known.catalogue.find([Coding(OWN, row.item)]) if row.item else None
        local = self.known.catalogue.find([Coding(row.table, row.code)], specimen=row.specimen)
        if isinstance(own, Found):
            if not isinstance(local, Found):
                self.codes.setdefault(row.table, {})[row.code] = own.item.id
            elif local.item.id != own.item.id:
                self.remarks.append(f"{row.code}: is {local.item.id} by codes.yaml and {own.item.id} by the dictionary")
                return None
            return own.item.id
        if isinstance(local, Found):
            return local.item.id
        if not local.known:
            hints = ", ".join(f"{hint.item} ({hint.likeness})" for hint in self.known.catalogue.hints(row.name, 3))
            self.remarks.append(f"{row.code} {split(row.name).name}: no item; perhaps {hints or 'none that is alike'}")
        return None

    def _evaluated(self, row: Row, item: str) -> None:
        word = row.result.strip()
        if not word:
            return
        status, until, scope = STATUS.get(word, ""), _day(row.until), self._scope(row)
        if not status:
            self.remarks.append(f"{row.code}: '{word}' is no known result of an evaluation")
        elif scope is None:
            self.remarks.append(f"{row.code}: whose evaluation said {word} is not told by a mark such as 省HR")
        elif until is None and status == "passed":
            self.remarks.append(f"{row.code}: until when {word} holds is not told")
        else:
            since = self._since(row)
            told = {"organisation": self.house.code, "kind": "eqa", "status": status, "items": [f"item:{item}"]}
            period = {"from": since} | ({"to": until} if until else {})
            names = {"scope": scope.id, "round": row.round, "organiser": row.assessor, "assumed": True}
            self.quality.append(told | period | names | {"source": f"{self.source}: {word}"})

    def _scope(self, row: Row) -> Scope | None:
        """Return the one named scope that the row's marks speak for."""
        scopes = self.known.policy.scopes
        found = [scopes.of(mark, self.house) for mark in (*read(row.mark), *split(row.name).marks)]
        return next((scope for scope in found if scope is not None and scope.id in scopes.scopes), None)

    def _since(self, row: Row) -> date:
        """Return the first day of the year that the round names, else of the import (assumed, and marked so)."""
        year = re.match(r"\s*(20\d\d)", row.round)
        return date(int(year[1]), 1, 1) if year else self.day

    def _priced(self, row: Row, item: str) -> None:
        if not row.price.strip():
            return
        amount = _money(row.price)
        if amount is None:
            self.remarks.append(f"{row.code}: '{row.price}' is no price")
            return
        told = {"organisation": self.house.code, "item": item, "amount": str(amount), "from": self.day}
        self.prices.append(told | {"source": self.source})

    def text(self) -> str:
        body: dict[str, Any] = {"source": self.source, "version": f"{self.day}", "imported": self.day}
        if self.codes:
            body["codes"] = [{"table": table, "rows": rows} for table, rows in self.codes.items()]
        body |= {name: rows for name, rows in (("quality", self.quality), ("prices", self.prices)) if rows}
        dumped: str = yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=120)
        return _HEAD + "".join(f"# open: {' '.join(remark.split())}\n" for remark in self.remarks) + dumped


def propose(rows: Iterable[Row], house: House, day: date, known: Knowledge) -> Proposal:
    """Return a file of knowledge made from a house's item dictionary as imported on a day; in force once approved.

    A local item that stands twice with different prices or results is a remark, and its first row counts.
    """
    draft = _Draft(house, day, known, f"item dictionary of {house.name or house.code}, imported {day}")
    seen: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        key = (row.table, row.code, row.specimen)
        seen[key] += 1
        if seen[key] == 2:
            draft.remarks.append(f"{row.code}: stands twice; its first row counts")
        if row.active and seen[key] == 1:
            draft.take(row)
    return Proposal(draft.text(), draft.remarks)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _money(text: str) -> Decimal | None:
    try:
        amount = Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount >= 0 else None
