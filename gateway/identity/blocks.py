"""Blocks: keys under which evidence is stored, so that records of one person meet without comparing all with all."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

from gateway.identity import numbers, resident
from gateway.identity.evidence import Evidence
from gateway.identity.glyphs import UNREADABLE

STRONG = frozenset({"resident", "national", "document"})
"""Kinds that are proof by themselves, and so are never cut at the store's limit."""

_MOST = 12
_NUMBERS = 2  # of one kind: somebody with more of them is found by the first
_WHOLE_DATE = 10
_NATIONAL_GROUPS = {"insured-person": "insurance"}


class Block(NamedTuple):
    """One key: its kind, and a signed 64-bit hash of kind and value."""

    kind: str
    key: int


def blocks(evidence: Evidence) -> tuple[Block, ...]:
    """Return the keys under which a record is stored and looked for, strongest first.

    At most twelve; a damaged resident ID adds those of the IDs it may have been. With a million persons in one county
    a key of name, birth, phone or village is shared by few: neither name alone nor name and year make one.
    """
    found = dict.fromkeys(_proofs(evidence))
    for pair in _likely(evidence):
        if len(found) >= _MOST:
            break
        found.setdefault(pair)
    if evidence.damaged_resident:
        found |= dict.fromkeys(_repaired(evidence))
    return tuple(Block(kind, _key(kind, value)) for kind, value in found)


def values(evidence: Evidence) -> dict[str, frozenset[str]]:
    """Return what a record says in each group that is evidence of its own; two records agree where values meet.

    The groups: resident, insurance, health-record, health-card, document, local, phone, birth, name, address, mother.
    """
    found: dict[str, set[str]] = {}
    for one in evidence.national:
        kind = one.partition("|")[0]
        found.setdefault(_NATIONAL_GROUPS.get(kind, kind), set()).add(one)
    told = (
        ("resident", (evidence.resident,)),
        ("document", evidence.documents),
        ("local", [one for one in evidence.local if numbers.lasting(one)]),
        ("phone", evidence.phones),
        ("birth", (evidence.birth,) if len(evidence.birth) == _WHOLE_DATE else ()),
        ("name", [name.text for name in evidence.names if not name.damaged]),
        ("address", (evidence.address,)),
        ("mother", (evidence.mother,)),
    )
    return {group: frozenset(held) for group, held in (*found.items(), *told) if any(held)}


def agreeing(a: Evidence, b: Evidence) -> frozenset[str]:
    """Return the independent groups (`values`) in which two records say the same."""
    told, other = values(a), values(b)
    return frozenset(group for group, held in told.items() if not held.isdisjoint(other.get(group, ())))


def _proofs(evidence: Evidence) -> Iterator[tuple[str, str]]:
    if evidence.resident:
        yield "resident", evidence.resident
    for one in evidence.national[:_NUMBERS]:
        yield "national", one
    for one in evidence.documents[:_NUMBERS]:
        yield "document", one
    if evidence.damaged_resident:
        yield "damaged-resident", evidence.damaged_resident


def _repaired(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield the resident IDs that a damaged one may have been, so that healthy records need no further keys."""
    for one in resident.repairs(evidence.damaged_resident, evidence.birth, evidence.sex):
        yield "resident", one


def _likely(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield what a person shares with few others, most telling first.

    Of a name only what it sounds like counts, so that homophones and variants meet; a name that cannot be read whole
    gives none. A telephone is a family's, so it counts with initials or a birth date only.
    """
    sounds = evidence.names[0].sound.split() if evidence.names else []
    read = UNREADABLE not in sounds
    initials = "".join(sorted(one[0] for one in sounds)) if read else ""
    births = _births(evidence)
    for phone in evidence.phones[:_NUMBERS]:
        if initials:
            yield "phone+initials", f"{phone}|{initials}"
        for birth in births:
            yield "phone+birth", f"{phone}|{birth}"
    for birth in births:
        if initials:
            yield "birth+initials", f"{birth}|{initials}"
        if evidence.area:
            yield "birth+area", f"{birth}|{evidence.area}"
        if evidence.mother:
            yield "birth+mother", f"{birth}|{evidence.mother}"
    if initials and evidence.area:
        yield "name+area", f"{' '.join(sounds)}|{evidence.area}"
    for one in evidence.local:
        if numbers.lasting(one):
            yield "local", one
        elif initials and numbers.card(one):
            yield "card+initials", f"{one}|{initials}"


def _births(evidence: Evidence) -> tuple[str, ...]:
    """Return the whole birth dates of a record: the one told, and the one in a resident ID that is its own."""
    told = [evidence.birth] if len(evidence.birth) == _WHOLE_DATE else []
    if evidence.resident and "borrowed-id" not in evidence.flags:
        told.append(resident.birth_of(evidence.resident))
    return tuple(dict.fromkeys(told))


def _key(kind: str, value: str) -> int:
    digest = blake2b(f"{kind}\x1f{value}".encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
