"""Houses and the scopes of marks: which area a house lies in, and whether a mark, list or evaluation reaches it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from gateway.community.recognition.marks import Mark
from gateway.community.recognition.shelf import Entry, Word

Level = Literal["national", "region", "province", "city", "county"]


@dataclass(frozen=True, slots=True)
class House:
    """An institution as far as recognition asks: `area` is its division code, `level` 3 for 三级 … 0, None unknown."""

    code: str
    name: str = ""
    area: str = ""
    community: str = ""
    level: int | None = None

    def beside(self, other: "House") -> bool:
        """Say whether both belong to one medical community, or are one house."""
        return (bool(self.code) and self.code == other.code) or (
            bool(self.community) and self.community == other.community
        )


class Scope(Word, frozen=True, kw_only=True):
    """An area for which marks are given: `areas` are beginnings of division codes, `marks` the words before HR."""

    level: Level
    areas: tuple[str, ...]
    marks: tuple[str, ...] = ()

    def holds(self, house: House) -> bool:
        """Say whether a house lies in the scope; one whose area is unknown lies in none."""
        return bool(house.area) and any(house.area.startswith(area) for area in self.areas)

    def reaches(self, issuer: House, receiver: House) -> bool:
        """Say whether both houses lie in the scope: national above region, province and city, by their areas."""
        return self.holds(issuer) and self.holds(receiver)


class Relative(Entry, frozen=True, kw_only=True):
    """Words that mean the scope of the house that writes them, by so many digits of its division code."""

    marks: tuple[str, ...]
    level: Level
    digits: Literal[2, 4, 6]


class Star(Entry, frozen=True, kw_only=True):
    """What a star means on reports of some houses: those of areas, or those named."""

    star: str
    scope: str
    areas: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()

    def explains(self, mark: Mark, issuer: House) -> bool:
        """Say whether this is what the mark means on the issuer's reports."""
        near = bool(issuer.area) and any(issuer.area.startswith(area) for area in self.areas)
        return mark.star == self.star and (issuer.code in self.organisations or near)


@dataclass(frozen=True, slots=True)
class Scopes:
    """All scopes, and what marks mean."""

    scopes: Mapping[str, Scope]
    words: Mapping[str, str]
    relative: Mapping[str, Relative]
    stars: tuple[Star, ...]

    def of(self, mark: Mark, issuer: House) -> Scope | None:
        """Return the scope a mark speaks for on the issuer's reports; None where that is not known."""
        if mark.star:
            scope = next((star.scope for star in self.stars if star.explains(mark, issuer)), "")
            return self.scopes.get(scope)
        if mark.scope in self.words:
            return self.scopes[self.words[mark.scope]]
        return self._around(issuer, self.relative.get(mark.scope))

    def _around(self, issuer: House, relative: Relative | None) -> Scope | None:
        if relative is None or len(issuer.area) < relative.digits:
            return None
        area = issuer.area[: relative.digits]
        named = next((one for one in self.scopes.values() if one.areas == (area,)), None)
        return named or Scope(id=area, zh=area, en=area, level=relative.level, areas=(area,), source=relative.source)


def spelled(
    scopes: Iterable[Scope], relatives: Iterable[Relative]
) -> tuple[dict[str, str], dict[str, Relative], list[str]]:
    """Return mark word -> scope, mark word -> relative scope, and the words that mean two things."""
    words: dict[str, str] = {}
    twice = []
    for scope in scopes:
        for mark in scope.marks:
            if words.setdefault(mark, scope.id) != scope.id:
                twice.append(f"the mark {mark}HR means both {words[mark]} and {scope.id}")
    relative = {mark: one for one in relatives for mark in one.marks}
    twice += [f"the mark {mark}HR is both a scope's and relative" for mark in relative if mark in words]
    return words, relative, twice
