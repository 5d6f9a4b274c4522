"""Numbers keep their digits, text its words, units their certainty."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mapping import scalars
from gateway.mapping.cell import Cell


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("a", "a"), (" a ", "a"), ('""', None), ("a^b", "a b"), ("a\\F\\b", "a|b"), ("A&B", "A&B"), ("^", None)],
)
def test_text(raw, expected):
    assert scalars.text(raw).value == expected


def test_lines_keep_repetitions_and_breaks():
    assert scalars.lines("a~b\\.br\\c").value == "a\nb\nc"
    assert scalars.lines("~").value is None


@pytest.mark.parametrize(
    ("raw", "digits", "noted"),
    [("5.10", "5.10", False), ("-0.5", "-0.5", False), ("+7", "7", True), ("007.50", "7.50", True), (".5", "0.5", True),
     ("5.", "5", True), ("１２", "12", True), ("1e3", "1E+3", False)],
)  # fmt: skip
def test_numbers_keep_digits_and_say_what_was_rewritten(raw, digits, noted):
    value, remark = scalars.number(raw)
    assert str(value) == digits
    assert bool(remark) is noted


@pytest.mark.parametrize("raw", ["", "a", "1,5", "1 2", "--1", "1e9999", "NaN", "Infinity", "阴性"])
def test_what_is_no_number(raw):
    assert scalars.number(raw) is None


def test_decimal_and_integer_note_what_they_leave_out():
    assert scalars.decimal("5.10^x").value == Decimal("5.10")
    assert scalars.decimal("abc").notes
    assert scalars.decimal("+5").notes[0].severity == "information"
    assert scalars.decimal("").value is None
    assert scalars.integer("3").value == 3
    assert scalars.integer("3.0").value == 3
    assert scalars.integer("0", 1).notes
    assert scalars.integer("x").notes
    assert scalars.integer("").value is None


def test_boolean_reads_the_maps_words():
    assert scalars.boolean(Cell("true")).value is True
    assert scalars.boolean(Cell("false")).value is False
    assert scalars.boolean(Cell(None)).value is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("mmol/L", {"unit": "mmol/L", "system": scalars.UCUM, "code": "mmol/L"}),
        ("μmol/L", {"unit": "μmol/L", "system": scalars.UCUM, "code": "umol/L"}),
        ("10^9/L", {"unit": "10^9/L", "system": scalars.UCUM, "code": "10*9/L"}),
        ("10\\S\\9/L", {"unit": "10^9/L", "system": scalars.UCUM, "code": "10*9/L"}),
        ("MMOLL", {"unit": "MMOLL"}),
        ("kg^kilogram^UCUM", {"unit": "kilogram", "system": scalars.UCUM, "code": "kg"}),
        ("x^y^L", {"unit": "y", "system": "https://yigong.example/fhir/codes/generic/l", "code": "x"}),
        ("", {}),
    ],
)
def test_units_are_ucum_only_where_certain(env, raw, expected):
    assert scalars.unit(raw, env) == expected
    assert scalars.unit(raw, env) == expected


def test_quantity_of_a_cq(env):
    assert scalars.quantity("5.0^mL&milliliter&UCUM", env).value == {
        "value": Decimal("5.0"), "unit": "milliliter", "system": scalars.UCUM, "code": "mL",
    }  # fmt: skip
    assert scalars.quantity("", env).value is None


@given(st.text(max_size=12))
def test_no_text_makes_number_raise(text):
    found = scalars.number(text)
    assert found is None or found[0].is_finite()
