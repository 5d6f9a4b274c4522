"""A resident ID counts only where it is sure, and a damaged one is still found: GB 11643 as clerks and programs write it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from gateway.identity import resident
from tests.support.residents import resident_id

PUBLISHED = "11010519491231002X"
births = st.dates(date(1881, 1, 1), date(2026, 12, 31)).map(lambda day: day.strftime("%Y%m%d"))
numbers = st.builds(resident_id, births, st.integers(1, 999))


@pytest.mark.parametrize("text", [
    "110105 19491231 002X", "110105-19491231-002X", "11010519491231002×", "11010519491231002*", "11010519491231002Х",
])  # fmt: skip
def test_a_number_written_otherwise_is_the_same(text):
    assert resident.read(text) == (PUBLISHED, True, "", False)


def test_fifteen_digits_become_eighteen():
    assert resident.read("110105491231002") == (PUBLISHED, True, "", True)


@pytest.mark.parametrize("text", [
    "110105491231996",  # for those born before 1900: the century is not sure
    "110105491331002",  # no such month
    "519927201003021",  # 18 digits of a child born in 2010 that lost three, or somebody born on 1920-10-03
])  # fmt: skip
def test_fifteen_digits_that_are_not_sure_prove_nothing(text):
    assert resident.read(text) == (text, False, "", False)


@pytest.mark.parametrize("text", [
    "110105194912310021", "110105194902300021", "11010519491231002", "110105********002X", "1101051949123100211",
    "110105194912310000", "110105194912310020",
])  # fmt: skip
def test_what_only_looks_like_one_is_damaged(text):
    assert resident.read(text) == (text, False, "", False)


def test_a_number_a_spreadsheet_shortened_proves_nothing_although_its_check_digit_may_fit():
    shortened = next(
        number
        for day in range(1, 29)
        for sequence in range(100, 1000, 100)
        if (number := resident_id(f"198001{day:02d}", sequence)).endswith("000")
    )
    assert resident.valid(shortened)
    assert resident.read(shortened) == (shortened, False, "", False)


@pytest.mark.parametrize("text", [
    "000000000000000000", "111111111111111111", "123456789012345678", "12345678901234567X", "999999999999999999",
    resident_id("19000101", 1), "无", "1.10105E+17", "12345", "A" * 18, "",
])  # fmt: skip
def test_a_dummy_is_nothing(text):
    assert resident.read(text).text == ""


@pytest.mark.parametrize(("area", "kind"), [
    ("810000", "residence-permit"), ("820000", "residence-permit"), ("830000", "residence-permit"),
    ("911156", "foreigner-card"), ("519927", ""),
])  # fmt: skip
def test_permits_of_the_same_form_are_documents(area, kind):
    number = resident_id(area=area)
    assert resident.read(number) == (number, True, kind, False)


@given(numbers)
def test_every_right_number_is_proven_and_tells_birth_and_sex(number):
    if number.endswith("00") or number[6:14] == "19000101":
        return
    assert resident.read(number) == (number, True, "", False)
    assert resident.birth_of(number).replace("-", "") == number[6:14]
    assert resident.sex_of(number) == ("male" if int(number[14:17]) % 2 else "female")


@given(numbers, st.integers(0, 16), st.integers(1, 9))
def test_a_wrong_digit_is_never_proven_and_the_right_number_is_among_its_repairs(number, at, by):
    damaged = number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :]
    assert not resident.read(damaged).proven
    dummy = resident.read(number).text == "" or resident.read(damaged).text == ""
    birth, sex = resident.birth_of(number), resident.sex_of(number)
    assert dummy or number in resident.repairs(damaged, birth, sex)
    assert all(resident.near(damaged, one) for one in resident.repairs(damaged))


@given(numbers, st.integers(0, 17), st.sampled_from("0123456789"))
def test_a_digit_left_out_or_written_twice_is_repaired(number, at, digit):
    birth, sex = resident.birth_of(number), resident.sex_of(number)
    if not resident.read(number).proven:
        return
    for damaged in (number[:at] + number[at + 1 :], number[:at] + digit + number[at:]):
        if damaged[:-1].isdigit() and damaged != number:
            assert number in resident.repairs(damaged, birth, sex)
            assert resident.near(damaged, number)


def test_repairs_keep_to_birth_and_sex():
    assert resident.repairs(resident_id()[:17] + "?") == ()
    wrong = "519927198001010020"
    assert not resident.valid(wrong)
    assert {resident.birth_of(one) for one in resident.repairs(wrong, "1980-01-01", "female")} == {"1980-01-01"}
    assert {resident.sex_of(one) for one in resident.repairs(wrong, "1980-01-01", "female")} == {"female"}
    assert resident.repairs(wrong, "1951-07-07") == ()


def test_a_former_number_is_itself():
    assert resident.repairs(PUBLISHED) == (PUBLISHED,)


@pytest.mark.parametrize(("damaged", "near"), [
    (PUBLISHED, True), ("110105********002X", True), ("110105********003X", False), ("110105XXXXXXXX002X", True),
    ("******************", False), ("110105194912310000", True), ("11010519491231003X", True), ("11010591491231002X", True),
    ("1101051949123102X", True), ("1101051949123102", False), ("440524188001010014", False), ("1101051949123100002X", False),
])  # fmt: skip
def test_what_may_be_the_same_number(damaged, near):
    assert resident.near(damaged, PUBLISHED) is near


def test_what_python_stdnum_gets_wrong_is_done_here():
    """It judges the area by a list, where some provinces even break it, and lets any century pass."""
    for number in (resident_id(area="830000"), resident_id(area="911156")):
        assert not ric.is_valid(number)
        assert resident.read(number).proven
    with pytest.raises(KeyError):  # a province it knows, with an area it does not
        ric.validate(resident_id())
    future = resident_id("29991231", 2, "110105")
    assert ric.is_valid(future)
    assert not resident.read(future).proven
    assert not ric.is_valid("110105491231002")  # it knows no fifteen digits


@given(numbers)
def test_the_check_digit_is_the_one_of_python_stdnum(number):
    assert ric.calc_check_digit(number) == number[17]
