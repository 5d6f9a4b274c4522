"""What a county agreed on recognition: windows, lists, quality, prices, exceptions; imported, dated, approved (R13)."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

import msgspec

from gateway.community.recognition.items import Item
from gateway.community.recognition.places import House, Scopes
from gateway.community.recognition.shelf import Entry, Word

Patient = Literal["outpatient", "inpatient", "emergency"]
Code = Literal["E1", "E2", "E3", "E4", "E5", "E6"]
ALWAYS = "always"


class Window(Entry, frozen=True, kw_only=True):
    """How many days of 24 hours a result holds: of a class or an item, of a kind of patient, from a level of house."""

    source: str
    days: Annotated[int, msgspec.Meta(ge=0, le=3660)]
    group: str = msgspec.field(name="class", default="")
    item: str = ""
    patient: Patient | None = None
    issuer: Annotated[int, msgspec.Meta(ge=0, le=3)] | None = None


class Dated(Entry, frozen=True, kw_only=True):
    """What holds from a day to a day, both of them in it; without `to` until it is replaced."""

    source: str
    since: date = msgspec.field(name="from")
    until: date | None = msgspec.field(name="to", default=None)

    def holds(self, day: date) -> bool:
        """Say whether the day is within."""
        return self.since <= day and (self.until is None or day <= self.until)


class Listing(Dated, frozen=True, kw_only=True):
    """A list of recognition of a scope: which items, and from which levels of house."""

    id: str
    scope: str
    items: tuple[str, ...]
    levels: Literal["any", "same-or-higher"] = "any"


class Quality(Dated, frozen=True, kw_only=True):
    """A result of quality assessment: of a house, for items, over a period, under a scope's evaluation."""

    organisation: str
    items: tuple[str, ...]
    kind: Literal["eqa", "iqc"]
    status: Literal["passed", "failed", "suspended", "not-joined"]
    scope: str
    round: str = ""
    organiser: str = ""


class Price(Dated, frozen=True, kw_only=True):
    """What an item costs at a house, in yuan; `fund` and `person`, where known, are the payers' shares of it."""

    organisation: str
    item: str
    amount: Decimal
    fund: Decimal | None = None
    person: Decimal | None = None


class Exceptional(Entry, frozen=True, kw_only=True):
    """Circumstances in which a repeat of some items is justified."""

    source: str
    code: Code
    when: tuple[str, ...]
    items: tuple[str, ...] = msgspec.field(name="for")


State = Literal["suspended", "passed", "unproven"]
STATES: tuple[State, ...] = ("suspended", "passed", "unproven")
"""From what outweighs the others to what says nothing."""


class Standing(NamedTuple):
    """How a house stands for an item; `by` is eqa or iqc of what passed, `outside` the scopes it did not join."""

    state: State
    by: str = ""
    outside: frozenset[str] = frozenset()


UNPROVEN = Standing("unproven")
_Key = tuple[str, Patient | None, int | None]


@dataclass(frozen=True, slots=True)
class Policy:
    """All rows in force, with what look-ups need; made by `knowledge.load`."""

    windows: Mapping[_Key, Window]
    classes: Mapping[str, Word]
    circumstances: Mapping[str, Word]
    scopes: Scopes
    lists: tuple[tuple[Listing, Set[str]], ...]
    """From the earliest to the latest."""
    quality: Mapping[str, tuple[tuple[Quality, Set[str]], ...]]
    """By organisation."""
    exceptions: tuple[tuple[Exceptional, Set[str]], ...]
    prices: Mapping[tuple[str, str], tuple[Price, ...]]

    def window(self, item: Item, patient: Patient, level: int | None) -> Window | None:
        """Return the most exact window: item before class, then the patient's kind, then the issuer's level."""
        for name in (f"item:{item.id}", f"class:{item.group}"):
            for who in (patient, None):
                for where in (level, None):
                    found = self.windows.get((name, who, where))
                    if found is not None:
                        return found
        return None

    def listed(self, item: Item, parts: Iterable[Item], issuer: House, receiver: House, day: date) -> str:
        """Return nothing where the item is listed on that day, else why not: no-list, not-on-list or level.

        A panel whose analytes (`parts`) are all listed is listed. One community needs no list (china.md §4.3 G4).
        """
        if issuer.beside(receiver):
            return ""
        holding = {one[0].id: one for one in self.lists if one[0].holds(day)}  # of one list the latest version
        lists = [one for one in holding.values() if self._reaches(one[0].scope, issuer, receiver)]
        having = [listing for listing, items in lists if _has(items, item, parts)]
        if any(listing.levels == "any" or _high(issuer, receiver) for listing in having):
            return ""
        return "level" if having else "not-on-list" if lists else "no-list"

    def standing(self, item: Item, parts: Iterable[Item], issuer: House, receiver: House, day: date) -> Standing:
        """Return how the issuer stood for an item on a day; a panel stands as all its analytes do, or by its own."""
        own = self._standing(item, issuer, receiver, day)
        others = [self._standing(part, issuer, receiver, day) for part in parts]
        if any(one.state == "suspended" for one in (own, *others)):
            return Standing("suspended")
        if own.state == "unproven" and others and all(one.state == "passed" for one in others):
            return others[0]
        return own._replace(outside=own.outside.union(*(one.outside for one in others)))

    def _standing(self, item: Item, issuer: House, receiver: House, day: date) -> Standing:
        rows = [
            row for row, items in self.quality.get(issuer.code, ()) if item.id in items and row.holds(day)
        ]  # fmt: skip
        if any(row.status in ("failed", "suspended") for row in rows):
            return Standing("suspended")
        inside = issuer.beside(receiver)
        for row in sorted(rows, key=lambda row: row.kind):
            reaches = row.kind == "eqa" and self._reaches(row.scope, issuer, receiver)
            if row.status == "passed" and (inside or reaches):
                return Standing("passed", row.kind)
        return Standing("unproven", outside=frozenset(row.scope for row in rows if row.status == "not-joined"))

    def exception(self, item: Item, parts: Iterable[Item], circumstances: Set[str]) -> Exceptional | None:
        """Return the first row that justifies a repeat; of a panel, one for any of its analytes."""
        codes = {item.id, *(part.id for part in parts)}
        for row, items in self.exceptions:
            if codes & items and (ALWAYS in row.when or circumstances & set(row.when)):
                return row
        return None

    def price(self, item: str, organisation: str, day: date) -> Price | None:
        """Return what an item costs at a house on a day, in yuan (china.md §4.7); None where that is not known."""
        holding = [one for one in self.prices.get((organisation, item), ()) if one.holds(day)]
        return max(holding, key=lambda one: one.since, default=None)

    def _reaches(self, scope: str, issuer: House, receiver: House) -> bool:
        return self.scopes.scopes[scope].reaches(issuer, receiver)


def _has(items: Set[str], item: Item, parts: Iterable[Item]) -> bool:
    names = [part.id for part in parts]
    return item.id in items or (bool(names) and set(names) <= items)


def _high(issuer: House, receiver: House) -> bool:
    return issuer.level is not None and receiver.level is not None and issuer.level >= receiver.level
