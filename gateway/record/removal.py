"""Deletes: a resource gets a version without a text, its search rows and claims go, its history stays (R4 #delete)."""

from collections.abc import Sequence

from gateway.access.actor import Actor
from gateway.record import conditional
from gateway.record.edits import Done
from gateway.record.incoming import Incoming
from gateway.record.revision import as_stored, deletion
from gateway.record.standing import permit
from gateway.store import index
from gateway.store.engine import WriteTx
from gateway.store.failures import Conflict
from gateway.store.resources import visible
from gateway.store.values import Head, Stored


def remove(tx: WriteTx, actor: Actor, entry: Incoming, most: int) -> tuple[Done, Sequence[Stored]]:
    """Delete what an edit names, of a condition up to `most` matches; return what became of it and every deletion.

    Raises GatewayError: precondition (412) for more matches or another version, conflict (409) for a feed's resource.
    """
    edit = entry.edit
    heads = _matched(tx, actor, entry.condition, most) if entry.condition else _named(tx, actor, edit.kind, edit.fid)
    standing = [head for head in heads if not head.deleted]
    for head in standing:
        permit(tx, actor, edit, head.fid, head)
    if not standing:
        permit(tx, actor, edit, edit.fid, None)
        gone = tx.current([head.pid for head in heads])
        return Done(edit, next(iter(gone.values()), None), created=False, changed=False), ()
    made = _deleted(tx, actor, standing)
    return Done(edit, made[-1], created=False, changed=True), made


def _named(tx: WriteTx, actor: Actor, kind: str, fid: str) -> list[Head]:
    """Return what stands under an id; what the actor may not see is not there for it."""
    head = tx.lock_heads([(kind, fid)]).get((kind, fid))
    return [head] if head is not None and visible(head, actor.scope) else []


def _matched(tx: WriteTx, actor: Actor, asked: conditional.Condition, most: int) -> list[Head]:
    fids = conditional.matches(tx, asked, actor.scope)
    if len(fids) > most:
        raise conditional.several(asked, at_least=most + 1)
    found = tx.lock_heads([(asked.search.type, fid) for fid in fids])
    heads = [found[asked.search.type, fid] for fid in fids]
    if any(head.deleted or not visible(head, actor.scope) for head in heads):
        raise Conflict("What the condition matched was changed meanwhile. Search again.")
    return heads


def _deleted(tx: WriteTx, actor: Actor, heads: Sequence[Head]) -> list[Stored]:
    moment_us = tx.moment(0)
    versions = [deletion(head, actor, moment_us) for head in heads]
    seqs = tx.put(versions)
    pids = [head.pid for head in heads]
    index.remove(tx, pids)
    tx.release_claims(pids, besides=conditional.SCOPE)  # those only make equal conditions wait for each other
    return [as_stored(version, seq) for version, seq in zip(versions, seqs, strict=True)]
