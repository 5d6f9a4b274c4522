"""Samples of a feed: what a mapped message is in a file that people read and tests compare."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from gateway.fhir.issues import Issue
from gateway.formats import charset, hl7v2
from gateway.mapping.catalog import Catalog, Mapper
from gateway.mapping.draft import Draft, Mapped, Move, Refusal, Renumber, Same, Split
from gateway.mapping.feeds import Feed
from gateway.mapping.tables.reading import TableFile
from gateway.mapping.tables.records import Record

_NUMBER = re.compile(r'"\\u0000(-?[0-9.eE+-]+)"')
_SENT = frozenset({".hl7", ".csv", ".txt", ".xlsx", ".xls"})
_FIRST = ("resourceType", "extension", "identifier")


class Sample(NamedTuple):
    """One pair of files: the message as received and what it must become."""

    message: Path
    expected: Path


def samples(folder: Path) -> list[Sample]:
    """Return the pairs under a feed's folder (`samples/NAME.hl7` or a table, with `samples/NAME.json`), by name."""
    found = [path for path in sorted((folder / "samples").glob("*")) if path.suffix in _SENT]
    return [Sample(path, path.with_suffix(".json")) for path in found]


def become(raw: bytes, feed: Feed, catalog: Catalog, name: str = "") -> str:
    """Return what a message or a file of tables becomes as sorted JSON text; raises what reading raises."""
    mapper = catalog.mapper(feed.name)
    if feed.tabular:
        return _rendered(_file(catalog.tables(feed.name).read(raw, name), mapper))
    decoded = charset.decode(raw, feed.charset or None, charset.sniff_hl7(raw))
    return render(mapper.map(hl7v2.parse(decoded.text)))


def _file(found: TableFile, mapper: Mapper) -> dict[str, Any]:
    """Return every record of a file with its resources, its issues and what was left over for no reason."""
    return {
        "table": found.table,
        "rows": found.rows,
        "skipped": [f"{line}: {why}" for line, why in found.skipped],
        "issues": [_issue(issue) for issue in found.issues],
        "records": [_record(record, mapper) for record in found.records],
    }


def _record(record: Record, mapper: Mapper) -> dict[str, Any]:
    if record.fault:
        return {"line": record.line, "fault": record.fault}
    message = record.message
    mapped = mapper.map(message)
    return {
        "line": record.line,
        "key": record.key,
        "issues": [_issue(issue) for issue in (*message.issues, *mapped.issues)],
        "left": [f"{left.where}: {left.reason}" for left in mapped.left if not left.kept],
        "resources": _bodies(mapped),
    }


def _issue(issue: Issue) -> str:
    return f"{issue.severity}: {issue.where}: {issue.text}"


def render(mapped: Mapped) -> str:
    """Return the drafts as a JSON array, sorted by type and draft name; references say which draft they mean."""
    return _rendered(_bodies(mapped))


def _bodies(mapped: Mapped) -> list[Any]:
    types = {draft.name: draft.type for draft in mapped.drafts}
    drafts = sorted(mapped.drafts, key=lambda draft: (draft.type, draft.name))
    bodies: list[Any] = [_body(draft, types) for draft in drafts]
    bodies += [
        {"merge": {"into": merge.survivor, "retired": [list(key) for key in merge.retired]}} for merge in mapped.merges
    ]
    bodies += [_said(statement) for statement in mapped.said]
    return bodies


def _rendered(found: Any) -> str:
    text = json.dumps(found, ensure_ascii=False, indent=1, default=_decimal)
    return _NUMBER.sub(r"\1", text) + "\n"


def _said(statement: Split | Renumber | Move | Same | Refusal) -> dict[str, Any]:
    if isinstance(statement, Refusal):
        return {"refuse": statement.where}
    if isinstance(statement, Same):
        return {"link": [statement.one, statement.other]}
    if isinstance(statement, Split):
        return {"unlink": {"kept": statement.kept, "other": statement.other}}
    if isinstance(statement, Renumber):
        return {"renumber": {"of": statement.survivor, "former": [list(key) for key in statement.former]}}
    return {"move": {"to": statement.to, "origin": [list(key) for key in statement.origin]}}


def _body(draft: Draft, types: dict[str, str]) -> dict[str, Any]:
    references = {id(reference): name for reference, name in draft.links}
    body: dict[str, Any] = _filled(draft.body, references, types)
    first = {name: body[name] for name in _FIRST if name in body}
    return first | {name: body[name] for name in sorted(body) if name not in first}


def _filled(value: Any, references: dict[int, str], types: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(item, references, types) for item in value]
    if not isinstance(value, dict):
        return value
    filled = {name: _filled(item, references, types) for name, item in value.items()}
    name = references.get(id(value))
    return filled if name is None else {"reference": f"{types.get(name, '?')}/{name}"} | filled


def _decimal(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"\0{value}"
    raise TypeError(f"{type(value).__name__} has no place in JSON")
