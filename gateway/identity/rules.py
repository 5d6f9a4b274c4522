"""Rules: what levels of agreement prove and what they forbid, as profiles/identity/rules.yaml says."""

from collections.abc import Iterable
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from gateway.errors import GatewayError
from gateway.identity.agreement import Agreement, Level
from gateway.identity.facts import FACTS
from gateway.settings import shipped

_YAML: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FIELDS = Agreement._fields
When = dict[str, frozenset[Level]]


class Verdict(StrEnum):
    """What is said of two records; `contradicted` are surely two persons, `apart` has not enough evidence."""

    SAME = "same"
    REVIEW = "review"
    APART = "apart"
    CONTRADICTED = "contradicted"


HEIGHT = {verdict: height for height, verdict in enumerate(reversed(Verdict))}


class Reason(NamedTuple):
    """Why, as a code and as a sentence in English and Chinese; never with anything of the person in it."""

    code: str
    text: str
    zh: str


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Levels that must hold and flags of which one must be there, and what a pair then is, at least or at most."""

    code: str
    verdict: Verdict
    text: str
    zh: str
    when: When = {}
    flags: frozenset[str] = frozenset()
    unless_flags: frozenset[str] = frozenset()
    groups: int = 0
    bits: str = ""

    @property
    def reason(self) -> Reason:
        """Return the rule as a reason."""
        return Reason(self.code, self.text, self.zh)


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The groups of fields that are independent of each other, the limits, and the grants."""

    version: str
    groups: dict[str, When]
    limits: tuple[Rule, ...]
    grants: tuple[Rule, ...]


class Ruling(NamedTuple):
    """What the rules say of levels and flags before any score: the ceiling, the floor, and what a score may add."""

    ceiling: Verdict
    forbids: tuple[Reason, ...]
    floor: Verdict
    proves: tuple[Reason, ...]
    scored: tuple[Rule, ...]
    facts: tuple[Reason, ...]


class Book:
    """Rules ready for use; the same levels and flags are judged once and remembered."""

    def __init__(self, rules: Rules) -> None:
        self.version = rules.version
        self._rules = rules
        self.ruling = lru_cache(maxsize=65536)(self._ruling)

    def _ruling(self, known: Agreement, flags: frozenset[str]) -> Ruling:
        agreeing = sum(_any(one, known) for one in self._rules.groups.values())
        limits = [one for one in self._rules.limits if _fits(one, known, flags)]
        grants = [one for one in self._rules.grants if one.groups <= agreeing and _fits(one, known, flags)]
        ceiling = min((one.verdict for one in limits), key=HEIGHT.__getitem__, default=Verdict.SAME)
        certain = [one for one in grants if not one.bits]
        floor = max((one.verdict for one in certain), key=HEIGHT.__getitem__, default=Verdict.APART)
        return Ruling(
            ceiling,
            tuple(one.reason for one in limits if one.verdict == ceiling),
            floor,
            tuple(one.reason for one in certain if one.verdict == floor),
            tuple(one for one in grants if one.bits and HEIGHT[one.verdict] > HEIGHT[floor]),
            tuple(_facts(known)),
        )


def _fits(rule: Rule, known: Agreement, flags: frozenset[str]) -> bool:
    if rule.flags and rule.flags.isdisjoint(flags):
        return False
    return rule.unless_flags.isdisjoint(flags) and _holds(rule.when, known)


def _holds(when: When, known: Agreement) -> bool:
    return all(getattr(known, name) in levels for name, levels in when.items())


def _any(group: When, known: Agreement) -> bool:
    return any(getattr(known, name) in levels for name, levels in group.items())


def _facts(known: Agreement) -> Iterable[Reason]:
    for name, level in zip(_FIELDS, known, strict=True):
        if level is not Level.ABSENT:
            yield Reason(f"{name}-{level}", *FACTS[f"{name}-{level}"])


@cache
def load(path: Path) -> Book:
    """Return the rules in a file ready for use, read once; raises GatewayError as `read` does."""
    return Book(read(path))


def read(path: Path) -> Rules:
    """Return the rules in a file; raises GatewayError naming the file and the place in it."""
    try:
        rules = msgspec.convert(yaml.load(path.read_bytes(), Loader=_YAML), Rules)  # noqa: S506 - a safe loader
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as fault:
        told = " ".join(str(fault).split())
        raise GatewayError(f"These rules of identity cannot be used: {told}", where=str(path)) from fault
    for place, when in _conditions(rules):
        unknown = sorted(set(when) - set(_FIELDS))
        if unknown:
            told = f"{place} names {unknown[0]!r}; the fields are {', '.join(_FIELDS)}."
            raise GatewayError(f"These rules of identity cannot be used: {told}", where=str(path))
    return rules


def _conditions(rules: Rules) -> Iterable[tuple[str, When]]:
    yield from ((f"group {name}", when) for name, when in rules.groups.items())
    yield from ((f"rule {one.code}", one.when) for one in (*rules.limits, *rules.grants))


@cache
def ours() -> Book:
    """Return the rules that came with the gateway."""
    return load(shipped("profiles") / "identity" / "rules.yaml")
