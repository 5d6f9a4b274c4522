"""Measures as people write them in cells: number, comparator, unit, mark; nothing is guessed."""

from decimal import Decimal

import pytest

from gateway.mapping import measures
from gateway.mapping.environment import CodeMap, Environment, Target
from gateway.mapping.making import Making

ENV = Environment(
    "town",
    "f",
    units={"mmol/L": "mmol/L", "kg": "kg", "mg/dl": "mg/dL", "10^9/L": "10*9/L", "次/分": "/min"},
    coding={"ICD-10": "urn:icd"},
)


def _making(**args):
    return Making(ENV, "REC-3", args)


def _measured(raw, **args):
    return measures.measure(_making(**args))(raw).value


class Running:
    """A row that a step may look at."""

    def __init__(self, **peers):
        self.peers = peers
        self.fields = []
        self.notes = []

    def note(self, number, notes):
        self.notes.append((number, notes))


@pytest.mark.parametrize(
    ("raw", "value", "unit"),
    [
        ("61.50^kg", "61.50", "kg"),
        ("61.5", "61.5", None),
        ("158&mmHg", "158", "mmHg"),
        ("0.9mg/dl^umol/L", "0.9", "mg/dl"),
        ("5.1 mmol/L", "5.1", "mmol/L"),
        ("78次/分", "78", "次/分"),
        ("1,203.5^kg", "1203.5", "kg"),
        ("6.21^10\\S\\9/L", "6.21", "10^9/L"),
        ("7.4%", "7.4", "%"),
        ("12.^kg", "12", "kg"),
        ("-3", "-3", None),
        (".5", "0.5", None),
    ],
)
def test_numbers_with_their_units(raw, value, unit):
    found = _measured(raw)
    assert found["value"] == Decimal(value)
    assert found.get("unit") == unit


def test_a_known_unit_has_its_code_and_digits_stay():
    assert _measured("61.50^kg") == {
        "value": Decimal("61.50"), "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg",
    }  # fmt: skip
    assert str(_measured("61.50")["value"]) == "61.50"
    assert _measured("61", unit="kg")["unit"] == "kg"


@pytest.mark.parametrize(("raw", "sign"), [("<0.01", "<"), ("≥140", ">="), ("＞5", ">"), ("=<3", "<=")])
def test_comparators(raw, sign):
    assert _measured(raw)["comparator"] == sign


@pytest.mark.parametrize(
    "raw",
    ["阴性", "1:80", "+-", "±", "3.5--5.3", "3+", "约60", "60左右", "158/94", "158/94mmHg", "10 20", "未见", "2-3/HP"],
)
def test_what_is_no_number_is_not_made_one(raw):
    cell = measures.measure(_making())(raw)
    assert cell.value is None
    assert "is no number" in cell.notes[0].text


def test_a_mark_is_left_over_by_a_quantity_and_an_interpretation_of_a_result():
    cell = measures.measure(_making())("11.8 *")
    assert cell.value == {"value": Decimal("11.8")}
    assert cell.notes[0].left
    assert measures.measure(_making())("").value is None


def _result(raw, *, text=False, **peers):
    body, run = {}, Running(**peers)
    args = ({"unit": "ROW-2"} if peers else {}) | ({"text": True} if text else {})
    step = measures.result(_making(**args))
    step(run, body, raw)
    step(run, {}, raw)
    return body


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("82.5↑", {"valueQuantity": {"value": Decimal("82.5")}, "interpretation": [{"text": "↑"}]}),
        ("120H", {"valueQuantity": {"value": Decimal(120)}, "interpretation": [{"text": "H"}]}),
        ("3L", {"valueQuantity": {"value": Decimal(3), "unit": "L"}}),
        ("1:80", {"valueRatio": {"numerator": {"value": Decimal(1)}, "denominator": {"value": Decimal(80)}}}),
        ("阴性(-)", {"valueString": "阴性(-)"}),
        ("", {}),
    ],
)
def test_results(raw, expected):
    assert _result(raw) == expected


def test_a_result_takes_the_unit_of_another_column():
    body = _result("3.42L", ROW=["ROW", "3.42L", "mmol/L"])
    assert body["valueQuantity"]["code"] == "mmol/L"
    assert body["interpretation"] == [{"text": "L"}]
    assert _result("12", text=True) == {"valueString": "12"}


