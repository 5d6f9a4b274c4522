import pytest

from gateway.mapping.feeds import Feed
from gateway.pipeline import faults
from gateway.pipeline.limits import Overtime
from gateway.pipeline.values import Item, Reason
from tests.support.county import hl7, msh, pid

FEED = Feed("county-his", "county")


def item(attempts=0):
    return Item(1, FEED, hl7(msh("M1"), pid("P1")), 0, attempts=attempts)


def test_the_pause_grows_up_to_a_minute():
    assert [faults.pause(failures) for failures in (0, 1, 2, 6, 60)] == [1, 2, 4, 60, 60]


@pytest.mark.parametrize(
    ("fault", "tries"), [(ValueError("x"), 5), (RecursionError(), 5), (MemoryError(), 3), (Overtime("late"), 3)]
)
def test_a_message_is_tried_again_so_often_and_then_parked(fault, tries):
    for attempts in range(tries - 1):
        batch = faults.failed(item(attempts), fault, 1_000_000)
        assert batch.failed[0].next_us > 1_000_000
        assert not batch.parked
    batch = faults.failed(item(tries - 1), fault, 0)
    (parked,) = batch.parked
    assert (parked.reason, parked.patient_keys) == (Reason.POISON, ("county|P1",))
    assert type(fault).__name__ in parked.issues[0].text
    assert not parked.issues[0].text.endswith(": ")


def test_an_orphan_says_which_feed_is_gone():
    assert "there is no feed county-his any more" in faults.orphan(item()).issues[0].text


def test_an_orphan_without_bytes_says_that_retention_took_them():
    assert "past retention" in faults.orphan(Item(1, FEED, b"", 0, lost=True)).issues[0].text
