"""Reads an HL7 v2 message lazily: segments, fields, repetitions and components where somebody asks for them."""

from gateway.fhir.issues import Issue
from gateway.formats import hl7v2_grammar as grammar
from gateway.formats.hl7v2_cut import cut, ordinals
from gateway.formats.hl7v2_grammar import Group
from gateway.formats.hl7v2_syntax import (
    NULL,
    Delimiters,
    NotHl7,
    component,
    is_null,
    read_delimiters,
    subcomponent,
)

__all__ = [
    "NULL",
    "Delimiters",
    "Group",
    "Message",
    "NotHl7",
    "Segment",
    "component",
    "is_null",
    "parse",
    "subcomponent",
]

_LEADING = "\ufeff\x0b\r\n\t \x00"
_HEADERS = ("MSH", "BHS", "FHS")


class _Lines(list[str]):
    """The lines of one message, which its segments share, and the ordinal of each once somebody asks."""

    __slots__ = ("_ordinals",)

    def __init__(self, lines: list[str]) -> None:
        super().__init__(lines)
        self._ordinals: list[int] | None = None

    def ordinal(self, position: int) -> int:
        """Return which segment of its name stands at the position, from 1."""
        if self._ordinals is None:
            self._ordinals = ordinals(self)
        return self._ordinals[position]


class Segment:
    """One segment: its name, its place in the message (from 0), its text; fields are split when first read."""

    __slots__ = ("_fields", "_lines", "delimiters", "line", "name", "position")

    def __init__(self, line: str, position: int, delimiters: Delimiters, lines: _Lines) -> None:
        self.name = line[:3]
        self.position = position
        self.line = line
        self.delimiters = delimiters
        self._lines = lines
        self._fields: list[str] | None = None

    def __repr__(self) -> str:
        return f"<Segment {self.where()}>"

    @property
    def fields(self) -> list[str]:
        """Return the raw fields; index = HL7 field number, index 0 = the segment name."""
        if self._fields is None:
            self._fields = self.line.split(self.delimiters.field)
            if self.name in _HEADERS:
                self._fields.insert(1, self.delimiters.field)
        return self._fields

    def raw(self, number: int) -> str:
        """Return the field as sent, '' when absent; MSH-1 is the field separator, MSH-2 the encoding characters."""
        fields = self._fields if self._fields is not None else self.fields
        return fields[number] if number < len(fields) else ""

    def reps(self, number: int) -> list[str]:
        """Return the raw repetitions of the field, [] when it is absent or empty."""
        raw = self.raw(number)
        if not raw:
            return []
        if number <= 2 and self.name in _HEADERS:
            return [raw]
        return raw.split(self.delimiters.repetition)

    def value(self, number: int, part: int = 1, sub: int = 1) -> str:
        """Return the unescaped sub-component of the first repetition, '' when absent."""
        reps = self.reps(number)
        raw = component(reps[0], part, self.delimiters) if reps else ""
        return self.delimiters.unescape(subcomponent(raw, sub, self.delimiters))

    def where(self, number: int = 0, repetition: int = 0, part: int = 0, sub: int = 0) -> str:
        """Return the location for people, as in `PID[1]-5`, `OBX[3]-5[2].1.2`; numbers start at 1, 0 = not said."""
        text = f"{self.name}[{self.ordinal}]"
        if number:
            text += f"-{number}"
        if repetition:
            text += f"[{repetition}]"
        if part:
            text += f".{part}"
        return f"{text}.{sub}" if sub else text

    @property
    def ordinal(self) -> int:
        """Return which segment of this name it is, from 1."""
        return self._lines.ordinal(self.position)


class Message:
    """One message: header facts, segments in order, the group tree, and what had to be repaired to read it."""

    __slots__ = ("_header", "_lines", "_segments", "_tree", "delimiters", "issues")

    def __init__(self, delimiters: Delimiters, lines: _Lines, issues: list[Issue]) -> None:
        self.delimiters = delimiters
        self.issues = issues
        self._lines = lines
        self._segments: list[Segment] | None = None
        self._header: Segment | None = None
        self._tree: Group | None = None

    @property
    def text(self) -> str:
        """Return the message as it was cut, segments apart by CR; it is not kept whole beside them."""
        return "\r".join(self._lines)

    @property
    def segments(self) -> list[Segment]:
        """Return the segments in the order they were sent."""
        if self._segments is None:
            lines, delimiters = self._lines, self.delimiters
            self._segments = [Segment(line, index, delimiters, lines) for index, line in enumerate(lines)]
        return self._segments

    @property
    def header(self) -> Segment:
        """Return the MSH segment."""
        if self._header is None:
            self._header = Segment(self._lines[0], 0, self.delimiters, self._lines)
        return self._header

    @property
    def version(self) -> str:
        """Return MSH-12.1, such as `2.4`, '' when absent."""
        return self.header.value(12).strip()

    @property
    def type(self) -> str:
        """Return MSH-9.1, such as `ADT`."""
        return self.header.value(9).strip()

    @property
    def event(self) -> str:
        """Return the trigger event MSH-9.2, else EVN-1, such as `A01`."""
        event = self.header.value(9, 2).strip()
        if event:
            return event
        evn = self.first("EVN")
        return evn.value(1).strip() if evn else ""

    @property
    def structure(self) -> str:
        """Return the message structure: MSH-9.3 if it exists in HL7, else by event, else by type (`ADT_A01`)."""
        return grammar.structure_of(self.type, self.event, self.header.value(9, 3).strip())

    @property
    def control_id(self) -> str:
        """Return MSH-10."""
        return self.header.value(10)

    def first(self, name: str) -> Segment | None:
        """Return the first segment of that name, or None."""
        return next((self.segments[i] for i, line in enumerate(self._lines) if line.startswith(name)), None)

    def all(self, name: str) -> list[Segment]:
        """Return every segment of that name, in order."""
        segments = self.segments
        return [segments[i] for i, line in enumerate(self._lines) if line.startswith(name)]

    def tree(self) -> Group:
        """Return the segments grouped by the message structure; misplaced and unknown ones stand nearby."""
        if self._tree is None:
            self._tree = grammar.build(self.structure, self.version, self.segments)
        return self._tree


def parse(text: str, encoding: str = "") -> Message:
    r"""Return the message; `encoding` is the codec the bytes had, for `\X..\` escapes. Raises NotHl7, nothing else."""
    if not text.startswith("MSH"):
        text = text.lstrip(_LEADING)
        if not text.startswith("MSH"):
            raise NotHl7(_why_not(text), where="MSH[1]")
    end = text.find(text[3:4] or "|", 4)
    head = text[: end + 1] if 4 <= end <= 16 else text[:12]
    delimiters, odd = read_delimiters(head.split("\r", 1)[0], encoding)
    lines, issues = cut(text, delimiters.field)
    if odd:
        issues.insert(0, Issue("information", "structure", odd, "MSH[1]-2"))
    return Message(delimiters, _Lines(lines), issues)


def _why_not(text: str) -> str:
    if not text:
        return "The message is empty."
    if text.startswith(("FHS", "BHS")):
        return "This is a batch (FHS/BHS), not a message: split it first."
    return f"An HL7 v2 message begins with MSH; this begins with {text[:20]!r}."
