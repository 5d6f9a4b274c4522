"""Finds the messages in a batch file (FHS/BHS … BTS/FTS) or a row of plain messages, and checks the counts."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.fhir.issues import Issue
from gateway.formats import charset
from gateway.formats.hl7v2_syntax import Delimiters, NotHl7, component, read_delimiters

_NAME = re.compile(rb"MSH|FHS|BHS|BTS|FTS")
_BREAKS = b"\r\n\x0b\x1c"
_BLANK = b" \t\x00\xef\xbb\xbf"
_BETWEEN = b"\r\n\x0b\x1c\x00 \t"
_GLUED = b"|^~\\&"
_LINE_END = re.compile(rb"[\r\n\x1c]")
_LOOK_BACK = 16


@dataclass(frozen=True, slots=True)
class Batch:
    """The messages of received bytes as (offset, length), and what the batch says of itself.

    `kind`: `file` (FHS), `batch` (BHS), `messages` (several without a header), `single`, or `empty`. `header` is the
    first FHS or BHS, raw (index = HL7 field number), () without one. `expected` is the sum of BTS-1 and
    `expected_batches` FTS-1, None when not sent.
    """

    kind: str
    messages: tuple[tuple[int, int], ...]
    header: tuple[str, ...] = ()
    delimiters: Delimiters = field(default_factory=Delimiters)
    batches: int = 0
    expected: int | None = None
    expected_batches: int | None = None
    issues: list[Issue] = field(default_factory=list)

    def value(self, number: int) -> str:
        """Return the first component of a header field, '' when absent."""
        raw = self.header[number] if number < len(self.header) else ""
        return self.delimiters.unescape(component(raw, 1, self.delimiters))


def split(raw: bytes) -> Batch:
    """Return where the messages are; nothing is copied. Wrong counts and stray text are issues, never errors."""
    return _Reader(raw).read()


def answer(batch: Batch, acks: Sequence[bytes], *, ack_id: str, time: str, comment: str = "") -> bytes:
    """Return the answers to a batch as one batch: BHS with sender and receiver swapped, the ACKs, BTS with their count.

    `time` is an HL7 timestamp; a FHS file is answered by FHS/FTS around it (HL7 v2.5.1 chapter 2.10.3).
    """
    delimiters = batch.delimiters
    sides = [batch.header[n] if n < len(batch.header) else "" for n in (5, 6, 3, 4)]
    reference = batch.header[11] if len(batch.header) > 11 else ""
    cells = [delimiters.msh2, *sides, time, "", "", delimiters.escape_text(comment), ack_id, reference]
    parts = [_line("BHS", cells, delimiters), *acks, _line("BTS", [str(len(acks))], delimiters)]
    if batch.kind == "file":
        parts = [_line("FHS", cells, delimiters), *parts, _line("FTS", ["1"], delimiters)]
    return b"".join(parts)


def _line(name: str, cells: list[str], delimiters: Delimiters) -> bytes:
    text = delimiters.field.join((name, *cells)).rstrip(delimiters.field)
    return text.encode("utf-8", "surrogateescape") + b"\r"


class _Reader:
    """Walks over the segment names that divide a batch."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.messages: list[tuple[int, int]] = []
        self.issues: list[Issue] = []
        self.header: list[str] = []
        self.delimiters = Delimiters()
        self.kind = ""
        self.batches = 0
        self.expected: int | None = None
        self.expected_batches: int | None = None
        self.in_batch = 0
        self.open_batch = False

    def read(self) -> Batch:
        edges = list(_edges(self.raw))
        self._stray(0, edges[0][0] if edges else len(self.raw))
        for index, (at, name) in enumerate(edges):
            end = edges[index + 1][0] if index + 1 < len(edges) else len(self.raw)
            if name == b"MSH":
                self._message(at, end)
            else:
                self._divider(at, end, name)
        self._unfinished()
        kind = self.kind or {0: "empty", 1: "single"}.get(len(self.messages), "messages")
        return Batch(
            kind,
            tuple(self.messages),
            tuple(self.header),
            self.delimiters,
            self.batches,
            self.expected,
            self.expected_batches,
            self.issues,
        )

    def _message(self, at: int, end: int) -> None:
        while end > at and self.raw[end - 1] in _BETWEEN:
            end -= 1
        self.messages.append((at, end - at))
        self.in_batch += 1

    def _divider(self, at: int, end: int, name: bytes) -> None:
        stop = _LINE_END.search(self.raw, at, end)
        line_end = stop.start() if stop else end
        self._stray(line_end, end)
        cells = self._cells(self.raw[at:line_end])
        if name == b"FHS":
            self._begin("file", cells)
        elif name == b"BHS":
            self._begin(self.kind or "batch", cells)
            self.batches += 1
            self.in_batch, self.open_batch = 0, True
        elif name == b"BTS":
            self._end_batch(cells)
        else:
            self._end_file(cells)

    def _begin(self, kind: str, cells: list[str]) -> None:
        self.kind = kind
        if not self.header:
            self.header = [cells[0], self.delimiters.field, *cells[1:]]

    def _end_batch(self, cells: list[str]) -> None:
        self.open_batch = False
        count = _number(cells)
        if count is None:
            return
        self.expected = (self.expected or 0) + count
        if count != self.in_batch:
            self._issue(
                f"BTS-1 says {count} messages, but {self.in_batch} came in this batch.", f"BTS[{self.batches}]-1"
            )

    def _end_file(self, cells: list[str]) -> None:
        self.expected_batches = _number(cells)
        if self.expected_batches not in (None, self.batches):
            self._issue(f"FTS-1 says {self.expected_batches} batches, but {self.batches} came.", "FTS[1]-1")

    def _unfinished(self) -> None:
        if self.open_batch:
            self._issue("The batch ends without BTS: it may have been cut off on its way.", f"BHS[{self.batches}]")

    def _cells(self, line: bytes) -> list[str]:
        try:
            text = charset.decode(line).text
        except charset.Undecodable:
            text = line.decode("ascii", "surrogateescape")
        if line[:3] in (b"FHS", b"BHS") and not self.header:
            try:
                self.delimiters, _odd = read_delimiters(text[:12])
            except NotHl7 as fault:
                self._issue(fault.text, f"{text[:3]}[1]-1")
        return text.split(self.delimiters.field)

    def _stray(self, start: int, end: int) -> None:
        text = self.raw[start:end].strip(_BETWEEN + _BLANK)
        if text:
            self._issue(f"{len(text)} bytes at offset {start} belong to no message: {text[:20]!r}.", f"byte {start}")

    def _issue(self, text: str, where: str) -> None:
        self.issues.append(Issue("warning", "structure", text, where))


def _edges(raw: bytes) -> Iterator[tuple[int, bytes]]:
    for match in _NAME.finditer(raw):
        at = match.start()
        after = raw[at + 3 : at + 3 + len(_GLUED)]
        glued = match.group() == b"MSH" and after == _GLUED
        if glued or (_begins_line(raw, at) and _separator(after[:1])):
            yield at, match.group()


def _begins_line(raw: bytes, at: int) -> bool:
    before = raw[max(0, at - _LOOK_BACK) : at].rstrip(_BLANK)
    return before[-1:] in (b"\r", b"\n", b"\x0b", b"\x1c") if before else at <= _LOOK_BACK


def _separator(byte: bytes) -> bool:
    return byte in (b"", b"\r", b"\n") or (byte.isascii() and not byte.isalnum() and byte not in b" \t_")


def _number(cells: list[str]) -> int | None:
    text = cells[1].strip() if len(cells) > 1 else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
