"""Links end but stay as history; relations, cursors and mapping versions are what they were set to."""

from concurrent.futures import ThreadPoolExecutor

from gateway.store.values import NewLink, Relation


def test_links_are_found_from_both_ends_and_end(store):
    with store.write() as tx:
        first, second = tx.links_add(
            [NewLink("replaced-by", 1, 2, "active", 10, '{"by":"A40"}', 5), NewLink("seealso", 3, 1, "active", 11)]
        )
    with store.write() as tx:
        assert [link.id for link in tx.links([1])] == [first, second]
        assert [link.id for link in tx.links([2, 1])] == [first, second]
        tx.links_end([first], 99)
        tx.links_end([first], 100, "again")
        assert [link.id for link in tx.links([1, 2])] == [second]
        old = tx.links([2], ended=True)[0]
    assert (old.ended_us, old.state, old.evidence, old.item_id, old.created_us) == (99, "ended", '{"by":"A40"}', 5, 10)


def test_a_relation_holds_from_its_day_until_its_day(store):
    open_end = Relation("township", "Patient/a", "contract", 100)
    closed = Relation("county", "Patient/a", "encounter", 50, 120)
    with store.write() as tx:
        tx.relations_add([open_end, closed, closed._replace(person="Patient/b")])
    with store.write() as tx:
        assert tx.relations("Patient/a", 99) == [closed]
        assert tx.relations("Patient/a", 100) == [closed, open_end]
        assert tx.relations("Patient/a", 120) == [open_end]
        assert tx.relations_end("township", "Patient/a", "contract", 200) == 1
        assert tx.relations_end("township", "Patient/a", "contract", 300) == 0
        assert tx.relations("Patient/a", 200) == []


def test_cursors_start_at_zero(store):
    with store.write() as tx:
        assert tx.cursor("picker") == 0
        tx.cursor_set("picker", 5)
        tx.cursor_set("picker", 7)
    with store.read() as tx:
        assert tx.cursor("picker") == 7


def test_a_mapping_version_is_stored_once(new_store):
    stores = [new_store() for _ in range(3)]

    def number(store):
        with store.write() as tx:
            return tx.mapping_version("abc", "rules: []", 1)

    with ThreadPoolExecutor(3) as pool:
        (found,) = set(pool.map(number, stores))
    with stores[0].write() as tx:
        assert tx.mapping_version("def", "other", 2) != found
        assert (tx.mapping_text(found), tx.mapping_digest(found)) == ("rules: []", "abc")
        assert (tx.mapping_text(99), tx.mapping_digest(99)) == (None, None)


def test_merges_are_found_from_the_record_that_is_replaced(store):
    with store.write() as tx:
        first, *_ = tx.links_add(
            [
                NewLink("replaced-by", 1, 2, "active", 10),
                NewLink("replaced-by", 3, 1, "active", 11),
                NewLink("same", 1, 4, "active", 12),
            ]
        )
    with store.write() as tx:
        assert [(link.id, link.to_pid) for link in tx.replaced([1, 2])] == [(first, 2)]
        tx.links_end([first], 99)
        assert tx.replaced([1, 2]) == []
