"""Numbers and texts of the store's values."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.store.values import MODE_ID, MODES, State, arrival_of, clean, item_id, version_id


@given(st.integers(1, 1 << 42), st.integers(0, (1 << 20) - 1))
def test_an_item_names_its_arrival(arrival, index):
    assert arrival_of(item_id(arrival, index)) == arrival
    assert item_id(arrival, index) < 1 << 63


def test_versions_sort_by_resource_then_number():
    assert version_id(1, 2) < version_id(1, 3) < version_id(2, 1)


@given(st.text(alphabet=st.characters(codec=None)))
def test_clean_text_fits_every_database_and_keeps_its_length(text):
    found = clean(text)
    found.encode()
    assert "\0" not in found
    assert len(found) == len(text)
    assert clean(found) == found


def test_clean_leaves_good_text_alone():
    for text in ("", "M-1", "张珅", "\U00020000"):
        assert clean(text) is text


def test_open_states_are_below_ten_and_ready_ones_below_two():
    assert [state for state in State if state < 10] == [State.QUEUED, State.RETRY, State.PARKED, State.HELD]
    assert [state for state in State if state < 2] == [State.QUEUED, State.RETRY]
    assert [MODES[MODE_ID[mode]] for mode in ("", "replace", "fill", "advance")] == list(MODES)
