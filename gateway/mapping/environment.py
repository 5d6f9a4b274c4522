"""What conversions need to know of a feed: its site, its names for code systems and identifiers, its units."""

import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from gateway.formats.hl7v2 import Delimiters

BASE = "https://yigong.example/fhir"
V2_TABLE = "http://terminology.hl7.org/CodeSystem/v2-"
STANDARD = Delimiters("|", "^", "~", "\\", "&")
_UNSAFE = re.compile(r"[^0-9A-Za-z一-鿿.]+")
_ABSOLUTE = ("http://", "https://", "urn:")
_HL7_TABLE = re.compile(r"(?:HL7)?(\d{4})")


class Target(NamedTuple):
    """What a code map says a source code means; `system` '' when the map names none."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class CodeMap:
    """A concept map: source codes as sent to their targets. `table` is the system of the source codes."""

    name: str
    table: str
    rows: dict[str, Target]


@dataclass(frozen=True, slots=True)
class Series:
    """How a site's identifier type is known: a local number series (`kind`) or a national number.

    A `weak` number (a visit card, which may be handed to another person) names a record only when
    nothing better does.
    """

    kind: str
    national: str = ""
    weak: bool = False


@dataclass(frozen=True)
class Environment:
    """The names one feed converts with; built once per feed when a catalogue is activated."""

    site: str
    feed: str
    base: str = BASE
    coding: dict[str, str] = field(default_factory=dict)
    identifiers: dict[str, Series] = field(default_factory=dict)
    national: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    codes: dict[str, CodeMap] = field(default_factory=dict)
    daily: frozenset[str] = frozenset()
    authority: bool = False
    unit_cache: dict[str, dict[str, Any]] = field(default_factory=dict)

    @cached_property
    def numbers(self) -> str:
        """Return the beginning of every identifier system of this site (ruling R3)."""
        return f"{self.base}/id/{self.site}/"

    @cached_property
    def weak(self) -> frozenset[str]:
        """Return the systems of numbers that may be handed to another person."""
        return frozenset(self.number_system(series.kind) for series in self.identifiers.values() if series.weak)

    def number_system(self, kind: str) -> str:
        """Return the identifier system of one number series of this site."""
        return f"{self.numbers}{slug(kind)}"

    def code_system(self, table: str) -> str:
        """Return the code system of a local table of this site."""
        return f"{self.base}/codes/{self.site}/{slug(table)}"

    def coding_system(self, name: str, table: str) -> str:
        """Return the system for a coding-system name as sent (CWE.3); unknown names are this site's own.

        `table` names the local code table when the sender gives no name (usually the field).
        """
        if not name:
            known = _HL7_TABLE.fullmatch(table)
            if table.startswith(_ABSOLUTE):
                return table
            return f"{V2_TABLE}{known[1]}" if known else self.code_system(table)
        found = self.coding.get(name) or self.coding.get(name.upper())
        if found is not None:
            return found
        numbered = _HL7_TABLE.fullmatch(name.upper())
        if numbered is not None:
            return f"{V2_TABLE}{numbered[1]}"
        return name if name.startswith(_ABSOLUTE) else self.code_system(name)


@lru_cache(maxsize=4096)
def slug(text: str) -> str:
    """Return a name fit for a URL path: letters, digits and ideographs, the rest one dash."""
    return _UNSAFE.sub("-", text).strip("-").lower() or "unnamed"


def text_of(raw: str) -> str:
    """Return the text of one raw component: escapes resolved, outer blanks off, HL7 null ("") empty."""
    if raw == '""':
        return ""
    if "\\" in raw:
        raw = STANDARD.unescape(raw)
    return raw.strip()


def parts_of(raw: str) -> list[str]:
    """Return the components of one repetition as text; index 0 is component 1."""
    return [text_of(part) for part in raw.split("^")]
