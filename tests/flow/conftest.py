"""A county's gateway on each database."""

import pytest

from tests.store.conftest import database_url  # noqa: F401  the fixture of the store's tests
from tests.unit.conftest import definitions_read_once  # noqa: F401  the fixture of the unit tests


@pytest.fixture(autouse=True)
def _definitions_read_once(definitions_read_once):  # noqa: F811  the fixture imported above
    """Every gateway of these tests would read the shipped definitions anew."""
