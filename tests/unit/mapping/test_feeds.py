"""Which sender belongs to which feed, and what a feed.yaml may say."""

import pytest

from gateway.mapping import feeds
from gateway.mapping.feeds import Feed, FeedBook, NoMatch, Seen


def feed(name, **match):
    return Feed(name, "s", match={word: (value,) if isinstance(value, str) else value for word, value in match.items()})


OPEN = Feed("generic", "generic", insecure_only=True)
BOOK = FeedBook([feed("his", msh3="HIS", msh4="5199*"), feed("lis", msh3=("LIS", "LIS2"), peer="10.0.0.0/8"), OPEN])


@pytest.mark.parametrize(
    ("seen", "name"),
    [
        (Seen(msh3="HIS", msh4="519927001"), "his"),
        (Seen(msh3="LIS2", peer="10.1.2.3"), "lis"),
    ],
)
def test_exactly_one_feed_matches(seen, name):
    assert BOOK.match(seen).name == name


@pytest.mark.parametrize(
    "seen", [Seen(msh3="HIS"), Seen(msh3="LIS", peer="192.168.0.1"), Seen(msh3="LIS", peer="host"), Seen()]
)
def test_an_unknown_sender_is_told_what_was_seen(seen):
    found = BOOK.match(seen)
    assert isinstance(found, NoMatch)
    assert "no feed matches" in found.text
    assert (seen.msh3 or "nothing") in found.text


def test_two_feeds_of_one_sender_are_refused_by_name():
    found = FeedBook([feed("a", msh3="X"), feed("b", msh3="X")]).match(Seen(msh3="X"))
    assert isinstance(found, NoMatch)
    assert "a and b" in found.text


def test_the_open_feed_takes_part_only_on_this_machine():
    assert FeedBook([OPEN], insecure_local=True).match(Seen(msh3="?")) is OPEN
    assert isinstance(FeedBook([OPEN]).match(Seen(msh3="?")), NoMatch)


def test_feeds_by_name():
    assert BOOK.get("his").name == "his"
    assert BOOK.get("nobody") is None
    assert [found.name for found in BOOK] == ["his", "lis", "generic"]


def test_what_a_feed_decides():
    one = Feed("f", "s", events=("ORU^*",))
    assert one.hold
    assert one.is_test("T")
    assert one.is_test("D^x")
    assert not one.is_test("P")
    assert not Feed("f", "s", test_traffic="real").is_test("T")
    assert not Feed("f", "s", parked="skip").hold
    assert one.takes("ORU", "R01")
    assert not one.takes("ADT", "A01")
    assert Feed("f", "s").takes("ADT", "A01")


def test_a_feed_file_is_read():
    found, faults = feeds.read(
        "f", "s", {"feed": "f", "match": {"msh3": "A", "peer": ["1.2.3.4"]}, "daily": "filler", "note": "x"}
    )
    assert faults == []
    assert found.match == {"msh3": ("A",), "peer": ("1.2.3.4",)}
    assert found.daily == ("filler",)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"colour": 1}, "unknown word colour"),
        ({"feed": "other"}, "its folder is f"),
        ({"ack": "maybe"}, "ack is one of"),
        ({"match": "HIS"}, "match is a mapping"),
        ({"match": {"msh5": "x"}}, "unknown word msh5"),
        ({"insecure_only": "yes"}, "true or false"),
    ],
)
def test_every_fault_of_a_feed_file_is_a_sentence(raw, words):
    found, faults = feeds.read("f", "s", raw)
    assert found is None
    assert words in faults[0]


def test_a_feed_of_tables_says_which_and_how():
    feed, faults = feeds.read(
        "csv", "town",
        {"format": "csv", "tables": {"residents": {"mode": "full", "files": "*档案*", "empty": "clear"}, "contracts": None},
         "empty": "clear", "delimiter": "|"},
    )  # fmt: skip
    assert faults == []
    assert feed is not None
    assert feed.tabular
    assert feed.tables["residents"] == ("full", ("*档案*",), "clear")
    assert feed.tables["contracts"] == ("delta", (), "")
    assert (feed.empty, feed.delimiter) == ("clear", "|")


def test_a_feed_asks_nothing_unless_it_says_so():
    plain, _ = feeds.read("f", "s", {"format": "hl7v2"})
    assert (plain.queries, plain.query_scope) == ((), "site")
    asks, _ = feeds.read("f", "s", {"queries": ["QBP^Q22", "ADT^ZP1"]})
    assert (asks.queries, asks.query_scope) == (("QBP^Q22", "ADT^ZP1"), "site")
    region, _ = feeds.read("f", "s", {"queries": {"events": "QBP^Q22", "scope": "community"}})
    assert (region.queries, region.query_scope) == (("QBP^Q22",), "community")


@pytest.mark.parametrize(
    ("queries", "words"),
    [
        (["QBP^Q99"], "'QBP^Q99' is none that is answered"),
        ({"scope": "community"}, "lists the events"),
        ({"events": ["QBP^Q22"], "scope": "world"}, "scope is one of site, community"),
        ({"events": ["QBP^Q22"], "who": "x"}, "unknown word who"),
        ([], "lists the events"),
    ],
)
def test_every_fault_of_queries_is_a_sentence(queries, words):
    found, faults = feeds.read("f", "s", {"queries": queries})
    assert found is None
    assert any(words in fault for fault in faults)


def test_the_scope_of_queries_is_said_with_them():
    _, faults = feeds.read("f", "s", {"query_scope": "community"})
    assert any("unknown word query_scope" in fault for fault in faults)
