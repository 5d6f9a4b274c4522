"""The receive process's numbers for others to read: one JSON file, replaced whole each second."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gateway.listeners.counters import Counters, Times

NAME = "receive.json"


def merged(many: Iterable[Counters]) -> dict[str, Any]:
    """Return the counts of several threads as one."""
    plain: Counter[str] = Counter()
    feeds: dict[str, Any] = {}
    for counters in many:
        found = counters.snapshot()
        plain.update(found["counts"])
        feeds.update(found["feeds"])
    return {"counts": dict(plain), "feeds": feeds}


def times(many: Iterable[Times]) -> dict[str, Any]:
    """Return the answer times of several listeners as one histogram."""
    total = Times()
    for one in many:
        total.classes = [a + b for a, b in zip(total.classes, one.classes, strict=True)]
        total.count += one.count
        total.total += one.total
    return total.snapshot()


def write(folder: Path, values: dict[str, Any]) -> None:
    """Replace `receive.json` in `folder`, so that a reader sees the old file or the new one, never half."""
    target = folder / NAME
    part = folder / f".{NAME}.part"
    part.write_text(json.dumps(values, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    part.replace(target)


def read(folder: Path) -> dict[str, Any]:
    """Return the last numbers of the receive process; empty when it never ran or the file cannot be read."""
    try:
        found = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
