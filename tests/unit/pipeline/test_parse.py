import pytest

from gateway.mapping.feeds import Feed
from gateway.pipeline import inbox
from gateway.pipeline.parse import parse, read
from gateway.pipeline.values import Item, Parked, Reason
from gateway.store.values import Arrival
from tests.support.county import hl7, msh, pid

FEED = Feed("county-his", "county")


def item(*segments, feed=FEED, charset=""):
    return Item(1, feed, hl7(*segments), 0, charset=charset)


@pytest.mark.parametrize(
    ("segments", "keys"),
    [
        (["PID|1||P1^^^^LocalID~ID9^^^^IdentifyNO"], ["P1"]),
        (["PID|1|P2|P1|P4"], ["P1", "P2", "P4"]),
        (["PID|1|P1|P1"], ["P1"]),
        (['PID|1|P2|""'], ["P2"]),
        (["PID|1||^^^X~P7"], ["P7"]),
        (["PID|1||P1", "MRG|P2^^^^LocalID|||P3"], ["P1", "P2", "P3"]),
        ([], []),
    ],
)
def test_the_numbers_that_name_the_patient(segments, keys):
    assert list(read(item(msh("M1"), *segments)).patient_keys) == [f"county|{key}" for key in keys]


def test_the_pinned_charset_of_a_feed_wins():
    raw = hl7(msh("M1"), pid("P1", "李珅")).decode().encode("gb18030")
    parsed = read(Item(1, Feed("old", "county", charset="gb18030"), raw, 0, charset="UNICODE UTF-8"))
    assert "李珅" in parsed.message.text


def test_what_cannot_be_read_is_parked_and_the_others_pass():
    undecodable = Item(2, FEED, hl7(msh("M2"), pid()).replace("张三".encode(), b"\xff\x80\xfe\x7c"), 0)
    told = parse([item(msh("M1"), pid()), undecodable, Item(3, FEED, b"hello", 0)])
    assert [parsed.item.item_id for parsed in told.passed] == [1]
    assert [(entry.item.item_id, entry.reason) for entry in told.parked] == [
        (2, Reason.UNDECODABLE),
        (3, Reason.UNREADABLE),
    ]
    assert all(isinstance(entry, Parked) and entry.issues[0].text for entry in told.parked)


class Book:
    def get(self, name):
        return FEED if name == FEED.name else None


def arrival(body, **given):
    plain = Arrival(
        7, FEED.name, "county", 0, b"", "M1", "ADT", "A08", "", "", "", "{}", len(body or b""), "", False, body
    )
    return plain._replace(**given)


def test_an_arrival_of_several_messages_is_cut_into_items():
    bodies = [hl7(msh(f"M{n}"), pid(f"P{n}")) for n in range(3)]
    picked = inbox.fresh([arrival(b"".join(bodies), control_id="M0")], Book())
    assert [one.control_id for one in picked.items] == ["M0", "M1", "M2"]
    assert [one.raw.rstrip(b"\r") for one in picked.items] == [body.rstrip(b"\r") for body in bodies]
    assert len({one.item_id for one in picked.items}) == 3
    assert picked.last_arrival == 7


def test_an_arrival_whose_feed_is_gone_is_an_orphan():
    picked = inbox.fresh([arrival(hl7(msh("M1"), pid()), feed="gone")], Book())
    assert (picked.items, [one.feed.name for one in picked.orphans]) == ([], ["gone"])


def test_a_piece_that_is_not_hl7_keeps_its_place():
    body = hl7(msh("M0"), pid()) + b"MSH\r"
    picked = inbox.fresh([arrival(body, control_id="")], Book())
    assert next(one.event for one in picked.items) == "ADT^A08"
    assert all(one.raw for one in picked.items)
