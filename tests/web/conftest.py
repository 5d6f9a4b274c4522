"""A web application over a small seeded record, asked in process."""

from collections.abc import Iterator

import pytest

from gateway.store.engine import open_store
from tests.unit.conftest import definitions_read_once  # noqa: F401  the fixture of the unit tests
from tests.web.county import Web, make, seed


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """An application on a seeded SQLite store, shared by the tests of a module that only read."""
    folder = tmp_path_factory.mktemp("web")
    store = open_store(f"sqlite:///{folder}/gateway.db")
    store.migrate()
    made = make(store, folder)
    made.patient, made.results = seed(store)
    yield made
    store.close()
