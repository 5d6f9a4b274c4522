"""The lists identity is judged by: dummies, national systems, documents and surnames, from profiles/identity."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import msgspec
import yaml

from gateway.errors import GatewayError
from gateway.settings import shipped

_FOLDER = "identity"
P = ParamSpec("P")
T = TypeVar("T")
_forgetting: list[Callable[[], None]] = []
_installed: list[Path] = []
_VARIANTS = "data/variants.json"


class _Dummies(msgspec.Struct, forbid_unknown_fields=True):
    version: str
    words: list[str]
    numbers: list[str]
    resident: list[str]
    shortened: list[str]
    phones: list[str]
    births: list[str]
    nameless: list[str]
    tests: list[str]
    newborns: list[str]
    twins: list[str]


class _Resident(msgspec.Struct, forbid_unknown_fields=True):
    systems: list[str]
    types: list[str]
    claims: list[str]


class _Documents(msgspec.Struct, forbid_unknown_fields=True):
    version: str
    national: dict[str, str]
    resident: _Resident
    unverified: list[str]
    copies: list[str]
    cards: list[str]
    passing: list[str]
    documents: dict[str, list[str]]
    shapes: dict[str, str]
    longest: int


class _Surnames(msgspec.Struct, forbid_unknown_fields=True):
    version: str
    single: str
    compound: dict[str, str]


@dataclass(frozen=True)
class Dummies:
    """What is written where nothing is known, as expressions of whole values."""

    words: frozenset[str]
    numbers: re.Pattern[str]
    resident: re.Pattern[str]
    shortened: re.Pattern[str]
    phones: re.Pattern[str]
    births: frozenset[str]
    nameless: re.Pattern[str]
    tests: re.Pattern[str]
    newborns: tuple[re.Pattern[str], ...]
    twins: re.Pattern[str]


@dataclass(frozen=True)
class Documents:
    """Which identifiers name a person; `kinds` has the codes, words and series that tell a document."""

    national: Mapping[str, str]
    resident_systems: frozenset[str]
    resident_types: frozenset[str]
    resident_claims: frozenset[str]
    unverified: frozenset[str]
    copies: frozenset[str]
    cards: frozenset[str]
    passing: frozenset[str]
    kinds: Mapping[str, str]
    shapes: tuple[tuple[str, re.Pattern[str]], ...]
    longest: int
    telling: frozenset[str]  # every code and word of a type that means something


@dataclass(frozen=True)
class Surnames:
    """Surnames of one character, and of two with how they sound; in the characters that are compared."""

    single: frozenset[str]
    compound: Mapping[str, tuple[str, ...]]


def install(profiles: Path) -> None:
    """Take the lists from the folder `identity` of these profiles; those it lacks are the shipped ones.

    Raises GatewayError naming the file and what is wrong in it.
    """
    before = [*_installed]
    if before == [profiles]:
        return
    _take([profiles])
    try:
        for reader in (dummies, documents, surnames):
            reader()
    except GatewayError:
        _take(before)
        raise


def _take(profiles: list[Path]) -> None:
    _installed[:] = profiles
    for forget in _forgetting:
        forget()


def remembered(most: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Remember what a function made of its last `most` arguments, until other lists are installed."""

    def made(function: Callable[P, T]) -> Callable[P, T]:
        known = lru_cache(maxsize=most)(function)
        _forgetting.append(known.cache_clear)
        return known  # type: ignore[return-value]  # every argument can be hashed

    return made


@remembered(1)
def dummies() -> Dummies:
    """Return the deny-lists; raises GatewayError naming the file and what is wrong in it."""
    path, told = _read("dummies.yaml", _Dummies)
    return Dummies(
        frozenset(word.lower() for word in told.words),
        _any(path, "numbers", told.numbers),
        _any(path, "resident", told.resident),
        _any(path, "shortened", told.shortened),
        _any(path, "phones", told.phones),
        frozenset(told.births),
        _any(path, "nameless", told.nameless),
        _any(path, "tests", told.tests),
        tuple(_any(path, "newborns", [one]) for one in told.newborns),
        _any(path, "twins", told.twins),
    )


@remembered(1)
def documents() -> Documents:
    """Return what identifiers mean; raises GatewayError naming the file and what is wrong in it."""
    path, told = _read("documents.yaml", _Documents)
    shapes = tuple((kind, _any(path, "shapes", [one])) for kind, one in told.shapes.items())
    kinds = {word: kind for kind, words in told.documents.items() for word in words}
    resident = told.resident
    return Documents(
        told.national,
        frozenset(resident.systems),
        frozenset(resident.types),
        frozenset(resident.claims),
        frozenset(told.unverified),
        frozenset(told.copies),
        frozenset(told.cards),
        frozenset(told.passing),
        kinds,
        shapes,
        told.longest,
        frozenset([*resident.types, *resident.claims, *kinds]),
    )


@remembered(1)
def surnames() -> Surnames:
    """Return the surnames; raises GatewayError naming the file and what is wrong in it."""
    _, told = _read("surnames.yaml", _Surnames)
    table = variants()
    single = "".join(told.single.split()).translate(table)
    compound = {name.translate(table): tuple(sound.split()) for name, sound in told.compound.items()}
    return Surnames(frozenset(single), compound)


@cache
def variants() -> Mapping[int, str]:
    """Return the table of str.translate that brings characters written alike to one (tools/derive_han_variants.py)."""
    text = resources.files("gateway.identity").joinpath(_VARIANTS).read_bytes()
    held = msgspec.json.decode(text, type=dict[str, str])
    return {ord(told): meant for meant, all_told in held.items() for told in all_told}


def _read(name: str, kind: type[Any]) -> tuple[Path, Any]:
    places = [profiles / _FOLDER / name for profiles in (*_installed, shipped("profiles"))]
    path = next((place for place in places if place.exists()), places[-1])
    try:
        return path, msgspec.convert(yaml.safe_load(path.read_text("utf-8")), kind)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as fault:
        raise GatewayError(
            f"{path} cannot be used: {fault}. Mend it, or remove it for the shipped one.", where=str(path)
        ) from fault


def _any(path: Path, field: str, expressions: list[str]) -> re.Pattern[str]:
    """Return one expression for a list; groups keep their numbers within each, so back-references are renumbered."""
    parts, groups = [], 0
    for one in expressions:
        try:
            held = re.compile(one).groups
        except re.error as fault:
            raise GatewayError(f"{path}, {field}: {one!r} is no expression: {fault}.", where=str(path)) from fault
        parts.append(_renumbered(one, groups))
        groups += held
    return re.compile("|".join(f"(?:{one})" for one in parts), re.ASCII)


def _renumbered(expression: str, by: int) -> str:
    return re.sub(r"\\([1-9])", lambda match: f"\\{int(match[1]) + by}", expression)
