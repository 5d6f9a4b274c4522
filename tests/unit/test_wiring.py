import gc
import stat

import pytest

from gateway import settings, wiring
from gateway.errors import GatewayError
from gateway.listeners.values import Verdict
from tests.support.county import county, hl7, msh, pid


def load(folder, **given):
    return settings.load(environment={}, data=str(folder), **given)


def test_the_key_is_made_once_and_for_its_owner_only(tmp_path):
    path = tmp_path / "keys" / "installation.key"
    key = wiring.installation_key(path)
    assert len(key) == 32
    assert wiring.installation_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["installation.key"]


def test_who_comes_second_takes_the_first_ones_key(tmp_path, monkeypatch):
    path = tmp_path / "installation.key"
    genuine = wiring._write

    def overtaken(part, text):
        genuine(part, text)
        path.write_text("ab" * 32, encoding="ascii")

    monkeypatch.setattr(wiring, "_write", overtaken)
    assert wiring.installation_key(path) == b"\xab" * 32


@pytest.mark.parametrize("text", ["", "no key", "ab" * 31])
def test_a_damaged_key_is_never_replaced(tmp_path, text):
    path = tmp_path / "installation.key"
    path.write_text(text, encoding="ascii")
    with pytest.raises(GatewayError, match="restore it from the backup"):
        wiring.installation_key(path)
    assert path.read_text(encoding="ascii") == text


def test_page_links_are_sealed_with_a_key_of_their_own(tmp_path):
    path = tmp_path / "installation.key"
    assert wiring.page_key(path) == wiring.page_key(path)
    assert wiring.page_key(path) != wiring.installation_key(path)


def test_a_store_that_was_not_migrated_is_refused(tmp_path):
    with pytest.raises(GatewayError, match="migrate"):
        wiring.open_gateway(load(tmp_path / "var"))


def test_the_same_number_has_the_same_id_in_every_worker_of_an_installation(tmp_path):
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path) as town:
        town.run(hl7(msh("M1"), pid("P1")))
        first = town.only("Patient")["id"]
    other = tmp_path / "other"
    other.mkdir()
    (other / "installation.key").write_bytes((tmp_path / "installation.key").read_bytes())
    with county(f"sqlite:///{other}/gateway.db", other) as town:
        town.run(hl7(msh("M1"), pid("P1")))
        assert town.only("Patient")["id"] == first


def test_bytes_are_stored_before_they_are_answered(tmp_path):
    raw = hl7(msh("M1"), pid("P1"))
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path) as town, town.gateway.taking("http") as take:
        answer = take(raw, "county-his", "10.0.0.1")
        assert answer.verdict is Verdict.STORED
        (arrival,) = town.store.inbox.unpicked(0, 10)
    assert (arrival.body, arrival.listener, arrival.peer, arrival.feed) == (raw, "http", "10.0.0.1", "county-his")


def test_unconfigured_senders_are_known_only_where_the_setting_allows_it(tmp_path):
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path) as town:
        assert town.gateway.book().get("generic") is not None
        closed = wiring.Gateway(load(tmp_path), town.gateway.catalog, town.store)
        with closed.taking("mllp") as take:
            assert take(hl7(msh("M1", sender="UNHEARD"), pid()), "", "").verdict is Verdict.REFUSED


@pytest.mark.parametrize("collecting", [True, False])
def test_loading_definitions_leaves_garbage_collection_as_it_was(collecting):
    was_on = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        wiring.open_catalog(settings.load())
        assert gc.isenabled() is collecting
    finally:
        (gc.enable if was_on else gc.disable)()
