"""What the gateway produces: mapped samples, a county's record, and every kind of answer of its FHIR door."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.corpus import sources
from tests.web.county import Web

Json = dict[str, Any]
MAPPED = sources.ROOT / "mappings"
MESSAGES = sources.ROOT / "examples" / "messages"


def golden() -> Iterator[Json]:
    """Yield every resource that the samples of the feeds become; `Type/draft/2` in them stands for what has no id yet."""
    for path in sorted(MAPPED.glob("*/*/samples/*.json")):
        text = re.sub(r'("reference": *"[A-Z]\w+/\w+)/(\d+")', r"\1-\2", path.read_text(encoding="utf-8"))
        yield from inside(json.loads(text))


def inside(value: Any) -> Iterator[Json]:
    """Yield the outermost resources in a JSON value."""
    if isinstance(value, dict) and "resourceType" in value:
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from inside(one)


def answers(web: Web) -> Iterator[Json]:
    """Yield answers of every kind: capabilities, pages, histories, outcomes, transactions, operations."""
    patient = f"Patient/{web.patient}"
    for path in (
        "metadata",
        "Observation?_count=5&_total=accurate&_include=Observation:subject",
        "Patient?_revinclude=Observation:subject",
        "Patient?_summary=count",
        "Observation?_elements=status",
        "Observation?_summary=true",
        patient,
        f"{patient}/_history",
        "Observation/_history",
        "_history?_count=5",
        f"{patient}/$everything",
        f"{patient}/$meta",
        f"Provenance?target={patient}",
        "Patient?foo=1",
        "Patient/nobody",
        "Patient/gone",
        "Nothing/1",
        "Patient?_sort=nothing",
        f"{patient}/Observation",
    ):
        yield web.get(f"/fhir/{path}").json()
    for method, path, body in (
        ("POST", "Patient", {"resourceType": "Patient", "gender": "none"}),
        ("POST", "Patient/$validate", {"resourceType": "Patient", "gender": "male"}),
        ("POST", "Patient/$validate", {"resourceType": "Patient", "gender": "none", "x": 1}),
        ("POST", "", bundle("transaction", "Patient")),
        ("POST", "", bundle("batch", "Patient", "Nothing")),
        ("POST", "", bundle("transaction", "Patient", "Nothing")),
    ):
        headers = {"content-type": "application/fhir+json"}
        yield web.ask(method, f"/fhir/{path}", json=body, headers=headers).json()


def bundle(kind: str, *types: str) -> Json:
    """Return a Bundle that creates one resource of each type."""
    entries = [{"resource": {"resourceType": one}, "request": {"method": "POST", "url": one}} for one in types]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}
