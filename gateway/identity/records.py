"""Records to train on: a CSV with a column for each value, or JSON lines of evidence or of FHIR Patients."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from gateway.errors import GatewayError
from gateway.identity import evidence
from gateway.identity.names import Name

Values = dict[str, Any]
_JSON_LINES = (".jsonl", ".ndjson")


def read(path: Path) -> list[Values]:
    """Return the records of a file, as mappings that a scorer reads; raises GatewayError naming file and line."""
    lines = _json_lines(path) if path.suffix in _JSON_LINES else _rows(path)
    found = list(lines)
    if len(found) < 2:
        raise GatewayError(f"{path} has {len(found)} records; training compares records with one another.")
    return found


def of_patient(body: dict[str, Any], site: str = "") -> Values:
    """Return what a scorer reads of a FHIR Patient: its evidence by name."""
    return msgspec.structs.asdict(evidence.of_patient(body, site))


def _rows(path: Path) -> Iterator[Values]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        try:
            for row in csv.DictReader(handle, skipinitialspace=True):
                yield {name.strip(): value.strip() for name, value in row.items() if name and isinstance(value, str)}
        except (UnicodeDecodeError, csv.Error) as fault:
            raise GatewayError(f"{path} is no CSV in UTF-8: {fault}.") from fault


def _json_lines(path: Path) -> Iterator[Values]:
    with path.open("rb") as handle:
        for number, line in enumerate(handle, 1):
            if not line.strip():
                continue
            try:
                yield _values(msgspec.json.decode(line, type=dict[str, Any]))
            except msgspec.DecodeError as fault:
                raise GatewayError(f"{path}, line {number}: {fault}.") from fault


def _values(told: dict[str, Any]) -> Values:
    if told.get("resourceType") == "Patient":
        return {**of_patient(told), "id": told.get("id", "")}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    if "names" in values:
        values["names"] = msgspec.convert([_listed(one) for one in _several(values["names"])], tuple[Name, ...])
    return values


def _several(told: Any) -> Any:
    return told if isinstance(told, tuple) else (told,)


def _listed(name: Any) -> Any:
    """Return a name told by words as the list that Name is made of."""
    if not isinstance(name, Mapping):
        return name
    return [name.get(word, False if word == "damaged" else "") for word in Name.__struct_fields__]
