"""Times keep their precision, get +08:00 where none is said, and are never impossible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mapping import dates


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2019", "2019"),
        ("201903", "2019-03"),
        ("20190309", "2019-03-09"),
        ("2019030913", "2019-03-09T13:00:00+08:00"),
        ("201903091301", "2019-03-09T13:01:00+08:00"),
        ("20190309130156", "2019-03-09T13:01:56+08:00"),
        ("20190309130156.1234+0000", "2019-03-09T13:01:56.1234+00:00"),
        ("20190309130156-0500", "2019-03-09T13:01:56-05:00"),
        ("20190309130156+08", "2019-03-09T13:01:56+08:00"),
        ("20190309130156Z", "2019-03-09T13:01:56Z"),
        ("20190309^D", "2019-03-09"),
        ("1980-01-01", "1980-01-01"),
        ("2024-1-1", "2024-01-01"),
        ("2024/01/01 8:05", "2024-01-01T08:05:00+08:00"),
        ("2024年1月1日", "2024-01-01"),
        ("2024年1月", "2024-01"),
        ("2024-01-01T08:05:09+09:00", "2024-01-01T08:05:09+09:00"),
        ("20240101240000", "2024-01-02T00:00:00+08:00"),
        ("20240229", "2024-02-29"),
    ],
)
def test_date_time_keeps_precision(raw, expected):
    assert dates.date_time(raw).value == expected


@pytest.mark.parametrize(
    "raw",
    ["20230229", "20231301", "202313", "0000", "00000000", "20240101250000", "20240101236000", "20240101120000+1500",
     "2024010112+0861", "明天", "3月龄", "45292.5", "0000-00-00"],
)  # fmt: skip
def test_impossible_times_are_a_note_and_no_value(raw):
    cell = dates.date_time(raw)
    assert cell.value is None
    assert raw in cell.notes[0].text


@pytest.mark.parametrize("raw", ["", " ", '""'])
def test_nothing_is_nothing(raw):
    assert dates.date_time(raw) == (None, (), (), None)


def test_date_instant_and_birth_time_take_what_they_can():
    assert dates.date_only("19800101120000").value == "1980-01-01"
    assert dates.date_only("198001").value == "1980-01"
    assert dates.instant("19800101120000").value == "1980-01-01T12:00:00+08:00"
    assert "no time of day" in dates.instant("19800101").notes[0].text
    assert "no time of day" in dates.instant("1980").notes[0].text
    assert dates.birth_time("19800101").value is None
    assert dates.birth_time("198001011230").value == "1980-01-01T12:30:00+08:00"


@pytest.mark.parametrize(("raw", "expected"), [("0830", "08:30:00"), ("083059.5", "08:30:59.5"), ("08:30", "08:30:00")])
def test_time_of_day(raw, expected):
    assert dates.time_of_day(raw).value == expected


@pytest.mark.parametrize("raw", ["2460", "9:00", "noon", "2500"])
def test_impossible_times_of_day(raw):
    assert dates.time_of_day(raw).value is None


def test_day_of_a_text():
    assert dates.day("2026-01-02T10:00:00+08:00") == "2026-01-02"
    assert dates.day("2026-01") == ""


@given(st.datetimes().filter(lambda moment: moment.year < 9999))
def test_every_real_moment_survives(moment):
    moment = moment.replace(microsecond=0)
    assert dates.date_time(moment.strftime("%Y%m%d%H%M%S").zfill(14)).value == f"{moment.isoformat()}+08:00"


@given(st.text(max_size=24))
def test_no_text_makes_it_raise(text):
    cell = dates.date_time(text)
    assert cell.value is None or cell.notes == ()
