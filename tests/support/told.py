"""What tests look at when a table of the shipped mappings becomes resources: records read, mapped, and taken apart."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.mapping.catalog import Catalog

ROOT = Path(__file__).parents[2]
FEED = "township-csv"
SAMPLES = ROOT / "mappings" / "township-centre" / FEED / "samples"
OWN = "https://yigong.example/fhir/StructureDefinition/"
SITE = "https://yigong.example/fhir/id/township-centre/"
Body = dict[str, Any]


@dataclass
class Told:
    """What one record became."""

    line: int
    bodies: list[Body]
    issues: list[str]
    left: list[str]
    modes: dict[str, str]
    keys: dict[str, list[tuple[str, str]]]

    def all(self, kind: str) -> list[Body]:
        """Return the resources of a type, in order."""
        return [body for body in self.bodies if body["resourceType"] == kind]

    def one(self, kind: str) -> Body:
        """Return the only resource of a type."""
        (found,) = self.all(kind)
        return found


def read(book: Catalog, raw: bytes, name: str) -> list[Told]:
    """Map every record; references are written as a server would, by type and a number."""
    mapper, found = book.mapper(FEED), []
    for record in book.tables(FEED).read(raw, name).records:
        if record.fault:
            continue
        message = record.message
        mapped = mapper.map(message)
        types = {draft.name: draft.type for draft in mapped.drafts}
        ids = {draft.name: str(at) for at, draft in enumerate(mapped.drafts)}
        for draft in mapped.drafts:
            for reference, target in draft.links:
                reference["reference"] = f"{types[target]}/{ids[target]}"
        found.append(
            Told(
                record.line,
                [draft.body for draft in mapped.drafts],
                [f"{issue.where}: {issue.text}" for issue in (*message.issues, *mapped.issues)],
                [f"{left.where}: {left.reason}" for left in mapped.left if not left.kept],
                {draft.name: draft.mode for draft in mapped.drafts},
                {draft.name: [(key.system, key.value) for key in draft.keys] for draft in mapped.drafts},
            )
        )
    return found


def sampled(book: Catalog, table: str) -> list[Told]:
    """Return the records of one table's golden sample."""
    return read(book, (SAMPLES / f"{table}.csv").read_bytes(), f"{table}.csv")


def extended(body: Body, name: str) -> list[Any]:
    """Return the values of an extension of ours."""
    found = [one for one in body.get("extension", ()) if one["url"] == OWN + name]
    return [value for one in found for key, value in one.items() if key.startswith("value")]


def code(concept: Body) -> str:
    """Return the first code of a concept."""
    return str(concept["coding"][0]["code"])


def numbers(body: Body) -> dict[str, str]:
    """Return the identifiers by their systems."""
    return {entry["system"]: entry["value"] for entry in body.get("identifier", ())}


def codings(body: Body) -> list[Body]:
    """Return the codings of a resource's code."""
    return list(body["code"].get("coding", ()))


def named(record: Told, kind: str, concept: str) -> Body:
    """Return the resource of a type whose code has this code."""
    return next(body for body in record.all(kind) if concept in {one.get("code") for one in codings(body)})


def component(body: Body, concept: str) -> Body:
    """Return the quantity of a component by its code."""
    return next(dict(part["valueQuantity"]) for part in body["component"] if code(part["code"]) == concept)
