"""Table definitions: one YAML file per export, checked for shape, laid over one another by site and feed.

Rules stay as written until a feed is built (`rules.py`): an overlay may name columns that another file adds.
The vocabulary is described in docs/mapping.md, section Tables.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateway.mapping.environment import Target

NAME = re.compile(r"[a-z][a-z0-9_]*")
KNOWN = frozenset(
    {"table", "title", "columns", "key", "group", "total", "time", "patient", "skip", "kept", "codes", "maps",
     "resources", "note"}
)  # fmt: skip
_COLUMN_KEYS = frozenset(
    {"name", "also", "needed", "split", "parts", "unit", "item", "keeps", "nulls", "exponent", "note"}
)
_ADDITIONS = frozenset({"also", "links", "into"})
Fault = Callable[[str, str], None]
Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column by its canonical header. `unit` None: it has none; '': only what header or cell says."""

    name: str
    also: tuple[str, ...] = ()
    needed: bool = False
    split: str = ""
    parts: str = ""
    unit: str | None = None
    item: bool = False
    keeps: frozenset[str] = frozenset()
    nulls: frozenset[str] = frozenset()
    exponent: bool = False


@dataclass(slots=True)
class Total:
    """What a line of totals begins with, and which columns it sums up."""

    labels: tuple[str, ...] = ()
    sums: tuple[str, ...] = ()


@dataclass(slots=True)
class Codes:
    """One code map of a table: its targets by code as sent."""

    rows: dict[str, Target] = field(default_factory=dict)


@dataclass(slots=True)
class TableDef:
    """One export: its columns in order, what names its rows, and its maps and resources as written."""

    name: str
    title: str = ""
    columns: dict[str, Column] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    total: Total = field(default_factory=Total)
    time: tuple[str, ...] = ()
    patient: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    kept: dict[str, str] = field(default_factory=dict)
    codes: dict[str, Codes] = field(default_factory=dict)
    maps: dict[str, dict[str, tuple[dict[str, Any], str]]] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    file: str = ""

    def number(self, column: str) -> int:
        """Return the field number of a column (from 1), 0 when there is no such column."""
        for number, name in enumerate(self.columns, 1):
            if name == column:
                return number
        return 0

    def copy(self) -> "TableDef":
        """Return a definition that can be laid over without changing this one."""
        return replace(
            self,
            columns=dict(self.columns),
            kept=dict(self.kept),
            codes={name: Codes(dict(item.rows)) for name, item in self.codes.items()},
            maps={name: dict(rules) for name, rules in self.maps.items()},
            resources={name: dict(item) for name, item in self.resources.items()},
        )


def lay_over(target: TableDef, raw: Raw, file: str, fault: Fault) -> None:
    """Lay one file over a table (an empty one for its first file); every fault goes to `fault(rule, text)`."""
    for word in sorted(set(raw) - KNOWN):
        fault("", f"unknown word {word}; known are {', '.join(sorted(KNOWN))}")
    target.title = str(raw.get("title", target.title))
    for item in listed(raw.get("columns")):
        _column(target, item, fault)
    for word in ("key", "group", "time", "patient"):
        if word in raw:
            setattr(target, word, tuple(str(name) for name in listed(raw[word])))
    target.skip = (*target.skip, *(str(text) for text in listed(raw.get("skip"))))
    target.kept.update({str(name): str(why) for name, why in _mapping(raw.get("kept"), "kept", fault).items()})
    _total(target, raw.get("total"), fault)
    for name, told in _mapping(raw.get("codes"), "codes", fault).items():
        _codes(target.codes.setdefault(str(name), Codes()), str(name), told, fault)
    for name, told in _mapping(raw.get("maps"), "maps", fault).items():
        rules = target.maps.setdefault(str(name), {})
        overlay = bool(rules)
        for rule in listed(told):
            _rule(rules, rule, f"{target.name} {name}", file, fault, overlay=overlay)
    for name, told in _mapping(raw.get("resources"), "resources", fault).items():
        _resource(target.resources, str(name), told, fault)


def listed(raw: Any) -> list[Any]:
    """Return a list as it is, nothing as an empty one, anything else alone in one."""
    if raw is None:
        return []
    return list(raw) if isinstance(raw, list | tuple) else [raw]


def _mapping(raw: Any, word: str, fault: Fault) -> dict[Any, Any]:
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        fault(word, f"is a mapping of names, not {raw!r}")
        return {}
    return raw


