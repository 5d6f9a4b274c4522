"""Definitions: rules and maps as written in YAML, checked for shape and read into values.

Nothing is raised for a wrong definition: every fault joins a list, with file and rule, so a person sees all
of them at once. The vocabulary is described in docs/mapping.md.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from gateway.mapping import paths
from gateway.mapping.draft import Mode

ROW = re.compile(r"([A-Z][A-Z0-9]{1,2})(?:[-.]([1-9]\d*))?(?:\.([1-9]\d*))?(?:\.([1-9]\d*))?(?:/[\w-]+)?")
RULE_KEYS = frozenset(
    [
        "id",
        "from",
        "to",
        "value",
        "default",
        "with",
        "as",
        "code",
        "transform",
        "args",
        "each",
        "when",
        "spawn",
        "by",
        "replaces",
        "drop",
        "note",
    ]
)
_TESTS = {"present", "absent", "field", "equals", "one_of", "none_of"}
Kind = Literal["datatype", "segment", "message", "codes"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: segment or data type, field (0: none), component and subcomponent (0: whole)."""

    name: str
    field: int = 0
    component: int = 0
    sub: int = 0

    def at(self, field: int) -> "Source":
        """Return the same place in another field."""
        return Source(self.name, field, self.component, self.sub)

    def __str__(self) -> str:
        text = self.name + (f"-{self.field}" if self.field else "")
        return text + "".join(f".{part}" for part in (self.component, self.sub) if part)


