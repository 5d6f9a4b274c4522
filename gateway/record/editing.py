"""The one door for writes of clients: all edits of a request or none, safe against every other writer."""

import json
from collections.abc import Sequence

from gateway import clock
from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError, Transient
from gateway.record import conditional, transaction
from gateway.record.ahead import ahead
from gateway.record.attempt import Attempt
from gateway.record.conditional import Condition
from gateway.record.edits import Check, Done, Edit, Rules
from gateway.record.incoming import Incoming, incoming, located
from gateway.record.standing import placed
from gateway.store.engine import Store
from gateway.store.failures import Conflict
from gateway.store.values import AuditRow, Stored

__all__ = ["Check", "Done", "Edit", "Editor", "Rules"]

_TRIES = 60
_PAUSE_S = 0.001
_LONGEST_PAUSE = 16


class Editor:
    """Creates, updates, patches and deletes for one store; `zone` is where dates without an offset stand."""

    def __init__(self, store: Store, zone: str, check: Check, rules: Rules | None = None) -> None:
        self._store = store
        self._zone = zone
        self._check = check
        self._rules = rules or Rules()

    def apply(self, actor: Actor, edits: Sequence[Edit]) -> list[Done]:
        """Apply edits in one transaction, all or none; return what became of each, in their order.

        Raises GatewayError: invalid (400) for what cannot be read, Invalid (422) for content R4 or a profile refuses,
        not found, gone, conflict (409: another site's feed owns the resource) and precondition (412: If-Match, or a
        condition with several matches). Of several edits it says which one (`where`). Every version an edit made or
        found stands in the audit trail when this returns.
        """
        if not actor.site:
            raise GatewayError("who belongs to no site may not write", category=Category.REFUSED)
        read = [self._incoming(edit, number, len(edits)) for number, edit in enumerate(edits)]
        entries = ahead(read, self._zone, self._check)
        try:
            self._preview(actor, entries)
            done, touched = self._tried(actor, entries)
        except GatewayError as fault:
            self._store.audit.record([_failed(actor, entries, fault)])
            raise
        detail = _detail(entries)
        self._store.audit.record([_row(actor, action, stored, detail) for action, stored in touched])
        return done

    def _incoming(self, edit: Edit, number: int, count: int) -> Incoming:
        place = edit.place or (f"Bundle.entry[{number}]" if count > 1 else "")
        try:
            return incoming(edit, number, place, self._zone, self._check, self._rules)
        except GatewayError as fault:
            located(fault, place)
            raise

    def _preview(self, actor: Actor, entries: Sequence[Incoming]) -> None:
        """Ask every condition once beside the writers: one that takes too long is refused before it holds them up."""
        asked = {entry.number: self._conditions(entry) for entry in entries}
        if not any(asked.values()):
            return
        with self._store.read(self._rules.search_seconds) as tx:
            for entry in entries:
                with placed(entry):
                    for condition in asked[entry.number]:
                        conditional.matches(tx, condition, actor.scope)

    def _conditions(self, entry: Incoming) -> list[Condition]:
        """Return the condition of an entry and those of its references."""
        with placed(entry):
            found = (transaction.condition(text) for text in entry.questions)
            asked = [conditional.of_reference(*parts, self._zone) for parts in found if parts]
            return [entry.condition, *asked] if entry.condition else asked

    def _tried(self, actor: Actor, entries: Sequence[Incoming]) -> tuple[list[Done], list[tuple[str, Stored]]]:
        """Attempt the edits until no other writer comes between, pausing a little longer each time."""
        for attempt in range(_TRIES):
            try:
                with self._store.write() as tx:
                    tx.moment(clock.now_us())
                    work = Attempt(tx, actor, self._zone, self._check, self._rules)
                    done = work.run(entries)
            except Conflict:
                clock.sleep(_PAUSE_S * min(attempt, _LONGEST_PAUSE) * (1 + clock.token(1)[0] / 256))
            else:
                return done, work.touched
        raise Transient("other writers were first again and again; nothing was changed. Retry.")


def _row(actor: Actor, action: str, stored: Stored, detail: str) -> AuditRow:
    who, patient = actor.name, str(stored.patient_pid or "")
    return AuditRow(clock.now_us(), who, action, "success", stored.type, stored.fid, patient, actor.purpose, detail)


def _failed(actor: Actor, entries: Sequence[Incoming], fault: GatewayError) -> AuditRow:
    """Return the row of a request that was refused: what was refused says something of the record, too."""
    edit = next((entry.edit for entry in entries if entry.place and entry.place == fault.where), entries[0].edit)
    detail = _detail(entries)
    outcome = fault.category.value
    return AuditRow(clock.now_us(), actor.name, edit.action, outcome, edit.kind, edit.fid, "", actor.purpose, detail)


def _detail(entries: Sequence[Incoming]) -> str:
    """Return what the trail keeps of how a resource was named: the parameters' names, never their values."""
    asked = dict.fromkeys(name for entry in entries for name, _ in entry.edit.criteria or ())
    return json.dumps({"parameters": list(asked)}) if asked else "{}"
