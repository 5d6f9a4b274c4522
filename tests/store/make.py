"""Short ways to make the store's values in tests."""

import hashlib
from typing import Any

from gateway.search.scope import Scope
from gateway.store.values import NewArrival, NewVersion, Op, State, WorkRow, item_id

ALL = Scope.everything()


def arrival(body: bytes | str, **given: Any) -> NewArrival:
    """Return an arrival of the feed `county-his`."""
    raw = body.encode() if isinstance(body, str) else body
    values = {"feed": "county-his", "site": "county", "control_id": "M1"} | given
    return NewArrival(body=raw, digest=hashlib.sha256(raw).digest(), **values)


def version(pid: int, fid: str, ver: int = 1, **given: Any) -> NewVersion:
    """Return a version of a Patient of the site `county`."""
    op = Op.CREATE if ver == 1 else Op.UPDATE
    body = f'{{"resourceType":"Patient","id":"{fid}","meta":{{"versionId":"{ver}"}}}}'.encode()
    values: dict[str, Any] = {"type": "Patient", "op": op, "body": body, "digest": bytes([ver]) * 16}
    values |= {"site": "county", "updated_us": 1_000_000 + ver} | given
    return NewVersion(pid=pid, ver=ver, fid=fid, **values)


def work(arrival_number: int, state: State = State.QUEUED, **given: Any) -> WorkRow:
    """Return the first item of an arrival of the feed `county-his`."""
    values = {"feed": "county-his", "site": "county", "lane": 7, "patient_key": "p1"} | given
    return WorkRow(item_id=item_id(arrival_number, 0), state=state, received_us=1_000_000 + arrival_number, **values)


def create(store: Any, *fids: str, **given: Any) -> list[int]:
    """Create Patients in one transaction and return their pids."""
    with store.write() as tx:
        pids = list(tx.allocate(len(fids)))
        tx.put([version(pid, fid, **given) for pid, fid in zip(pids, fids, strict=True)])
    return pids
