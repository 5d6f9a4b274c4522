"""Gate G3: is the result of the ordered item, or of one that covers it; by codes and stated facts, never by names."""

from gateway.community.recognition.case import Case
from gateway.community.recognition.catalogue import Catalogue
from gateway.community.recognition.facts import Result
from gateway.community.recognition.items import Imaging, Item
from gateway.community.recognition.words import Vocabulary

Difference = tuple[str, str]
"""Detail of ITEM_DIFF and the word concerned."""


def difference(asked: Case) -> Difference | None:
    """Return what differs, None where the result's item equals or covers the ordered one (china.md §4.3 G3)."""
    if asked.ordered is None:
        return "order-unmapped", ""
    if asked.found is None:
        return "result-unmapped", ""
    if asked.ordered.id != asked.found.id and asked.cover is None:
        return "other-item", ""
    if isinstance(asked.found, Imaging):
        return _pictured(asked, asked.ordered, asked.found)
    return _measured(asked, asked.ordered, asked.found)


def _measured(asked: Case, ordered: Item, found: Item) -> Difference | None:
    """Compare specimens and methods: what is not said follows from the code, what is said must be one of the item's."""
    catalogue = asked.knowledge.catalogue
    for item, word in (
        (ordered, asked.order.specimen),
        (found, asked.result.specimen),
        (ordered, asked.result.specimen),
    ):
        if word.strip() and catalogue.words.specimens.get(word) not in _specimens(catalogue, item):
            return "specimen", word.strip()
    method = asked.result.method.strip()
    if method and catalogue.words.methods.get(method) not in catalogue.methods(ordered):
        return "method", method
    return None


def _specimens(catalogue: Catalogue, item: Item) -> frozenset[str]:
    return catalogue.specimens(item) - {""}


def _pictured(asked: Case, ordered: Item, found: Imaging) -> Difference | None:
    words = asked.knowledge.catalogue.words
    modality = _modality(asked.result, found, words.modalities)
    if modality:
        return "modality", modality
    for detail, word, vocabulary, wanted in (
        ("part", asked.result.part, words.parts, found.part),
        ("contrast", asked.result.contrast, words.contrasts, found.contrast),
    ):
        if word.strip() and vocabulary.get(word) != wanted:
            return detail, word.strip()
    sided = found.sided or (isinstance(ordered, Imaging) and ordered.sided)
    return ("side", asked.result.side.strip()) if sided and not _beside(asked) else None


def _modality(result: Result, found: Imaging, known: Vocabulary) -> str:
    """Return the modalities that a study says, where the item's is not among them."""
    said = [word for word in result.modalities if word.strip()]
    return "" if not said or any(known.get(word) == found.modality for word in said) else ", ".join(said)


def _beside(asked: Case) -> bool:
    """Say whether the result shows the ordered side; both sides show each, and nothing follows from silence."""
    sides = asked.knowledge.catalogue.words.sides
    wanted, shown = sides.get(asked.order.side), sides.get(asked.result.side)
    return bool(wanted) and (shown in (wanted, "both"))
