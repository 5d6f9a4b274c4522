"""Business keys: which resource a site's number means, and claims that only one record may hold."""

from collections.abc import Iterable, Mapping, Sequence

from gateway.store.dialect import Kind
from gateway.store.failures import Conflict
from gateway.store.tx import Tx
from gateway.store.type_ids import TYPE_ID, type_name
from gateway.store.values import AliasKey, Target, clean

_KEYS = ("site_id", "type_id", "system_id", "value", "day")
_WANTED: tuple[tuple[str, Kind], ...] = (
    ("site_id", "int"),
    ("type_id", "int"),
    ("system_id", "int"),
    ("value", "text"),
    ("day", "text"),
)
_SELECT = "SELECT type_id, system_id, value, day, pid, fid FROM alias"


class AliasReads(Tx):
    """Questions about business keys."""

    def aliases(self, site: str, keys: Iterable[AliasKey]) -> dict[AliasKey, Target]:
        """Return the resources a site's keys stand for; unknown keys are left out."""
        site_id = self.names.find("site", site)
        if site_id is None:
            return {}
        wanted = {row: key for key in keys if (row := self._row(site_id, key)) is not None}
        found = self.session.keyed(_SELECT, _WANTED, wanted)
        return {wanted[(site_id, *row[:4])]: Target(row[4], row[5]) for row in found}

    def aliases_of(self, pid: int) -> list[tuple[str, AliasKey]]:
        """Return every (site, key) that stands for a resource."""
        rows = self.session.run(
            "SELECT site_id, type_id, system_id, value, day FROM alias WHERE pid=? ORDER BY 1,2,3,4,5", (pid,)
        )
        name = self.names.name
        return [
            (name("site", site), AliasKey(type_name(kind), name("system", system), value, day))
            for site, kind, system, value, day in rows
        ]

    def claims(self, scope: str, keys: Iterable[str]) -> dict[str, int]:
        """Return the pids that hold claims of a scope; free keys are left out."""
        rows = {(scope, clean(key)) for key in keys}
        found = self.session.keyed("SELECT key, pid FROM claim", (("scope", "text"), ("key", "text")), rows)
        return {key: int(pid) for key, pid in found}

    def _row(self, site_id: int, key: AliasKey) -> tuple[int, int, int, str, str] | None:
        kind, system, value, day = key
        system_id = self.names.find("system", system)
        if system_id is None:
            return None
        return site_id, TYPE_ID[kind], system_id, clean(value), clean(day)


class AliasWrites(AliasReads):
    """Changes of business keys."""

    def add_aliases(self, site: str, aliases: Mapping[AliasKey, Target]) -> None:
        """Add keys of a site; one that stands for another resource already is a Conflict, the same again is fine."""
        rows = self._rows(site, aliases)
        if self.session.insert_new("alias", (*_KEYS, "pid", "fid"), rows) == len(rows):
            return
        known = self.aliases(site, aliases)
        taken = [key for key, target in aliases.items() if known[key].pid != target.pid]
        if taken:
            raise Conflict(f"{taken[0].system}|{taken[0].value} of {site} stands for another {taken[0].type}.")

    def add_free_aliases(self, site: str, aliases: Mapping[AliasKey, Target]) -> None:
        """Add those keys of a site that stand for nothing yet; the others go on standing for what they do."""
        if aliases:
            self.session.insert_new("alias", (*_KEYS, "pid", "fid"), self._rows(site, aliases))

    def repoint_aliases(self, site: str, aliases: Mapping[AliasKey, Target]) -> None:
        """Let keys of a site stand for these resources from now on (merge, unmerge), known before or not."""
        self.session.upsert("alias", _KEYS, ("pid", "fid"), self._rows(site, aliases))

    def remove_aliases(self, site: str, keys: Sequence[AliasKey]) -> None:
        """Forget keys of a site (a resource erased)."""
        site_id = self.names.number("site", site)
        rows = [row for key in keys if (row := self._row(site_id, key)) is not None]
        where = " AND ".join(f"{name}=?" for name in _KEYS)
        self.session.many(f"DELETE FROM alias WHERE {where}", rows)  # noqa: S608  names are constants

    def add_claims(self, scope: str, claims: Mapping[str, int]) -> None:
        """Take claims for pids; a taken one is a Conflict, so that of 64 parallel creates one wins."""
        self.session.insert("claim", ("scope", "key", "pid"), [(scope, clean(k), p) for k, p in claims.items()])

    def drop_claims(self, scope: str, keys: Iterable[str]) -> None:
        """Give claims back."""
        self.session.many("DELETE FROM claim WHERE scope=? AND key=?", [(scope, clean(key)) for key in keys])

    def hold_claims(self, scope: str, keys: Iterable[str]) -> None:
        """Wait until no other transaction holds these claims, and hold them to the end of this one.

        What is read afterwards is what the one before left: so equal conditions are tried one after the other.
        """
        if self.session.name == "sqlite":  # one writer is alone
            return
        sql = (
            "INSERT INTO claim (scope, key, pid) VALUES (?, ?, 0) ON CONFLICT (scope, key) DO UPDATE SET pid=claim.pid"
        )
        self.session.many(sql, [(scope, key) for key in sorted(map(clean, keys))])

    def set_claims(self, scope: str, claims: Mapping[str, int]) -> None:
        """Let claims name these pids, whatever they named before."""
        known = self.claims(scope, claims)
        self.session.upsert(
            "claim", ("scope", "key"), ("pid",),
            [(scope, clean(key), pid) for key, pid in claims.items() if known.get(clean(key)) != pid],
        )  # fmt: skip

    def release_claims(self, pids: Iterable[int], besides: str) -> None:
        """Give back every claim these resources hold, `besides` those of one scope."""
        self.session.many("DELETE FROM claim WHERE pid=? AND scope<>?", [(pid, besides) for pid in pids])

    def _rows(self, site: str, aliases: Mapping[AliasKey, Target]) -> list[tuple[int, int, int, str, str, int, str]]:
        site_id, number = self.names.number("site", site), self.names.number
        return [
            (site_id, TYPE_ID[kind], number("system", system), clean(value), clean(day), target.pid, target.fid)
            for (kind, system, value, day), target in aliases.items()
        ]
