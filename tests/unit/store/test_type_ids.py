"""Type numbers are stored for good: their order is pinned."""

import hashlib

from gateway.fhir.types import RESOURCE_TYPES
from gateway.store.type_ids import TYPE_ID, TYPES, type_name


def test_covers_r4():
    assert set(TYPES) == RESOURCE_TYPES


def test_numbers_never_change():
    """A new type goes to the end; then the first 146 still give this digest."""
    pinned = hashlib.sha256(" ".join(TYPES[:146]).encode()).hexdigest()
    assert pinned == "277dd4fd0f7165ea7fe50036945adf01b0acc2d2b9ccee5a212a11c3773700eb"
    assert (TYPE_ID["Account"], TYPE_ID["Patient"], TYPE_ID["VisionPrescription"]) == (1, 103, 146)


def test_names_and_numbers_agree():
    assert all(type_name(number) == name for name, number in TYPE_ID.items())
    assert type_name(0) == ""
