"""Whether the knowledge hangs together: what an entry names exists, covers go one way, every outcome has its texts."""

from collections.abc import Container, Iterable
from dataclasses import dataclass

from gateway.community.recognition.catalogue import Catalogue
from gateway.community.recognition.items import Imaging, Item, Laboratory, LocalTable, Panel
from gateway.community.recognition.outcomes import OUTCOMES
from gateway.community.recognition.policy import ALWAYS, Policy, Price
from gateway.community.recognition.reasons import BRACES, WORDS, Reasons
from gateway.community.recognition.shelf import Entry, Shelf
from gateway.search.ucum import measure


@dataclass(frozen=True, slots=True)
class Check:
    """Notes every fault between entries on the shelf they came from."""

    shelf: Shelf
    catalogue: Catalogue
    policy: Policy
    reasons: Reasons
    tables: tuple[LocalTable, ...] = ()

    def everything(self) -> None:
        """Check items, covers, local codes, policy and texts."""
        for item in self.catalogue.items.values():
            self._item(item)
        self._covers()
        self._local()
        self._policy()
        self._texts()

    def _item(self, item: Item) -> None:
        self._known(item, "class", [item.group], self.policy.classes)
        if isinstance(item, Laboratory):
            self._laboratory(item)
        elif isinstance(item, Imaging):
            self._imaging(item)
        elif isinstance(item, Panel):
            self._panel(item)

    def _laboratory(self, item: Laboratory) -> None:
        words = self.catalogue.words
        self._known(item, "specimen", [item.specimen], words.groups)
        self._known(item, "method", item.methods, words.methods.entries)
        if not item.methods:
            self.shelf.fault(item, "names no method whose results may stand for one another")
        if item.numeric and measure(item.unit) is None:
            self.shelf.fault(item, f"is a number in the unit '{item.unit}', which is none of UCUM")
        if not item.numeric and item.unit:
            self.shelf.fault(item, f"is a word ({item.quantity}), so it has no unit")
        for unit in item.equal:
            if measure(unit) is None:
                self.shelf.fault(item, f"calls '{unit}' equal to its unit, which is none of UCUM")

    def _imaging(self, item: Imaging) -> None:
        words = self.catalogue.words
        self._known(item, "modality", [item.modality], words.modalities.entries)
        self._known(item, "part", [item.part], words.parts.entries)
        self._known(item, "contrast", [item.contrast], words.contrasts.entries)

    def _panel(self, item: Panel) -> None:
        laboratory = {one.id for one in self.catalogue.items.values() if isinstance(one, Laboratory)}
        self._known(item, "analyte", item.analytes, laboratory)
        if len(set(item.analytes)) < 2:
            self.shelf.fault(item, "is a panel, so it has two analytes or more")

    def _covers(self) -> None:
        for (whole, part), cover in self.catalogue.covers.items():
            place = self.shelf.place(cover) or f"cover of {part} by {whole}"
            self._known(place, "item", [whole, part], self.catalogue.items)
            if whole == part or (part, whole) in self.catalogue.covers:
                self.shelf.fault(place, "goes round: nothing covers itself or both ways")

    def _local(self) -> None:
        for table in self.tables:
            for target in table.rows.values():
                one = {"": target} if isinstance(target, str) else target
                self._known(table, "item", filter(None, one.values()), self.catalogue.items)
                self._known(table, "specimen", filter(None, one), self.catalogue.words.specimens.entries)

    def _policy(self) -> None:
        rows = self.policy
        self._windows()
        for listing, _ in rows.lists:
            self._known(listing, "scope", [listing.scope], rows.scopes.scopes)
        for row, _ in (one for some in rows.quality.values() for one in some):
            self._known(row, "scope", [row.scope], rows.scopes.scopes)
        for star in rows.scopes.stars:
            self._known(star, "scope", [star.scope], rows.scopes.scopes)
        for exception, _ in rows.exceptions:
            self._known(exception, "circumstance", exception.when, {*rows.circumstances, ALWAYS})
        for price in (one for some in rows.prices.values() for one in some):
            self._known(price, "item", [price.item], self.catalogue.items)
            self._shares(price)

    def _windows(self) -> None:
        for row in self.policy.windows.values():
            if bool(row.item) == bool(row.group):
                self.shelf.fault(row, "is for a class or for an item, one of both")
            self._known(row, "item", [row.item] if row.item else [], self.catalogue.items)
            self._known(row, "class", [row.group] if row.group else [], self.policy.classes)

    def _shares(self, price: Price) -> None:
        shares = [share for share in (price.fund, price.person) if share is not None]
        if price.amount < 0 or (shares and (len(shares) < 2 or sum(shares) != price.amount)):
            self.shelf.fault(price, "is not the sum of its two shares")

    def _texts(self) -> None:
        for outcome in OUTCOMES:
            if (outcome.code, outcome.detail) not in self.reasons.texts:
                self.shelf.fault(f"reasons, {outcome.code} {outcome.detail}", "is missing: every outcome has its texts")
        for reason in self.reasons.texts.values():
            strange = {found[1] for text in (reason.zh, reason.en) for found in BRACES.finditer(text)} - WORDS
            if strange:
                self.shelf.fault(reason, f"has {{{min(strange)}}}, which stands for nothing")

    def _known(self, place: str | Entry, what: str, names: Iterable[str], among: Container[str]) -> None:
        for name in names:
            if name not in among:
                self.shelf.fault(place, f"names the {what} '{name}', which is not there")
