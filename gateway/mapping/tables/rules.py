"""Builds the maps of a table as segment and message maps of the engine: columns become fields of REC, ROW and ITM."""

import re
from typing import Any

from gateway.mapping import definition
from gateway.mapping.definition import MapDef, MessageDef, Source
from gateway.mapping.environment import CodeMap
from gateway.mapping.library import Faults, Library
from gateway.mapping.tables import header
from gateway.mapping.tables.definition import TableDef, listed, names

TYPE = "TABLE"
RECORD, ROW, ITEM = "REC", "ROW", "ITM"
SEGMENTS = (RECORD, ROW, ITEM)
ITEM_WORDS = {"项目": 1, "结果": 2, "单位": 3, "次序": 4}
ALWAYS = frozenset({"always", *SEGMENTS})
_SUFFIX = re.compile(r"(.+)/[\w-]+")
_PART = re.compile(r"(.+?)\.(\d+)(?:\.(\d+))?")
_CODED = frozenset({"code", "concept", "coding", "boolean", "glued"})
# Arguments of named functions that may name another column of the row.
_COLUMN_ARGS = frozenset({"unit", "birth", "sex", "name", "start", "flag", "clock"})


class Unknown(ValueError):
    """A rule names a column that the table does not have."""


def build(table: TableDef, library: Library, faults: Faults) -> None:
    """Add a table's segment maps, message map and code maps to a feed's library; what is wrong goes to `faults`."""
    _check(table, faults)
    for name, codes in table.codes.items():
        known = library.codes.get(f"{table.name}.{name}")
        rows = codes.rows | (known.rows if known is not None else {})
        library.codes[f"{table.name}.{name}"] = CodeMap(f"{table.name}.{name}", "", rows)
    message = MessageDef(message_name(table.name), file=table.file)
    library.messages[message.name] = message

    for name, raw in table.resources.items():
        try:
            message.resources[name] = definition.resource(name, _resource(table, raw))
        except (ValueError, AttributeError, TypeError) as fault:
            faults.add(table.file, f"{table.name}, resource {name}", str(fault))
            continue
        _maps(table, raw, library, faults)


def message_name(table: str) -> str:
    """Return the name of the message map of a table."""
    return f"{TYPE}^{table}"


def _check(table: TableDef, faults: Faults) -> None:
    for word, column in names(table):
        if column not in table.columns:
            faults.add(table.file, f"{table.name}, {word}", f"there is no column {column}")
    if not table.key:
        faults.add(table.file, table.name, "says no `key`: which columns name a row for ever")
    if not table.resources:
        faults.add(table.file, table.name, "makes no `resources`")
    for text in header.ambiguous(table):
        faults.add(table.file, table.name, text)
    used = {name for raw in table.resources.values() for _, name in _uses(raw)}
    for name in table.maps.keys() - used:
        faults.add(table.file, f"{table.name}, map {name}", "is used by no resource")


