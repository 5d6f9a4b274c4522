"""Definitions made up in memory, as a region's profiles/ would hold them."""

from gateway.conformance.profiles import Profiles

BASE = "https://yigong.example/fhir"


def structure(name, type_name, *elements, **given):
    """Return a StructureDefinition with a differential of elements told as (id, rules)."""
    listed = [element(place, **told) for place, told in elements]
    plain = {
        "resourceType": "StructureDefinition",
        "id": name,
        "url": f"{BASE}/StructureDefinition/{name}",
        "name": name,
        "title": name.title(),
        "status": "active",
        "kind": "complex-type" if type_name == "Extension" else "resource",
        "abstract": False,
        "type": type_name,
        "baseDefinition": f"http://hl7.org/fhir/StructureDefinition/{type_name}",
        "derivation": "constraint",
        "differential": {"element": listed},
    }
    return plain | given


def element(place, **told):
    """Return an element by its id; `slice` is the last slice's name, taken from the id."""
    path = ".".join(part.partition(":")[0] for part in place.split("."))
    slice_name = place.rpartition(".")[2].partition(":")[2]
    return {"id": place, "path": path} | ({"sliceName": slice_name} if slice_name else {}) | told


def extension(name, context="Patient", kind="string", **given):
    """Return the definition of a simple extension that stands once."""
    url = f"{BASE}/StructureDefinition/{name}"
    return structure(
        name,
        "Extension",
        ("Extension", {"max": "1"}),
        ("Extension.extension", {"max": "0"}),
        ("Extension.url", {"fixedUri": url}),
        ("Extension.value[x]", {"min": 1, "type": [{"code": kind}]}),
        context=[{"type": "element", "expression": context}],
        **given,
    )


def value_set(name, *include, exclude=()):
    """Return a ValueSet of the region."""
    compose = {"include": list(include)} | ({"exclude": list(exclude)} if exclude else {})
    return {
        "resourceType": "ValueSet",
        "id": name,
        "url": f"{BASE}/ValueSet/{name}",
        "title": name.title(),
        "compose": compose,
    }


def code_system(name, *concepts):
    """Return a CodeSystem of the region."""
    return {"resourceType": "CodeSystem", "id": name, "url": f"{BASE}/CodeSystem/{name}", "concept": list(concepts)}


def region(*definitions):
    """Return the profiles in force."""
    by_id = {f"{one['resourceType']}/{one['id']}": one for one in definitions}
    return Profiles("1", by_id, {one["url"]: one for one in definitions}, {}, {}, ())


def url(name):
    """Return the canonical URL of a StructureDefinition of the region."""
    return f"{BASE}/StructureDefinition/{name}"
