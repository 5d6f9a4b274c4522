"""Which items a row speaks of: all, kind:laboratory, class:lipid, modality:CT, item:alt; resolved once at loading."""

from collections.abc import Iterable, Mapping

from gateway.community.recognition.items import Imaging, Item

FORMS = "all, kind:…, class:…, modality:… and item:…"


def chosen(items: Mapping[str, Item], selectors: Iterable[str]) -> tuple[frozenset[str], list[str]]:
    """Return the codes of the items that selectors name, and a sentence for each selector that names none."""
    found: set[str] = set()
    faults = []
    for selector in selectors:
        some = {item.id for item in items.values() if _fits(item, selector)}
        if not some:
            faults.append(f"'{selector}' names no item; write {FORMS}, of what is in the catalogue")
        found |= some
    return frozenset(found), faults


def _fits(item: Item, selector: str) -> bool:
    word, _, value = selector.partition(":")
    if word == "modality":
        return isinstance(item, Imaging) and item.modality == value
    told = {"kind": item.kind, "class": item.group, "item": item.id}
    return selector == "all" or told.get(word) == value
