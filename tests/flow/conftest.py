"""A county's gateway on each database."""

from tests.store.conftest import database_url  # noqa: F401  the fixture of the store's tests
from tests.unit.conftest import definitions_read_once  # noqa: F401  the fixture of the unit tests
