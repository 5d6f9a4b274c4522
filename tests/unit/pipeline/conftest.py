"""A county's gateway on each database."""

import pytest

from tests.store.conftest import database_url  # noqa: F401  the fixture of the store's tests
from tests.support.county import county


@pytest.fixture(autouse=True)
def _definitions_read_once(definitions_read_once):
    """Every test has a gateway of its own, all with the shipped definitions."""


@pytest.fixture
def town(tmp_path):
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path) as made:
        yield made
