"""What an item of recognition is: laboratory, imaging, panel, and which covers which (china.md §4.3 G3)."""

from typing import Literal

import msgspec

from gateway.community.recognition.shelf import Entry

Kind = Literal["laboratory", "imaging"]
WORDS = frozenset({"presence", "type"})
"""Properties whose result is a word; every other is a number with a unit."""
Property = Literal[
    "mass-concentration", "substance-concentration", "catalytic-concentration", "arbitrary-concentration",
    "number-concentration", "entitic-volume", "entitic-mass", "fraction", "ratio", "mass-ratio", "mass-rate", "time",
    "length-per-time", "ph", "presence", "type",
]  # fmt: skip


class Item(Entry, frozen=True, kw_only=True):
    """What all items have: code, names, the class its window goes by, LOINC codes where they are certain."""

    id: str
    zh: str
    en: str
    group: str = msgspec.field(name="class")
    also: tuple[str, ...] = ()
    loinc: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """Return laboratory or imaging (function tests are imaging: their site is where they are done)."""
        return "imaging" if isinstance(self, Imaging) else "laboratory"

    @property
    def names(self) -> tuple[str, ...]:
        """Return everything it is called; for people and for hints."""
        return (self.zh, self.en, *self.also)


class Laboratory(Item, frozen=True, kw_only=True):
    """An analyte in a specimen: `unit` in UCUM of numbers, `molar` in g/mol, `equal` units of the same number."""

    specimen: str
    methods: tuple[str, ...]
    quantity: Property = msgspec.field(name="property")
    unit: str = ""
    molar: float = 0.0
    equal: tuple[str, ...] = ()

    @property
    def numeric(self) -> bool:
        """Say whether its result is a number."""
        return self.quantity not in WORDS


class Panel(Item, frozen=True, kw_only=True):
    """Analytes that are ordered and reported together; a panel covers each of them."""

    analytes: tuple[str, ...]


class Imaging(Item, frozen=True, kw_only=True):
    """An examination: `view` tells two of one part apart, `needs` what must be within reach to be of use."""

    modality: str
    part: str
    contrast: str = "none"
    view: str = ""
    sided: bool = False
    needs: Literal["pictures", "tracing", "values"] = "pictures"


class Cover(Entry, frozen=True, kw_only=True):
    """An older `whole` that answers an order of `part`; both are items, or contrasts of one modality and part."""

    whole: str
    part: str


class LocalTable(Entry, frozen=True, kw_only=True):
    """Codes of one site's table: code -> item, or specimen -> item; empty means known and no item."""

    table: str
    rows: dict[str, str | dict[str, str]]
