"""Stable hashes of texts, for index keys: 64 bits for codes and references, 48 for code systems."""

from functools import lru_cache
from hashlib import blake2b


def hash64(text: str) -> int:
    """Return the signed 64-bit hash of a text; the same on every machine and forever."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


@lru_cache(maxsize=16384)
def hash48(text: str) -> int:
    """Return the 48-bit hash of a system or unit; 0 (one byte in SQLite) for none."""
    if not text:
        return 0
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return int.from_bytes(digest, "big") or 1
