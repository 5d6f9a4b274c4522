"""Naming: which resource each edit of a request means, by its id or its condition (R4 http.html#ccreate, #cupdate)."""

from collections.abc import Iterable, Sequence

from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError
from gateway.record import conditional
from gateway.record.incoming import Incoming
from gateway.record.revision import Revision
from gateway.record.standing import permit, placed
from gateway.store.engine import WriteTx
from gateway.store.failures import Conflict
from gateway.store.resources import visible
from gateway.store.values import Head


class Naming:
    """The creates, updates and patches of one request on their transaction."""

    def __init__(self, tx: WriteTx, actor: Actor) -> None:
        self._tx = tx
        self._actor = actor
        self._asked: dict[str, Revision] = {}

    def hold(self, entries: Iterable[Incoming]) -> None:
        """Wait for other requests with the same conditions, so that of many equal ones the first one creates."""
        keys = {entry.condition.key for entry in entries if entry.condition and entry.edit.action != "delete"}
        self._tx.hold_claims(conditional.SCOPE, keys)

    def revisions(self, entries: Sequence[Incoming]) -> list[Revision]:
        """Return what each edit is to become, with what stands now; raises GatewayError where one may not be made."""
        found = []
        for entry in entries:
            with placed(entry):
                found.append(self._revision(entry))
        heads = self._tx.lock_heads({one.name for one in found if one.fid != one.entry.fresh})
        for one in found:
            one.head = heads.get(one.name)
            with placed(one.entry):
                self._permit(one)
        return found

    def claim(self) -> None:
        """Let the claims of conditions name the resources they found or made."""
        made = {key: one.pid for key, one in self._asked.items()}
        self._tx.set_claims(conditional.SCOPE, made)

    def _revision(self, entry: Incoming) -> Revision:
        if entry.condition is None:
            return Revision(entry, entry.edit.fid or entry.fresh)
        return _CONDITIONAL[entry.edit.action](self, entry, entry.condition)

    def _create(self, entry: Incoming, asked: conditional.Condition) -> Revision:
        """Of several equal conditions in one request the first creates, the others find what it made."""
        twin = self._asked.get(asked.key)
        if twin is not None:
            return Revision(entry, twin.fid, writes=False)
        fid = self._match(asked)
        made = Revision(entry, fid or entry.fresh, matched=bool(fid), writes=not fid)
        return self._asked.setdefault(asked.key, made)

    def _update(self, entry: Incoming, asked: conditional.Condition) -> Revision:
        if asked.key in self._asked:
            raise GatewayError(f"the condition {asked.words} stands in two entries of the transaction")
        fid, said = self._match(asked), str(entry.body.get("id", ""))
        if fid and said not in ("", fid):
            text = (
                f"the condition matches {entry.edit.kind}/{fid}, the body's id is {said}; leave it out, or send {fid}"
            )
            raise GatewayError(text, where=f"{entry.edit.kind}.id")
        made = Revision(entry, fid or said or entry.fresh, matched=bool(fid))
        return self._asked.setdefault(asked.key, made)

    def _patch(self, entry: Incoming, asked: conditional.Condition) -> Revision:
        fid = self._match(asked)
        if not fid:
            raise GatewayError(
                f"the condition {asked.words} matches nothing that you may see", category=Category.NOT_FOUND
            )
        return Revision(entry, fid, matched=True)

    def _match(self, asked: conditional.Condition) -> str:
        """Return the id of the one match, empty where there is none; raises GatewayError (412) for several."""
        fids = conditional.matches(self._tx, asked, self._actor.scope)
        if len(fids) > 1:
            raise conditional.several(asked)
        return fids[0] if fids else ""

    def _permit(self, one: Revision) -> None:
        if one.matched and not _stands(one.head, self._actor):
            raise Conflict("What the condition matched was changed meanwhile. Search again.")
        if not one.writes:
            return
        if one.entry.condition and not one.matched and _stands(one.head, self._actor):
            text = f"{one.kind}/{one.fid} exists and does not match the condition; leave the id out to create another"
            raise GatewayError(text, category=Category.CONFLICT)
        permit(self._tx, self._actor, one.entry.edit, one.fid, one.head)


def _stands(head: Head | None, actor: Actor) -> bool:
    return head is not None and not head.deleted and visible(head, actor.scope)


_CONDITIONAL = {"create": Naming._create, "update": Naming._update, "patch": Naming._patch}
