"""What the gates ask of a result, read from its resources: Observation, DiagnosticReport, ImagingStudy, Specimen."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from gateway.community.recognition.catalogue import Catalogue, Found
from gateway.community.recognition.facts import NOBODY, Identity, Result, Value
from gateway.community.recognition.houses import Houses
from gateway.community.recognition.items import Imaging, Item
from gateway.community.recognition.marks import split
from gateway.community.recognition.pieces import Json, called, codings, each, first, marks, moment, text, words
from gateway.community.recognition.places import House
from gateway.community.recognition.words import Vocabulary

_PEOPLE = ("Practitioner", "PractitionerRole", "CareTeam", "Patient", "RelatedPerson")
_PICTURES = ("image/", "application/dicom")
_TRACINGS = (*_PICTURES, "application/pdf", "application/xml", "text/xml")


class Told(NamedTuple):
    """Where a result stands: whose record it is in, its report and specimens, the site that told it.

    `organisations` are the bodies of the Organizations that are referred to, by reference.
    """

    identity: Identity
    site: str
    report: Json
    specimens: tuple[Json, ...]
    organisations: dict[str, Json]


class Reader(NamedTuple):
    """Reads results by the words of the catalogue and the register of institutions."""

    catalogue: Catalogue
    houses: Houses

    def measured(self, observation: Json, told: Told) -> Result:
        """Return the facts of a laboratory result."""
        house = self.house([observation, told.report], told)
        return Result(
            codings(observation.get("code")),
            told.identity,
            status=text(observation.get("status")),
            report_status=text(told.report.get("status")),
            **self._named(observation, told.report),
            method=_word(self.catalogue.words.methods, words(observation.get("method"))),
            **self._drawn([observation, told.report], told.specimens),
            issued=moment(observation, "issued") or moment(told.report, "issued"),
            measured=house,
            acquired=house,
            value=value_of(observation),
            has_range=any(map(_ranged, each(observation.get("referenceRange")))),
        )

    def reported(self, told: Told) -> Result:
        """Return the facts of a laboratory report with a code of its own, a panel; its values are told by others."""
        house = self.house([told.report], told)
        return Result(
            codings(told.report.get("code")),
            told.identity,
            status=text(told.report.get("status")),
            **self._named(told.report),
            **self._drawn([told.report], told.specimens),
            issued=moment(told.report, "issued"),
            measured=house,
            acquired=house,
        )

    def examined(self, study: Json, told: Told, values: Iterable[Json], images: Iterable[str]) -> Result:
        """Return the facts of pictures or a tracing with their report, either of which may be missing."""
        house = self.acquired(study, told)
        series = each(study.get("series"))
        pieces = [piece for one in series for piece in (one.get("laterality"), one.get("bodySite"))]
        said = list(words(*pieces, *each(told.report.get("bodySite"))))
        found = codings(told.report.get("code"), *each(study.get("procedureCode")))
        item = self.item(found)
        named = told.report if codings(told.report.get("code")) else {"code": study.get("procedureCode")}
        numbers = [value for one in values if (value := value_of(one)).number is not None]
        return Result(
            found,
            told.identity,
            status=text(told.report.get("status")) or text(study.get("status")),
            **self._named(named, study),
            modalities=tuple(dict.fromkeys(text(one.get("code")) for one in each(study.get("modality")))),
            part=_word(self.catalogue.words.parts, words(*(one.get("bodySite") for one in series))),
            side=_known(self.catalogue.words.sides, said),
            taken=moment(study, "started") or moment(told.report, "effectiveDateTime", "effectivePeriod"),
            issued=moment(told.report, "issued"),
            measured=house,
            acquired=house,
            value=numbers[0] if numbers else Value(),
            reachable=any(images) or _attached(told.report, _TRACINGS if _traced(item) else _PICTURES),
        )

    def item(self, found: Iterable[Any], specimen: str = "") -> Item | None:
        """Return the item that codes lead to."""
        met = self.catalogue.find(found, specimen=specimen)
        return met.item if isinstance(met, Found) else None

    def house(self, bodies: Iterable[Json], told: Told) -> House:
        """Return who measured: whoever is named as performer; where nobody is, the site's own house (R12).

        A performer that is no known institution stays unknown, for results of a site may be others' measurements.
        """
        for body in bodies:
            named = [one for one in each(body.get("performer")) if not _person(one)]
            known = [house for one in named if (house := self._institution(one, told)) is not None]
            if named:
                return known[0] if known else House("", name=next(words(named[0]), ""))
        return self.houses.of_site(told.site) or NOBODY

    def acquired(self, study: Json, told: Told) -> House:
        """Return who made the pictures: the performers of the series, else the place; never who reported (R12)."""
        series = (one for whole in each(study.get("series")) for one in each(whole.get("performer")))
        performers = [one.get("actor") for one in series]
        named = {"performer": [one for one in performers if one]}
        return self.house([named, {"performer": study.get("location")}], told)

    def _institution(self, reference: Json, told: Told) -> House | None:
        body = told.organisations.get(text(reference.get("reference")), {})
        numbers = (text(one.get("value")) for one in each(body.get("identifier")))
        spoken = [*numbers, text(body.get("name")), text(reference.get("display"))]
        return next((house for word in spoken if word and (house := self.houses.named(word)) is not None), None)

    def _named(self, body: Json, *others: Json) -> dict[str, Any]:
        """Return name and marks; a mark of a report holds for all its results (china.md §4.2)."""
        return {"name": split(called(body.get("code"))).name, "marks": marks(body, *others)}

    def _drawn(self, bodies: Iterable[Json], specimens: tuple[Json, ...]) -> dict[str, Any]:
        """Return specimen, its condition, and when it was taken; the report's time never stands for a missing one."""
        known, conditions = self.catalogue.words, [one for tube in specimens for one in each(tube.get("condition"))]
        drawn = [moment(first(tube.get("collection")), "collectedDateTime", "collectedPeriod") for tube in specimens]
        effective = [moment(body, "effectiveDateTime", "effectivePeriod", "effectiveInstant") for body in bodies]
        return {
            "specimen": _word(known.specimens, words(*(tube.get("type") for tube in specimens))),
            "conditions": tuple(dict.fromkeys(words(*conditions))),
            "taken": next((one for one in (*drawn, *effective) if one), ""),
        }


