"""The model of a scorer: a versioned data file of fields, levels, weights and term frequencies, checked on load."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from gateway import settings
from gateway.errors import GatewayError
from gateway.identity.fields import Field, Share, faults
from gateway.identity.frequencies import Table
from gateway.identity.program import Test, compiled

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Trained(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the numbers came about."""

    by: str
    data: str
    records: int = 0
    note: str = ""


class Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What training needs to know: the rounds, and which pairs are surely one person."""

    rounds: tuple[tuple[str, ...], ...]
    sure: tuple[tuple[str, ...], ...] = ()  # fields whose joint agreement is all but proof, to estimate the prior
    recall: Share = 0.8  # the share of true pairs that `sure` finds


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """A scorer's data. `version` is the day and a digest of the file's bytes, so it cannot be forgotten."""

    format: Literal[1]
    name: str
    made: date
    prior: Share
    thresholds: dict[str, float]
    fields: tuple[Field, ...]
    trained: Trained
    frequencies: dict[str, Table] = {}
    training: Training | None = None
    note: str = ""
    digest: str = ""

    @property
    def version(self) -> str:
        """Return what links name the model by, as 2026-11-22.1f0c9a44."""
        return f"{self.made.isoformat()}.{self.digest}"

    @cached_property
    def program(self) -> tuple[Test, ...]:
        """Return the fields compiled into closures, once."""
        return tuple(compiled(field, self.frequencies) for field in self.fields)

    def field(self, name: str) -> Field:
        """Return the field of a name; raises GatewayError when the model has none."""
        found = next((field for field in self.fields if field.name == name), None)
        if found is None:
            known = ", ".join(field.name for field in self.fields)
            raise GatewayError(f"The model {self.name} has no field {name}; it has {known}.")
        return found


def shipped() -> Model:
    """Return the model that came with the gateway: profiles/identity/model.yaml."""
    return load(settings.shipped("profiles") / "identity" / "model.yaml")


def load(path: Path) -> Model:
    """Return the model in a file; raises GatewayError naming the file, the field and what is wrong there."""
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as fault:
        raise GatewayError(f"The identity model {path} cannot be read: {fault.strerror}.") from fault


def parse(raw: bytes, where: str) -> Model:
    """Return the model in the bytes of a file called `where`; raises GatewayError as load does."""
    try:
        told = yaml.load(raw, Loader=_LOADER)  # noqa: S506 - the C form of the safe loader
    except yaml.YAMLError as fault:
        raise GatewayError(f"{where} is no YAML: {' '.join(str(fault).split())}") from fault
    if not isinstance(told, dict) or "digest" in told:
        raise GatewayError(f"{where} is no identity model: it must be a mapping, and `digest` is computed, never told.")
    try:
        model = msgspec.convert({**told, "digest": sha256(raw).hexdigest()[:8]}, Model)
    except msgspec.ValidationError as fault:
        raise GatewayError(f"{where}: {_named(str(fault), told)}") from fault
    wrong = _faults(model)
    if wrong:
        raise GatewayError(f"{where}: {'; '.join(wrong)}")
    return model


def _named(fault: str, told: Mapping[str, Any]) -> str:
    """Return a fault of msgspec with the field's name for its number."""
    text, _, path = fault.partition(" - at ")
    key, _, path = path.rpartition(" in ")
    where = path.strip("`").removeprefix("$").replace("[...]", "").strip(".").replace(".", ", ")
    found = re.match(r"fields\[(\d+)\]", where)
    if found:
        field = told["fields"][int(found[1])]
        called = field.get("name", found[1]) if isinstance(field, dict) else found[1]
        where = f"field {called}{where[found.end() :]}"
    return ": ".join(filter(None, (where, key and "a name", text)))


def _faults(model: Model) -> list[str]:
    found = [f"thresholds: {name} is missing" for name in ("auto", "review") if name not in model.thresholds]
    if not found and model.thresholds["review"] > model.thresholds["auto"]:
        found.append("thresholds: review must not be above auto")
    names = [field.name for field in model.fields]
    found += [f"field {name} stands twice" for name in sorted({name for name in names if names.count(name) > 1})]
    for field in model.fields:
        found += [f"field {field.name}: {text}" for text in faults(field, model.frequencies)]
    training = model.training
    for name in sorted({name for fields in training.rounds + training.sure for name in fields} if training else ()):
        if name not in names:
            found.append(f"training: there is no field {name}")
    return found
