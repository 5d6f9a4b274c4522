"""Code systems a site brought along (ICD-10, drugs, LOINC, its own items): every version whole, as imported."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from gateway.store.tx import Tx
from gateway.store.values import clean

_SYSTEM = ("id", "url", "version", "title", "source", "digest", "concepts", "imported_us")
_CONCEPT = ("system_id", "code", "display", "parent")
_CHUNK = 5000


class NewSystem(NamedTuple):
    """One version of a code system; `digest` is the SHA-256 of the file it was read from."""

    url: str
    version: str
    title: str
    source: str
    digest: bytes
    imported_us: int


class CodeSystem(NamedTuple):
    """One stored version of a code system."""

    id: int
    url: str
    version: str
    title: str
    source: str
    digest: bytes
    concepts: int
    imported_us: int


class Concept(NamedTuple):
    """One code, what people call it, and the code above it."""

    code: str
    display: str
    parent: str = ""


class TerminologyReads(Tx):
    """Questions about imported code systems."""

    def code_systems(self, url: str = "") -> list[CodeSystem]:
        """Return the versions there are, of one system or of all, oldest import first."""
        where, values = (" WHERE url=?", (clean(url),)) if url else ("", ())
        sql = f"SELECT {','.join(_SYSTEM)} FROM code_system{where} ORDER BY id"  # noqa: S608  constants
        return [CodeSystem(*row) for row in self.session.run(sql, values)]

    def concepts(self, system_id: int, codes: Iterable[str]) -> dict[str, Concept]:
        """Return those of the codes that the version has."""
        rows = self.session.keyed(
            "SELECT code, display, parent FROM concept",
            (("system_id", "int"), ("code", "text")),
            [(system_id, clean(code)) for code in codes],
        )
        return {row[0]: Concept(*row) for row in rows}

    def concepts_all(self, system_id: int) -> Iterator[Concept]:
        """Yield every concept of a version, by code."""
        last = ""
        sql = "SELECT code, display, parent FROM concept WHERE system_id=? AND code > ? ORDER BY code LIMIT ?"
        while rows := self.session.run(sql, (system_id, last, _CHUNK)):
            yield from (Concept(*row) for row in rows)
            last = rows[-1][0]


class TerminologyWrites(TerminologyReads):
    """Imports of code systems."""

    def code_system_add(self, new: NewSystem, concepts: Sequence[Concept]) -> CodeSystem:
        """Store one version with all its concepts; the caller has seen that it is not there yet."""
        system_id = int(self.session.value("SELECT coalesce(max(id), 0) FROM code_system")) + 1
        told = (clean(new.url), clean(new.version), clean(new.title), clean(new.source), new.digest)
        row = (system_id, *told, len(concepts), new.imported_us)
        self.session.insert("code_system", _SYSTEM, [row])
        rows = ((system_id, clean(one.code), clean(one.display), clean(one.parent)) for one in concepts)
        while chunk := list(islice(rows, _CHUNK)):
            self.session.insert("concept", _CONCEPT, chunk)
        return CodeSystem(*row)
