"""The catalogue of items: found by codes only, never by names; who covers whom; what words of local systems mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gateway.community.recognition.hints import Hint, Index
from gateway.community.recognition.items import Cover, Imaging, Item, Laboratory, LocalTable, Panel
from gateway.community.recognition.words import Words

LOINC = "http://loinc.org"
OWN = "https://yigong.example/fhir/CodeSystem/recognition-item"


class Coding(NamedTuple):
    """A code with the address of its system, as a resource has them."""

    system: str
    code: str


class Found(NamedTuple):
    """An item and the way it was found: own, loinc or local."""

    item: Item
    way: str


class Missing(NamedTuple):
    """That codes lead to no item, or to several (`items`); `hints` are items of similar names, never a match.

    `known` says that a local table has the code on purpose without an item.
    """

    items: tuple[str, ...] = ()
    hints: tuple[Hint, ...] = ()
    known: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All items, with the indexes that look-ups need; made by `knowledge.load`."""

    items: Mapping[str, Item]
    words: Words
    loinc: Mapping[str, str]
    local: Mapping[tuple[str, str], str | Mapping[str, str]]
    covers: Mapping[tuple[str, str], Cover]
    """By (whole, part), with what follows from chains."""
    index: Index

    def item(self, name: str) -> Item | None:
        """Return an item by its own code."""
        return self.items.get(name)

    def find(self, codings: Iterable[Coding], *, specimen: str = "", name: str = "") -> Found | Missing:
        """Return the one item that all codes which mean anything here agree on.

        `specimen` is a word for it, where a local code means another item by specimen; `name` only makes hints.
        """
        found: dict[str, str] = {}
        known = False
        for coding in codings:
            to, way = self._of(coding, specimen)
            known |= to == "" and way == "local"
            if to:
                found.setdefault(to, way)
        if len(found) == 1:
            ((item, way),) = found.items()
            return Found(self.items[item], way)
        return Missing(tuple(found), self.hints(name) if name else (), known and not found)

    def _of(self, coding: Coding, specimen: str) -> tuple[str | None, str]:
        if coding.system == OWN and coding.code in self.items:
            return coding.code, "own"
        if coding.system == LOINC:
            return self.loinc.get(coding.code), "loinc"
        target = self.local.get((table_of(coding.system), coding.code))
        if isinstance(target, str) or target is None:
            return target, "local"
        return target.get(self.words.specimens.get(specimen)), "local"

    def hints(self, name: str, most: int = 5) -> tuple[Hint, ...]:
        """Return items whose names are like this one, best first: for a person who closes a gap, never for a match."""
        return self.index.like(name, most)

    def covering(self, whole: Item, part: Item) -> Cover | None:
        """Return why an examination of `whole` answers an order of `part`, None where it does not."""
        return self.covers.get((whole.id, part.id))

    def analytes(self, item: Item) -> tuple[Item, ...]:
        """Return the analytes of a panel, nothing for other items."""
        return tuple(self.items[name] for name in item.analytes) if isinstance(item, Panel) else ()

    def specimens(self, item: Item) -> frozenset[str]:
        """Return the specimens that are one for this item; a panel's are those that all analytes take."""
        if isinstance(item, Laboratory):
            return self.words.groups[item.specimen]
        sets = [self.specimens(one) for one in self.analytes(item)]
        return frozenset.intersection(*sets) if sets else frozenset()

    def methods(self, item: Item) -> frozenset[str]:
        """Return the methods whose results may stand for one another; a panel's are all of its analytes'."""
        if isinstance(item, Laboratory):
            return frozenset(item.methods)
        return frozenset(method for one in self.analytes(item) for method in self.methods(one))


def table_of(system: str) -> str:
    """Return the last two parts of a code system's address: site/table of a local one, whatever the installation."""
    return "/".join(system.rsplit("/", 2)[-2:])


def closed(
    items: Mapping[str, Item], by_item: Iterable[Cover], by_contrast: Iterable[Cover]
) -> dict[tuple[str, str], Cover]:
    """Return every cover relation by (whole, part): single pairs, contrasts, panels, and what follows by chains."""
    found = {(one.whole, one.part): one for one in by_item}
    found |= _contrasts(items, by_contrast)
    for panel in items.values():
        if isinstance(panel, Panel):
            reason = f"china.md §4.3 G3: a panel covers its analyte; {panel.source}"
            found |= {
                (panel.id, part): Cover(whole=panel.id, part=part, source=reason, assumed=panel.assumed)
                for part in panel.analytes
            }
    while chained := _chains(found):
        found |= chained
    return found


def _contrasts(items: Mapping[str, Item], rules: Iterable[Cover]) -> dict[tuple[str, str], Cover]:
    pictures: dict[tuple[str, str, str, str], str] = {
        (one.modality, one.part, one.view, one.contrast): one.id for one in items.values() if isinstance(one, Imaging)
    }
    found = {}
    for rule in rules:
        for (modality, part, view, contrast), whole in pictures.items():
            other = pictures.get((modality, part, view, rule.part)) if contrast == rule.whole else None
            if other is not None:
                found[whole, other] = Cover(whole=whole, part=other, source=rule.source, assumed=rule.assumed)
    return found


def _chains(found: Mapping[tuple[str, str], Cover]) -> dict[tuple[str, str], Cover]:
    parts: dict[str, list[Cover]] = {}
    for cover in found.values():
        parts.setdefault(cover.whole, []).append(cover)
    return {
        (first.whole, second.part): Cover(
            whole=first.whole,
            part=second.part,
            source=f"{first.source}; {second.source}",
            assumed=first.assumed or second.assumed,
        )
        for first in found.values()
        for second in parts.get(first.part, ())
        if (first.whole, second.part) not in found
    }


def local_codes(tables: Iterable[LocalTable]) -> dict[tuple[str, str], str | Mapping[str, str]]:
    """Return (table, code) -> item, or specimen -> item."""
    return {(one.table, code): target for one in tables for code, target in one.rows.items()}
