"""Content of attachments: durable before it is referred to, stored once, never served damaged, swept when orphaned."""

import hashlib
import threading

import pytest

from gateway import clock
from gateway.errors import Category, GatewayError
from gateway.store.blobs import PART_BYTES, NewBlob
from tests.store.make import create

DAY_US = 86_400_000_000


def made(content: bytes, seen: list[int] | None = None) -> NewBlob:
    """Content as the record hands it over; `seen` counts how often it was read."""

    def parts():
        if seen is not None:
            seen.append(1)
        return (content[at : at + PART_BYTES] for at in range(0, len(content), PART_BYTES))

    return NewBlob(hashlib.sha256(content).digest(), len(content), parts)


def later(monkeypatch, days: float) -> None:
    now = clock.now_us()
    monkeypatch.setattr(clock, "now_us", lambda: now + int(days * DAY_US))


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, PART_BYTES + 1, 5 * PART_BYTES])
def test_content_comes_back_byte_for_byte_in_parts(store, new_store, size):
    content = (bytes(range(256)) * (size // 256 + 1))[:size]
    blob = made(content)
    store.blobs.put([blob])
    parts = list(new_store().blobs.parts(blob.digest))
    assert b"".join(parts) == content
    assert all(len(part) <= PART_BYTES for part in parts)
    assert store.blobs.find([blob.digest, b"x" * 32]) == {blob.digest: size}


def test_the_same_content_is_read_and_stored_once(store):
    seen: list[int] = []
    blob, same = made(b"a" * 1000, seen), made(b"a" * 1000, seen)
    store.blobs.put([blob, same])
    store.blobs.put([same])
    assert (store.blobs.count(), len(seen)) == (1, 1)


def test_writers_of_the_same_content_do_not_hinder_each_other(store):
    blobs = [made(bytes([number]) * 50_000) for number in range(8)]
    faults: list[BaseException] = []

    def put(order):
        try:
            store.blobs.put(order)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=put, args=(blobs[::step],)) for step in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert store.blobs.count() == 8
    assert all(b"".join(store.blobs.parts(blob.digest)) == b"".join(blob.parts()) for blob in blobs)


def test_content_of_which_a_part_fails_is_not_there_at_all(store):
    blob = made(b"z" * PART_BYTES * 3)

    def broken():
        yield b"z" * PART_BYTES
        raise OSError("the source went away")

    with pytest.raises(OSError, match="went away"):
        store.blobs.put([blob._replace(parts=broken)])
    assert store.blobs.count() == 0
    store.blobs.put([blob])
    assert b"".join(store.blobs.parts(blob.digest)) == b"z" * PART_BYTES * 3


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM blob_part WHERE number=1",
        "DELETE FROM blob_part WHERE number=2",
        "UPDATE blob_part SET data=? WHERE number=0",
        "DELETE FROM blob_part",
    ],
)
def test_damaged_content_is_never_given_out_whole(store, damage):
    blob = made(b"q" * (PART_BYTES * 2 + 10))
    store.blobs.put([blob])
    with store.databases["blobs"].write() as session:
        session.do(damage, (b"other",) if "?" in damage else ())
    given = 0
    with pytest.raises(GatewayError, match="missing or damaged; run gateway fsck") as caught:
        for part in store.blobs.parts(blob.digest):
            given += len(part)
    assert caught.value.category == Category.UNAVAILABLE
    assert given < blob.size


def test_a_sweep_takes_orphans_of_yesterday_and_nothing_else(store, monkeypatch):
    kept, orphan, again, fresh = (made(name * 1000) for name in (b"kept", b"orphan", b"again", b"fresh"))
    store.blobs.put([kept, orphan, again])
    (pid,) = create(store, "a")
    with store.write() as tx:
        tx.attach([(kept.digest, pid, 1)])
    later(monkeypatch, 1.5)
    store.blobs.put([again, fresh])

    def used(digests):
        with store.read() as tx:
            return tx.attached(digests)

    swept = store.blobs.sweep(used)
    assert swept[:2] == (1, orphan.size)
    assert set(store.blobs.find([one.digest for one in (kept, orphan, again, fresh)])) == {
        kept.digest,
        again.digest,
        fresh.digest,
    }
    assert store.blobs.sweep(used, swept.after) == (0, 0, b"")
    with pytest.raises(GatewayError):
        list(store.blobs.parts(orphan.digest))


def test_content_swept_while_it_is_put_again_is_stored_again(store):
    blob = made(b"w" * 10)
    store.blobs.put([blob])
    genuine = blob.parts
    with store.databases["blobs"].write() as session:
        session.do("DELETE FROM blob")
        session.do("DELETE FROM blob_part")
    store.blobs.put([blob._replace(parts=genuine)])
    assert list(store.blobs.parts(blob.digest)) == [b"w" * 10]


def test_lists_content_in_pages(store):
    blobs = sorted((made(bytes([number]) * 10) for number in range(5)), key=lambda blob: blob.digest)
    store.blobs.put(blobs)
    assert store.blobs.listed(limit=3) == [(blob.digest, 10) for blob in blobs[:3]]
    assert store.blobs.listed(blobs[2].digest) == [(blob.digest, 10) for blob in blobs[3:]]


def test_a_backup_copies_content_after_the_record(store, tmp_path):
    if not store.is_sqlite:
        pytest.skip("PostgreSQL is backed up by its own tools")
    store.blobs.put([made(b"c" * 100)])
    copies = store.copy_to(tmp_path / "copy")
    assert [copy.name for copy in copies] == ["gateway.db", "blobs.db", "inbox.db", "audit.db"]
