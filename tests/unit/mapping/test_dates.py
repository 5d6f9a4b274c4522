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
     "2024010112+0861", "明天", "3月龄", "0000-00-00", "11月9日", "农历1949年12月31日",
     "31-13月-26", "12-XYZ-26", "999999", "99999.5"],
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


@pytest.mark.parametrize("raw", ["2460", "900", "noon", "2500"])
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


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2024年1月1日", "2024-01-01"),
        ("2024/1/1 8:05", "2024-01-01T08:05:00+08:00"),
        ("2026年11月9日 8时5分", "2026-11-09T08:05:00+08:00"),
        ("01-1月-24", "2024-01-01"),
        ("31-10月-26 08.30.15.000000 上午", "2026-10-31T08:30:15.000000+08:00"),
        ("31-10月-26 12.30.15 上午", "2026-10-31T00:30:15+08:00"),
        ("31-OCT-1998 08.30.15 PM", "1998-10-31T20:30:15+08:00"),
        ("31-10月-98", "1998-10-31"),
        ("2026/11/20 下午 2:05:00", "2026-11-20T14:05:00+08:00"),
        ("2026.09.03", "2026-09-03"),
        ("2026110908", "2026-11-09T08:00:00+08:00"),
        ("20261109081200123", "2026-11-09T08:12:00.123+08:00"),
        ("20261109 8:12", "2026-11-09T08:12:00+08:00"),
        ("2026-3", "2026-03"),
        ("2012-03", "2012-03"),
        ("２０２６-１１-０９", "2026-11-09"),
        ("2026-11-09 24:00:00", "2026-11-10T00:00:00+08:00"),
    ],
)
def test_dates_of_exports(raw, expected):
    assert dates.date_time(raw).value == expected
    assert dates.date_only(raw).value in (expected[:10], "2026-11-09")


@pytest.mark.parametrize(
    ("raw", "moment", "day"),
    [
        ("45292", "2024-01-01", "2024-01-01"),
        ("45292.5", "2024-01-01T12:00:00+08:00", "2024-01-01"),
        ("45292.999999", "2024-01-02", "2024-01-02"),
        ("18263", "1949-12-31", "1949-12-31"),
    ],
)
def test_day_numbers_of_spreadsheets_are_read_and_said(raw, moment, day):
    cell = dates.date_time(raw)
    assert (cell.value or "").startswith(moment)
    assert "day number" in cell.notes[0].text
    assert dates.date_only(raw).value == day


def test_a_day_number_is_no_instant():
    assert dates.instant("45292").value is None
    assert dates.instant("45292.25").value == "2024-01-01T06:00:00+08:00"


def test_one_digit_hours():
    assert dates.time_of_day("8:30").value == "08:30:00"
