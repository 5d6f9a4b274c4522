"""Revisions: the resources of a request on their way into the record, and the versions they become."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gateway.access.actor import Actor
from gateway.fhir import resource, temporal
from gateway.record import content
from gateway.record.edits import Body, Edit
from gateway.record.incoming import Incoming, pointer_kept
from gateway.record.indexing import stored_rows
from gateway.record.states import content as digested
from gateway.search.extract import Rows
from gateway.store import index
from gateway.store.engine import WriteTx
from gateway.store.values import AliasKey, Head, NewVersion, Op, Stored, Target

Names = Mapping[tuple[str, str], int]

_NUMBERED = frozenset(
    {"Patient", "Practitioner", "Organization", "Location", "Device", "ServiceRequest", "Specimen", "Encounter"}
)
"""Types whose resources feeds know by an identifier alone."""

_NOBODYS = ("/unverified-resident-id", "/resident-id-15")
_OF_A_SITE = "/id/"


@dataclass(slots=True, eq=False)
class Revision:
    """One resource of a request: what a client wants it to become, and what stands."""

    entry: Incoming
    fid: str
    matched: bool = False
    """Whether a condition found it."""
    writes: bool = True
    """Whether it makes a version; not where it is found, or is what stands already."""
    head: Head | None = None
    stored: Body | None = None
    pid: int = 0
    made: Stored | None = None

    @property
    def edit(self) -> Edit:
        """Return what the client asks."""
        return self.entry.edit

    @property
    def body(self) -> Body:
        """Return what it is to say."""
        return self.entry.body

    @property
    def kind(self) -> str:
        """Return the resource type."""
        return self.entry.edit.kind

    @property
    def name(self) -> tuple[str, str]:
        """Return type and id."""
        return self.kind, self.fid

    @property
    def ver(self) -> int:
        """Return the number of the version it makes, or of the one that stands."""
        return (self.head.ver if self.head else 0) + self.writes

    @property
    def creates(self) -> bool:
        """Say whether there is no such resource now."""
        return self.head is None or self.head.deleted


class _Ready(NamedTuple):
    revision: Revision
    rows: Rows
    version: NewVersion


def write(tx: WriteTx, actor: Actor, revisions: Sequence[Revision], names: Names, zone: str) -> None:
    """Write new versions with their search rows, numbers and content; `names` gives the pids at hand.

    Dates without an offset are indexed as of `zone`.
    """
    if not revisions:
        return
    moment_us = tx.moment(0)
    rows = [_rows(one.entry, zone) for one in revisions]
    known = {**names, **_patients(tx, revisions, rows, names)}
    ready = [
        _Ready(one, made, _version(one, actor, moment_us, _patient(one, made, known)))
        for one, made in zip(revisions, rows, strict=True)
    ]
    seqs = tx.put([one.version for one in ready])
    index.replace(tx, [(one.version.pid, one.version.type, one.rows, one.version.ver == 1) for one in ready], known)
    places = ((pointer_kept(one.body, one.stored), one) for one in revisions)
    tx.attach((place.digest, one.pid, one.ver) for place, one in places if place is not None)
    own = [one.revision for one in ready if one.version.site == actor.site and not one.version.test]
    tx.add_free_aliases(actor.site, _aliases(actor.site, own))
    for entry, seq in zip(ready, seqs, strict=True):
        entry.revision.made = as_stored(entry.version, seq)


def as_stored(version: NewVersion, seq: int) -> Stored:
    """Return a version just written as a reader would see it."""
    return Stored(
        version.pid,
        version.type,
        version.fid,
        version.site,
        version.patient_pid,
        version.sensitivity,
        version.test,
        version.ver,
        version.op,
        version.updated_us,
        seq,
        None,
        None,
        "",
        version.source_us,
        version.actor,
        version.reason,
        version.body or b"",
    )


def deletion(head: Head, actor: Actor, moment_us: int) -> NewVersion:
    """Return the version that deletes a resource; whose it was stays known."""
    return NewVersion(
        pid=head.pid,
        ver=head.ver + 1,
        type=head.type,
        fid=head.fid,
        op=Op.DELETE,
        body=None,
        digest=b"",
        site=head.site,
        updated_us=moment_us,
        patient_pid=head.patient_pid,
        sensitivity=head.sensitivity,
        source_us=moment_us,
        actor=actor.name,
        reason=actor.purpose or None,
        test=head.test,
    )


def _rows(entry: Incoming, zone: str) -> Rows:
    return entry.rows or stored_rows(entry.body, entry.edit.kind, zone, mapped=False)


def _version(one: Revision, actor: Actor, moment_us: int, patient_pid: int | None) -> NewVersion:
    head = one.head
    return NewVersion(
        pid=one.pid,
        ver=one.ver,
        type=one.kind,
        fid=one.fid,
        op=Op.CREATE if one.creates else Op.UPDATE,
        body=resource.splice(one.entry.text, one.fid, one.ver, temporal.instant(moment_us)),
        digest=digested(content.bare(one.body))[1],
        site=head.site if head else actor.site,
        updated_us=moment_us,
        patient_pid=patient_pid,
        sensitivity=head.sensitivity if head else 0,
        source_us=moment_us,
        actor=actor.name,
        reason=actor.purpose or None,
        test=head.test if head else actor.scope.test,
    )


def _patients(tx: WriteTx, revisions: Sequence[Revision], rows: Sequence[Rows], names: Names) -> Names:
    """Return the pids of the patients that resources name and that are not at hand."""
    named = {
        ("Patient", fid) for one, made in zip(revisions, rows, strict=True) for fid in content.patients(one.body, made)
    }
    return {name: head.pid for name, head in tx.heads(named - names.keys()).items()}


def _patient(one: Revision, rows: Rows, names: Names) -> int | None:
    """Return the pid of the one patient a resource is about."""
    if one.kind == "Patient":
        return one.pid
    fids = content.patients(one.body, rows)
    return names.get(("Patient", fids[0])) if len(fids) == 1 else None


def _aliases(site: str, revisions: Iterable[Revision]) -> dict[AliasKey, Target]:
    """Return the numbers by which a feed of the site knows these resources (ruling R3).

    Its own series and national numbers count, those of another site name nothing here.
    """
    found: dict[AliasKey, Target] = {}
    for one in revisions:
        entries = one.body.get("identifier", ()) if one.kind in _NUMBERED else ()
        for entry in entries:
            system, value = entry.get("system", ""), entry.get("value", "")
            _, apart, rest = system.partition(_OF_A_SITE)
            if value and system and (not apart or rest.startswith(f"{site}/")) and not system.endswith(_NOBODYS):
                found.setdefault(AliasKey(one.kind, system, value), Target(one.pid, one.fid))
    return found
