"""A migrated store on each database; on PostgreSQL each test gets a copy of the run's migrated template."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.store.engine import Store, open_store
from tests.conftest import TEMPLATE
from tests.support import postgres

_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new, migrated database of each kind."""
    yield from databases(request, tmp_path)


def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a new, migrated database of the kind a fixture's parameter names."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/gateway.db"
        store = open_store(url)
        store.migrate()
        store.close()
        yield url
        return
    running: postgres.Server = request.getfixturevalue("server")
    name = f"test{next(_numbers)}"
    yield running.create(name, TEMPLATE)
    running.drop(name)


@pytest.fixture
def new_store(database_url: str) -> Iterator[Callable[[], Store]]:
    """Open the same database again and again, as other processes would."""
    opened: list[Store] = []

    def open_one() -> Store:
        opened.append(open_store(database_url))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Store:
    """A migrated, empty store."""
    return new_store()
