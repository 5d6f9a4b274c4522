"""What stands in the record where a client wants to write, and whether it may (decision 7: who may change what)."""

from collections.abc import Iterator
from contextlib import contextmanager

from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError
from gateway.record.edits import Edit
from gateway.record.incoming import Incoming, located
from gateway.store.engine import ReadTx
from gateway.store.failures import Conflict
from gateway.store.resources import visible
from gateway.store.values import Head


def permit(tx: ReadTx, actor: Actor, edit: Edit, fid: str, head: Head | None) -> None:
    """Raise GatewayError unless the actor may make this edit to what stands under an id.

    Not found or gone (patch), conflict (409: the id is another's, or another site's feed owns the resource),
    precondition (412: If-Match names another version).
    """
    name = f"{edit.kind}/{fid}"
    if head is not None and not visible(head, actor.scope):
        raise _hidden(edit, name)
    if edit.action == "patch" and (head is None or head.deleted):
        raise _missing(name, head)
    if edit.if_match is not None:
        _check_version(edit, name, head)
    if head is not None:
        _check_owner(tx, actor, head)
    if edit.kind == "Person" and head is None:
        _check_not_rendered(tx, actor, edit, fid)


@contextmanager
def placed(entry: Incoming) -> Iterator[None]:
    """Let a failure inside say in which entry of the request it stands; a lost race is no failure of an entry."""
    try:
        yield
    except Conflict:
        raise
    except GatewayError as fault:
        located(fault, entry.place)
        raise


def _hidden(edit: Edit, name: str) -> GatewayError:
    if edit.action == "patch":
        return GatewayError(f"there is no {name} that you may see", category=Category.NOT_FOUND)
    return GatewayError(f"the id of {name} cannot be used: choose another", category=Category.CONFLICT)


def _check_not_rendered(tx: ReadTx, actor: Actor, edit: Edit, fid: str) -> None:
    """Refuse a Person under the id of a Patient: there the person it belongs to is read (decision 8)."""
    other = tx.heads([("Patient", fid)]).get(("Patient", fid))
    if other is None:
        return
    if not visible(other, actor.scope):
        raise _hidden(edit, f"Person/{fid}")
    text = f"Person/{fid} is put together from Patient/{fid} and the records linked to it; choose another id"
    raise GatewayError(text, category=Category.CONFLICT)


def _missing(name: str, head: Head | None) -> GatewayError:
    if head is None:
        return GatewayError(f"there is no {name} that you may see", category=Category.NOT_FOUND)
    return GatewayError(f"{name} has been deleted", category=Category.GONE)


def _check_version(edit: Edit, name: str, head: Head | None) -> None:
    standing = 0 if head is None or head.deleted else head.ver
    if standing == edit.if_match:
        return
    if not edit.if_match:
        text = f"{name} exists already, at version {standing}, and was to be created only"
    elif not standing:
        text = f"If-Match names version {edit.if_match} of {name}, which does not exist"
    else:
        text = f"If-Match names version {edit.if_match} of {name}, which is now version {standing}; read it anew"
    raise GatewayError(text, category=Category.PRECONDITION)


def _check_owner(tx: ReadTx, actor: Actor, head: Head) -> None:
    """Refuse to change what another site's feed told: the feed would tell it again, and two truths would stand."""
    if head.site == actor.site:
        return
    item_id = head.item_id or tx.last_item(head.pid)
    if not item_id:
        return
    row = tx.work_rows([item_id]).get(item_id)
    feed = f"feed {row.feed} of site {head.site}" if row else f"a feed of site {head.site}"
    text = f"{head.type}/{head.fid} comes from {feed}: only that feed or a client of that site may change it"
    raise GatewayError(text, category=Category.CONFLICT)
