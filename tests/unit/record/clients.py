"""Short ways to write the record as a client of FHIR REST does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.access.actor import Actor
from gateway.conformance import structure
from gateway.record.editing import Done, Edit, Editor, Rules
from gateway.search.scope import Scope
from gateway.store.engine import Store
from tests.store.conftest import databases
from tests.unit.record.make import ZONE

COUNTY = Actor("county-clinic", "TREAT", Scope(sites=None), "county")
TOWN = Actor("town-clinic", "TREAT", Scope(sites=None), "township")
WARD = Actor("ward", "TREAT", Scope(sites=frozenset({"county"})), "county")
NUMBER = "https://yigong.example/fhir/id/county/mrn"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], name="database_url")
def mostly_sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database for tests of what clients may do, where its kind matters little: PostgreSQL in the long suite."""
    yield from databases(request, tmp_path)


def editor(store: Store, **rules: Any) -> Editor:
    """Return an editor with the structural check alone."""
    return Editor(store, ZONE, structure.check, Rules(**rules))


def text(kind: str, /, **elements: Any) -> bytes:
    """Return a resource's JSON text; words end in _ where Python knows them."""
    return json.dumps({"resourceType": kind, **{word.rstrip("_"): value for word, value in elements.items()}}).encode()


def person(value: str = "1", system: str = NUMBER, **elements: Any) -> bytes:
    """Return a Patient with a number."""
    return text("Patient", identifier=[{"system": system, "value": value}], **elements)


def by_number(value: str = "1", system: str = NUMBER) -> tuple[tuple[str, str], ...]:
    """Return the condition that names a Patient by a number."""
    return (("identifier", f"{system}|{value}"),)


def create(kind: str, body: bytes, **given: Any) -> Edit:
    """Return a create."""
    return Edit("create", kind, text=body, **given)


def update(kind: str, fid: str, body: bytes, **given: Any) -> Edit:
    """Return an update."""
    return Edit("update", kind, fid, text=body, **given)


def put(store: Store, fid: str, actor: Actor = COUNTY, kind: str = "Patient", **elements: Any) -> Done:
    """Put a resource at its id."""
    given = {word: elements.pop(word) for word in ("if_match",) if word in elements}
    return one(store, update(kind, fid, text(kind, id=fid, **elements), **given), actor)


def delete(kind: str, fid: str = "", **given: Any) -> Edit:
    """Return a delete."""
    return Edit("delete", kind, fid, **given)


def one(store: Store, edit: Edit, actor: Actor = COUNTY, **rules: Any) -> Done:
    """Apply one edit."""
    (done,) = editor(store, **rules).apply(actor, [edit])
    return done


def body(done: Done) -> Any:
    """Return the stored resource."""
    assert done.stored is not None
    return json.loads(done.stored.body)
