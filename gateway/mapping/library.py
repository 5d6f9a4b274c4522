"""The library: every definition file of the mapping folders, read, checked and laid over one another."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from gateway.mapping import definition
from gateway.mapping.definition import MapDef, MessageDef, ResourceDef
from gateway.mapping.environment import CodeMap, Series, Target
from gateway.mapping.tables import definition as tabular
from gateway.mapping.tables.definition import TableDef

_SAFE_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAP_KEYS = {
    "segment", "datatype", "rules", "kept", "native", "components", "needs", "args", "type", "keys", "replaces", "note",
    "stands_for",
}  # fmt: skip
# Statements about who is who: each names a segment and the map that reads the numbers in it.
_IDENTITIES = ("merge", "unlink", "link", "renumber", "move", "refuse")
_MESSAGE_KEYS = {"message", "like", "for", "kept", "time", "resources", "note", *_IDENTITIES}


class _Loader(_SAFE_LOADER):  # type: ignore[misc]
    """The safe loader with the booleans of YAML 1.2: `on`, `off`, `yes` and `no` are words."""


_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:bool"]
    for first, pairs in _SAFE_LOADER.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


@dataclass(slots=True)
class Faults:
    """What is wrong with the definitions, as sentences with file and rule."""

    found: list[str] = field(default_factory=list)

    def add(self, file: Path | str, rule: str, text: str) -> None:
        """Note one fault."""
        self.found.append(f"{file}{f', {rule}' if rule else ''}: {text}")


@dataclass(slots=True)
class Naming:
    """The names of one folder: code systems, identifier series, national numbers, units, null words."""

    coding: dict[str, str] = field(default_factory=dict)
    identifiers: dict[str, Series] = field(default_factory=dict)
    national: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Library:
    """All definitions that one feed sees."""

    codes: dict[str, CodeMap] = field(default_factory=dict)
    datatypes: dict[str, MapDef] = field(default_factory=dict)
    segments: dict[str, MapDef] = field(default_factory=dict)
    messages: dict[str, MessageDef] = field(default_factory=dict)
    tables: dict[str, TableDef] = field(default_factory=dict)
    naming: Naming = field(default_factory=Naming)

    def copy(self) -> "Library":
        """Return a library that can be laid over without changing this one."""
        naming = self.naming
        return Library(
            dict(self.codes),
            {name: _copied(item) for name, item in self.datatypes.items()},
            {name: _copied(item) for name, item in self.segments.items()},
            {name: _copied_message(item) for name, item in self.messages.items()},
            {name: item.copy() for name, item in self.tables.items()},
            Naming(
                dict(naming.coding), dict(naming.identifiers), dict(naming.national), dict(naming.units),
                set(naming.absent),
            ),
        )  # fmt: skip


class Reader:
    """Reads files once, remembers their bytes for the catalogue's version, and collects every fault."""

    def __init__(self) -> None:
        self.faults = Faults()
        self._digest = sha256()

    @property
    def version(self) -> str:
        """Return the digest of everything read so far: the catalogue's version."""
        return self._digest.hexdigest()[:16]

    def yaml(self, path: Path) -> dict[str, Any]:
        """Return the mapping in a file; {} and a fault when there is none."""
        try:
            raw = path.read_bytes()
            found = yaml.load(raw, Loader=_Loader)  # noqa: S506 - the C form of the safe loader
        except (OSError, yaml.YAMLError) as fault:
            self.faults.add(path, "", f"cannot be read: {' '.join(str(fault).split())}")
            return {}
        self._digest.update(path.name.encode() + b"\0" + raw + b"\0")
        if not isinstance(found, dict):
            self.faults.add(path, "", "is not a mapping with names and values")
            return {}
        return found

    def lay_over(self, library: Library, folder: Path) -> None:
        """Lay the definitions of one folder over a library."""
        for kind, read in (
            ("codes", self._codes), ("datatypes", self._map), ("segments", self._map), ("messages", self._message),
            ("tables", self._table),
        ):  # fmt: skip
            found = [(self.yaml(path), path) for path in sorted((folder / kind).rglob("*.yaml"))]
            for raw, path in sorted(found, key=lambda pair: "like" in pair[0]):  # these need the others to be there
                if raw:
                    read(library, raw, path)

    def naming(self, library: Library, raw: Mapping[str, Any], path: Path) -> None:
        """Add the names of a naming.yaml, or of `naming:` in a site.yaml or feed.yaml."""
        known = {"coding", "identifiers", "national", "units", "absent"}
        for name in sorted(set(raw) - known):
            self.faults.add(path, "naming", f"unknown word {name}; known are {', '.join(sorted(known))}")
        naming = library.naming
        naming.coding.update(_texts(raw.get("coding")))
        naming.national.update(_texts(raw.get("national")))
        naming.units.update(_texts(raw.get("units")))
        naming.absent.update(str(word) for word in raw.get("absent") or ())
        for name, told in (raw.get("identifiers") or {}).items():
            if not isinstance(told, dict) or set(told) - {"kind", "national", "weak"}:
                self.faults.add(path, f"naming, identifiers, {name}", "says `kind` or `national`, and may say `weak`")
                continue
            kind, national = str(told.get("kind", name)), str(told.get("national", ""))
            naming.identifiers[str(name)] = Series(kind, national, bool(told.get("weak")))

    def _codes(self, library: Library, raw: dict[str, Any], path: Path) -> None:
        name, rows, system = str(raw.get("map", "")), raw.get("rows"), str(raw.get("system", ""))
        if not name or not isinstance(rows, dict):
            self.faults.add(path, "", "a code map has `map` (its name) and `rows`")
            return
        if name in library.codes and not raw.get("replaces"):
            self.faults.add(path, name, "is defined already; say `replaces: true` to stand for it, or name it anew")
        found = {}
        for code, target in rows.items():
            if not isinstance(code, str) or not isinstance(target, dict) or "code" not in target:
                self.faults.add(path, f"row {code!r}", "a row is quoted text and {code: ..., display: ...}")
                continue
            told = str(target.get("system", system)), str(target["code"]), str(target.get("display", ""))
            found[code] = Target(*told)
        library.codes[name] = CodeMap(name, str(raw.get("table", "")), found)

    def _map(self, library: Library, raw: dict[str, Any], path: Path) -> None:
        kind = "segment" if "segment" in raw else "datatype"
        name = str(raw.get(kind, ""))
        unknown = sorted(set(raw) - _MAP_KEYS)
        if not name or unknown:
            self.faults.add(path, name, f"unknown words {', '.join(unknown)}" if unknown else "names no map")
            return
        shelf = library.segments if kind == "segment" else library.datatypes
        known = None if raw.get("replaces") else shelf.get(name)
        target = known or MapDef(name, file=str(path))
        shelf[name] = target
        if known is None:
            target.native, target.type = str(raw.get("native", "")), str(raw.get("type", ""))
            target.components = frozenset(raw.get("components") or ())
            target.needs = frozenset(str(element) for element in raw.get("needs") or ())
            target.stands_for = tuple(str(other) for other in raw.get("stands_for") or ())
            target.args = dict(raw.get("args") or {})
        for field_name, reason in (raw.get("kept") or {}).items():
            self._kept(target, str(field_name), str(reason), path)
        for item in raw.get("rules") or ():
            self._rule(target, item, path, overlay=known is not None)

    def _kept(self, target: MapDef, name: str, reason: str, path: Path) -> None:
        try:
            source = definition.source(name)
        except ValueError as fault:
            self.faults.add(path, target.name, str(fault))
            return
        target.kept[source.field or source.component] = reason

    def _rule(self, target: MapDef, raw: Any, path: Path, *, overlay: bool) -> None:
        name = str(raw.get("id", "")) if isinstance(raw, dict) else ""
        replaces = str(raw.get("replaces", "")) if isinstance(raw, dict) else ""
        where = f"{target.name}, rule {name or replaces or raw!r}"
        if replaces and replaces not in target.rules:
            self.faults.add(path, where, f"replaces {replaces}, which is not there")
            return
        if replaces and raw.get("drop"):
            del target.rules[replaces]
            return
        try:
            rule = definition.rule({"id": replaces} | raw if replaces else raw, str(path))
        except ValueError as fault:
            self.faults.add(path, where, str(fault))
            return
        if rule.id in target.rules and rule.id != replaces:
            told = f"there is a rule {rule.id} already"
            self.faults.add(path, where, f"{told}; say `replaces: {rule.id}`" if overlay else told)
            return
        if replaces and rule.id != replaces:
            target.rules = {rule.id if key == replaces else key: item for key, item in target.rules.items()}
        target.rules[rule.id] = rule

    def _table(self, library: Library, raw: dict[str, Any], path: Path) -> None:
        name = str(raw.get("table", ""))
        if not tabular.NAME.fullmatch(name):
            self.faults.add(path, "", f"says no `table`: its name in small letters, digits and _, not {name!r}")
            return
        target = library.tables.setdefault(name, TableDef(name, file=str(path)))
        tabular.lay_over(target, raw, str(path), lambda rule, text: self.faults.add(path, rule, text))

    def _message(self, library: Library, raw: dict[str, Any], path: Path) -> None:
        name = str(raw.get("message", ""))
        unknown = sorted(set(raw) - _MESSAGE_KEYS)
        if not name or unknown:
            self.faults.add(path, name, f"unknown words {', '.join(unknown)}" if unknown else "names no message map")
            return
        known = self._pattern(library, name, str(raw.get("like", "")), path) or library.messages.get(name)
        target = library.messages.setdefault(name, known or MessageDef(name, file=str(path)))
        target.covers = (*target.covers, *(str(item) for item in _list(raw.get("for"))))
        target.kept.update(_texts(raw.get("kept")))
        for word in _IDENTITIES:
            target.identities.update({segment: (word, use) for segment, use in _texts(raw.get(word)).items()})
        try:
            time = tuple(definition.source(str(item)) for item in _list(raw.get("time")))
            target.time = time or target.time
        except ValueError as fault:
            self.faults.add(path, name, str(fault))
        for resource_name, told in (raw.get("resources") or {}).items():
            self._resource(target, str(resource_name), told, path, overlay=known is not None)

    def _pattern(self, library: Library, name: str, like: str, path: Path) -> MessageDef | None:
        """Return a copy of the message map that a new one begins as (`like`), None where it says no such thing."""
        if not like:
            return None
        if like not in library.messages or name in library.messages:
            told = f"there is no message map {like}" if like not in library.messages else f"there is a {name} already"
            self.faults.add(path, name, f"cannot be like {like}: {told}")
            return None
        return replace(_copied_message(library.messages[like]), name=name, covers=(), identities={}, file=str(path))

    def _resource(self, target: MessageDef, name: str, raw: Any, path: Path, *, overlay: bool) -> None:
        try:
            found = definition.resource(name, raw)
        except ValueError as fault:
            self.faults.add(path, target.name, str(fault))
            return
        known = target.resources.get(name)
        if known is None or (overlay and raw.get("replaces")):
            target.resources[name] = found
            return
        if set(raw) - {"also", "links", "into"}:
            told = (
                f"resource {name} is defined already; an addition says only also, links and into, or `replaces: true`"
            )
            self.faults.add(path, target.name, told)
        _extend(known, found)


