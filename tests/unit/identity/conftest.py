"""The tests of linking that need a store run on each database."""

from tests.store.conftest import database_url, new_store, store  # noqa: F401  the fixtures of the store's tests
