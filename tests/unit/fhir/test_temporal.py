"""Dates and times: the exact calendar, and the moments a text covers."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.fhir import temporal

SHANGHAI = "Asia/Shanghai"
SECOND = 1_000_000
DAY = 86_400 * SECOND


def us(*parts):
    return temporal.micros(datetime(*parts, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "kind", "right"),
    [
        ("2026", "date", True),
        ("2026-02", "date", True),
        ("2026-02-28", "date", True),
        ("2026-02-29", "date", False),
        ("2026-02-30", "date", False),
        ("2024-02-29", "date", True),
        ("1900-02-29", "date", False),
        ("2000-02-29", "date", True),
        ("2026-04-31", "date", False),
        ("2026-13", "date", False),
        ("2026-00-01", "date", False),
        ("0000", "date", False),
        ("0001", "date", True),
        ("2026-2-1", "date", False),
        ("20260201", "date", False),
        ("２０２６", "date", False),
        ("2026-02-28\n", "date", False),
        ("2026-02-28T00:00:00Z", "date", False),
        ("2026-02-28T00:00:00Z", "dateTime", True),
        ("2026-02-28T23:59:60.5+08:00", "dateTime", True),
        ("2026-02-28T24:00:00Z", "dateTime", False),
        ("2026-02-28T00:00Z", "dateTime", False),
        ("2026-02-28T00:00:00", "dateTime", False),
        ("2026-02-28T00:00:00+14:00", "dateTime", True),
        ("2026-02-28T00:00:00+14:30", "dateTime", False),
        ("2026-02-28T00:00:00.+08:00", "dateTime", False),
        ("2026-02", "instant", False),
        ("2026-02-28T00:00:00.123Z", "instant", True),
        ("23:59:59", "time", True),
        ("24:00:00", "time", False),
        ("08:30", "time", False),
        ("08:30:00Z", "time", False),
    ],
)
def test_only_days_and_times_that_exist_are_right(text, kind, right):
    assert temporal.valid(text, kind) is right


@given(st.dates())
def test_every_day_of_the_calendar_is_right_and_the_next_month_day_is_not(day):
    assert temporal.valid(day.isoformat(), "date")
    assert temporal.bounds(day.isoformat(), "UTC") == (
        us(day.year, day.month, day.day),
        us(day.year, day.month, day.day) + DAY,
    )


@given(st.integers(1, 9999), st.integers(0, 13), st.integers(0, 32))
def test_the_expression_and_the_calendar_agree(year, month, day):
    try:
        date(year, month, day)
        exists = True
    except ValueError:
        exists = False
    assert temporal.valid(f"{year:04}-{month:02}-{day:02}", "date") is exists


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026", us(2025, 12, 31, 16), us(2026, 12, 31, 16)),
        ("2026-02", us(2026, 1, 31, 16), us(2026, 2, 28, 16)),
        ("2026-12", us(2026, 11, 30, 16), us(2026, 12, 31, 16)),
        ("2026-02-03", us(2026, 2, 2, 16), us(2026, 2, 3, 16)),
        ("2026-02-03T10:30", us(2026, 2, 3, 2, 30), us(2026, 2, 3, 2, 31)),
        ("2026-02-03T10:30Z", us(2026, 2, 3, 10, 30), us(2026, 2, 3, 10, 31)),
        ("2026-02-03T10:30:15", us(2026, 2, 3, 2, 30, 15), us(2026, 2, 3, 2, 30, 16)),
        ("2026-02-03T10:30:15-05:30", us(2026, 2, 3, 16, 0, 15), us(2026, 2, 3, 16, 0, 16)),
        ("2026-02-03T10:30:15.25Z", us(2026, 2, 3, 10, 30, 15, 250000), us(2026, 2, 3, 10, 30, 15, 260000)),
        ("2026-02-03T10:30:15.1234567Z", us(2026, 2, 3, 10, 30, 15, 123456), us(2026, 2, 3, 10, 30, 15, 123457)),
        ("2016-12-31T23:59:60Z", us(2017, 1, 1), us(2017, 1, 1, 0, 0, 1)),
        ("9999", us(9998, 12, 31, 16), us(9999, 12, 31, 16)),
        ("9999-12-31", us(9999, 12, 30, 16), us(9999, 12, 31, 16)),
    ],
)
def test_the_moments_a_text_covers(text, low, high):
    assert temporal.bounds(text, SHANGHAI) == (low, high)


def test_summer_time_of_the_zone_counts():
    # China kept summer time in 1988: clocks stood at +09:00.
    assert temporal.bounds("1988-06-01T09:00:00", SHANGHAI)[0] == us(1988, 6, 1)
    low, high = temporal.bounds("2026-03-29", "Europe/Berlin")
    assert high - low == DAY - 3600 * SECOND


def test_the_first_year_does_not_break_in_any_zone():
    assert temporal.bounds("0001-01-01", temporal.fixed_zone(8))[0] < us(1, 1, 1)


@pytest.mark.parametrize(
    "text",
    [
        *("", "today", "2026-02-30", "2026-13", "0000", "2026-02-03T10", "2026-02-03 10:00:00"),
        *("2026-02-03T25:00:00Z", "2026-02-03T10:61:00Z", "2026-02-03T10:30:61Z"),
        *("2026-02-03T10:30:00+15:00", "2026-02-03T10:30:00+08:60"),
    ],
)
def test_a_text_that_is_no_moment_is_told(text):
    with pytest.raises(GatewayError, match=r"is not a"):
        temporal.bounds(text, SHANGHAI)


def test_an_unknown_zone_is_told():
    with pytest.raises(GatewayError, match="not a known time zone"):
        temporal.bounds("2026", "Asia/Atlantis")
    with pytest.raises(GatewayError, match="not a known time zone"):
        temporal.time_zone("../x")


NAIVE = st.datetimes(datetime.fromisoformat("0002-01-01"), datetime.fromisoformat("9998-01-01"))
FRACTIONS = st.one_of(st.just(""), st.text("0123456789", min_size=1, max_size=9).map(lambda digits: "." + digits))
OFFSETS = st.sampled_from(["", "Z", "+08:00", "-03:30", "+14:00"])


@given(NAIVE, st.sampled_from([4, 7, 10, 16, 19]), FRACTIONS, OFFSETS)
def test_bounds_are_a_span_that_lies_in_that_of_the_shorter_text(moment, length, fraction, offset):
    text = moment.isoformat(timespec="seconds")[:length]
    whole = text + (fraction if length == 19 else "") + (offset if length > 10 else "")
    low, high = temporal.bounds(whole, SHANGHAI)
    assert low < high
    if length == 19 and fraction:
        outer = temporal.bounds(text + offset, SHANGHAI)
        assert outer[0] <= low < high <= outer[1]


@given(st.integers(-62_135_596_800 * SECOND, 253_402_300_799 * SECOND))
def test_an_instant_says_exactly_its_microsecond(moment):
    text = temporal.instant(moment)
    assert temporal.valid(text, "instant")
    low, high = temporal.bounds(text, "UTC")
    assert low == moment
    assert high - low == (1 if moment % 1000 else 1000)


def test_instants_in_a_zone():
    assert temporal.instant(us(2026, 2, 3, 2, 30)) == "2026-02-03T02:30:00.000Z"
    assert temporal.instant(us(2026, 2, 3, 2, 30) + 1) == "2026-02-03T02:30:00.000001Z"
    assert temporal.instant(us(2026, 2, 3, 2, 30), temporal.fixed_zone(8)) == "2026-02-03T10:30:00.000+08:00"
    with pytest.raises(GatewayError, match="outside the years"):
        temporal.instant(10**18)


def test_a_moment_needs_a_zone():
    assert temporal.micros(datetime(1970, 1, 1, 8, tzinfo=temporal.fixed_zone(8)) + timedelta(microseconds=5)) == 5
    with pytest.raises(GatewayError, match="no time zone"):
        temporal.micros(datetime.fromisoformat("2026-01-01"))
