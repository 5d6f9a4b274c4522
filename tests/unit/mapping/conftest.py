"""The shipped catalogue, loaded once, and an environment as the generic feed has it."""

from pathlib import Path

import pytest

from gateway.formats import hl7v2
from gateway.mapping import catalog
from gateway.mapping.catalog import Catalog, Mapper
from gateway.mapping.draft import Mapped
from gateway.mapping.environment import Environment

MAPPINGS = Path(__file__).parents[3] / "mappings"


@pytest.fixture(scope="session")
def shipped() -> Catalog:
    return catalog.load([MAPPINGS])


@pytest.fixture(scope="session")
def generic(shipped: Catalog) -> Mapper:
    return shipped.mapper("generic")


@pytest.fixture(scope="session")
def env(generic: Mapper) -> Environment:
    return generic.environment


@pytest.fixture(scope="session")
def told(generic: Mapper):
    """Map segments given as lines: `told("ORU^R01", "PID|1||7", ...)`."""

    def tell(event: str, *lines: str, trace: bool = False, mapper: Mapper = generic) -> Mapped:
        head = f"MSH|^~\\&|LIS|H1|GW|C|20260102103000||{event}|M1|P|2.5"
        return mapper.map(hl7v2.parse("\r".join((head, *lines)) + "\r"), trace=trace)

    return tell
