"""Runs one record through its plan, with places as lines and columns, and every cell counted once."""

from gateway.formats.hl7v2 import Message, Segment
from gateway.mapping.draft import Left, Trace
from gateway.mapping.engine import Lefts, Run
from gateway.mapping.environment import Environment
from gateway.mapping.finish import Instance
from gateway.mapping.plan import Action, MessagePlan
from gateway.mapping.program import SegmentProgram
from gateway.mapping.tables.cells import NULL
from gateway.mapping.tables.records import TableMessage, TableSegment
from gateway.mapping.tables.rules import ITEM, RECORD, ROW

_NO_RULE = "no rule reads this column"
_DIFFERS = "only the first row of a record counts here, and this row says something else"
_VALUE = 2
_COLUMN = 5


class TableRun(Run):
    """The mapping of one record."""

    def __init__(self, message: TableMessage, plan: MessagePlan, env: Environment, lefts: Lefts) -> None:
        super().__init__(message, plan, env, lefts)
        self._layout = message.layout
        self._lines = message.lines
        self._clears = message.nulls
        self._row = 0
        self._item = 0
        self._of_record: list[SegmentProgram] = []
        self._first: list[str] = []
        self._read: frozenset[int] = frozenset()

    def _head(self, message: Message, plan: MessagePlan) -> tuple[dict[str, list[str]], str]:
        """Return no header, and the source time that was read with the record."""
        assert isinstance(message, TableMessage)
        return {}, message.record.time

    def segment(self, segment: Segment) -> None:
        """Read the record, a row or an item into the resources it belongs to."""
        assert isinstance(segment, TableSegment)
        self._row = segment.row
        name = segment.name
        self._item = int(segment.fields[_COLUMN]) if name == ITEM else 0
        if name in self._plan.actions:
            super().segment(segment)
            return
        self.fields = self.peers[name] = segment.fields
        self._account(name, segment.populated, [], [])

    def _split(self, segment: Segment) -> tuple[list[str], list[int], bool]:
        assert isinstance(segment, TableSegment)
        return segment.fields, segment.populated, self._clears and segment.name != ITEM

    def _work(self, name: str, quiet: list[SegmentProgram]) -> list[tuple[Action, Instance]]:
        work = super()._work(name, quiet)
        if name == ITEM:
            for _, instance in work:
                instance.seen[ROW] = self.peers[ROW]
        return work

    def _place(self, name: str, ordinal: int, number: int = 0) -> str:
        column = self._item if name == ITEM else number
        return self._layout.where(self._lines[self._row], column)

    def wrote(self, path: str, rule: str, source: str) -> None:
        """Record that a rule wrote an element."""
        name, _, rest = source.partition("-")
        field, _, part = rest.partition(".")
        where = self._place(name, 0, int(field or 0)) + (f".{part}" if part else "")
        self.result.trace.append(Trace(self.draft.name, path, rule, where))

    def _account(self, name: str, populated: list[int], ran: list[SegmentProgram], quiet: list[SegmentProgram]) -> None:
        """Count cells once: those of the record with its first row, those of items with their items."""
        if name == RECORD:
            self._of_record = ran
            self._first = self.fields
        elif name == ROW:
            self._account_row(populated, ran)
        else:
            self._account_item(ran)

    def _account_row(self, populated: list[int], ran: list[SegmentProgram]) -> None:
        fields, skipped = self.fields, self._layout.item_numbers
        self._read = self._union([*self._of_record, *ran])
        if self._clears or skipped:
            populated = [number for number in populated if fields[number] != NULL and number not in skipped]
        self.result.populated += len(populated)
        for number in populated:
            if number not in self._read:
                self._leave(number, _NO_RULE)
        if self._row:
            self._compare(populated, ran)

    def _compare(self, populated: list[int], ran: list[SegmentProgram]) -> None:
        """Report cells that only the record reads, and of which a later row says something else."""
        own, first = self._union(ran), self._first
        for number in populated:
            if number in self._read and number not in own and self.fields[number] != first[number]:
                self._leave(number, _DIFFERS)

    def _account_item(self, ran: list[SegmentProgram]) -> None:
        self.result.populated += 1
        if self._item not in self._read and not any(_VALUE in compiled.handled for compiled in ran):
            self._leave(self._item, _NO_RULE)

    def _leave(self, number: int, reason: str) -> None:
        self._unread += 1
        why = self._layout.kept.get(number, "")
        where = self._layout.where(self._lines[self._row], number)
        self.result.left.append(Left(where, why or reason, kept=bool(why)))
