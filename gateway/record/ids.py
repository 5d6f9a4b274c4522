"""Resource ids: a keyed hash of the business key, so the same key names the same resource anywhere."""

import base64
import hashlib
import hmac
import re

from gateway import clock
from gateway.mapping.draft import Key

_LENGTH = 26
_LIMIT = 64
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]")


def mint(secret: bytes, site: str, resource_type: str, key: Key) -> str:
    """Return 26 base32 characters for a key nobody has named yet (architecture decision 7)."""
    text = "|".join((site, resource_type, key.system, key.value, key.day))
    return _base32(hmac.new(secret, text.encode(), hashlib.sha256).digest())[:_LENGTH]


def fresh() -> str:
    """Return 26 base32 characters nobody can guess, for a resource that a client creates."""
    return _base32(clock.token(16))


def child(parent: str, part: str) -> str:
    """Return the id of a child: its parent's id and `part`, hashed where it would not fit an id."""
    name = f"{parent}-{part}"
    if len(name) <= _LIMIT and not _UNSAFE.search(part):
        return name
    digest = _base32(hashlib.sha256(part.encode()).digest())[:_LENGTH]
    return f"{parent[: _LIMIT - _LENGTH - 1]}-{digest}"


def _base32(digest: bytes) -> str:
    return base64.b32encode(digest).decode().rstrip("=").lower()
