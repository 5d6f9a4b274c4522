"""Resources judged by R4 and the region's profiles, with the code files a site installed."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

from gateway.conformance import claims, profiles, rules, structure, validate
from gateway.conformance.profiles import Profiles
from gateway.errors import Category, GatewayError
from gateway.fhir import models
from gateway.fhir.issues import Issue, has_errors
from gateway.store.engine import Store
from gateway.store.terminology import CodeSystem

log = logging.getLogger(__name__)

Body = dict[str, Any]

AT_ONCE = 2
"""Validations that run at the same time; more are told to come back, so that they never starve reads."""

_DEPTH = 20
_SECOND_OPINION = 64 * 1024


class Installed:
    """The code files a site installed, as conformance asks them, by the newest version of each; asked when needed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._systems: dict[str, CodeSystem | None] = {}

    def installed(self, system: str) -> bool:
        """Say whether a version of the system was imported."""
        return self._system(system) is not None

    def above(self, system: str, code: str) -> tuple[str, ...] | None:
        """Return the codes above a code, nearest first; None where the newest version has no such code."""
        held = self._system(system)
        if held is None:
            return None
        found: list[str] = []
        with self._store.read() as tx:
            while code and len(found) <= _DEPTH:
                concept = tx.concepts(held.id, [code]).get(code)
                if concept is None:
                    break
                found.append(code)
                code = concept.parent
        return tuple(found[1:]) if found else None

    def _system(self, url: str) -> CodeSystem | None:
        if url not in self._systems:
            with self._store.read() as tx:
                self._systems[url] = next(reversed(tx.code_systems(url)), None)
        return self._systems[url]


class Region:
    """The region's definitions, read from their folder at first use, so that a start need not wait."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._profiles: Profiles | None = None
        self._lock = Lock()

    @property
    def profiles(self) -> Profiles:
        """Return the definitions; raises GatewayError (unavailable) where a file of them is wrong."""
        with self._lock:
            if self._profiles is None:
                try:
                    self._profiles = profiles.load(self._folder)
                except GatewayError as fault:
                    raise GatewayError(fault.text, category=Category.UNAVAILABLE) from None
            return self._profiles


class Claims:
    """Says which of the region's profiles a mapped resource satisfies; none while their folder cannot be read."""

    def __init__(self, region: Region) -> None:
        self._region = region
        self._broken = False

    def __call__(self, resource: Body) -> tuple[str, ...]:
        """Return the canonical URLs for meta.profile."""
        if self._broken:
            return ()
        try:
            return claims.claims(resource, self._region.profiles)
        except GatewayError as fault:
            self._broken = True
            log.error("resources bear no meta.profile until the next start: %s", fault.text)
            return ()


class Judge:
    """Judges what clients send."""

    def __init__(self, store: Store, region: Region, seconds: float) -> None:
        self._store = store
        self._region = region
        self._seconds = seconds
        self._room = BoundedSemaphore(AT_ONCE)

    def supported(self) -> tuple[tuple[str, str], ...]:
        """Return type and canonical URL of the region's profiles; none while their folder cannot be read."""
        try:
            listed = [(one.type, one.url) for one in rules.everything(self._region.profiles) if one.type != "Extension"]
        except GatewayError:
            return ()
        return tuple(sorted(listed))

    def check(self, resource: Body) -> list[Issue]:
        """Return what keeps a resource from being stored, and what its sender should know."""
        found = structure.check(resource)
        if found:
            return found
        return validate.check(resource, self._region.profiles, codes=Installed(self._store), seconds=self._seconds)

    def validate(self, resource: Body, claimed: Sequence[str], size: int) -> list[Issue]:
        """Return all there is to say of a resource of `size` bytes against R4, `claimed` and its own profiles.

        Raises GatewayError (busy) while AT_ONCE others are judged.
        """
        with self._place():
            codes = Installed(self._store)
            found = validate.validate(resource, self._region.profiles, claimed, codes=codes, seconds=self._seconds)
            return [*found, *_second(resource, found, size)]

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._room.acquire(blocking=False):
            text = f"{AT_ONCE} resources are being validated; send it again in a moment"
            raise GatewayError(text, category=Category.BUSY)
        try:
            yield
        finally:
            self._room.release()


def _second(resource: Body, found: list[Issue], size: int) -> Iterator[Issue]:
    """Yield what fhir.resources refuses where we found nothing, as warnings: its models are of R4B, not of R4.

    Its models take no extension on the value of an extension (`_valueString`), which R4 has.
    """
    if size > _SECOND_OPINION:
        return
    known = {issue.where for issue in found}
    if has_errors(found) or not models.shared(resource["resourceType"]):
        return
    for issue in models.explain(resource):
        if issue.severity == "error" and issue.where not in known and "._" not in issue.where:
            text = f"fhir.resources (R4B) refuses it: {issue.text}"
            yield Issue("warning", issue.code, text, issue.where)