@dataclass(frozen=True, slots=True)
class When:
    """One test on sources: `kind` present, absent, one_of or none_of (equals is one_of a single value)."""

    kind: str
    sources: tuple[Source, ...]
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as written; `file` says where."""

    id: str
    source: Source
    to: str = ""
    constant: Any = None
    default: Any = None
    beside: dict[str, Any] = field(default_factory=dict)
    datatype: str = ""
    code: str = ""
    transform: str = ""
    args: dict[str, Any] = field(default_factory=dict)
    each: bool = False
    when: When | None = None
    spawn: str = ""
    by: str = ""
    file: str = ""


@dataclass(slots=True)
class MapDef:
    """A segment or data-type map: its rules in order, what is kept on purpose, and what makes it a function."""

    name: str
    rules: dict[str, Rule] = field(default_factory=dict)
    kept: dict[int, str] = field(default_factory=dict)
    native: str = ""
    components: frozenset[int] = frozenset()
    needs: frozenset[str] = frozenset()
    stands_for: tuple[str, ...] = ()
    args: dict[str, Any] = field(default_factory=dict)
    type: str = ""
    keys: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """A segment of a message map: the segment maps it is read with, and the condition."""

    maps: tuple[str, ...]
    when: When | None = None
    after: frozenset[str] = frozenset()


@dataclass(slots=True)
class ResourceDef:
    """One resource of a message map."""

    name: str
    type: str = ""
    under: str = ""
    on: dict[str, Use] = field(default_factory=dict)
    also: dict[str, Use] = field(default_factory=dict)
    keys: str = ""
    parent: str = ""
    mode: Mode = "replace"
    links: dict[str, str] = field(default_factory=dict)
    into: dict[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    by: tuple[Source, ...] = ()
    needs: tuple[str, ...] = ()
    yields: str = ""


@dataclass(slots=True)
class MessageDef:
    """A message map: what it is for, its resources in order, and the segments that say who is who."""

    name: str
    covers: tuple[str, ...] = ()
    kept: dict[str, str] = field(default_factory=dict)
    time: tuple[Source, ...] = ()
    resources: dict[str, ResourceDef] = field(default_factory=dict)
    identities: dict[str, tuple[str, str]] = field(default_factory=dict)
    file: str = ""


Fault = Callable[[str, str], None]


def source(text: str) -> Source:
    """Read `PID-5.1`, `CX.4` or `OBR`; raises ValueError when it is none of these."""
    found = ROW.fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is no field, component or segment")
    name, one, two, three = found[1], int(found[2] or 0), int(found[3] or 0), int(found[4] or 0)
    if "." in text.split("/", maxsplit=1)[0] and "-" not in text.split("/", maxsplit=1)[0]:
        return Source(name, 0, one, two)
    return Source(name, one, two, three)


def when(raw: Any) -> When:
    """Read one condition; raises ValueError with what is wrong."""
    if not isinstance(raw, dict) or not raw or set(raw) - _TESTS:
        raise ValueError(f"`when` is one test (present, absent, or field with equals, one_of or none_of), not {raw!r}")
    for kind in ("present", "absent"):
        if kind in raw and len(raw) == 1:
            return When(kind, tuple(source(str(item)) for item in _listed(raw[kind])))
    tests = {"equals": "one_of", "one_of": "one_of", "none_of": "none_of"}
    told = [name for name in tests if name in raw]
    if "field" not in raw or len(raw) != 2 or len(told) != 1:
        raise ValueError("`when` with `field` needs exactly one of equals, one_of and none_of")
    values = frozenset(str(item) for item in _listed(raw[told[0]]))
    return When(tests[told[0]], (source(str(raw["field"])),), values)


def rule(raw: Any, file: str) -> Rule:
    """Read one rule; raises ValueError with everything that is wrong with its shape."""
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str):
        raise ValueError("a rule is a mapping with an `id`")
    unknown = sorted(set(raw) - RULE_KEYS)
    if unknown:
        raise ValueError(f"unknown words {', '.join(unknown)}; a rule says only {', '.join(sorted(RULE_KEYS))}")
    at = source(str(raw.get("from", raw["id"])))
    to = str(raw.get("to", ""))
    if not to and "by" not in raw:
        raise ValueError("needs a target `to` (or `by`, the rule that uses this field)")
    if to and to != "$this":
        paths.parse(to.replace("$value", "value").removesuffix(".$this"))
    return Rule(
        id=raw["id"],
        source=at,
        to=to,
        constant=raw.get("value"),
        default=raw.get("default"),
        beside=dict(raw.get("with") or {}),
        datatype=str(raw.get("as", "")),
        code=str(raw.get("code", "")),
        transform=str(raw.get("transform", "")),
        args=dict(raw.get("args") or {}),
        each=bool(raw.get("each", paths.repeats(to))),
        when=when(raw["when"]) if "when" in raw else None,
        spawn=str(raw.get("spawn", "")),
        by=str(raw.get("by", "")),
        file=file,
    )


def use(raw: Any) -> Use:
    """Read how a message map uses a segment: a map name, a list of them, or {map, when, after}."""
    if isinstance(raw, dict):
        unknown = set(raw) - {"map", "when", "after"}
        if unknown or "map" not in raw:
            raise ValueError(f"a use has `map`, `when` and `after`, not {', '.join(sorted(unknown)) or 'nothing'}")
        condition = when(raw["when"]) if "when" in raw else None
        after = frozenset(str(item) for item in _listed(raw.get("after", ())))
        return Use(tuple(str(item) for item in _listed(raw["map"])), condition, after)
    return Use(tuple(str(item) for item in _listed(raw)))


def resource(name: str, raw: Any) -> ResourceDef:
    """Read one resource of a message map; raises ValueError with what is wrong."""
    known = {
        "type",
        "under",
        "on",
        "also",
        "keys",
        "parent",
        "mode",
        "links",
        "into",
        "required",
        "by",
        "needs",
        "yields",
        "replaces",
    }
    if not isinstance(raw, dict):
        raise ValueError(f"resource {name} is a mapping")
    unknown = sorted(set(raw) - known)
    if unknown:
        raise ValueError(f"resource {name}: unknown words {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    mode = raw.get("mode", "replace")
    if mode not in ("replace", "fill", "advance"):
        raise ValueError(f"resource {name}: mode is replace, fill or advance, not {mode!r}")
    for path in (*(raw.get("links") or {}), *(raw.get("into") or {}).values()):
        paths.parse(path)
    return ResourceDef(
        name=name,
        type=str(raw.get("type", "")),
        under=str(raw.get("under", "")),
        on={segment: use(item) for segment, item in (raw.get("on") or {}).items()},
        also={segment: use(item) for segment, item in (raw.get("also") or {}).items()},
        keys=str(raw.get("keys", "")),
        parent=str(raw.get("parent", "")),
        mode=mode,
        links=dict(raw.get("links") or {}),
        into=dict(raw.get("into") or {}),
        required=tuple(str(item) for item in _listed(raw.get("required", ()))),
        by=tuple(source(str(item)) for item in _listed(raw.get("by", ()))),
        needs=tuple(str(item) for item in _listed(raw.get("needs", ()))),
        yields=str(raw.get("yields", "")),
    )


def _listed(raw: Any) -> list[Any]:
    return list(raw) if isinstance(raw, list | tuple) else [raw]
