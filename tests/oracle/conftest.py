"""The stores of tests/store."""

from tests.store.conftest import database_url, new_store, store  # noqa: F401
