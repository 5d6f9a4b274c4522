"""Links between records (merges, same person), relations of organisations with persons, cursors, mapping texts."""

from collections import Counter
from collections.abc import Iterable, Sequence

from gateway.store.identity import add_tallies
from gateway.store.tx import Tx
from gateway.store.values import Link, NewLink, Relation, clean

_COLUMNS = ("id", "kind", "from_pid", "to_pid", "state", "evidence", "item_id", "created_us", "ended_us", "made")
_SELECT = f"SELECT {','.join(_COLUMNS)} FROM link"  # noqa: S608  constants
_RELATION = ("organisation", "person", "kind", "from_us", "to_us")
_LOCK = 3


class LinkReads(Tx):
    """Questions about links, relations, cursors and mapping versions."""

    def links(self, pids: Iterable[int], *, ended: bool = False, kind: str = "") -> list[Link]:
        """Return the links from or to these pids, oldest first; `ended` ones too if asked.

        `kind` asks for those of one kind: who means merges says `replaced-by`, because records of one person that
        several sites hold are linked too (`same`).
        """
        also = "" if ended else "ended_us IS NULL"
        rows = [(pid,) for pid in set(pids)]
        found = {
            row[0]: Link(*row)
            for end in ("from_pid", "to_pid")
            for row in self.session.keyed(_SELECT, ((end, "int"),), rows, also)
        }
        return [found[number] for number in sorted(found) if kind in ("", found[number].kind)]

    def links_after(self, number: int, kind: str, limit: int) -> list[Link]:
        """Return the next standing links of a kind after one, by their number."""
        sql = f"{_SELECT} WHERE id > ? AND kind=? AND ended_us IS NULL ORDER BY id LIMIT ?"
        return [Link(*row) for row in self.session.run(sql, (number, kind, limit))]

    def replaced(self, pids: Iterable[int]) -> list[Link]:
        """Return the merges that hold by which these pids are replaced by others."""
        also = "kind='replaced-by' AND ended_us IS NULL"
        rows = self.session.keyed(_SELECT, (("from_pid", "int"),), [(pid,) for pid in set(pids)], also)
        return [Link(*row) for row in rows]

    def relations(self, person: str, at_us: int) -> list[Relation]:
        """Return the relations with a person that hold at a moment."""
        rows = self.session.run(
            f"SELECT {','.join(_RELATION)} FROM relation WHERE person=? AND from_us <= ?"  # noqa: S608  constants
            " AND (to_us IS NULL OR to_us > ?) ORDER BY from_us",
            (clean(person), at_us, at_us),
        )
        return [Relation(*row) for row in rows]

    def cursor(self, name: str) -> int:
        """Return a named position, 0 where it was never set."""
        return int(self.session.value("SELECT value FROM cursor WHERE name=?", (name,)) or 0)

    def mapping_text(self, mapping_id: int) -> str | None:
        """Return the text a mapping version was made from."""
        text = self.session.value("SELECT text FROM mapping_version WHERE id=?", (mapping_id,))
        return None if text is None else str(text)

    def mapping_digest(self, mapping_id: int) -> str | None:
        """Return the digest that names a mapping version."""
        digest = self.session.value("SELECT digest FROM mapping_version WHERE id=?", (mapping_id,))
        return None if digest is None else str(digest)


class LinkWrites(LinkReads):
    """Changes of links, relations, cursors and mapping versions."""

    def links_add(self, links: Sequence[NewLink]) -> list[int]:
        """Add links; return their ids."""
        first = self._next_id("link")
        rows = [
            (first + n, kind, source, target, state, clean(evidence), item, created, None, made)
            for n, (kind, source, target, state, created, evidence, item, made) in enumerate(links)
        ]
        self.session.insert("link", _COLUMNS, rows)
        self._count_links(((link.kind, link.made) for link in links), 1)
        return [row[0] for row in rows]

    def links_end(self, link_ids: Iterable[int], ended_us: int, state: str = "ended") -> None:
        """End links (unmerge); they stay as history."""
        wanted = [(number,) for number in sorted(set(link_ids))]
        if not wanted:
            return
        self.session.lock(_LOCK)
        held = self.session.keyed("SELECT id, kind, made FROM link", (("id", "int"),), wanted, "ended_us IS NULL")
        self.session.many("UPDATE link SET ended_us=?, state=? WHERE id=?", [(ended_us, state, row[0]) for row in held])
        self._count_links((row[1:] for row in held), -1)

    def _count_links(self, links: Iterable[tuple[str, ...]], by: int) -> None:
        """Keep the counters of standing links; who adds or ends links holds their lock."""
        counted = Counter(f"link|{kind}|{made}" for kind, made in links)
        add_tallies(self.session, {name: n * by for name, n in counted.items()})

    def relations_add(self, relations: Sequence[Relation]) -> None:
        """Add relations."""
        first = self._next_id("relation")
        rows = [(first + n, clean(new.organisation), clean(new.person), *new[2:]) for n, new in enumerate(relations)]
        self.session.insert("relation", ("id", *_RELATION), rows)

    def relations_end(self, organisation: str, person: str, kind: str, to_us: int) -> int:
        """End the open relations of this kind; return how many."""
        return self.session.do(
            "UPDATE relation SET to_us=? WHERE organisation=? AND person=? AND kind=? AND to_us IS NULL",
            (to_us, clean(organisation), clean(person), kind),
        )

    def cursor_set(self, name: str, value: int) -> None:
        """Set a named position."""
        self.session.upsert("cursor", ("name",), ("value",), [(name, value)])

    def mapping_version(self, digest: str, text: str, now_us: int) -> int:
        """Return the number of a mapping version, storing its text where it is new."""
        found = self._mapping_id(digest)
        if found is None:
            found = self._next_id("mapping_version")
            known = self._mapping_id(digest)  # another writer may have been first while we waited
            if known is not None:
                return known
            row = (found, digest, now_us, clean(text))
            self.session.insert("mapping_version", ("id", "digest", "created_us", "text"), [row])
        return found

    def _mapping_id(self, digest: str) -> int | None:
        found = self.session.value("SELECT id FROM mapping_version WHERE digest=?", (digest,))
        return None if found is None else int(found)

    def _next_id(self, table: str) -> int:
        self.session.lock(_LOCK)
        return int(self.session.value(f"SELECT coalesce(max(id), 0) FROM {table}")) + 1  # noqa: S608  constants
