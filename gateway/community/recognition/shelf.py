"""The files of knowledge on recognition: every entry typed, every fault told with file and entry.

A file holds sections of any kind, and says its source, its version and who approved it (ruling R13). What no named
person has approved is set aside whole. A later folder adds entries; one that is there already needs
`replaces: true`, and with `strike: true` it is taken away.
"""

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from gateway.errors import Category, GatewayError

_SAFE_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HEAD = frozenset({"source", "version", "imported", "approved", "loinc_source", "molar_source", "note"})


class _Loader(_SAFE_LOADER):  # type: ignore[misc]
    """The safe loader with the booleans of YAML 1.2: `on`, `off`, `yes` and `no` are words."""


_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:bool"]
    for first, pairs in _SAFE_LOADER.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


class WrongKnowledge(GatewayError):
    """The files on recognition have faults; `faults` lists every one with its file and entry. Nothing was taken."""

    category = Category.INVALID

    def __init__(self, faults: Sequence[str]) -> None:
        head = f"The knowledge on recognition has {len(faults)} fault{'s' if len(faults) > 1 else ''}"
        super().__init__(f"{head}; nothing was taken:\n" + "\n".join(f"- {fault}" for fault in faults))
        self.faults = tuple(faults)


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every entry may say: where it comes from, whether that is assumed, and what it does to an earlier one."""

    source: str = ""
    assumed: bool = False
    note: str = ""
    replaces: bool = False
    strike: bool = False


class Word(Entry, frozen=True, kw_only=True):
    """A thing with names in both languages; `also` are other words for it, `codes` those of standard tables."""

    id: str
    zh: str = ""
    en: str = ""
    also: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who approved a file, and when."""

    by: str
    on: date


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file says of itself; `imported` is the day of an import, of files that were one."""

    file: str
    source: str = ""
    version: str = ""
    imported: date | None = None
    approved: Approval | None = None
    loinc_source: str = ""
    molar_source: str = ""
    note: str = ""

    @property
    def in_force(self) -> bool:
        """Say whether a named person approved the file (R13)."""
        return self.approved is not None and bool(self.approved.by.strip())


class Raw(msgspec.Struct, frozen=True):
    """One entry as written, with the head of its file and its place for messages."""

    head: Head
    place: str
    value: Any


E = TypeVar("E", bound=Entry)


class Shelf:
    """Reads folders of YAML, collects every fault, and hands out the entries of a section typed."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.heads: list[Head] = []
        self._sections: dict[str, list[Raw]] = {}
        self._places: dict[int, tuple[Entry, str]] = {}
        self._digest = sha256()

    @property
    def version(self) -> str:
        """Return the digest of everything read: it stands beside every advice."""
        return self._digest.hexdigest()[:16]

    @property
    def pending(self) -> tuple[str, ...]:
        """Return the files that nobody approved, which are therefore not in force."""
        return tuple(head.file for head in self.heads if not head.in_force)

    def fault(self, place: str | Entry, text: str) -> None:
        """Note one fault, at a place or of an entry, whose file is then named."""
        self.faults.append(f"{self.place(place) if isinstance(place, Entry) else place}: {text}")

    def place(self, entry: Entry) -> str:
        """Return file and name of an entry that was read here, nothing for one that was made."""
        return self._places[id(entry)][1] if id(entry) in self._places else ""

    def read(self, folder: Path) -> None:
        """Read every YAML file below a folder, in the order of their names."""
        files = sorted(folder.rglob("*.yaml")) if folder.is_dir() else []
        if not files:
            self.fault(str(folder), "holds no file of knowledge; it needs at least one *.yaml")
        for path in files:
            self._file(path, path.relative_to(folder).as_posix())

    def _file(self, path: Path, name: str) -> None:
        try:
            text = path.read_bytes()
            found = parsed(text)
        except (OSError, yaml.YAMLError) as error:
            self.fault(name, f"cannot be read: {' '.join(str(error).split())}")
            return
        if not isinstance(found, dict):
            self.fault(name, "is no mapping of sections to entries")
            return
        self._digest.update(name.encode() + b"\0" + text + b"\0")
        self._sorted(name, found)

    def _sorted(self, name: str, found: dict[Any, Any]) -> None:
        told = {word: value for word, value in found.items() if word in _HEAD}
        head = self._typed(name, {**told, "file": name}, Head)
        if head is None:
            return
        self.heads.append(head)
        for section, entries in found.items():
            if section not in _HEAD and head.in_force:
                self._sections.setdefault(str(section), []).extend(_entries(head, str(section), entries))

    def take(self, section: str, kind: type[E], key: Callable[[E], Hashable]) -> dict[Any, E]:
        """Return a section's entries by their key, later ones laid over earlier ones; faults are noted."""
        found: dict[Any, E] = {}
        for raw in self._sections.pop(section, ()):
            entry = self._entry(raw, kind)
            if entry is not None:
                self._lay(found, key(entry), entry, raw.place)
        return found

    def rest(self) -> None:
        """Note a fault for every section that nobody took."""
        for section, entries in self._sections.items():
            for name in dict.fromkeys(raw.head.file for raw in entries):
                self.fault(name, f"has a section `{section}` that means nothing here")

    def _entry(self, raw: Raw, kind: type[E]) -> E | None:
        if not isinstance(raw.value, dict):
            self.fault(raw.place, f"is a mapping, not {raw.value!r}")
            return None
        entry: E | None = self._typed(raw.place, {"source": raw.head.source, **raw.value}, kind)
        if entry is not None:
            self._places[id(entry)] = (entry, raw.place)  # the entry too, so that no other takes its number
            if not entry.source.strip():
                self.fault(entry, "says no source, and its file says none either")
        return entry

    def _typed(self, place: str, value: dict[str, Any], kind: type[Any]) -> Any:
        try:
            return msgspec.convert(value, kind)
        except (msgspec.ValidationError, TypeError) as error:
            self.fault(place, str(error).replace(" - at `$", " at `") or "has a value of another kind")
            return None

    def _lay(self, found: dict[Any, E], key: Hashable, entry: E, place: str) -> None:
        if key in found and not entry.replaces:
            self.fault(place, "is there already; say `replaces: true` to stand for it")
        elif key not in found and entry.replaces:
            self.fault(place, "replaces nothing: there is no such entry before it")
        found.pop(key, None)
        if not entry.strike:
            found[key] = entry


def parsed(text: bytes) -> Any:
    """Return what a YAML text holds; raises yaml.YAMLError."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - the C form of the safe loader


def _entries(head: Head, section: str, entries: Any) -> Iterator[Raw]:
    """Yield the entries of a section: a list, or names with what is said of each."""
    if isinstance(entries, dict):
        for name, value in entries.items():
            body = {"id": name, **value} if isinstance(value, dict) else value
            yield Raw(head, f"{head.file}, {section}, {name}", body)
    elif isinstance(entries, list):
        for number, value in enumerate(entries, 1):
            yield Raw(head, f"{head.file}, {section}, {_called(value, number)}", value)
    else:
        yield Raw(head, f"{head.file}, {section}", entries)


def _called(value: Any, number: int) -> str:
    named = value.get("id") if isinstance(value, dict) else None
    return str(named) if isinstance(named, str) else f"entry {number}"
