"""Which institution is meant: by its code, by a name it has exactly, or by the site whose systems send."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

import msgspec

from gateway.community.recognition.places import House
from gateway.community.recognition.shelf import Word
from gateway.community.recognition.words import folded


class HouseRow(Word, frozen=True, kw_only=True):
    """An institution; `sites` are those whose results it made where they name no laboratory or examining house."""

    sites: tuple[str, ...] = ()
    area: str = ""
    community: str = ""
    level: Annotated[int, msgspec.Meta(ge=0, le=3)] | None = None

    @property
    def house(self) -> House:
        """Return it as the gates take it."""
        return House(self.id, self.zh or self.en, self.area, self.community, self.level)


@dataclass(frozen=True, slots=True)
class Houses:
    """All institutions that are known, by every word for them and by site."""

    words: Mapping[str, House]
    sites: Mapping[str, House]

    def named(self, word: str) -> House | None:
        """Return the institution of a code, a whole name or a site; None where none is called exactly so."""
        return self.words.get(folded(word)) or self.sites.get(word.strip())

    def of_site(self, site: str) -> House | None:
        """Return the institution whose systems a site's are, None where that is not stated."""
        return self.sites.get(site)


NO_HOUSES = Houses({}, {})


def register(rows: Iterable[HouseRow]) -> tuple[Houses, list[str]]:
    """Return the register, and a sentence for each word or site that two institutions claim."""
    words: dict[str, House] = {}
    sites: dict[str, House] = {}
    wrong = []
    for row in rows:
        spoken = [folded(word) for word in (row.id, row.zh, row.en, *row.also, *row.codes) if word]
        for known, given in ((words, spoken), (sites, row.sites)):
            for word in dict.fromkeys(given):
                if known.setdefault(word, row.house).code != row.id:
                    wrong.append(f"'{word}' means both {known[word].code} and {row.id}")
    return Houses(words, sites), wrong
