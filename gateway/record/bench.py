"""What the planning of a message asks of the workbench of its batch."""

from typing import Protocol

from gateway.mapping.draft import Key
from gateway.record.fold import Body
from gateway.record.states import NewLink, State
from gateway.store.values import AliasKey


class Bench(Protocol):
    """What the planning of a message asks the workbench of its batch."""

    decides: bool
    """Whether merges and unlinks take effect; not where they were told before and are told again."""

    def known(self, space: str, key: AliasKey) -> State | None:
        """Return what a number names, if anything."""
        ...

    def look_up(self, space: str, key: AliasKey) -> None:
        """Ask the store for a number the prefetch could not foresee."""
        ...

    def state(self, resource_type: str, fid: str) -> State:
        """Return the state of a resource, new where the store has none."""
        ...

    def look_for(self, resource_type: str, fid: str) -> None:
        """Ask the store for a resource that no number led to."""
        ...

    def body(self, state: State) -> Body | None:
        """Return the current body without id and meta."""
        ...

    def mint(self, space: str, resource_type: str, key: Key) -> str:
        """Return a new id."""
        ...

    def micros(self, text: str) -> int:
        """Return a source time in microseconds, 0 where it has none."""
        ...

    def replaced(self, patient: State) -> NewLink | None:
        """Return the merge by which a record is replaced by another, if it is."""
        ...

    def owner(self, state: State) -> State | None:
        """Return the patient a resource is filed with, if any."""
        ...

    def stays(self, state: State) -> bool:
        """Say whether a resource stays with whom it is filed, whoever the message names now."""
        ...
