"""The one door for writes of clients: all edits of a request or none, safe against every other writer."""

from collections.abc import Sequence

from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError
from gateway.record.edits import Check, Done, Edit, Rules
from gateway.store.engine import Store

__all__ = ["Check", "Done", "Edit", "Editor", "Rules"]


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
        condition with several matches). Of several edits it says which one (`where`).
        """
        raise GatewayError("writes are being built", category=Category.UNSUPPORTED)
