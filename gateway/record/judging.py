"""Resources judged by R4 and the region's profiles, with the code files a site installed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Any

from gateway.conformance import structure, validate
from gateway.conformance.profiles import Profiles
from gateway.errors import Category, GatewayError
from gateway.fhir import models, types
from gateway.fhir.issues import Issue
from gateway.store.engine import Store
from gateway.store.terminology import CodeSystem

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


class Judge:
    """Judges what clients send; the region's definitions are read at first use, so that a start need not wait."""

    def __init__(self, store: Store, load: Callable[[], Profiles], seconds: float) -> None:
        self._store = store
        self._load = load
        self._seconds = seconds
        self._profiles: Profiles | None = None
        self._lock = Lock()
        self._room = BoundedSemaphore(AT_ONCE)

    @property
    def profiles(self) -> Profiles:
        """Return the region's definitions; raises GatewayError where a file of them is wrong."""
        with self._lock:
            if self._profiles is None:
                self._profiles = self._load()
            return self._profiles

    def check(self, resource: Body) -> list[Issue]:
        """Return what keeps a resource from being stored, and what its sender should know."""
        found = structure.check(resource)
        if found:
            return found
        return validate.check(resource, self.profiles, codes=Installed(self._store), seconds=self._seconds)

    def validate(self, resource: Body, claimed: Sequence[str], size: int) -> list[Issue]:
        """Return all there is to say of a resource of `size` bytes against R4, `claimed` and its own profiles.

        Raises GatewayError (busy) while AT_ONCE others are judged.
        """
        with self._place():
            codes = Installed(self._store)
            found = validate.validate(resource, self.profiles, claimed, codes=codes, seconds=self._seconds)
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
    if size > _SECOND_OPINION or resource.get("resourceType") not in types.RESOURCE_TYPES:
        return
    known = {issue.where for issue in found}
    if any(issue.severity == "error" for issue in found) or not models.shared(resource["resourceType"]):
        return
    for issue in models.explain(resource):
        if issue.severity == "error" and issue.where not in known and "._" not in issue.where:
            text = f"fhir.resources (R4B) refuses it: {issue.text}"
            yield Issue("warning", issue.code, text, issue.where)
