"""What a named function gets when a rule that uses it is compiled, and the types of what it returns."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.mapping.cell import Convert, Note, Proto
from gateway.mapping.draft import Draft
from gateway.mapping.environment import CodeMap, Environment


@dataclass(frozen=True, slots=True)
class Making:
    """The circumstances of one rule: the feed's names, the rule's arguments, its code map and its field."""

    env: Environment
    row: str
    args: dict[str, Any] = field(default_factory=dict)
    codes: CodeMap | None = None

    @property
    def table(self) -> str:
        """Return the name of the local code table of this rule: given, or its field."""
        return str(self.args.get("table", self.row))


class Running(Protocol):
    """What a step may ask of the message being mapped."""

    fields: list[str]
    peers: dict[str, list[str]]
    draft: Draft

    def note(self, number: int, notes: tuple[Note, ...]) -> None:
        """Report findings about a field of the current segment."""
        ...

    def wrote(self, path: str, rule: str, source: str) -> None:
        """Record that a rule wrote an element (only while tracing)."""
        ...

    def refer(self, proto: Proto) -> dict[str, Any]:
        """Return a Reference to the resource this field tells of, made once per message."""
        ...


Body = dict[str, Any]
Step = Callable[[Running, Body, str], None]
ConvertMaker = Callable[[Making], Convert]
StepMaker = Callable[[Making], Step]
