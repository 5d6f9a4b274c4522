"""Trial of edited definitions: what stored originals become by the active and by the edited ones, nothing stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.mapping.catalog import Catalog
from gateway.mapping.draft import Draft
from gateway.pipeline.map import map_one
from gateway.pipeline.parse import read
from gateway.pipeline.shelf import Shelf
from gateway.pipeline.values import Drafted, Item, Parked
from gateway.store.engine import Store
from gateway.store.values import WorkRow

Flat = Mapping[str, Any]


class Change(NamedTuple):
    """One element that differs; `before` and `after` are None where it is not there."""

    resource: str
    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Compared:
    """One stored message by both definitions; a reason is set where they park it."""

    item: Item
    before: str
    after: str
    changes: tuple[Change, ...]
    left_before: int = 0
    left_after: int = 0

    @property
    def same(self) -> bool:
        """Say whether both make the same of it."""
        return self.before == self.after and not self.changes


class Side:
    """One of the two sets of definitions, with the files it has read."""

    def __init__(self, store: Store, catalog: Catalog) -> None:
        self.catalog = catalog
        self._shelf = Shelf(store, catalog)

    def items(self, rows: Sequence[WorkRow]) -> dict[int, Item]:
        """Return the items of rows as these definitions cut them, by id."""
        picked = self._shelf.again(rows, self.catalog.book(insecure_local=True))
        return {item.item_id: item for item in picked.items}


def compare(rows: Sequence[WorkRow], active: Side, edited: Side) -> Iterator[Compared]:
    """Map stored items by both catalogues and yield what became of each, oldest first.

    Items whose bytes retention removed, or whose feed the edited definitions do not have, are left out.
    """
    before, after = active.items(rows), edited.items(rows)
    for row in sorted(rows):
        if row.item_id in before and row.item_id in after:
            yield _both(before[row.item_id], after[row.item_id], active.catalog, edited.catalog)


def _both(first: Item, second: Item, active: Catalog, edited: Catalog) -> Compared:
    old, new = _mapped(first, active), _mapped(second, edited)
    return Compared(
        second,
        _reason(old),
        _reason(new),
        tuple(_changes(_bodies(old), _bodies(new))),
        _left(old),
        _left(new),
    )


def _mapped(item: Item, catalog: Catalog) -> Drafted | Parked:
    parsed = read(item)
    return parsed if isinstance(parsed, Parked) else map_one(parsed, catalog)


def _reason(outcome: Drafted | Parked) -> str:
    return str(outcome.reason) if isinstance(outcome, Parked) else ""


def _left(outcome: Drafted | Parked) -> int:
    return 0 if isinstance(outcome, Parked) else sum(not one.kept for one in outcome.mapped.left)


def _bodies(outcome: Drafted | Parked) -> dict[str, Flat]:
    """Return every draft flattened to element paths; references say which draft they mean."""
    if isinstance(outcome, Parked):
        return {}
    names = {draft.name: f"{draft.type} {draft.name}" for draft in outcome.mapped.drafts}
    return {names[draft.name]: _flat(draft, names) for draft in outcome.mapped.drafts}


def _flat(draft: Draft, names: Mapping[str, str]) -> Flat:
    links = {id(place): names.get(target, target) for place, target in draft.links}
    found: dict[str, Any] = {}
    _spread(draft.body, "", links, found)
    found["(keys)"] = ", ".join("|".join(filter(None, key)) for key in draft.keys)
    return found


def _spread(value: Any, path: str, links: Mapping[int, str], found: dict[str, Any]) -> None:
    if isinstance(value, dict):
        if id(value) in links:
            found[f"{path}.reference".lstrip(".")] = links[id(value)]
        for name, inner in value.items():
            if name != "resourceType":
                _spread(inner, f"{path}.{name}".lstrip("."), links, found)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            _spread(inner, f"{path}[{number}]", links, found)
    else:
        found[path] = value


def _changes(before: Mapping[str, Flat], after: Mapping[str, Flat]) -> Iterator[Change]:
    for resource in [*before, *(name for name in after if name not in before)]:
        old, new = before.get(resource, {}), after.get(resource, {})
        for path in [*old, *(path for path in new if path not in old)]:
            if old.get(path) != new.get(path):
                yield Change(resource, path, old.get(path), new.get(path))
