"""Groups the segments of a message by its structure, forgivingly: every segment finds a place and none is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.formats import hl7v2_tables as tables

if TYPE_CHECKING:
    from gateway.formats.hl7v2 import Segment

structure_of = tables.structure_of

# PRIOR_RESULT may begin with ORC in the grammar; in real life an ORC begins the next order, and only a PID begins that.
_ONLY_AFTER = {"PRIOR_RESULT": "PID"}
# Groups that newer versions put where older senders mean something else.
_SINCE = {("ORU_R01", "PATIENT_OBSERVATION"): (2, 6), ("ORU_R01", "ORDER_DOCUMENT"): (2, 8)}
_OWNERS = "OBX OBR PID ORC SPM RXE RXO RXC RXD AIS AIG AIL AIP SCH TXA RGS SAC PV1 NK1 AL1 DG1"
_NOTE_OWNERS = frozenset(_OWNERS.split())


class Group:
    """One occurrence of a group: its name (`ORDER_OBSERVATION`; the root has the structure's) and its children."""

    __slots__ = ("children", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.children: list[Segment | Group] = []

    def __repr__(self) -> str:
        return f"<Group {self.name}: {' '.join(child.name for child in self.children)}>"

    @property
    def segments(self) -> list[Segment]:
        """Return the segments that stand directly in this group."""
        return [child for child in self.children if not isinstance(child, Group)]

    @property
    def groups(self) -> list[Group]:
        """Return the groups that stand directly in this group."""
        return [child for child in self.children if isinstance(child, Group)]

    def first(self, name: str) -> Segment | None:
        """Return the first segment of that name directly in this group, or None."""
        return next((s for s in self.children if s.name == name and not isinstance(s, Group)), None)

    def all(self, name: str) -> list[Segment]:
        """Return the segments of that name directly in this group."""
        return [s for s in self.children if s.name == name and not isinstance(s, Group)]

    def named(self, name: str) -> list[Group]:
        """Return the groups of that name directly in this group."""
        return [g for g in self.children if g.name == name and isinstance(g, Group)]

    def walk(self) -> Iterator[Segment]:
        """Yield every segment of this group and the groups within it."""
        for child in self.children:
            if isinstance(child, Group):
                yield from child.walk()
            else:
                yield child

    def descend(self, path: str) -> list[Group]:
        """Return all groups at a path such as `PATIENT_RESULT.ORDER_OBSERVATION`, [self] for ''."""
        found = [self]
        for name in path.split(".") if path else ():
            found = [group for parent in found for group in parent.named(name)]
        return found

    def notes(self, segment: Segment) -> list[Segment]:
        """Return the NTE segments that follow the segment in this group, before anything else but Z-segments."""
        found: list[Segment] = []
        for child in self.children[self.children.index(segment) + 1 :]:
            if child.name == "NTE" and not isinstance(child, Group):
                found.append(child)
            elif not child.name.startswith("Z"):
                break
        return found


class Deviation(NamedTuple):
    """A segment that the structure did not expect where it stood: `unknown`, `order` or `skipped` (parts)."""

    segment: Segment
    kind: str


@dataclass(slots=True)
class Node:
    """A group of the grammar, compiled: where a segment may begin an item, and where it may stand at any depth."""

    name: str
    items: list[Item]
    starts: dict[str, list[int]]
    contains: dict[str, list[int]]


@dataclass(slots=True)
class Item:
    """One entry of a group: segments to choose from, or a group."""

    names: tuple[str, ...]
    node: Node | None
    required: bool
    repeats: bool


@cache
def compiled(structure: str, version: str, *, own: bool = False) -> Node:
    """Return the compiled grammar of a structure: the newest that exists, or with `own` that of the version itself."""
    items = tables.structure(structure, version if own else "") or []
    number = tuple(int(part) for part in version.split(".") if part.isdigit())
    skip = {name for (where, name), since in _SINCE.items() if where == structure and number[:2] < since}
    return _node(structure, items, frozenset() if own else frozenset(skip))


def _node(name: str, items: list[Any], skip: frozenset[str]) -> Node:
    node = Node(name, [], {}, {})
    for spec in items:
        if not isinstance(spec, str) and spec[0].rstrip("?*+") in skip:
            continue
        item = _item(spec, skip)
        index = len(node.items)
        node.items.append(item)
        for segment in _begins(item):
            node.starts.setdefault(segment, []).append(index)
        for segment in _holds(item):
            node.contains.setdefault(segment, []).append(index)
    return node


def _item(spec: Any, skip: frozenset[str]) -> Item:
    head = spec if isinstance(spec, str) else spec[0]
    name = head.rstrip("?*+")
    mark = head[len(name) :]
    node = None if isinstance(spec, str) else _node(name, spec[1:], skip)
    names = tuple(name.split("/")) if node is None else (name,)
    return Item(names, node, mark in ("", "+"), mark in ("*", "+"))


def _begins(item: Item) -> list[str]:
    """Return the segments that may begin the item."""
    if item.node is None:
        return list(item.names)
    if item.node.name in _ONLY_AFTER:
        return [_ONLY_AFTER[item.node.name]]
    found: list[str] = []
    for inner in item.node.items:
        found += [name for name in _begins(inner) if name not in found]
        if inner.required:
            break
    return found


def _holds(item: Item) -> list[str]:
    if item.node is None:
        return list(item.names)
    if item.node.name in _ONLY_AFTER:
        return [_ONLY_AFTER[item.node.name]]
    return list(item.node.contains)


class _Frame:
    """An open group: its grammar, its occurrence in the tree, and the first item that may come next."""

    __slots__ = ("group", "next", "node")

    def __init__(self, node: Node, group: Group) -> None:
        self.node = node
        self.group = group
        self.next = 0

    def begin(self, name: str) -> int:
        """Return the item at or after the present place that the segment may begin, -1 if none."""
        for index in self.node.starts.get(name, ()):
            if index >= self.next:
                return index
        return -1

    def hold(self, name: str, busy: _Frame | None = None) -> int:
        """Return the item at or after the present place that holds the segment somewhere, -1 if none.

        The group `busy`, open now, is not begun again by a segment that cannot begin it.
        """
        for index in self.node.contains.get(name, ()):
            if index >= self.next and (busy is None or self.node.items[index].node is not busy.node):
                return index
        return -1

    def enter(self, index: int) -> Item:
        """Move to the item and return it."""
        item = self.node.items[index]
        self.next = index if item.repeats else index + 1
        return item


class _Builder:
    """Places one segment after the other; `frames` is the path of open groups, root first."""

    def __init__(self, node: Node, deviations: list[Deviation] | None) -> None:
        self.root = Group(node.name)
        self.frames = [_Frame(node, self.root)]
        self.side: list[_Frame] = []
        self.deviations = deviations
        self.owner: Group | None = None
        self.late_results = node.name == "ORU_R01"

    def place(self, segment: Segment) -> None:
        """Put the segment where the grammar expects it, else where it fits best, else where we are."""
        name = segment.name
        if name[0] == "Z":
            self._here().group.children.append(segment)
            return
        if name == "NTE":
            self._note(segment)
            return
        if name == "OBX" and self.late_results:
            self._leave_specimen()
        group = self._expected(segment) or self._ahead(segment) or self._misplaced(segment) or self._unknown(segment)
        group.children.append(segment)
        self.owner = group if name in _NOTE_OWNERS else None

    def _here(self) -> _Frame:
        return self.side[-1] if self.side else self.frames[-1]

    def _expected(self, segment: Segment) -> Group | None:
        for path in (self.side, self.frames):
            for depth in range(len(path) - 1, -1, -1):
                index = path[depth].begin(segment.name)
                if index >= 0:
                    del path[depth + 1 :]
                    if path is self.frames:
                        self.side = []
                    return self._open(path, index, segment.name)
        return None

    def _open(self, path: list[_Frame], index: int, name: str) -> Group:
        """Enter the item in the innermost frame of the path and the groups down to where the segment stands."""
        item = path[-1].enter(index)
        while item.node is not None:
            group = Group(item.names[0])
            path[-1].group.children.append(group)
            path.append(_Frame(item.node, group))
            below = path[-1].begin(name)
            item = path[-1].enter(below if below >= 0 else path[-1].hold(name))
        return path[-1].group

    def _ahead(self, segment: Segment) -> Group | None:
        """Place a segment whose group lacks its first segments: an OBX without OBR."""
        for depth in range(len(self.frames) - 1, -1, -1):
            busy = self.frames[depth + 1] if depth + 1 < len(self.frames) else None
            index = self.frames[depth].hold(segment.name, busy)
            if index >= 0:
                del self.frames[depth + 1 :]
                self.side = []
                self._note_down(segment, "skipped")
                return self._open(self.frames, index, segment.name)
        return None

    def _misplaced(self, segment: Segment) -> Group | None:
        """Place a segment whose turn is over into the latest group that may hold it, without moving on from here."""
        for frame in reversed(self.frames):
            if segment.name in frame.node.contains:
                self._note_down(segment, "order")
                self.side = []
                return self._beside(frame.node, frame.group, segment.name)
        return None

    def _beside(self, node: Node, group: Group, name: str) -> Group:
        index = node.contains[name][0]
        item = node.items[index]
        if item.node is None:
            return group
        present = group.named(item.names[0])
        if not present or (item.repeats and name in _begins(item)):
            self.side = [_Frame(node, group)]
            return self._open(self.side, index, name)
        return self._beside(item.node, present[-1], name)

    def _unknown(self, segment: Segment) -> Group:
        self._note_down(segment, "unknown")
        return self._here().group

    def _note(self, segment: Segment) -> None:
        """Put an NTE with the segment it follows; after minor segments (TQ1, PV2) with the group that takes notes."""
        if self.owner is not None:
            self.owner.children.append(segment)
            return
        path = self.side or self.frames
        frame = next((f for f in reversed(path) if "NTE" in f.node.starts), path[-1])
        frame.group.children.append(segment)

    def _leave_specimen(self) -> None:
        """Let OBX that follow SPM be results when the order has none yet: senders put SPM before them."""
        for depth, frame in enumerate(self.frames):
            if frame.node.name == "SPECIMEN" and not self.frames[depth - 1].group.named("OBSERVATION"):
                order = self.frames[depth - 1]
                order.next = order.node.starts["OBX"][0]
                del self.frames[depth:]
                return

    def _note_down(self, segment: Segment, kind: str) -> None:
        if self.deviations is not None:
            self.deviations.append(Deviation(segment, kind))


def build(structure: str, version: str, segments: Sequence[Segment]) -> Group:
    """Return the segments grouped by the newest form of the structure, so that group names do not change by version."""
    return _run(compiled(structure, version), segments, None)


def judge(structure: str, version: str, segments: Sequence[Segment]) -> tuple[Group, Node, list[Deviation]]:
    """Return the segments grouped as that version itself demands, its grammar, and what deviates from it."""
    node = compiled(structure, version, own=True)
    deviations: list[Deviation] = []
    return _run(node, segments, deviations), node, deviations


def _run(node: Node, segments: Sequence[Segment], deviations: list[Deviation] | None) -> Group:
    builder = _Builder(node, deviations)
    for segment in segments:
        builder.place(segment)
    return builder.root
