"""What the tests of recognition share."""

from functools import lru_cache

import pytest

from gateway.community.recognition import shelf


@pytest.fixture(autouse=True, scope="package")
def files_parsed_once():
    """Parse each text once for the many loads with one file more; entries are never changed in place."""
    genuine = shelf.parsed
    shelf.parsed = lru_cache(maxsize=256)(genuine)
    yield
    shelf.parsed = genuine
