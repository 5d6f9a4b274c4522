from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.listeners import answers, door
from gateway.listeners.values import Who
from gateway.mapping.feeds import Feed, FeedBook

BOOK = FeedBook(
    [
        Feed("his", "county", match={"msh3": ("HIS",)}),
        Feed("two", "county", match={"msh3": ("TWO",)}, ack="enhanced", test_traffic="refuse"),
        Feed("lis", "county", match={"certificate": ("*CN=lis*",)}),
    ]
)
PIECES = [
    b"MSH|^~\\&|HIS|A|B|C|20260105||ADT^A01|1|P|2.4\r",
    b"MSH|^~\\&|TWO|A|B|C|20260105||ADT^A01|2|T|2.4|||AL|AL\r",
    b"MSH|^~\\&|TWO|A|B|C|20260105||ACK|3|P|2.4\r",
    b"MSH",
    b"MSH|",
    b"FHS|^~\\&\r",
    b"BHS|^~\\&|HIS\r",
    b"BTS|2\r",
    b"FTS|1\r",
    b"PID|1||P1\r",
    b"\r\n",
    b"\x0b",
    b"\x00",
    "珅瑋|東".encode("gbk"),
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"^~\\&|",
]


def everything_of(raw, who):
    """Judge bytes and build whatever would be kept and answered."""
    units = door.read(raw, who, BOOK)
    assert units
    for unit in units:
        if unit.refusal is not None:
            assert unit.refusal.text
            row = door.reject(unit, who)
            assert row.head == unit.raw[:4096]
            answers.refused(unit, 1_700_000_000_000_000)
        else:
            kept = door.arrival(unit, who, 1, answers.code(unit))
            assert kept.body in raw
            answers.stored(unit, 7, 1_700_000_000_000_000, {})
            answers.late(unit, 7, 1_700_000_000_000_000, {})
    return units


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_judged(raw):
    everything_of(raw, Who("mllp", "10.0.0.1"))


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join))
def test_anything_that_looks_like_hl7_is_judged(raw):
    everything_of(raw, Who("mllp", "10.0.0.1", "CN=x"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 60))
def test_a_damaged_header_is_judged(noise, at):
    everything_of(PIECES[1][:at] + noise + PIECES[1][at:], Who("mllp"))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=5000))
def test_the_head_of_a_giant_is_judged(head):
    unit = door.oversize(head, 1 << 30, 1 << 25)
    assert door.reject(unit, Who("mllp"), 1 << 30).size == 1 << 30
    assert len(answers.refused(unit, 1)) == 1


def test_a_certificate_tells_the_feed():
    (unit,) = door.read(PIECES[0].replace(b"HIS", b"X"), Who("tls", "10.0.0.1", "O=LAB,CN=lis-7 sha256:00"), BOOK)
    assert unit.feed.name == "lis"


def test_two_feeds_that_fit_are_none():
    (unit,) = door.read(PIECES[0], Who("tls", "10.0.0.1", "CN=lis"), BOOK)
    assert unit.refusal.reason == "unknown-feed"
    assert "More than one feed" in unit.refusal.text


def test_times_of_answers_are_the_countys():
    assert answers.hl7_time(0) == "19700101080000.000+0800"
    assert answers.hl7_time(1_767_576_600_123_456) == "20260105093000.123+0800"
