"""Which codes lead to results that could answer an order, and which of the results found concern it."""

import re
from collections.abc import Iterator

from gateway.community.recognition.catalogue import LOINC, OWN, Catalogue, Coding, table_of
from gateway.community.recognition.facts import Order
from gateway.community.recognition.finding import Candidate
from gateway.community.recognition.items import Imaging, Item

_SIGNS = re.compile(r"([\\,$|])")


class Codes:
    """The codes of every item, whatever system they are of, and the items whose results are worth a look."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._loinc, self._local = catalogue.loinc, catalogue.local
        self._codes = {item: {_token(item, OWN): None} for item in catalogue.items}
        for code, item in catalogue.loinc.items():
            self._codes[item][_token(code, LOINC)] = None
        for (_, code), target in catalogue.local.items():
            for item in (target,) if isinstance(target, str) else target.values():
                if item:
                    self._codes[item][_token(code)] = None
        self._near = {name: frozenset(_near(catalogue, item)) for name, item in catalogue.items.items()}

    def of(self, order: Order) -> tuple[str, ...]:
        """Return the codes to look for, as a search writes them, those of sites without their systems.

        An order that leads to no item has none, for nothing can answer it.
        """
        items = {item for coding in order.codings for item in self._meant(coding)}
        near = sorted({other for item in items for other in self._near[item]})
        return tuple(dict.fromkeys(code for other in near for code in self._codes[other]))

    def _meant(self, coding: Coding) -> Iterator[str]:
        """Yield the items that a code may mean, whatever the specimen."""
        if coding.system == OWN and coding.code in self._codes:
            yield coding.code
        elif coding.system == LOINC:
            yield from filter(None, (self._loinc.get(coding.code),))
        else:
            target = self._local.get((table_of(coding.system), coding.code), "")
            yield from filter(None, (target,) if isinstance(target, str) else target.values())

    def near(self, item: Item) -> frozenset[str]:
        """Return the items whose results concern an order of this one: itself, what covers it, and likes of it."""
        return self._near[item.id]


def _token(code: str, system: str = "") -> str:
    """Return a code as a search writes it, without the signs that part tokens (R4 search.html#escaping)."""
    escaped = _SIGNS.sub(r"\\\1", code)
    return f"{system}|{escaped}" if system else escaped


def matches(catalogue: Catalogue, codes: Codes, order: Order, item: Item | None, one: Candidate) -> bool:
    """Say whether a result concerns an order: by its item, or where it has none by its code or kind of picture."""
    if item is None:
        return False
    if one.item:
        return one.item in codes.near(item)
    if isinstance(item, Imaging) and one.kind == "pictures":
        return any(catalogue.words.modalities.get(word) == item.modality for word in one.result.modalities)
    return not set(order.codings).isdisjoint(one.result.codings)


def _near(catalogue: Catalogue, item: Item) -> Iterator[str]:
    """Yield an item, those that cover it, and pictures of the same part, which differ in contrast or view."""
    yield item.id
    yield from (whole for whole, part in catalogue.covers if part == item.id)
    if isinstance(item, Imaging):
        for other in catalogue.items.values():
            if isinstance(other, Imaging) and (other.modality, other.part) == (item.modality, item.part):
                yield other.id
