"""What the unit tests share."""

import pytest

from gateway import wiring
from gateway.settings import shipped

_known = {}


@pytest.fixture
def definitions_read_once(monkeypatch):
    """Read the shipped definitions once for many gateways; overlays are read whenever they are asked for."""
    genuine = wiring.catalogs.load

    def load(folders, **given):
        if folders != [shipped("mappings")]:
            return genuine(folders, **given)
        key = tuple(given.items())
        if key not in _known:
            _known[key] = genuine(folders, **given)
        return _known[key]

    monkeypatch.setattr(wiring.catalogs, "load", load)
