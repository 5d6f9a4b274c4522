"""Whether the knowledge hangs together: what an entry names exists, covers go one way, every outcome has its texts."""

from collections.abc import Container, Iterable
from dataclasses import dataclass

from gateway.community.recognition.catalogue import Catalogue
from gateway.community.recognition.items import Imaging, Item, Laboratory, Panel
from gateway.community.recognition.outcomes import OUTCOMES
from gateway.community.recognition.policy import ALWAYS, Policy
from gateway.community.recognition.reasons import BRACES, WORDS, Reasons
from gateway.community.recognition.shelf import Shelf
from gateway.search.ucum import measure


@dataclass(frozen=True, slots=True)
class Check:
    """Notes every fault between entries on the shelf they came from."""

    shelf: Shelf
    catalogue: Catalogue
    policy: Policy
    reasons: Reasons

    def everything(self) -> None:
        """Check items, covers, local codes, policy and texts."""
        for item in self.catalogue.items.values():
            self._item(item)
        self._covers()
        self._local()
        self._policy()
        self._texts()

    def _item(self, item: Item) -> None:
        self._known(item.id, "class", [item.group], self.policy.classes)
        if isinstance(item, Laboratory):
            self._laboratory(item)
        elif isinstance(item, Imaging):
            self._imaging(item)
        elif isinstance(item, Panel):
            self._panel(item)

    def _laboratory(self, item: Laboratory) -> None:
        words = self.catalogue.words
        self._known(item.id, "specimen", [item.specimen], words.groups)
        self._known(item.id, "method", item.methods, words.methods.entries)
        if not item.methods:
            self.shelf.fault(item.id, "names no method whose results may stand for one another")
        if item.numeric and measure(item.unit) is None:
            self.shelf.fault(item.id, f"is a number in the unit '{item.unit}', which is none of UCUM")
        if not item.numeric and item.unit:
            self.shelf.fault(item.id, f"is a word ({item.quantity}), so it has no unit")
        for unit in item.equal:
            if measure(unit) is None:
                self.shelf.fault(item.id, f"calls '{unit}' equal to its unit, which is none of UCUM")

    def _imaging(self, item: Imaging) -> None:
        words = self.catalogue.words
        self._known(item.id, "modality", [item.modality], words.modalities.entries)
        self._known(item.id, "part", [item.part], words.parts.entries)
        self._known(item.id, "contrast", [item.contrast], words.contrasts.entries)

    def _panel(self, item: Panel) -> None:
        laboratory = {one.id for one in self.catalogue.items.values() if isinstance(one, Laboratory)}
        self._known(item.id, "analyte", item.analytes, laboratory)
        if len(set(item.analytes)) < 2:
            self.shelf.fault(item.id, "is a panel, so it has two analytes or more")

    def _covers(self) -> None:
        for whole, part in self.catalogue.covers:
            self._known(f"cover of {part} by {whole}", "item", [whole, part], self.catalogue.items)
            if whole == part or (part, whole) in self.catalogue.covers:
                self.shelf.fault(f"cover of {part} by {whole}", "goes round: nothing covers itself or both ways")

    def _local(self) -> None:
        for (table, code), target in self.catalogue.local.items():
            place = f"codes, {table}, {code}"
            if isinstance(target, str):
                self._known(place, "item", [target] if target else [], self.catalogue.items)
            else:
                self._known(place, "item", target.values(), self.catalogue.items)
                self._known(place, "specimen", target, self.catalogue.words.specimens.entries)

    def _policy(self) -> None:
        rows = self.policy
        self._windows()
        for number, (listing, _) in enumerate(rows.lists, 1):
            self._known(f"lists, entry {number}", "scope", [listing.scope], rows.scopes.scopes)
        for organisation, some in rows.quality.items():
            self._known(f"quality of {organisation}", "scope", [row.scope for row, _ in some], rows.scopes.scopes)
        self._known("stars", "scope", [star.scope for star in rows.scopes.stars], rows.scopes.scopes)
        for row, _ in rows.exceptions:
            self._known(f"exception {row.code}", "circumstance", row.when, {*rows.circumstances, ALWAYS})
        for organisation, item in rows.prices:
            self._known(f"price at {organisation}", "item", [item], self.catalogue.items)
        self._shares()

    def _windows(self) -> None:
        for row in self.policy.windows.values():
            place = f"window of {row.item or row.group or 'nothing'}"
            if bool(row.item) == bool(row.group):
                self.shelf.fault(place, "is for a class or for an item, one of both")
            self._known(place, "item", [row.item] if row.item else [], self.catalogue.items)
            self._known(place, "class", [row.group] if row.group else [], self.policy.classes)

    def _shares(self) -> None:
        for (organisation, item), prices in self.policy.prices.items():
            for price in prices:
                shares = [share for share in (price.fund, price.person) if share is not None]
                if price.amount < 0 or (shares and (len(shares) < 2 or sum(shares) != price.amount)):
                    self.shelf.fault(f"price of {item} at {organisation}", "is not the sum of its two shares")

    def _texts(self) -> None:
        for outcome in OUTCOMES:
            if (outcome.code, outcome.detail) not in self.reasons.texts:
                self.shelf.fault(f"reasons, {outcome.code} {outcome.detail}", "is missing: every outcome has its texts")
        for (code, detail), reason in self.reasons.texts.items():
            strange = {found[1] for text in (reason.zh, reason.en) for found in BRACES.finditer(text)} - WORDS
            if strange:
                self.shelf.fault(f"reasons, {code} {detail}", f"has {{{min(strange)}}}, which stands for nothing")

    def _known(self, place: str, what: str, names: Iterable[str], among: Container[str]) -> None:
        for name in names:
            if name not in among:
                self.shelf.fault(place, f"names the {what} '{name}', which is not there")
