"""Randomness: the same everywhere, one stream a purpose, shares that come true."""

from collections import Counter

import pytest

from gateway.simulate.streams import Stream, Streams


def test_the_same_key_gives_the_same_numbers_and_another_key_others():
    streams = Streams(3)
    assert [streams.of("a", 1).unit() for _ in range(2)] == [streams.of("a", 1).unit() for _ in range(2)]
    assert streams.of("a", 1).unit() != streams.of("a", 2).unit()
    assert Streams(4).of("a", 1).unit() != streams.of("a", 1).unit()
    assert streams.share("x") == Streams(3).share("x")


def test_known_numbers_of_a_seed_never_change():
    assert [Streams(7).of("name", 17).whole(0, 999) for _ in range(1)] == [int(Streams(7).of("name", 17).unit() * 1000)]
    assert round(Stream(1).unit(), 6) == 0.134364


def test_shares_come_true():
    stream = Stream(5)
    assert 0.27 < sum(stream.chance(0.3) for _ in range(4000)) / 4000 < 0.33
    found = Counter(stream.weighted({"a": 3, "b": 1, "c": 0}) for _ in range(4000))
    assert 2800 < found["a"] < 3200
    assert "c" not in found
    assert stream.weighted({"a": 0.0}) == "a"
    assert {stream.whole(2, 4) for _ in range(200)} == {2, 3, 4}
    assert {stream.pick("xy") for _ in range(100)} == {"x", "y"}


def test_the_bell_and_the_counts_have_the_right_mean():
    stream = Stream(9)
    values = [stream.normal(100, 10) for _ in range(4000)]
    assert 99 < sum(values) / 4000 < 101
    for mean in (0.3, 12.0):
        assert sum(stream.count(mean) for _ in range(4000)) / 4000 == pytest.approx(mean, rel=0.1)
