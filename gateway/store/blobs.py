"""Content of attachments: kept once by its SHA-256, in parts, so that nobody holds all of it in memory.

Content is durable before the version that refers to it is committed; what a crash leaves without one does no harm and
is swept (docs/decisions/0007-attachments.md).
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import count
from typing import NamedTuple

from gateway import clock
from gateway.errors import Category, GatewayError
from gateway.store.dialect import Session
from gateway.store.ports import Database
from gateway.store.tx import Tx
from gateway.store.values import version_id

PART_BYTES = 3 << 16  # a multiple of three, so that the base64 of the parts in a row is the base64 of the whole
_GROUP_BYTES = 16 << 20  # of one transaction, or a single piece of content
_DAY_US = 86_400_000_000


class NewBlob(NamedTuple):
    """Content to keep: its SHA-256, its bytes, and how to read it in parts of PART_BYTES (the last one the rest)."""

    digest: bytes
    size: int
    parts: Callable[[], Iterable[bytes]]


class Swept(NamedTuple):
    """What one step of a sweep took away, and the digest to go on from (empty: done)."""

    blobs: int
    size: int
    after: bytes


class Blobs:
    """The doors of blobs.db (schema blobs); a `put` that returns has committed and fsynced."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, blobs: Iterable[NewBlob]) -> None:
        """Keep content that something is about to refer to; what is there already is only marked as wanted now."""
        for group in _groups(sorted({blob.digest: blob for blob in blobs}.values())):
            now_us = clock.now_us()
            with self._database.write() as session:
                for blob in group:
                    _put(session, blob, now_us)

    def find(self, digests: Collection[bytes]) -> dict[bytes, int]:
        """Return the sizes in bytes of the content that is there."""
        with self._database.read() as session:
            rows = session.keyed(
                "SELECT digest, size FROM blob", (("digest", "bytes"),), [(digest,) for digest in digests]
            )
        return {bytes(digest): size for digest, size in rows}

    def parts(self, digest: bytes) -> Iterator[bytes]:
        """Yield content in parts of PART_BYTES at most, the last one only once all of it was found to be whole.

        Raises GatewayError where it is missing or not what its digest says. No connection is held between two parts.
        """
        check = hashlib.sha256()
        last = b""
        for number in count():
            data = self._part(digest, number)
            if data is None:
                break
            check.update(data)
            if number:
                yield last
            last = data
        if check.digest() != digest:
            text = f"the content {digest.hex()} is missing or damaged; run gateway fsck"
            raise GatewayError(text, category=Category.UNAVAILABLE)
        yield last

    def listed(self, after: bytes = b"", limit: int = 500) -> list[tuple[bytes, int]]:
        """Return digests and sizes in the order of the digests, `after` exclusive."""
        with self._database.read() as session:
            rows = session.run("SELECT digest, size FROM blob WHERE digest > ? ORDER BY digest LIMIT ?", (after, limit))
        return [(bytes(digest), size) for digest, size in rows]

    def count(self) -> int:
        """Return how many pieces of content there are."""
        with self._database.read() as session:
            return int(session.value("SELECT count(*) FROM blob"))

    def sweep(self, used: Callable[[Sequence[bytes]], set[bytes]], after: bytes = b"", limit: int = 500) -> Swept:
        """Take away content that `used` does not name and nobody put within a day: its version may be on the way."""
        before_us = clock.now_us() - _DAY_US
        listed = self.listed(after, limit)
        wanted = used([digest for digest, _ in listed])
        taken = [size for digest, size in listed if digest not in wanted and self._drop(digest, before_us)]
        return Swept(len(taken), sum(taken), listed[-1][0] if listed else b"")

    def _drop(self, digest: bytes, before_us: int) -> bool:
        with self._database.write() as session:
            gone = session.do("DELETE FROM blob WHERE digest=? AND touched_us < ?", (digest, before_us)) == 1
            if gone:
                session.do("DELETE FROM blob_part WHERE digest=?", (digest,))
        return gone

    def _part(self, digest: bytes, number: int) -> bytes | None:
        with self._database.read() as session:
            data = session.value("SELECT data FROM blob_part WHERE digest=? AND number=?", (digest, number))
        return None if data is None else bytes(data)


class AttachedReads(Tx):
    """Questions about which content the record refers to."""

    def attached(self, digests: Iterable[bytes]) -> set[bytes]:
        """Return those digests that any version refers to."""
        sql = "SELECT digest FROM attached"
        return {bytes(row[0]) for row in self.session.keyed(sql, (("digest", "bytes"),), [(one,) for one in digests])}


class AttachedWrites(AttachedReads):
    """Changes of that."""

    def attach(self, versions: Iterable[tuple[bytes, int, int]]) -> None:
        """Note that versions (pid, number) refer to content; the content is there already."""
        rows = [(digest, version_id(pid, ver)) for digest, pid, ver in versions]
        self.session.insert("attached", ("digest", "vid"), rows)


def _put(session: Session, blob: NewBlob, now_us: int) -> None:
    """Insert content that is not there or lost parts; a sweep may take it away between the two attempts."""
    while not session.insert_new("blob", ("digest", "size", "touched_us"), [(blob.digest, blob.size, now_us)]):
        if session.do("UPDATE blob SET touched_us=? WHERE digest=?", (now_us, blob.digest)):
            held = session.value("SELECT coalesce(sum(length(data)), 0) FROM blob_part WHERE digest=?", (blob.digest,))
            if held == blob.size:
                return
            session.do("DELETE FROM blob_part WHERE digest=?", (blob.digest,))
            break  # it was damaged, and is mended now
    for number, data in enumerate(blob.parts()):
        session.insert("blob_part", ("digest", "number", "data"), [(blob.digest, number, data)])


def _groups(blobs: Iterable[NewBlob]) -> Iterator[list[NewBlob]]:
    group: list[NewBlob] = []
    for blob in blobs:
        if group and sum(one.size for one in group) + blob.size > _GROUP_BYTES:
            yield group
            group = []
        group.append(blob)
    if group:
        yield group