def _column(target: TableDef, raw: Any, fault: Fault) -> None:
    told = {"name": raw} if isinstance(raw, str) else raw
    if not isinstance(told, dict) or not isinstance(told.get("name"), str) or not told["name"].strip():
        fault("columns", f"a column is a name or a mapping with a `name`, not {raw!r}")
        return
    name = told["name"]
    wrong = sorted(str(word) for word in set(told) - _COLUMN_KEYS)
    if wrong:
        fault(f"column {name}", f"unknown words {', '.join(wrong)}; known are {', '.join(sorted(_COLUMN_KEYS))}")
        return
    known = target.columns.get(name, Column(name))
    found: dict[str, Any] = {word: bool(told[word]) for word in ("needed", "item", "exponent") if word in told}
    found |= {word: str(told[word]) for word in ("split", "parts") if word in told}
    if "unit" in told:
        found["unit"] = "" if told["unit"] in (True, None) else str(told["unit"])
    found["also"] = tuple(dict.fromkeys((*known.also, *_strings(told.get("also")))))
    found["keeps"] = known.keeps | set(_strings(told.get("keeps")))
    found["nulls"] = known.nulls | set(_strings(told.get("nulls")))
    target.columns[name] = replace(known, **found)


def _strings(raw: Any) -> list[str]:
    return [str(item) for item in listed(raw)]


def _total(target: TableDef, raw: Any, fault: Fault) -> None:
    told = _mapping(raw, "total", fault)
    if set(told) - {"label", "sums"}:
        fault("total", "says only `label` (first text of the line) and `sums` (columns)")
    labels, sums = _strings(told.get("label")), _strings(told.get("sums"))
    target.total = Total((*target.total.labels, *labels), tuple(sums) or target.total.sums)


def _codes(target: Codes, name: str, raw: Any, fault: Fault) -> None:
    """Read {code: target} or {system:, rows: {code: target}}; a target is a code, or {code:, system:, display:}."""
    if not isinstance(raw, dict):
        fault(f"codes {name}", f"is a mapping of codes to targets, not {raw!r}")
        return
    wrapped = isinstance(raw.get("rows"), dict)
    system = str(raw.get("system", "")) if wrapped else ""
    for code, told in (raw["rows"] if wrapped else raw).items():
        if not isinstance(code, str):
            fault(f"codes {name}", f"code {code!r} needs quotation marks, so that 01 and 1 stay apart")
        elif isinstance(told, dict) and "code" in told and not set(told) - {"code", "system", "display", "note"}:
            texts = str(told.get("system", system)), str(told["code"]), str(told.get("display", ""))
            target.rows[code] = Target(*texts)
        elif isinstance(told, dict | list) or told is None:
            fault(f"codes {name}", f"the target of {code!r} is a code, or a mapping with code, system and display")
        else:
            target.rows[code] = Target(system, _scalar(told), "")


def _scalar(told: Any) -> str:
    return str(told).lower() if isinstance(told, bool) else str(told)


def _rule(
    rules: dict[str, tuple[dict[str, Any], str]], raw: Any, where: str, file: str, fault: Fault, *, overlay: bool
) -> None:
    if not isinstance(raw, dict) or not (isinstance(raw.get("id"), str) or isinstance(raw.get("replaces"), str)):
        fault(where, f"a rule is a mapping with an `id` (a column), not {raw!r}")
        return
    replaces = str(raw.get("replaces", ""))
    name = str(raw.get("id", replaces))
    where = f"{where}, rule {name}"
    if replaces and replaces not in rules:
        fault(where, f"replaces {replaces}, which is not there")
    elif replaces and raw.get("drop"):
        del rules[replaces]
    elif name in rules and name != replaces:
        told = f"there is a rule {name} already"
        fault(where, f"{told}; say `replaces: {name}`" if overlay else f"{told}; give this one a suffix: {name}/more")
    elif replaces:
        found = ({**raw, "id": name}, file)
        items = [(name, found) if key == replaces else (key, item) for key, item in rules.items()]
        rules.clear()
        rules.update(items)
    else:
        rules[name] = (dict(raw), file)


def _resource(resources: dict[str, dict[str, Any]], name: str, raw: Any, fault: Fault) -> None:
    if not isinstance(raw, dict):
        fault(f"resource {name}", "is a mapping")
        return
    known = resources.get(name)
    if known is None or raw.get("replaces"):
        resources[name] = {word: value for word, value in raw.items() if word != "replaces"}
        return
    if set(raw) - _ADDITIONS:
        told = "is defined already; an addition says only also, links and into, or `replaces: true`"
        fault(f"resource {name}", told)
    for word in _ADDITIONS & set(raw):
        known[word] = {**(known.get(word) or {}), **(raw[word] or {})}


def names(table: TableDef) -> Iterable[tuple[str, str]]:
    """Yield the words of a definition that name columns, each with the column it names."""
    told = {"key": table.key, "group": table.group, "time": table.time, "patient": table.patient}
    for word, columns in (told | {"total": table.total.sums, "kept": tuple(table.kept)}).items():
        yield from ((word, column) for column in columns)
