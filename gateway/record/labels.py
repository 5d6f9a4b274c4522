"""Profiles, tags and security labels as they are in use: of a type, or of everything an actor may see."""

import json
from typing import Any

from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError
from gateway.fhir import resource
from gateway.record import trail
from gateway.search import parameters
from gateway.store import labels
from gateway.store.engine import Store
from gateway.store.hits import current, present_types, sight_of

MOST = 10_000
"""Labels of a type that are told; nobody's list of tags is longer."""

_LISTS = ("profile", "security", "tag")
Meta = dict[str, Any]


class Labels:
    """The door to the labels of one store; a question that takes longer than `seconds` is given up."""

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._seconds = seconds

    def in_use(self, actor: Actor, kind: str) -> Meta:
        """Return profile, security and tag as one Meta; raises GatewayError (not found) for a type R4 does not have."""
        if kind and kind not in parameters.types():
            text = f"{kind[:64]} is not a resource type of FHIR R4; names begin with a capital, as in Patient"
            raise GatewayError(text, category=Category.NOT_FOUND)
        with self._store.read(self._seconds) as tx:
            sight = sight_of(tx, actor.scope)
            kinds = [kind] if kind else sorted(present_types(tx))
            pids = labels.bearers(tx, kinds, sight, MOST) if sight else []
            hits = current(tx, pids, sight) if sight else {}
        metas = [resource.loads(hit.body, strict=False).get("meta", {}) for hit in hits.values()]
        trail.note(self._store, actor, "meta", kind)
        return merged(metas)


def merged(metas: list[Meta]) -> Meta:
    """Return each profile, security label and tag of several metas once, in the order of their texts."""
    found: Meta = {}
    for name in _LISTS:
        each = {json.dumps(label, sort_keys=True): label for meta in metas for label in meta.get(name, ())}
        if each:
            found[name] = [each[key] for key in sorted(each)]
    return found