def _uses(raw: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the segments a resource reads, each with the map it reads it with."""
    found: list[tuple[str, str]] = []
    for word in ("on", "also"):
        for segment, use in (raw.get(word) or {}).items():
            told = use.get("map") if isinstance(use, dict) else use
            found.extend((str(segment), str(name)) for name in listed(told))
    return found


def _resource(table: TableDef, raw: dict[str, Any]) -> dict[str, Any]:
    """Return a resource in the vocabulary of message maps."""
    wrong = sorted({segment for segment, _ in _uses(raw)} - set(SEGMENTS))
    if wrong:
        raise ValueError(f"a table has the segments {', '.join(SEGMENTS)}, not {', '.join(wrong)}")
    made = dict(raw)
    for word in ("on", "also"):
        if word in raw:
            made[word] = {segment: _use(table, segment, use) for segment, use in raw[word].items()}
    if "by" in raw:
        first = next(iter(raw.get("on") or {RECORD: ""}))
        made["by"] = [str(source(table, str(column), first)) for column in listed(raw["by"])]
    return made


def _use(table: TableDef, segment: str, raw: Any) -> dict[str, Any]:
    told = dict(raw) if isinstance(raw, dict) else {"map": raw}
    told["map"] = [_map_name(table, segment, str(name)) for name in listed(told.get("map"))]
    if "when" in told:
        told["when"] = _when(table, told["when"], segment)
    return told


def _map_name(table: TableDef, segment: str, name: str) -> str:
    return f"{segment}[{table.name}.{name}]"


def _maps(table: TableDef, raw: dict[str, Any], library: Library, faults: Faults) -> None:
    """Add the segment maps that a resource reads with."""
    for segment, name in _uses(raw):
        full = _map_name(table, segment, name)
        if full in library.segments:
            continue
        rules = table.maps.get(name)
        if rules is None:
            faults.add(
                table.file, table.name, f"there is no map {name}; its maps are {', '.join(table.maps) or 'none'}"
            )
            rules = {}
        made = library.segments[full] = MapDef(full, file=table.file)
        for rule_name, (rule, file) in rules.items():
            try:
                found = definition.rule(_rule(table, rule, segment, library), file)
            except ValueError as fault:
                faults.add(file, f"{table.name} {name}, rule {rule_name}", str(fault))
                continue
            made.rules[rule_name] = found


def _rule(table: TableDef, raw: dict[str, Any], segment: str, library: Library) -> dict[str, Any]:
    """Return a rule whose columns are fields of the segment."""
    made = dict(raw)
    at = source(table, str(raw.get("from", raw["id"])), segment)
    made["from"] = str(at)
    if "when" in raw:
        made["when"] = _when(table, raw["when"], segment)
    args = {word: _argument(table, word, value, segment) for word, value in (raw.get("args") or {}).items()}
    column = list(table.columns)[at.field - 1] if at.field and at.name != ITEM else str(raw["id"])
    if raw.get("code"):
        made["code"] = _code(table, str(raw["code"]), library)
    if raw.get("code") or raw.get("as") or raw.get("transform") in _CODED:
        args.setdefault("table", f"{table.name}.{column}")
    if args:
        made["args"] = args
    return made


def _argument(table: TableDef, word: str, value: Any, segment: str) -> Any:
    if word not in _COLUMN_ARGS or not isinstance(value, str):
        return value
    try:
        return str(source(table, value, segment))
    except Unknown:
        return value


def _code(table: TableDef, name: str, library: Library) -> str:
    """Return the code map a rule means: this table's, one named in full, or one of all feeds.

    A column without map gets an empty one: its codes are known only where a site's overlay says them (ruling R4).
    """
    own = f"{table.name}.{name}"
    if own in library.codes:
        return own
    if name not in library.codes and name in table.columns:
        library.codes[own] = CodeMap(own, "", {})
        return own
    return name


def _when(table: TableDef, raw: Any, segment: str) -> Any:
    if not isinstance(raw, dict):
        return raw
    made = dict(raw)
    for word in ("present", "absent"):
        if word in raw:
            made[word] = [str(source(table, str(column), segment)) for column in listed(raw[word])]
    if "field" in raw:
        made["field"] = str(source(table, str(raw["field"]), segment))
    return made


def source(table: TableDef, text: str, segment: str) -> Source:
    """Return the field that a column (`血压`, `血压.1`, `血压/more`) is in a segment; raises Unknown.

    `always` is the segment itself. In ITM the words 项目, 结果, 单位 and 次序 are its own fields.
    """
    if text in ALWAYS or (text.split("/", 1)[0] in ALWAYS and text not in table.columns):
        return Source(segment)
    whole = _whole(table, text, segment)
    if whole is not None:
        return whole
    part = _PART.fullmatch(text)
    if part is not None:
        whole = _whole(table, part[1], segment)
        if whole is not None:
            return Source(whole.name, whole.field, int(part[2]), int(part[3] or 0))
    suffix = _SUFFIX.fullmatch(text)
    if suffix is not None:
        return source(table, suffix[1], segment)
    raise Unknown(f"there is no column {text}")


def _whole(table: TableDef, text: str, segment: str) -> Source | None:
    if segment == ITEM and text in ITEM_WORDS:
        return Source(ITEM, ITEM_WORDS[text])
    number = table.number(text)
    return Source(ROW if segment == ITEM else segment, number) if number else None
