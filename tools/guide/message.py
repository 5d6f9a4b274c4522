"""A strict little HL7 v2 reader for the oracle alone: split on the delimiters, then place in groups."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tools.guide.tables import MessageRow

ESCAPES = {"F": "|", "S": "^", "T": "&", "R": "~", "E": "\\", ".br": "\n"}


@dataclass(slots=True, eq=False)
class Segment:
    """One segment: its name, its fields as repetitions, and where it stands in the message's groups."""

    name: str
    number: int
    fields: list[list[str]]
    place: int = -1
    group: tuple[tuple[str, int], ...] = ()

    def reps(self, number: int) -> list[str]:
        """Return the repetitions of a field that hold something; HL7's two quotes count as nothing."""
        found = self.fields[number] if number < len(self.fields) else []
        return [rep for rep in found if rep.strip("^&") not in ("", '""')]


def unescape(text: str) -> str:
    """Replace the standard escape sequences."""
    if "\\" not in text:
        return text
    out, rest = "", text
    while rest:
        head, mark, rest = rest.partition("\\")
        out += head
        if mark:
            code, end, tail = rest.partition("\\")
            out += ESCAPES.get(code, "") if end else mark + code
            rest = tail
    return out


def component(rep: str, numbers: Sequence[int]) -> str:
    """Return the raw component (and subcomponent) of a repetition; numbers count from 1."""
    for depth, number in enumerate(numbers):
        parts = rep.split("^" if depth == 0 else "&")
        if number > len(parts):
            return ""
        rep = parts[number - 1]
    return rep


def read(text: str) -> list[Segment]:
    """Split a message into segments; MSH-1 and MSH-2 are numbered as HL7 numbers them."""
    found: list[Segment] = []
    seen: dict[str, int] = {}
    for line in filter(None, text.replace("\n", "\r").split("\r")):
        name, *cells = line.split("|")
        if name == "MSH":
            cells = ["|", *cells]
        seen[name] = seen.get(name, 0) + 1
        plain = [cell.split("~") if not (name == "MSH" and i < 2) else [cell] for i, cell in enumerate(cells)]
        found.append(Segment(name, seen[name], [[], *plain]))
    return found


@dataclass(slots=True)
class _Walk:
    positions: list[MessageRow]
    at: int = -1
    counts: dict[tuple[str, ...], int] = field(default_factory=dict)

    def groups(self, at: int) -> tuple[str, ...]:
        return self.positions[at].groups if at >= 0 else ()


def place(segments: list[Segment], rows: list[MessageRow]) -> dict[int, list[MessageRow]]:
    """Give every segment its position and group instance; return the table rows of each position."""
    walk = _Walk([])
    rows_at: dict[int, list[MessageRow]] = {}
    for row in rows:
        last = walk.positions[-1] if walk.positions else None
        if last is None or (last.segment, last.groups) != (row.segment, row.groups):
            walk.positions.append(row)
        rows_at.setdefault(len(walk.positions) - 1, []).append(row)
    for segment in segments:
        _place(segment, walk)
    return rows_at


def _place(segment: Segment, walk: _Walk) -> None:
    found = [i for i, row in enumerate(walk.positions) if row.segment == segment.name]
    if not found:
        return
    here = walk.groups(walk.at)
    ahead = [i for i in found if i >= walk.at]
    if ahead and not (ahead[0] > walk.at and _skips_out(walk, here, ahead[0], found)):
        chosen = ahead[0]
    else:
        chosen = max((i for i in found if i < walk.at), key=lambda i: (_shared(walk, here, i), i))
    groups = walk.groups(chosen)
    if chosen < walk.at:
        _restart(walk, groups[: _shared(walk, here, chosen)])
    elif chosen == walk.at and not walk.positions[chosen].repeats:
        _restart(walk, groups)
    walk.at = segment.place = chosen
    segment.group = tuple((name, _count(walk, groups[: i + 1])) for i, name in enumerate(groups))


def _skips_out(walk: _Walk, here: tuple[str, ...], ahead: int, found: list[int]) -> bool:
    """A new turn of the present repeating group is likelier than a jump out of it."""
    back = [i for i in found if i < walk.at]
    if not back:
        return False
    best = max(_shared(walk, here, i) for i in back)
    inside = _shared(walk, here, ahead)
    return best > inside and any(name.endswith("*") for name in here[inside:best])


def _shared(walk: _Walk, here: tuple[str, ...], other: int) -> int:
    groups = walk.groups(other)
    size = 0
    while size < min(len(here), len(groups)) and here[size] == groups[size]:
        size += 1
    return size


def _restart(walk: _Walk, group: tuple[str, ...]) -> None:
    """Begin a new turn of the innermost repeating group."""
    while group and not group[-1].endswith("*"):
        group = group[:-1]
    if group:
        walk.counts[group] = _count(walk, group) + 1


def _count(walk: _Walk, group: tuple[str, ...]) -> int:
    return walk.counts.setdefault(group, 1)


def nearest(segments: list[Segment], one: Segment, name: str) -> Segment | None:
    """Return the segment of that name that stands closest in the groups of `one`; None when only strangers have it.

    One in the same or an enclosing group comes before one in a repeating group of its own further down.
    """
    best, score = None, (False, -1, 0)
    for other in segments:
        if other.name != name:
            continue
        shared = sum(1 for a, b in zip(one.group, other.group, strict=False) if a == b)
        apart = any(mark.endswith("*") for mark, _ in other.group[shared : shared + 1])
        if apart and shared < len(one.group) and one.group[shared][0] == other.group[shared][0]:
            continue
        found = (not apart, shared, -abs(segments.index(other) - segments.index(one)))
        if found > score:
            best, score = other, found
    return best
