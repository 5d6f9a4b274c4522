"""The store as a whole: it opens, answers, copies itself and tells what is wrong."""

from pathlib import Path

import pytest

from gateway.errors import Category, GatewayError, Transient
from gateway.store.engine import open_store
from gateway.store.values import State
from tests.store.make import ALL, arrival, create, work


def test_pings_and_knows_its_sizes(store):
    store.ping()
    store.checkpoint()
    assert all(size > 0 for size in store.sizes().values())


def test_opens_where_the_data_folder_is(tmp_path):
    store = open_store("sqlite://", tmp_path / "var")
    store.migrate()
    store.close()
    assert {path.name for path in (tmp_path / "var").iterdir()} == {"gateway.db", "blobs.db", "inbox.db", "audit.db"}


@pytest.mark.parametrize("url", ["mysql://root:secret@host/x", "gateway.db", "nonsense://"])
def test_an_unknown_database_is_refused_without_telling_its_password(url):
    with pytest.raises(GatewayError, match=r"Write sqlite:///PATH/gateway\.db or postgresql") as caught:
        open_store(url)
    assert "secret" not in caught.value.text


def test_an_unreachable_server_is_transient():
    with pytest.raises(Transient, match="PostgreSQL does not answer"):
        open_store("postgresql://nobody@127.0.0.1:1/none")


def test_reading_only_changes_nothing(store, database_url, tmp_path):
    create(store, "a")
    watching = open_store(database_url, readonly=True)
    assert watching.resources.read("Patient", "a", ALL).ver == 1
    with pytest.raises(Exception, match=r"readonly|read-only"):
        create(watching, "b")
    watching.close()
    with pytest.raises(GatewayError, match="no store at") as caught:
        open_store(f"sqlite:///{tmp_path}/none/gateway.db", readonly=True)
    assert caught.value.category == Category.NOT_FOUND


def test_a_copy_made_while_running_opens_as_a_store(store, tmp_path):
    folder = tmp_path / "copy"
    if not store.is_sqlite:
        with pytest.raises(GatewayError, match="pg_dump"):
            store.copy_to(folder)
        return
    (receipt,) = store.inbox.append([arrival("kept")])
    create(store, "a")
    with store.write() as tx:
        tx.work_put([work(receipt.id, State.APPLIED)])
        made = [path.name for path in store.copy_to(folder)]
    assert made == ["gateway.db", "blobs.db", "inbox.db", "audit.db"]
    with pytest.raises(GatewayError, match=r"already holds gateway\.db, blobs\.db, inbox\.db, audit\.db"):
        store.copy_to(folder)
    copied = open_store(f"sqlite:///{folder}/gateway.db")
    copied.ping()
    assert copied.resources.read("Patient", "a", ALL).ver == 1
    assert copied.inbox.raw(receipt.id) == b"kept"
    assert copied.work.counts() == {}, "the copy is from before the commit"
    copied.close()


def test_closing_leaves_whole_files(tmp_path):
    store = open_store("sqlite://", tmp_path)
    store.migrate()
    create(store, "a")
    store.close()
    assert sorted(path.name for path in Path(tmp_path).iterdir()) == ["audit.db", "blobs.db", "gateway.db", "inbox.db"]


def test_many_readers_at_once(store):
    create(store, "a")
    with store.read() as one, store.read() as two, store.read() as three:
        found = [tx.read("Patient", "a", ALL) for tx in (one, two, three)]
    assert found[0] == found[1] == found[2]