def expand_every(messages: dict[str, MessageDef]) -> None:
    """Let every message map have the parts of `every` for resources it has (Z-segments of a site)."""
    shared = messages.pop("every", None)
    if shared is None:
        return
    for message in messages.values():
        message.kept.update({name: why for name, why in shared.kept.items() if name not in message.kept})
        for name, part in shared.resources.items():
            known = message.resources.get(name)
            if known is not None:
                _extend(known, part)
            elif part.type and (not part.under or part.under in message.resources):
                message.resources[name] = _copied_resource(part)


def _extend(known: ResourceDef, found: ResourceDef) -> None:
    known.also.update(found.also)
    known.links.update(found.links)
    known.into.update(found.into)


def _copied(item: MapDef) -> MapDef:
    return replace(item, rules=dict(item.rules), kept=dict(item.kept))


def _copied_resource(item: ResourceDef) -> ResourceDef:
    return replace(item, on=dict(item.on), also=dict(item.also), links=dict(item.links), into=dict(item.into))


def _copied_message(item: MessageDef) -> MessageDef:
    resources = {name: _copied_resource(found) for name, found in item.resources.items()}
    return replace(item, kept=dict(item.kept), resources=resources, identities=dict(item.identities))


def _texts(raw: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in raw.items()} if isinstance(raw, dict) else {}


def _list(raw: Any) -> Iterable[Any]:
    if raw is None:
        return ()
    return raw if isinstance(raw, list | tuple) else (raw,)
