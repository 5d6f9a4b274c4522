"""Refolding: tell resources anew from every message that ever spoke of them, in source order (decision 7)."""

from dataclasses import replace

from gateway.mapping.draft import Move
from gateway.record.fold import Body
from gateway.record.states import Plan, Planned, State, Told
from gateway.record.workbench import Workbench
from gateway.store.engine import ReadTx


class Refolding(Workbench):
    """A workbench on which the resources named start empty; each gets one new version at most."""

    def __init__(self, reader: ReadTx, secret: bytes, zone: str, anew: set[tuple[str, str]]) -> None:
        super().__init__(reader, secret, zone)
        self._anew = anew
        self._stored: dict[tuple[str, str], bytes] = {}
        self._told: dict[tuple[str, str], Planned] = {}

    def prefetch(self, told: list[Told]) -> None:
        """Fetch as ever, then forget what the resources to be told anew looked like."""
        super().prefetch(told)
        for name in self._anew & set(self._states):
            state = self._states[name]
            self._stored[name] = state.digest
            state.body, state.digest, state.source_us, state.patient = None, b"", 0, None
            state.patient_pid = 0

    def plan(self, told: Told) -> Plan:
        """Tell again what a message says, but not who is who: that was decided, and perhaps undone, since."""
        mapped = replace(told.mapped, merges=[], said=[one for one in told.mapped.said if isinstance(one, Move)])
        return super().plan(replace(told, mapped=mapped))

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
