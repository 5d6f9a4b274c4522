"""What is new in a file, by what is known of its rows: the rules, without a store."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pipeline import sorting
from gateway.store.rows import RowState
from gateway.store.values import item_id


@dataclass(frozen=True)
class Row:
    number: int
    key: str
    digest: bytes
    time: str = ""
    fault: str = ""

    @property
    def line(self):
        return self.number + 2


def rows(*told):
    return [Row(number, key, text.encode() * 16) for number, (key, text) in enumerate(told)]


def taken(records, known=None, arrival=7):
    return sorting.sort(records, known or {}, sorting.contents(records, arrival))


def known(found):
    return {state.key: state for state in (*found.new, *found.told_anew)}


def names(records):
    return [record.key for record in records]


def test_new_changed_and_unchanged_rows_are_told_apart():
    before = known(taken(rows(("a", "1"), ("b", "1"), ("c", "1")), arrival=6))
    found = taken(rows(("a", "1"), ("b", "2"), ("d", "1")), before)
    assert (names(found.fresh), names(found.changed), found.unchanged) == (["d"], ["b"], 1)
    assert [state.item_id for state in found.told_anew] == [item_id(7, 1)]
    assert found.earlier == [item_id(6, 1)]


def test_a_missing_row_that_is_back_is_no_change():
    before = {"a": RowState("a", b"1" * 16, item_id(6, 0), 2, "", 99)}
    found = taken(rows(("a", "1")), before)
    assert (found.unchanged, found.returned, found.changed) == (1, ["a"], [])


def test_a_key_on_several_rows_is_unchanged_only_if_all_are():
    told = rows(("a", "1"), ("b", "1"), ("a", "2"))
    first = taken(told, arrival=6)
    assert (names(first.fresh), names(first.changed)) == (["a", "b"], ["a"])
    assert taken(told, known(first)).unchanged == 3
    other = taken(rows(("a", "1"), ("b", "1"), ("a", "3")), known(first))
    assert (names(other.changed), other.unchanged) == (["a", "a"], 1)


def test_a_key_on_rows_of_two_steps_is_taken_in_both():
    told = rows(("a", "1"), ("a", "2"))
    whole = sorting.contents(told, 7)
    first = sorting.sort(told[:1], {}, whole)
    second = sorting.sort(told[1:], known(first), whole)
    assert (names(first.fresh), names(second.changed), second.earlier) == (["a"], ["a"], [])


def test_what_a_later_file_told_stays():
    later = {"a": RowState("a", b"9" * 16, item_id(8, 0), 2)}
    found = taken(rows(("a", "1")), later)
    assert (found.unchanged, found.changed) == (1, [])


def test_a_row_without_key_is_known_by_its_content():
    broken = [Row(0, "", b"x" * 16, fault="no key"), Row(1, "", b"y" * 16, fault="no key")]
    found = taken(broken, arrival=6)
    assert (len(found.quarantined), found.fresh) == (2, [])
    assert all(sorting.is_keyless(state.key) for state in found.new)
    assert taken(broken, known(found)).unchanged == 2


@pytest.mark.parametrize(
    ("told", "inside"), [("2026-10-02", True), ("2026-10-01", True), ("2026-10-04", False), ("", False)]
)
def test_the_span_of_a_file_is_that_of_its_times(told, inside):
    whole = sorting.contents([Row(0, "a", b"", "2026-10-03"), Row(1, "b", b"", "2026-10-01"), Row(2, "c", b"")], 7)
    assert whole.spans(told) is inside


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("123")), max_size=30), st.integers(1, 7))
def test_any_file_sent_twice_says_nothing_new_and_steps_do_not_matter(told, step):
    records = rows(*told)
    whole = sorting.contents(records, 6)
    states, items = {}, []
    for start in range(0, len(records), step):
        found = sorting.sort(records[start : start + step], states, whole)
        states |= known(found)
        items += [record.number for record in (*found.fresh, *found.changed)]
    assert sorted(items) == [record.number for record in records]
    again = taken(records, states, 7)
    assert (again.unchanged, again.fresh, again.changed) == (len(records), [], [])
