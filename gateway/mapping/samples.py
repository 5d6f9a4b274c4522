"""Samples of a feed: what a mapped message is in a file that people read and tests compare."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from gateway.formats import charset, hl7v2
from gateway.mapping.catalog import Mapper
from gateway.mapping.draft import Draft, Mapped, Move, Renumber, Split
from gateway.mapping.feeds import Feed

_NUMBER = re.compile(r'"\\u0000(-?[0-9.eE+-]+)"')
_FIRST = ("resourceType", "extension", "identifier")


class Sample(NamedTuple):
    """One pair of files: the message as received and what it must become."""

    message: Path
    expected: Path


def samples(folder: Path) -> list[Sample]:
    """Return the pairs under a feed's folder (`samples/NAME.hl7` with `samples/NAME.json`), by name."""
    return [Sample(path, path.with_suffix(".json")) for path in sorted((folder / "samples").glob("*.hl7"))]


def become(raw: bytes, feed: Feed, mapper: Mapper) -> str:
    """Return the resources of a message as sorted JSON text; raises what decoding and parsing raise."""
    decoded = charset.decode(raw, feed.charset or None, charset.sniff_hl7(raw))
    return render(mapper.map(hl7v2.parse(decoded.text)))


def render(mapped: Mapped) -> str:
    """Return the drafts as a JSON array, sorted by type and draft name; references say which draft they mean."""
    types = {draft.name: draft.type for draft in mapped.drafts}
    drafts = sorted(mapped.drafts, key=lambda draft: (draft.type, draft.name))
    bodies: list[Any] = [_body(draft, types) for draft in drafts]
    bodies += [
        {"merge": {"into": merge.survivor, "retired": [list(key) for key in merge.retired]}} for merge in mapped.merges
    ]
    bodies += [_said(statement) for statement in mapped.said]
    text = json.dumps(bodies, ensure_ascii=False, indent=1, default=_decimal)
    return _NUMBER.sub(r"\1", text) + "\n"


def _said(statement: Split | Renumber | Move) -> dict[str, Any]:
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
