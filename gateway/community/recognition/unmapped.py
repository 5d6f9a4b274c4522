"""Local items without an item of recognition, by volume, so that a person closes the greatest gaps first."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.community.recognition.catalogue import Catalogue, Coding, Found, table_of
from gateway.community.recognition.hints import Hint


class Seen(NamedTuple):
    """A local item as results or orders carry it, and how often it was seen so."""

    codings: tuple[Coding, ...]
    name: str = ""
    specimen: str = ""
    method: str = ""
    unit: str = ""
    times: int = 1


class Line(NamedTuple):
    """An unmapped item: what it is called and measured in, how many, which share, and hints (never matches).

    `table` and `code` are what codes.yaml needs; `share` is of everything seen, `reached` what would be mapped if this
    line and all before it were, both from 0 to 1. `conflict` are the items that its codes lead to, where they disagree.
    """

    table: str
    code: str
    names: tuple[str, ...]
    specimens: tuple[str, ...]
    units: tuple[str, ...]
    times: int
    share: float
    reached: float
    hints: tuple[Hint, ...] = ()
    conflict: tuple[str, ...] = ()


class Strange(NamedTuple):
    """A word for a specimen or a method that no vocabulary has; results that say it are not recognised (G3)."""

    kind: str
    word: str
    times: int


@dataclass(slots=True)
class Report:
    """The unmapped items and unknown words with the greatest volume first, and what was seen in all."""

    seen: int = 0
    mapped: int = 0
    left_out: int = 0
    """Known to a code map as no item of recognition."""
    lines: list[Line] = field(default_factory=list)
    strange: list[Strange] = field(default_factory=list)

    @property
    def coverage(self) -> float:
        """Return the share that is mapped of what could be, from 0 to 1; 1 where nothing was seen."""
        could = self.seen - self.left_out
        return self.mapped / could if could else 1.0


@dataclass(slots=True)
class _Gap:
    names: Counter[str] = field(default_factory=Counter)
    specimens: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    conflict: tuple[str, ...] = ()
    times: int = 0

    def add(self, one: Seen) -> None:
        self.times += one.times
        for words, word in ((self.names, one.name), (self.specimens, one.specimen), (self.units, one.unit)):
            if word.strip():
                words[word.strip()] += one.times


def report(seen: Iterable[Seen], catalogue: Catalogue) -> Report:
    """Return what is unmapped by table and code; what was seen no time counts nothing (issue 6, build 1)."""
    made = Report()
    gaps: dict[tuple[str, str], _Gap] = {}
    strange: Counter[tuple[str, str]] = Counter()
    for one in seen:
        if one.times < 1:
            continue
        made.seen += one.times
        strange.update(dict.fromkeys(_strange(one, catalogue), one.times))
        found = catalogue.find(one.codings, specimen=one.specimen)
        if isinstance(found, Found):
            made.mapped += one.times
        elif found.known:
            made.left_out += one.times
        else:
            gap = gaps.setdefault(_where(one), _Gap(conflict=found.items))
            gap.add(one)
    made.lines = _lines(made, gaps, catalogue)
    told = sorted(strange.items(), key=lambda pair: (-pair[1], pair[0]))
    made.strange = [Strange(kind, word, times) for (kind, word), times in told]
    return made


def _strange(one: Seen, catalogue: Catalogue) -> list[tuple[str, str]]:
    words = catalogue.words
    told = (("specimen", one.specimen, words.specimens), ("method", one.method, words.methods))
    return [(kind, word.strip()) for kind, word, known in told if word.strip() and not known.get(word)]


def _where(one: Seen) -> tuple[str, str]:
    """Return table and code of the first coding; without any, its name stands for the code."""
    coding = next(iter(one.codings), None)
    return (table_of(coding.system), coding.code) if coding is not None else ("", one.name.strip())


def _lines(made: Report, gaps: dict[tuple[str, str], _Gap], catalogue: Catalogue) -> list[Line]:
    could = made.seen - made.left_out
    reached, lines = made.mapped, []
    for (table, code), gap in sorted(gaps.items(), key=lambda pair: (-pair[1].times, pair[0])):
        reached += gap.times
        names = _by_count(gap.names)
        hints = catalogue.hints(names[0]) if names else ()
        told = (names, _by_count(gap.specimens), _by_count(gap.units), gap.times)
        lines.append(Line(table, code, *told, gap.times / could, reached / could, hints, gap.conflict))
    return lines


def _by_count(words: Counter[str]) -> tuple[str, ...]:
    return tuple(word for word, _ in sorted(words.items(), key=lambda pair: (-pair[1], pair[0])))
