"""The audit trail of answers: a row for every patient seen, committed before the answer leaves (decision 14)."""

import json
from collections.abc import Iterable, Sequence

from gateway import clock
from gateway.access.actor import Actor
from gateway.store.engine import Store
from gateway.store.values import AuditRow, Stored


def note(
    store: Store,
    actor: Actor,
    action: str,
    kind: str = "",
    fid: str = "",
    patients: Iterable[int | None] = (),
    *,
    outcome: str = "success",
    asked: Sequence[str] = (),
) -> None:
    """Commit a row for every patient (pid) seen, one without a patient where there is none.

    `asked` names the parameters of the request. Raises Transient where the trail cannot be written.
    """
    named = list(dict.fromkeys(str(patient) for patient in patients if patient))
    detail = json.dumps({"parameters": list(asked)}) if asked else "{}"
    store.audit.record(
        [
            AuditRow(clock.now_us(), actor.name, action, outcome, kind, fid, patient, actor.purpose, detail)
            for patient in (named or [""])
        ]
    )


def patients(versions: Iterable[Stored]) -> list[int | None]:
    """Return whom versions are about."""
    return [version.patient_pid for version in versions]
