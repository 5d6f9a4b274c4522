"""The region's own definitions, loaded whole from profiles/: naming systems, code systems, value sets."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.conformance import structure
from gateway.errors import Category, GatewayError
from gateway.fhir import resource

Json = dict[str, Any]

FOLDERS = ("structures", "valuesets", "codesystems", "conceptmaps", "searchparameters", "naming")
"""Folders of FHIR JSON below profiles/; its other folders hold files of another kind."""

_OID = re.compile(r"(?:urn:oid:)?([0-2](?:\.(?:0|[1-9][0-9]*))+)")
_BRACES = re.compile(r"\\\{([a-z]+)\\\}")
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Naming:
    """One naming system: `uri` is what Identifier.system or Coding.system holds, `oid` the bare OID."""

    id: str
    title: str
    kind: str
    uri: str
    oid: str
    definition: Json


@dataclass(frozen=True, slots=True)
class Profiles:
    """The definitions in force; `version` is a digest of every file, to stand beside what was checked."""

    version: str
    definitions: Mapping[str, Json]
    """By `Type/id`."""
    canonical: Mapping[str, Json]
    """By canonical URL."""
    namings: Mapping[str, Naming]
    """By id, such as resident-id."""
    _names: Mapping[str, Naming]
    _templates: tuple[tuple[re.Pattern[str], Naming], ...]
    compiled: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What other modules made of the definitions at first use, by canonical URL or a name of their own."""

    def naming(self, name: str) -> Naming | None:
        """Return the naming system of an OID (bare or urn:oid:…) or a URI, None when it is unknown.

        A URI made from a template such as {base}/id/{site}/{kind} is found by its form.
        """
        oid = _OID.fullmatch(name)
        found = self._names.get(f"urn:oid:{oid[1]}" if oid else name)
        if found is not None or oid:
            return found
        return next((one for form, one in self._templates if form.fullmatch(name)), None)

    def display(self, system: str, code: str) -> str | None:
        """Return the display of a code of one of our code systems, None when it is not among them."""
        concepts = self.canonical.get(system, {}).get("concept", ())
        return next((one.get("display") for one in concepts if one["code"] == code), None)


def load(folder: Path) -> Profiles:
    """Read and check every definition below `folder`; all are right, or none is taken.

    Raises GatewayError that lists each file with what is wrong in it, as `FILE: place: sentence`.
    """
    if not folder.is_dir():
        raise GatewayError(f"There is no folder of profiles {folder}.", category=Category.NOT_FOUND)
    digest = hashlib.sha256()
    loader = _Loader()
    for path in _files(folder):
        text = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        digest.update(name.encode() + b"\0" + text + b"\0")
        loader.add(name, text)
    return loader.finish(digest.hexdigest()[:16])


def _files(folder: Path) -> Iterator[Path]:
    for part in FOLDERS:
        yield from sorted((folder / part).rglob("*.json"))


class _Loader:
    """Collects definitions and faults until every file has been seen."""

    def __init__(self) -> None:
        self._faults: list[str] = []
        self._definitions: dict[str, Json] = {}
        self._canonical: dict[str, Json] = {}
        self._namings: dict[str, Naming] = {}
        self._names: dict[str, Naming] = {}
        self._templates: list[tuple[re.Pattern[str], Naming]] = []

    def add(self, name: str, text: bytes) -> None:
        """Take one file, or note what is wrong in it."""
        try:
            definition = resource.loads(text)
        except GatewayError as error:
            self._faults.append(": ".join(part for part in (name, error.where, error.text) if part))
            return
        issues = structure.check(definition)
        self._faults += [f"{name}: {issue.where}: {issue.text}" for issue in issues]
        if not issues:
            self._keep(name, definition)

    def _keep(self, name: str, definition: Json) -> None:
        if "id" not in definition:
            self._faults.append(f"{name}: it has no id: give it the name of its file.")
            return
        self._unique(name, self._definitions, f"{definition['resourceType']}/{definition['id']}", definition)
        if "url" in definition:
            self._unique(name, self._canonical, definition["url"], definition)
        if definition["resourceType"] == "NamingSystem":
            self._name(name, definition)

    def _unique(self, name: str, table: dict[str, Any], key: str, value: Any) -> None:
        if key in table:
            self._faults.append(f"{name}: {key} is defined twice: keep one of the two files.")
        table.setdefault(key, value)

    def _name(self, name: str, definition: Json) -> None:
        naming = _naming(definition)
        self._namings[naming.id] = naming
        for unique in definition["uniqueId"]:
            value: str = unique["value"]
            if "{" in value:
                self._templates.append((_template(value), naming))
            elif unique["type"] != "oid":
                self._unique(name, self._names, value, naming)
        if naming.oid and self._names.setdefault(f"urn:oid:{naming.oid}", naming) is not naming:
            self._faults.append(f"{name}: the OID {naming.oid} names another system already.")

    def finish(self, version: str) -> Profiles:
        """Return the definitions; raises GatewayError when any file was wrong."""
        if self._faults:
            more = len(self._faults) - _SHOWN
            tail = [f"… and {more} more."] if more > 0 else []
            raise GatewayError("\n".join(["The profiles are not taken:", *self._faults[:_SHOWN], *tail]))
        return Profiles(
            version,
            self._definitions,
            self._canonical,
            self._namings,
            self._names,
            tuple(self._templates),
        )


def _naming(definition: Json) -> Naming:
    uniques = definition["uniqueId"]
    preferred = next((one for one in uniques if one.get("preferred")), uniques[0])
    oid = next((one["value"] for one in uniques if one["type"] == "oid"), "")
    title = definition.get("type", {}).get("text") or definition["name"]
    return Naming(definition["id"], title, definition["kind"], preferred["value"], oid, definition)


def _template(text: str) -> re.Pattern[str]:
    parts = _BRACES.sub(lambda found: r"https?://\S+?" if found[1] == "base" else "[^/]+", re.escape(text))
    return re.compile(parts)
