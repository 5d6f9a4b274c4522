"""The web application of the tests in tests/web."""

from tests.web.conftest import web  # noqa: F401  the same fixture
