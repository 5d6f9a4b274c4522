"""Sites, feeds and identifier systems as small numbers; the numbers are cached once they are committed."""

from collections.abc import Iterable
from typing import Any, Literal

from gateway.store.dialect import Session
from gateway.store.values import clean

Table = Literal["site", "feed", "system"]
_NOTED = 200_000
LOCK = 1  # PostgreSQL's advisory lock for handing out numbers


class Names:
    """The committed numbers, shared by all transactions of a store."""

    def __init__(self) -> None:
        self.ids: dict[tuple[Table, str], int] = {}
        self.names: dict[tuple[Table, int], str] = {}
        self.noted: set[object] = set()

    def learn(self, found: dict[tuple[Table, str], int], noted: set[object] | None = None) -> None:
        """Remember numbers that are committed, and what small tables (`code`, `display`, `unstored`) hold."""
        if noted:
            if len(self.noted) > _NOTED:
                self.noted.clear()
            self.noted |= noted
        for (table, name), number in found.items():
            self.ids[table, name] = number
            self.names[table, number] = name


class Interning:
    """Names and numbers as one transaction sees them."""

    def __init__(self, session: Session, shared: Names) -> None:
        self._session = session
        self._shared = shared
        self.fresh: dict[tuple[Table, str], int] = {}
        self.noted: set[object] = set()

    def unnoted(self, facts: Iterable[object]) -> set[Any]:
        """Return those of some facts that no transaction of this process is known to have written; they are now."""
        new = set(facts).difference(self._shared.noted, self.noted)
        self.noted |= new
        return new

    def find(self, table: Table, name: str) -> int | None:
        """Return the number of a name, or None where it was never stored."""
        key = (table, name)
        number = self._shared.ids.get(key) or self.fresh.get(key)
        if number is None:
            number = self._session.value(f"SELECT id FROM {table} WHERE name=?", (clean(name),))  # noqa: S608  Literal
            if number is not None:
                self.fresh[key] = number
        return number

    def number(self, table: Table, name: str) -> int:
        """Return the number of a name, giving it the next one where it is new (write transactions only)."""
        return self.find(table, name) or self._add(table, name)

    def name(self, table: Table, number: int) -> str:
        """Return the name behind a number, '' for 0."""
        known = self._shared.names.get((table, number))
        return known if known is not None else self._read(table, number)

    def _read(self, table: Table, number: int) -> str:
        if not number:
            return ""
        name = str(self._session.value(f"SELECT name FROM {table} WHERE id=?", (number,)))  # noqa: S608  Literal
        self.fresh[table, name] = number
        return name

    def _add(self, table: Table, name: str) -> int:
        self._session.lock(LOCK)
        found = self.find(table, name)  # another writer may have been first while we waited
        if found is not None:
            return found
        highest = self._session.value(f"SELECT coalesce(max(id), 0) FROM {table}")  # noqa: S608  Literal
        number = int(highest) + 1
        self._session.insert(table, ("id", "name"), [(number, clean(name))])
        self.fresh[table, name] = number
        return number
