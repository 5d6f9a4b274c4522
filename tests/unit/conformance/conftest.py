"""Made-up resources built from the R4 tables: every element filled, so that every rule is met once."""

import pytest

from gateway.fhir import types

VALUES = {
    "base64Binary": "YWJj",
    "boolean": True,
    "canonical": "https://yigong.example/fhir/Questionnaire/q|1",
    "code": "a code",
    "date": "2026-02-28",
    "dateTime": "2026-02-28T23:59:59+08:00",
    "decimal": 7.25,
    "id": "a-1.b",
    "instant": "2026-02-28T23:59:59.123Z",
    "integer": -7,
    "markdown": "*text*\nand more",
    "oid": "urn:oid:2.16.156.10011.1.3",
    "positiveInt": 1,
    "string": "葡萄糖　空腹",
    "time": "08:30:00",
    "unsignedInt": 0,
    "uri": "urn:oid:2.16.156.10011.1.3",
    "url": "https://yigong.example/fhir",
    "uuid": "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e",
    "xhtml": '<div xmlns="http://www.w3.org/1999/xhtml">text</div>',
}


class Maker:
    """Builds an instance of any type: required elements always, optional ones down to `depth` levels."""

    def __init__(self, choice=0):
        self.choice = choice

    def resource(self, name, depth=2):
        return {"resourceType": name} | self.object(name, depth)

    def object(self, name, depth):
        found = {}
        for element in types.elements(name).values():
            if element.name in ("contained", "modifierExtension") or (
                element.name == "id" and name not in types.RESOURCE_TYPES
            ):
                continue
            if element.required or depth > 0:
                kind = element.types[self.choice % len(element.types)]
                key = element.name + (kind[0].upper() + kind[1:] if element.choice else "")
                value = self.value(element, kind, depth - 1)
                found[key] = [value] if element.many else value
        return found or self.least(name)

    def least(self, name):
        """An object of a type without required elements is not empty either: fill its first plain element."""
        if name == "Extension":
            return {"url": "https://yigong.example/x", "valueString": "x"}
        for element in types.elements(name).values():
            if element.types[0] in types.PRIMITIVES and element.name != "id":
                value = self.value(element, element.types[0], 0)
                suffix = element.types[0][0].upper() + element.types[0][1:] if element.choice else ""
                return {element.name + suffix: [value] if element.many else value}
        element = next(one for one in types.elements(name).values() if one.name not in ("id", "extension"))
        value = self.value(element, element.types[0], 0)
        return {element.name: [value] if element.many else value}

    def value(self, element, kind, depth):
        codes = types.value_set(element.binding)
        if kind == "code" and codes:
            return next(iter(codes.values()))[0]
        if element.binding in ("mimetypes", "currencies", "ucum-units") and kind == "code":
            return {"mimetypes": "text/plain", "currencies": "CNY", "ucum-units": "mg"}[element.binding]
        if kind == "CodeableConcept" and codes:
            system, listed = next(iter(codes.items()))
            return {"coding": [{"system": system, "code": listed[0]}]}
        if kind == "Reference":
            return {"reference": f"{(element.targets or ('Patient',))[0]}/1"}
        if kind == "Extension":
            return {"url": "https://yigong.example/x", "valueString": "x"}
        if kind == "Resource":
            return {"resourceType": "Basic", "id": "b", "code": {"text": "x"}}
        return VALUES[kind] if kind in VALUES else self.object(kind, depth)


@pytest.fixture(scope="session")
def maker():
    return Maker


@pytest.fixture
def observation():
    return {
        "resourceType": "Observation",
        "id": "glu-1",
        "status": "final",
        "code": {"coding": [{"system": "https://yigong.example/fhir/codes/lab", "code": "GLU"}], "text": "葡萄糖"},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-03-01T08:30:00+08:00",
        "valueQuantity": {"value": 5.6, "unit": "mmol/L"},
    }


@pytest.fixture
def patient():
    return {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": "11010519491231002X"}],
        "name": [{"text": "王小明", "family": "王", "given": ["小明"]}],
        "gender": "male",
        "birthDate": "1949-12-31",
    }