@pytest.mark.parametrize(
    ("raw", "low", "high"),
    [("3.5--5.3", "3.5", "5.3"), ("0~0.04", "0", "0.04"), ("<5^mmol/L", None, "5"), ("阴性", None, None)],
)
def test_ranges(raw, low, high):
    body = {}
    step = measures.range_(_making())
    step(Running(), body, raw)
    step(Running(), body, raw)
    found = body["referenceRange"][0]
    assert found.get("low", {}).get("value") == (Decimal(low) if low else None)
    assert found.get("high", {}).get("value") == (Decimal(high) if high else None)
    step(Running(), body := {}, "[]")
    assert body == {}


@pytest.mark.parametrize(
    ("raw", "value", "code"),
    [("076Y", 76, "a"), ("76岁", 76, "a"), ("147", 147, "a"), ("3月龄", 3, "mo"), ("5天", 5, "d"), ("1岁3个月", 15, "mo"),
     ("12小时", 12, "h"), ("000Y", 0, "a")],
)  # fmt: skip
def test_ages(raw, value, code):
    found = measures.age(_making())(raw).value
    assert (found["value"], found["code"]) == (value, code)


@pytest.mark.parametrize("raw", ["虚岁77", "岁", "76Y3M", "成人"])
def test_what_is_no_age(raw):
    cell = measures.age(_making())(raw)
    assert cell.value is None
    assert cell.notes


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("120", "120"),
        ("0.00", "0.00"),
        ("38,410.27", "38410.27"),
        ("￥15", "15"),
        ("15.50元", "15.50"),
        ("-312.00", "-312.00"),
    ],
)
def test_money(raw, value):
    found = measures.money(_making())(raw).value
    assert str(found["value"]) == value
    assert found["currency"] == "CNY"
    assert measures.money(_making(currency="USD"))(raw).value["currency"] == "USD"


def test_what_is_no_money():
    assert measures.money(_making())("免费").value is None
    assert measures.money(_making())("").value is None


@pytest.mark.parametrize(("raw", "value"), [("2人次", 2), ("18,420", 18420), ("7付", 7), ("0", 0), ("一", None)])
def test_counts(raw, value):
    assert measures.count(_making())(raw).value == value
    assert measures.count(_making(least=1))("0").value is None


def test_code_and_words_in_one_cell():
    found = measures.glued(_making(system="ICD-10"))("I10.x00 高血压3级").value
    assert found == {
        "coding": [{"system": "urn:icd", "code": "I10.x00", "display": "高血压3级"}], "text": "I10.x00 高血压3级",
    }  # fmt: skip
    assert measures.glued(_making())("2:左室高电压").value["coding"][0]["code"] == "2"
    assert measures.glued(_making())("胸闷查因").value == {"text": "胸闷查因"}
    assert measures.glued(_making())("").value is None
    assert measures.glued(_making(code=True))("E11.900").value["coding"][0]["code"] == "E11.900"


def test_glued_codes_are_mapped():
    codes = CodeMap("t.c", "", {"2": Target("urn:x", "LVH", "")})
    making = Making(ENV, "REC-3", {}, codes)
    assert measures.glued(making)("2:左室高电压").value["coding"][0]["code"] == "LVH"
    assert measures.glued(making)("2").value["coding"][0]["code"] == "LVH"


def test_a_mark_at_a_result_is_looked_up_where_the_table_has_a_map():
    high = Target("urn:interpretation", "H", "High")
    making = Making(ENV, "ITM-2", {"table": "t.标志"}, CodeMap("t.标志", "", {"↑": high}))
    body, run = {}, Running()
    measures.result(making)(run, body, "82.5↑")
    assert body["valueQuantity"] == {"value": Decimal("82.5")}
    assert body["interpretation"][0]["coding"][0]["code"] == "H"
    body = {}
    measures.result(making)(run, body, "11.8 *")
    assert body["interpretation"][0]["coding"][0]["code"] == "*"
    assert run.notes


def test_a_number_without_unit_is_an_issue_where_units_differ():
    body, run = {}, Running()
    step = measures.result(Making(ENV, "ITM-2", {"needs_unit": True}))
    step(run, body, "71")
    assert body["valueQuantity"] == {"value": Decimal(71)}
    assert run.notes[0][1] == (measures.UNSAID,)
    step(run, {}, "0.9mg/dl")
    assert len(run.notes) == 1
