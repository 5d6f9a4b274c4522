"""Units: read as UCUM writes them, and converted where one factor holds for everything measured in them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.search import ucum


@pytest.mark.parametrize(
    ("one", "number", "other", "wanted"),
    [
        ("g/L", "140", "g/dL", "14"),
        ("g/L", "140", "mg/dL", "14000"),
        ("mmol/L", "5.5", "umol/L", "5500"),
        ("10*9/L", "4.5", "10*3/uL", "4.5"),
        ("10*12/L", "4.5", "/uL", "4500000"),
        ("kPa", "16", "mm[Hg]", "120.01"),
        ("U/L", "60", "ukat/L", "1.0000"),
        ("ug/(24.h)", "86400", "mg/d", "86.4"),
        ("mg/{creat}", "1", "g", "0.001"),
        ("mL/min/{1.73_m2}", "90", "L/h", "5.4"),
        ("k[IU]/L", "3", "m[IU]/mL", "3000"),
        ("h", "24", "d", "1"),
        ("Cel", "37", "[degF]", "98.6"),
        ("[degF]", "98.6", "Cel", "37.0"),
        ("[lb_av]", "100", "kg", "45.359237"),
        ("cm3", "5", "mL", "5"),
        ("{beats}/min", "60", "Hz", "1"),
    ],
)
def test_numbers_in_other_units(one, number, other, wanted):
    found = ucum.others(one, Decimal(number))[other]
    assert found.quantize(Decimal(wanted)) == Decimal(wanted)


@pytest.mark.parametrize(
    ("one", "other"),
    [("mmol/L", "mg/dL"), ("U/L", "[IU]/L"), ("a", "d"), ("meq/L", "mmol/L"), ("g", "mL"), ("mosm/kg", "mmol/kg")],
)
def test_what_needs_a_substance_or_a_calendar_is_not_converted(one, other):
    assert other not in ucum.others(one, Decimal(1))


@pytest.mark.parametrize("unit", ["", "x", "g/", "(g", "g)", "5x", "0", "克", "g" * 99, "10*", "/", "{only}"])
def test_what_is_no_unit_goes_into_nothing_strange(unit):
    made = ucum.measure(unit)
    assert made is None or made.dimension in ((), (("g", 1),))


def test_a_unit_does_not_stand_among_its_others():
    assert "g/L" not in ucum.others("g/L", Decimal(1))
    assert ucum.others("none", Decimal(1)) == {}


@given(st.text(alphabet="gmLlsdhkuU[]IUHg10*9^/.(){}%-+2K ", max_size=20))
def test_any_text_is_a_measure_or_none(unit):
    made = ucum.measure(unit)
    assert made is None or made.factor > 0
