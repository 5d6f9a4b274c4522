"""Runs one record through its plan, with places as lines and columns, and every cell counted once."""

from gateway.formats.hl7v2 import Message, Segment
from gateway.mapping.draft import Left, Mapped, Trace
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
_NO_MAP = "the maps that read this column did not apply to this row"
_VALUE = 2
_EVERY = (-1,)
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
        self._read: set[int] = set()
        self._open_row: tuple[int, list[str], list[int], list[SegmentProgram]] | None = None

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
            self._close_row()
            self._read = set(self._union([*self._of_record, *ran]))
            self._open_row = self._row, self.fields, populated, ran
        else:
            self._account_item(ran)

    def close(self) -> Mapped:
        """Count the last row, complete the resources, and return what the record became."""
        self._close_row()
        return super().close()

    def _close_row(self) -> None:
        """Count the cells of a row once its items have been read, which read some of them too."""
        if self._open_row is None:
            return
        row, fields, populated, ran = self._open_row
        skipped, named = self._layout.item_numbers, self._layout.named
        if self._clears or skipped:
            populated = [number for number in populated if fields[number] != NULL and number not in skipped]
        self.result.populated += len(populated)
        for number in populated:
            if number not in self._read and number not in named:
                self._leave(row, number, _NO_MAP if number in self._plan_reads() else _NO_RULE)
        if row:
            self._compare(row, fields, populated, self._union(ran))

    def _compare(self, row: int, fields: list[str], populated: list[int], own: frozenset[int]) -> None:
        """Report cells that only the record reads, and of which a later row says something else."""
        for number in populated:
            if number in self._read and number not in own and fields[number] != self._first[number]:
                self._leave(row, number, _DIFFERS)

    def _account_item(self, ran: list[SegmentProgram]) -> None:
        self.result.populated += 1
        for compiled in ran:
            self._read.update(source.field for source, _ in compiled.outside if source.name == ROW)
        if self._item not in self._read and not any(_VALUE in compiled.handled for compiled in ran):
            self._leave(self._row, self._item, _NO_MAP if self._plan.actions.get(ITEM) else _NO_RULE)

    def _plan_reads(self) -> frozenset[int]:
        """Return the columns that some map of the table reads, whether or not it applied to this record."""
        known = self._plan.unions.get(_EVERY)
        if known is None:
            actions = self._plan.actions
            programs = [action.program for name in (RECORD, ROW) for action in actions.get(name, ())]
            outside = [one.source for action in actions.get(ITEM, ()) for one in action.program.outside]
            known = frozenset().union(*(each.handled for each in programs), (at.field for at in outside))
            self._plan.unions[_EVERY] = known
        return known

    def _leave(self, row: int, number: int, reason: str) -> None:
        self._unread += 1
        why = self._layout.kept.get(number, "")
        where = self._layout.where(self._lines[row], number)
        self.result.left.append(Left(where, why or reason, kept=bool(why)))
