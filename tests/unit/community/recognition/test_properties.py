"""Properties of the gates: total on odd input, never recognised against a gate, never changed by a name."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.community.recognition.catalogue import LOINC, OWN, Coding
from gateway.community.recognition.facts import Context, Order, Result, Value
from gateway.community.recognition.gates import FINAL, GATES, judge
from gateway.community.recognition.marks import Mark
from gateway.community.recognition.outcomes import OUTCOMES, Outcome
from gateway.community.recognition.places import House
from tests.support import recognition as county

CODES = sorted(county.known().catalogue.items)
ODD = st.text(max_size=12)
WORDS = ODD | st.sampled_from(
    ["血清", "尿液", "ISE", "干化学法", "左", "右", "双侧", "胸部", "平扫", "增强", "HEM", "溶血"]
)
TIMES = ODD | st.sampled_from(
    [
        "2026-11-19T08:00:00+08:00",
        "2026-11-19",
        "2026-11",
        "2026",
        "2026-13-40",
        "0001-01-01",
        "9999-12-31T23:59:59Z",
        "2026-11-19T24:00:00",
        "2026-02-30",
        "20261119",
        "2027-01-01",
    ]
)
HOUSES = st.builds(
    House,
    st.sampled_from(["", "WH-0001", "WH-0002", county.COUNTY.code, county.CENTRE.code]) | ODD,
    area=st.sampled_from(["", "420102", "420502", "519927", "4", "上海"]) | ODD,
    community=st.sampled_from(["", "江城医共体"]),
    level=st.none() | st.integers(-1, 4),
)
STATUSES = st.sampled_from(["", "final", "amended", "corrected", "preliminary", "registered", "entered-in-error", "?"])
CODINGS = st.lists(
    st.builds(
        Coding, st.sampled_from([OWN, LOINC, "x/county-hospital/lab-item", ""]) | ODD, st.sampled_from(CODES) | ODD
    ),
    max_size=3,
).map(tuple)
VALUES = st.builds(
    Value,
    st.none() | st.decimals() | st.just(Decimal("4.1")),
    st.sampled_from(["", "mmol/L", "mg/dL", "U/L", "()", "10*9/L"]) | ODD,
    ODD | st.sampled_from(["阴性(-)", "见报告"]),
)
MARKS = st.lists(
    st.builds(Mark, ODD, st.sampled_from(["", "鄂", "宜昌", "省", "?"]), st.sampled_from(["", "★", "*"])), max_size=3
)
RESULTS = st.builds(
    Result,
    CODINGS,
    identity=st.sampled_from(["same", "certain", "probable", "", "?"]),
    status=STATUSES,
    report_status=STATUSES,
    name=ODD,
    marks=MARKS.map(tuple),
    specimen=WORDS,
    method=WORDS,
    modalities=st.lists(WORDS, max_size=2).map(tuple),
    part=WORDS,
    contrast=WORDS,
    side=WORDS,
    taken=TIMES,
    issued=TIMES,
    measured=HOUSES,
    acquired=HOUSES,
    value=VALUES,
    has_range=st.booleans(),
    conditions=st.lists(WORDS, max_size=2).map(tuple),
    reachable=st.booleans(),
)
ORDERS = st.builds(
    Order,
    CODINGS,
    name=ODD,
    specimen=WORDS,
    side=WORDS,
    occurrence=TIMES,
    circumstances=st.frozensets(st.sampled_from(["surgery", "emergency", "fast-course", "?"]), max_size=2),
)
CONTEXTS = st.builds(
    Context,
    HOUSES,
    st.datetimes() | st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(["outpatient", "inpatient", "emergency"]),
    st.sampled_from(["Asia/Shanghai", "UTC", "", "Nowhere/Land"]),
)
# What passes, with a few things spoiled: most of the random results above fail at the first gates.
NEARLY = st.builds(
    lambda code, changes: county.changed(county.result(code, mark="鄂HR"), **changes),
    st.sampled_from(CODES),
    st.fixed_dictionaries(
        {},
        optional={
            "status": STATUSES,
            "identity": st.sampled_from(["same", "certain", "probable"]),
            "taken": TIMES | st.integers(0, 200).map(county.days_ago),
            "measured": HOUSES,
            "value": VALUES,
            "specimen": WORDS,
            "has_range": st.booleans(),
        },
    ),
)
PAIRS = st.tuples(st.sampled_from(CODES), NEARLY)
few = settings(max_examples=40, deadline=None)


@few
@given(ORDERS, RESULTS, CONTEXTS)
def test_any_input_has_an_advice_that_is_an_outcome(order, result, context):
    is_an_outcome(order, result, context)


@pytest.mark.long
@settings(max_examples=5000, deadline=None)
@given(ORDERS, RESULTS | NEARLY, CONTEXTS)
def test_any_of_many_inputs_has_an_advice_that_is_an_outcome(order, result, context):
    is_an_outcome(order, result, context)


def is_an_outcome(order, result, context):
    said = judge(order, result, context, county.known())
    assert Outcome(said.gate, said.code, said.detail) in OUTCOMES
    assert said.zh and said.en
    assert said.passed == tuple(name for name, _ in GATES)[: len(said.passed)]


@few
@given(PAIRS)
def test_what_is_recognised_holds_against_every_gate(pair):
    code, result = pair
    said = county.advice(county.order(code), result)
    if not said.recognised:
        return
    items = county.known().catalogue.items
    assert result.identity in ("same", "certain")
    assert {result.status, result.report_status} - {""} <= FINAL
    assert said.item == said.found or (said.found, said.item) in county.known().catalogue.covers
    assert said.age is not None and said.window is not None
    assert timedelta(0) <= timedelta(days=said.age) <= timedelta(days=said.window)
    assert items[said.item].kind == items[said.found].kind
    assert said.quality in ("eqa", "iqc", "mark")


@few
@given(PAIRS, ODD)
def test_a_name_without_a_mark_changes_nothing(pair, name):
    code, result = pair
    plain = county.advice(county.order(code), result)
    named = county.advice(county.order(code, name=name), county.changed(result, name=name))
    assert (named.gate, named.code, named.detail) == (plain.gate, plain.code, plain.detail)


@few
@given(
    NEARLY, st.sampled_from(["preliminary", "partial", "registered", "entered-in-error", "cancelled", "unknown", ""])
)
def test_what_is_not_final_is_never_recognised(result, status):
    assert not county.advice(found=county.changed(result, status=status, report_status=status)).recognised


@few
@given(st.sampled_from(CODES), st.integers(0, 400), st.sampled_from(["outpatient", "inpatient"]))
def test_nothing_outside_its_window_is_recognised_and_younger_is_never_worse(code, days, patient):
    at = county.context(patient=patient)
    old, young = (
        county.advice(county.order(code), county.result(code, days=age, mark="鄂HR"), at) for age in (days, days // 2)
    )
    assert old.window is not None
    assert not (old.recognised and days > old.window)
    assert young.recognised or not old.recognised


@few
@given(NEARLY)
def test_the_same_question_has_the_same_answer(result):
    assert county.advice(found=result) == county.advice(found=result)


def test_the_edge_of_a_window_belongs_to_it():
    now = datetime.fromisoformat("2026-11-20T10:00:00+08:00")
    edge = (now - timedelta(days=7)).isoformat()
    beyond = (now - timedelta(days=7, seconds=1)).isoformat()
    assert county.advice(found=county.result(taken=edge)).recognised
    assert county.advice(found=county.result(taken=beyond)).detail == "too-old"
