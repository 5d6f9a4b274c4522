"""Blocks: keys under which evidence is stored, so that records of one person meet without comparing all with all."""

from hashlib import blake2b
from typing import NamedTuple

from gateway.identity.evidence import Evidence

STRONG = frozenset({"resident", "national", "document"})


class Block(NamedTuple):
    """One key: its kind, and a signed 64-bit hash of kind and value."""

    kind: str
    key: int


def blocks(evidence: Evidence) -> tuple[Block, ...]:
    """Return the keys under which a record is found."""
    pairs = [("resident", evidence.resident)] if evidence.resident else []
    pairs += [("national", one) for one in evidence.national]
    pairs += [("document", one) for one in evidence.documents]
    pairs += [("local", one) for one in evidence.local]
    for name in evidence.names[:1]:
        pairs += [("phone+family", f"{phone}|{name.family}") for phone in evidence.phones[:2]]
        pairs += [("name+birth", f"{name.text}|{evidence.birth}")] if len(evidence.birth) == 10 else []
    return tuple(Block(kind, _key(kind, value)) for kind, value in dict.fromkeys(pairs))


def _key(kind: str, value: str) -> int:
    digest = blake2b(f"{kind}\x1f{value}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