def value_of(observation: Json) -> Value:
    """Return the value of an Observation; none where it says that the value is absent."""
    quantity = first(observation.get("valueQuantity"))
    number = quantity.get("value", observation.get("valueInteger"))
    if isinstance(number, int | Decimal) and not isinstance(number, bool):
        return Value(Decimal(number), text(quantity.get("code")) or text(quantity.get("unit")))
    said = text(observation.get("valueString")) or next(words(observation.get("valueCodeableConcept")), "")
    return Value(text=said)


def shown(observation: Json) -> str:
    """Return the value as a person reads it, with its unit."""
    value = value_of(observation)
    if value.number is None:
        return value.text
    quantity = first(observation.get("valueQuantity"))
    return f"{text(quantity.get('comparator'))}{value.number} {text(quantity.get('unit')) or value.unit}".strip()


def _word(known: Vocabulary, told: Iterable[str]) -> str:
    """Return the first word that the vocabulary has, else the first that was said: unknown, and never guessed."""
    said = list(told)
    return next((word for word in said if known.get(word)), said[0] if said else "")


def _known(known: Vocabulary, told: Iterable[str]) -> str:
    return next((word for word in told if known.get(word)), "")


def _person(reference: Json) -> bool:
    return text(reference.get("reference")).partition("/")[0] in _PEOPLE or text(reference.get("type")) in _PEOPLE


def _ranged(one: Json) -> bool:
    return bool(first(one.get("low")) or first(one.get("high")) or text(one.get("text")))


def _traced(item: Item | None) -> bool:
    return isinstance(item, Imaging) and item.needs != "pictures"


def _attached(report: Json, kinds: tuple[str, ...]) -> bool:
    forms = (text(one.get("contentType")) for one in each(report.get("presentedForm")))
    return bool(each(report.get("media"))) or any(form.startswith(kinds) for form in forms)
