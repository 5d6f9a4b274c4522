"""Everything known on recognition, loaded whole from profiles/recognition and a county's folders."""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from gateway.community.recognition import catalogue, hints, places, policy, selectors, words
from gateway.community.recognition.catalogue import Catalogue
from gateway.community.recognition.checking import Check
from gateway.community.recognition.houses import NO_HOUSES, HouseRow, Houses, register
from gateway.community.recognition.items import Cover, Imaging, Item, Laboratory, LocalTable, Panel
from gateway.community.recognition.policy import Exceptional, Listing, Policy, Price, Quality, Window
from gateway.community.recognition.reasons import GateText, Override, Reason, Reasons
from gateway.community.recognition.shelf import Shelf, Word, WrongKnowledge

Row = TypeVar("Row", Listing, Quality, Exceptional)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Catalogue, policy and texts; `version` stands beside every advice, `pending` are files that nobody approved."""

    catalogue: Catalogue
    policy: Policy
    reasons: Reasons
    version: str
    pending: tuple[str, ...]
    houses: Houses = NO_HOUSES


def load(*folders: Path) -> Knowledge:
    """Read the folders, later ones laid over earlier ones (architecture decision 5, ruling R13).

    Raises WrongKnowledge that lists every fault with its file and entry.
    """
    shelf = Shelf()
    for folder in folders:
        shelf.read(folder)
    known = _built(shelf)
    shelf.rest()
    if shelf.faults:
        raise WrongKnowledge(shelf.faults)
    return known


def _built(shelf: Shelf) -> Knowledge:
    vocabularies = _words(shelf)
    items = _items(shelf)
    tables = tuple(shelf.take("codes", LocalTable, lambda one: one.table).values())
    found = _catalogue(shelf, vocabularies, items, tables)
    rules = _policy(shelf, items)
    texts = Reasons(
        shelf.take("gates", GateText, lambda one: one.id),
        shelf.take("reasons", Reason, lambda one: (one.code, one.detail)),
        shelf.take("overrides", Override, lambda one: one.code),
    )
    houses, twice = register(shelf.take("houses", HouseRow, lambda one: one.id).values())
    for text in twice:
        shelf.fault("houses", text)
    if not shelf.faults:  # else half of what is named would be missing for another reason
        Check(shelf, found, rules, texts, tables).everything()
    return Knowledge(found, rules, texts, shelf.version, shelf.pending, houses)


def _words(shelf: Shelf) -> words.Words:
    more = shelf.take("spellings", words.Spelling, lambda one: (one.of, one.id, one.also)).values()

    def some(section: str) -> words.Vocabulary:
        here = [one for one in more if one.of == section]
        made, wrong = words.vocabulary(shelf.take(section, Word, lambda one: one.id), here)
        for text in wrong:
            shelf.fault(section, text)
        return made

    groups = shelf.take("groups", words.Group, lambda one: one.id)
    return words.Words(
        groups={one.id: frozenset(one.of) for one in groups.values()},
        specimens=some("specimens"),
        methods=some("methods"),
        conditions=some("conditions"),
        absent=some("absent_values"),
        sides=some("sides"),
        modalities=some("modalities"),
        contrasts=some("contrasts"),
        parts=some("parts"),
    )


def _items(shelf: Shelf) -> dict[str, Item]:
    kinds: tuple[tuple[str, type[Item]], ...] = (("laboratory", Laboratory), ("imaging", Imaging), ("panels", Panel))
    found: dict[str, Item] = {}
    for section, kind in kinds:
        for item in shelf.take(section, kind, lambda one: one.id).values():
            if found.setdefault(item.id, item) is not item:
                shelf.fault(item, "is the code of another item already")
    return found


def _catalogue(
    shelf: Shelf, vocabularies: words.Words, items: Mapping[str, Item], tables: Iterable[LocalTable]
) -> Catalogue:
    pairs: Callable[[Cover], tuple[str, str]] = lambda one: (one.whole, one.part)  # noqa: E731 - a key, twice
    by_item = shelf.take("by_item", Cover, pairs).values()
    by_contrast = shelf.take("by_contrast", Cover, pairs).values()
    return Catalogue(
        items=items,
        words=vocabularies,
        loinc=_loinc(shelf, items.values()),
        local=catalogue.local_codes(tables),
        covers=catalogue.closed(items, by_item, by_contrast),
        index=hints.index(items.values()),
    )


def _loinc(shelf: Shelf, items: Iterable[Item]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in items:
        for code in item.loinc:
            if found.setdefault(code, item.id) != item.id:
                shelf.fault(item, f"LOINC {code} is {found[code]}'s already")
    return found


def _policy(shelf: Shelf, items: Mapping[str, Item]) -> Policy:
    lists = sorted(shelf.take("lists", Listing, lambda one: (one.id, one.since)).values(), key=lambda one: one.since)
    rows = shelf.take("quality", Quality, lambda one: (one.organisation, one.items, one.kind, one.since, one.scope))
    prices = shelf.take("prices", Price, lambda one: (one.organisation, one.item, one.since)).values()
    exceptions = shelf.take("exceptions", Exceptional, lambda one: (one.code, one.when, one.items)).values()
    return Policy(
        windows=shelf.take("windows", Window, _window_key),
        classes=shelf.take("classes", Word, lambda one: one.id),
        circumstances=shelf.take("circumstances", Word, lambda one: one.id),
        scopes=_scopes(shelf),
        lists=_chosen(shelf, items, lists),
        quality=_grouped(_chosen(shelf, items, rows.values()), lambda one: one[0].organisation),
        exceptions=_chosen(shelf, items, exceptions),
        prices=_grouped(prices, lambda one: (one.organisation, one.item)),
    )


def _window_key(one: Window) -> tuple[str, policy.Patient | None, int | None]:
    return (f"item:{one.item}" if one.item else f"class:{one.group}", one.patient, one.issuer)


def _scopes(shelf: Shelf) -> places.Scopes:
    scopes = shelf.take("scopes", places.Scope, lambda one: one.id)
    relatives = shelf.take("relative", places.Relative, lambda one: one.marks).values()
    stars = shelf.take("stars", places.Star, lambda one: (one.star, one.areas, one.organisations)).values()
    spelled, relative, twice = places.spelled(scopes.values(), relatives)
    for text in twice:
        shelf.fault("scopes", text)
    return places.Scopes(scopes, spelled, relative, tuple(stars))


def _chosen(shelf: Shelf, items: Mapping[str, Item], rows: Iterable[Row]) -> tuple[tuple[Row, Set[str]], ...]:
    found = []
    for row in rows:
        some, faults = selectors.chosen(items, row.items)
        for text in faults:
            shelf.fault(row, text)
        found.append((row, some))
    return tuple(found)


K = TypeVar("K")
V = TypeVar("V")


def _grouped(rows: Iterable[V], key: Callable[[V], K]) -> dict[K, tuple[V, ...]]:
    found: dict[K, list[V]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return {name: tuple(some) for name, some in found.items()}
