"""Gate G7: values, units and specimens that can be used, and those that cannot."""

from decimal import Decimal

import pytest

from gateway.community.recognition.facts import Value
from gateway.community.recognition.usable import converted, fault
from tests.support.recognition import known, result


def item(code):
    return known().catalogue.items[code]


@pytest.mark.parametrize(
    ("code", "number", "unit", "wanted"),
    [
        ("potassium", "4.1", "mmol/L", "4.1"),
        ("potassium", "4.1", "meq/L", "4.1"),
        ("potassium", "4100", "umol/L", "4.1"),
        ("glucose", "90", "mg/dL", "4.996"),
        ("creatinine", "1", "mg/dL", "88.4"),
        ("cholesterol", "200", "mg/dL", "5.17"),
        ("urate", "6", "mg/dL", "356.9"),
        ("bilirubin-total", "1", "mg/dL", "17.10"),
        ("calcium", "10", "mg/dL", "2.495"),
        ("haemoglobin", "13.2", "g/dL", "132"),
        ("haematocrit", "0.41", "L/L", "41"),
        ("leukocytes", "6400", "/uL", "6.4"),
        ("alt", "40", "[IU]/L", "40"),
        ("tsh", "2.5", "u[IU]/mL", "2.5"),
        ("ca125", "35", "U/mL", "35"),
        ("nt-probnp", "125", "pg/mL", "125"),
        ("folate", "20", "nmol/L", "8.83"),
        ("urine-ph", "6.5", "1", "6.5"),
    ],
)
def test_a_unit_goes_into_the_items(code, number, unit, wanted):
    found = converted(item(code), Decimal(number), unit)
    assert found is not None
    assert float(found) == pytest.approx(float(wanted), rel=2e-3)


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("potassium", "mg/dL"),
        ("potassium", ""),
        ("potassium", "mmol/l"[:0] + "个"),
        ("urea", "mg/dL"),
        ("hba1c", "mmol/mol/x"),
        ("alt", "g/L"),
        ("total-protein", "mmol/L"),
        ("tsh", "mmol/L"),
        ("insulin", "pmol/L"),
        ("creatinine", "g"),
        ("crp", "mg/(dL"),
    ],
)
def test_a_unit_that_does_not_is_not_guessed(code, unit):
    assert converted(item(code), Decimal(1), unit) is None


def why(code="potassium", **other):
    return fault(known().catalogue, item(code), result(code, **other))


def test_a_number_needs_value_unit_and_range():
    assert why() == ("", "")
    assert why(value=Value()) == ("no-value", "")
    assert why(value=Value(text="3.5 *")) == ("no-value", "")
    for odd in ("NaN", "sNaN", "Infinity", "-Infinity"):
        assert why(value=Value(Decimal(odd), "mmol/L")) == ("no-value", "")
    assert why(value=Value(Decimal(4), "")) == ("unit", "-")
    assert why(value=Value(Decimal(4), "g/L")) == ("unit", "g/L")
    assert why(has_range=False) == ("no-range", "")


def test_a_word_needs_to_be_said():
    assert why("hbsag", value=Value(text="阴性(-)"), has_range=False) == ("", "")
    assert why("hbsag", value=Value(text="-")) == ("", "")
    for text in ("", "  ", "见报告", "未做", "NULL", "/"):
        assert why("hbsag", value=Value(text=text))[0] == "no-value"


@pytest.mark.parametrize("told", [{"conditions": ("HEM",)}, {"conditions": ("", "RH")}, {"value": Value(text="溶血")}])
def test_an_unsound_specimen_is_not_used(told):
    assert why(**told)[0] == "specimen"
    assert why(conditions=("ROOM", "CFU", "")) == ("", "")


def test_pictures_are_within_reach():
    assert why("ct-chest-plain", reachable=True) == ("", "")
    assert why("ct-chest-plain", reachable=False) == ("unreachable", "")
    assert why("ecg-resting", reachable=False) == ("unreachable", "")


def test_a_function_test_is_used_by_its_values():
    assert why("pf-ventilation", reachable=False, value=Value(text="FEV1 2.1 L")) == ("", "")
    assert why("bmd-spine-hip", reachable=False, value=Value(Decimal("0.9"), "g/cm2")) == ("", "")
    assert why("bp-ambulatory", reachable=False, value=Value()) == ("unreachable", "")


def test_a_panel_is_used_by_its_report():
    assert why("panel-liver", reachable=True, value=Value()) == ("", "")
    assert why("panel-liver", reachable=False, value=Value()) == ("no-value", "")
    assert why("panel-liver", conditions=("溶血",))[0] == "specimen"
