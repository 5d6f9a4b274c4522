"""The store as a whole: it opens, answers, is durable, copies itself and tells what is wrong."""


def test_pings(store):
    store.ping()
    assert all(size > 0 for size in store.sizes().values())
