"""Conditions of a write: the ordinary search, run where the write is, so that what it finds holds (R4 #ccreate)."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from gateway.errors import Category, GatewayError
from gateway.search.request import Search, parse
from gateway.search.scope import Scope
from gateway.store import query
from gateway.store.engine import ReadTx

SCOPE = "condition"
"""The scope of the claims that let one of many equal conditions be tried at a time."""

Pairs = Sequence[tuple[str, str]]


class Condition(NamedTuple):
    """A search that names a resource to write, or to refer to."""

    search: Search
    key: str
    """By which equal conditions know each other."""
    words: str


def condition(kind: str, pairs: Pairs, zone: str, most: int = 2) -> Condition:
    """Return a condition that looks for up to `most` matches; raises GatewayError for one that cannot be asked.

    One that names nothing is refused: it would match whatever there is.
    """
    search = parse(kind, pairs, zone)
    if not search.criteria:
        text = f"the condition on {kind} has no search parameter; it would match every {kind}"
        raise GatewayError(text, where="condition", category=Category.PRECONDITION)
    told = f"{kind}?{urlencode(sorted(pairs))}"
    key = hashlib.sha256(told.encode()).hexdigest()
    return Condition(replace(search, count=most, total="none", include=()), key, told)


def of_reference(kind: str, text: str, zone: str) -> Condition:
    """Return the condition of a reference `Type?query`; raises GatewayError for one that cannot be asked."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise GatewayError(f"the query of the reference to {kind} is not UTF-8 text") from None
    return condition(kind, pairs, zone)


def matches(tx: ReadTx, asked: Condition, scope: Scope) -> list[str]:
    """Return the ids of what a condition matches within a scope, newest first."""
    return [hit.fid for hit in query.run(tx, asked.search, scope).matches]


def several(asked: Condition, *, at_least: int = 2) -> GatewayError:
    """Return the refusal (412) of a condition that matches more than may be acted on."""
    text = f"the condition {asked.words} matches {at_least} or more; make it match one resource"
    return GatewayError(text, category=Category.PRECONDITION)
