"""Refolding: tell resources anew from every message that ever spoke of them, in source order (decision 7)."""

from typing import Any

from gateway.fhir import resource
from gateway.record.fold import Body
from gateway.record.joining import OWNED
from gateway.record.states import Plan, Planned, State, Told
from gateway.record.workbench import Workbench
from gateway.store.engine import ReadTx


class Refolding(Workbench):
    """A workbench on which the resources named start empty; each gets one new version at most.

    Who is who was decided, and perhaps undone, since: merges and unlinks are not told again.
    """

    decides = False

    def __init__(self, reader: ReadTx, secret: bytes, zone: str, anew: set[tuple[str, str]]) -> None:
        super().__init__(reader, secret, zone)
        self._anew = anew
        self._stored: dict[tuple[str, str], bytes] = {}
        self._told: dict[tuple[str, str], Planned] = {}

    def prefetch(self, told: list[Told]) -> None:
        """Fetch as ever, then forget what the resources to be told anew looked like."""
        super().prefetch(told)
        names = self._anew & set(self._states)
        self._first_owners([self._states[name] for name in names if self._states[name].patient_pid])
        for name in names:
            state = self._states[name]
            self._stored[name] = state.digest
            state.body, state.digest, state.source_us = None, b"", 0

    def stays(self, state: State) -> bool:
        """Say whether a resource is known: whose it is was decided when it was told first."""
        return state.ver > 0

    def _first_owners(self, states: list[State]) -> None:
        """Give resources back to whom they were filed with at first; a move (A44) is told again as well."""
        texts = self._reader.bodies([(state.pid, 1) for state in states])
        fids = {state.pid: _owner(resource.loads(texts[state.pid, 1])) for state in states if (state.pid, 1) in texts}
        self._find_heads([("Patient", fid) for fid in fids.values() if fid])
        for state in states:
            state.patient = self._states.get(("Patient", fids.get(state.pid, ""))) or self.owner(state)

    def body(self, state: State) -> Body | None:
        """Return what has been told so far; nothing for a resource not yet told anew."""
        name = (state.type, state.fid)
        return state.body if name in self._anew else super().body(state)

    def adopt(self, plan: Plan) -> None:
        """Remember the last telling of each resource without moving its version on."""
        for planned in plan.versions:
            name = (planned.state.type, planned.state.fid)
            planned.state.body, planned.state.digest = planned.body, planned.digest
            planned.state.source_us = planned.source_us
            self._states[name] = planned.state
            self._told[name] = planned
        for space, key, state, _ in plan.aliases:
            self._aliases[(space, key)] = state

    def changed(self) -> list[Planned]:
        """Return the resources whose telling differs from what is stored."""
        return [planned for name, planned in self._told.items() if planned.digest != self._stored.get(name)]

    def untold(self) -> list[str]:
        """Return the resources no message tells of any more; they stay as they are, for a person to look at."""
        return sorted("/".join(name) for name in self._anew - set(self._told))


def _owner(body: Body) -> str:
    """Return the id of the patient a resource is about, as it says itself; empty where it does not."""
    told: Any = next((body[name] for name in OWNED if name in body), {})
    first: Body = told[0] if isinstance(told, list) else told
    kind, _, fid = str(first.get("reference", "")).partition("/")
    return fid if kind == "Patient" else ""
