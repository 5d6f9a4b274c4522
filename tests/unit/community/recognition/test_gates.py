"""Each gate passing and failing, every outcome reached, and what an advice says beside its code."""

import re
from decimal import Decimal

import pytest

from gateway.community.recognition import outcomes
from gateway.community.recognition.advice import Show
from gateway.community.recognition.case import case
from gateway.community.recognition.catalogue import Coding
from gateway.community.recognition.facts import Value
from gateway.community.recognition.gates import GATES
from gateway.community.recognition.marks import split
from gateway.community.recognition.outcomes import Outcome
from gateway.community.recognition.places import House
from tests.support import recognition as county
from tests.support.recognition import CENTRE, COUNTY, HERE, OTHER, YICHANG, advice, context, order, outcome, result

PASSED = ("", "RECOGNISED", "equal")
NAMELESS = (Coding("http://elsewhere.example/codes", "K"),)
SICHUAN = House("SC-0001", "省医院", area="510104", level=3)
LOW = House("SC-0002", "一级医院", area="510104", level=1)


def picture(code="ct-chest-plain", **other):
    return result(code, mark="鄂HR", **other)


def needs(*circumstances):
    return {"asked": order(circumstances=frozenset(circumstances))}


KNEE = {"asked": order("mr-knee-plain", side="左"), "found": picture("mr-knee-plain", side="右侧")}
CASES = [
    # gate, code, detail, what differs from an order and a result that pass
    ("", "RECOGNISED", "equal", {}),
    ("", "RECOGNISED", "covered", {"found": result("panel-electrolytes")}),
    ("G1", "ID_UNSURE", "not-certain", {"found": result(identity="probable")}),
    ("G1", "ID_UNSURE", "other-person", {"found": result(identity="certainly-not")}),
    ("G2", "NOT_FINAL", "preliminary", {"found": result(report_status="partial")}),
    ("G2", "NOT_FINAL", "withdrawn", {"found": result(status="entered-in-error")}),
    ("G2", "NOT_FINAL", "unknown", {"found": result(status="unknown")}),
    ("G3", "ITEM_DIFF", "order-unmapped", {"asked": county.Order(NAMELESS, name="钾")}),
    ("G3", "ITEM_DIFF", "result-unmapped", {"found": county.changed(result(), codings=NAMELESS, name="钾")}),
    ("G3", "ITEM_DIFF", "other-item", {"found": result("sodium")}),
    ("G3", "ITEM_DIFF", "specimen", {"found": result(specimen="全血")}),
    ("G3", "ITEM_DIFF", "method", {"found": result(method="干化学法")}),
    ("G3", "ITEM_DIFF", "modality", {"asked": order("ct-chest-plain"), "found": picture(modalities=("MR",))}),
    ("G3", "ITEM_DIFF", "part", {"asked": order("ct-chest-plain"), "found": picture(part="头颅")}),
    ("G3", "ITEM_DIFF", "contrast", {"asked": order("ct-chest-plain"), "found": picture(contrast="增强")}),
    ("G3", "ITEM_DIFF", "side", KNEE),
    ("G4", "NOT_LISTED", "issuer-unknown", {"found": result(issuer=House(""))}),
    ("G4", "NOT_LISTED", "no-list", {"found": result(issuer=SICHUAN, mark="全国HR")}),
    ("G4", "NOT_LISTED", "not-on-list", {"asked": order("myoglobin"), "found": result("myoglobin")}),
    ("G4", "NOT_LISTED", "level", {"found": result(issuer=LOW, mark="川HR"), "at": context(SICHUAN)}),
    (
        "G5",
        "NO_QC",
        "suspended",
        {
            "asked": order("urine-ph"),
            "found": result("urine-ph", issuer=CENTRE, taken="2026-09-30"),
            "at": context(COUNTY),
        },
    ),
    ("G5", "NO_QC", "not-joined", {"found": result(issuer=CENTRE, mark="省HR"), "at": context(COUNTY)}),
    ("G5", "NO_QC", "unproven", {"found": result(mark="")}),
    ("G5", "MARK_SCOPE", "other-scope", {"found": result(mark="宜昌HR", issuer=YICHANG)}),
    ("G5", "MARK_SCOPE", "unknown-scope", {"found": result(mark="某某HR")}),
    ("G6", "EXPIRED", "no-time", {"found": result(taken="")}),
    ("G6", "EXPIRED", "too-old", {"found": result(days=8)}),
    ("G6", "EXPIRED", "later", {"found": result(days=-1)}),
    ("G7", "NOT_USABLE", "no-value", {"found": result(value=Value())}),
    ("G7", "NOT_USABLE", "unit", {"found": result(value=Value(Decimal(4), "mg/dL"))}),
    ("G7", "NOT_USABLE", "no-range", {"found": result(has_range=False)}),
    ("G7", "NOT_USABLE", "specimen", {"found": result(conditions=("HEM",))}),
    ("G7", "NOT_USABLE", "unreachable", {"asked": order("ct-chest-plain"), "found": picture(reachable=False)}),
    ("G8", "E1", "justified", needs("condition-changed")),
    ("G8", "E2", "justified", needs("fast-course")),
    (
        "G8",
        "E3",
        "justified",
        {"asked": order("abo-group"), "found": result("abo-group", mark="鄂HR", issuer=county.SISTER)},
    ),
    ("G8", "E4", "justified", needs("rescue")),
    ("G8", "E5", "justified", needs("forensic")),
    ("G8", "E6", "justified", needs("other-justified")),
]
WITHOUT_WINDOW = ("G6", "EXPIRED", "no-window")


@pytest.mark.parametrize(
    ("gate", "code", "detail", "given"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_outcome_is_reached(gate, code, detail, given):
    said = advice(**given)
    assert (said.gate, said.code, said.detail) == (gate, code, detail)
    assert said.passed == tuple(name for name, _ in GATES)[: int(gate[1:]) - 1 if gate else 8]
    assert said.recognised is (code == "RECOGNISED")


def test_an_item_without_a_window_is_not_recognised():
    known = county.known()
    bare = county.changed(known, policy=county.changed(known.policy, windows={}))
    assert outcome(knows=bare) == WITHOUT_WINDOW


def test_every_outcome_is_reached():
    reached = {Outcome(*case[:3]) for case in CASES} | {Outcome(*WITHOUT_WINDOW)}
    assert reached == set(outcomes.OUTCOMES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[1]} {case[2]}")
def test_an_explanation_is_whole_in_both_languages(case):
    said = advice(**case[3])
    assert re.search("[一-鿿]", said.zh) and said.zh.endswith("。")
    assert re.search("[a-z]", said.en) and said.en.endswith(".")
    assert not re.search(r"[{}]", said.zh + said.en)
    assert said.knowledge == county.known().version


def test_the_first_gate_that_fails_decides():
    """Spoil from the last gate to the first: each time the earlier gate takes over."""
    asked, found = order(circumstances=frozenset({"fast-course"})), result()
    spoiled = [
        ("E2", {}),
        ("NOT_USABLE", {"value": Value()}),
        ("EXPIRED", {"taken": county.days_ago(100)}),
        ("NO_QC", {"marks": ()}),
        ("NOT_LISTED", {"measured": House("X", area="650100")}),
        ("ITEM_DIFF", {"codings": county.own("sodium")}),
        ("NOT_FINAL", {"status": "registered"}),
        ("ID_UNSURE", {"identity": "possible"}),
    ]
    for code, change in spoiled:
        found = county.changed(found, **change)
        assert advice(asked, found).code == code


@pytest.mark.parametrize("identity", ["same", "certain"])
def test_g1_takes_the_same_record_and_certain_links(identity):
    assert outcome(found=result(identity=identity)) == PASSED


@pytest.mark.parametrize("identity", ["probable", "possible", "", "CERTAIN", "?"])
def test_g1_asks_about_everything_less(identity):
    said = advice(found=result(identity=identity))
    assert (said.code, said.show) == ("ID_UNSURE", Show.IDENTITY)


@pytest.mark.parametrize("status", ["final", "amended", "corrected", "appended"])
def test_g2_takes_what_is_final(status):
    assert outcome(found=result(status=status, report_status="")) == PASSED


@pytest.mark.parametrize(
    ("status", "report", "detail"),
    [
        ("final", "entered-in-error", "withdrawn"),
        ("cancelled", "final", "withdrawn"),
        ("preliminary", "entered-in-error", "withdrawn"),
        ("final", "registered", "preliminary"),
        ("", "", "unknown"),
        ("final", "unknown", "unknown"),
        ("FINAL", "", "unknown"),
    ],
)
def test_g2_looks_at_result_and_report(status, report, detail):
    said = advice(found=result(status=status, report_status=report))
    assert (said.code, said.detail) == ("NOT_FINAL", detail)
    assert said.show is (Show.NOTHING if detail == "withdrawn" else Show.INFORMATION)


def test_g4_uses_the_list_in_force_on_the_day_of_the_order():
    receiver, found = context(SICHUAN), {"issuer": House("SC-0003", area="510107", level=3), "mark": "川HR"}
    asked = order("hba1c", occurrence="2025-12-31T10:00:00+08:00")
    assert outcome(asked, result("hba1c", taken="2025-12-30", **found), receiver) == ("G4", "NOT_LISTED", "not-on-list")
    asked = order("hba1c", occurrence="2026-01-01T10:00:00+08:00")
    assert outcome(asked, result("hba1c", taken="2025-12-30", **found), receiver) == PASSED


def test_g5_r12_asks_the_acquiring_site_of_pictures_and_the_testing_laboratory_of_the_rest():
    at, asked = context(COUNTY), order("dx-chest-frontal")
    read_elsewhere = result("dx-chest-frontal", mark="", measured=OTHER, acquired=CENTRE)
    assert outcome(asked, read_elsewhere, at) == PASSED
    made_elsewhere = result("dx-chest-frontal", mark="", measured=CENTRE, acquired=OTHER)
    assert outcome(asked, made_elsewhere, at)[0] == "G4"
    sent_in = result("potassium", mark="", measured=COUNTY, acquired=OTHER)
    assert outcome(order(), sent_in, context(CENTRE)) == PASSED


def test_g5_takes_an_evaluation_across_houses_where_its_scope_reaches_both():
    neighbour = House("SC-0009", area="510500", level=1)
    found = result("alt", mark="", issuer=COUNTY)
    said = advice(order("alt"), found, context(neighbour))
    assert (said.recognised, said.quality) == (True, "eqa")
    assert outcome(order("ast"), county.changed(found, codings=county.own("ast")), context(neighbour)) == (
        "G5",
        "NO_QC",
        "unproven",
    )
    inside = advice(order("ast"), county.changed(found, codings=county.own("ast")), context(CENTRE))
    assert (inside.recognised, inside.quality) == (True, "iqc")
    assert advice().quality == "mark"


def test_g5_one_accepted_mark_is_enough():
    marks = split("某某HR 宜昌HR ★ X").marks
    assert len(marks) == 3
    assert outcome(found=result(marks=marks)) == PASSED


def test_g5_reads_the_mark_from_the_name_where_it_was_not_taken_off():
    assert outcome(found=result(mark="", name="★钾")) == PASSED


def test_g6_counts_from_the_earliest_moment_to_the_orders_occurrence():
    """R13: date-only and 00:00:00 sampling count from midnight; the order's own date counts, not today."""
    noon = context(now=county.NOW.replace(hour=12))
    assert outcome(found=result(taken="2026-11-13T12:00:00+08:00"), at=noon) == PASSED
    for taken in ("2026-11-13T11:59:59+08:00", "2026-11-13T00:00:00+08:00", "2026-11-13", "2026-11"):
        assert outcome(found=result(taken=taken), at=noon) == ("G6", "EXPIRED", "too-old")
    assert outcome(order(occurrence="2026-11-25T08:00:00+08:00"), result(days=2)) == PASSED
    assert outcome(order(occurrence="2026-11-26T08:00:00+08:00"), result(days=2))[1] == "EXPIRED"


def test_g6_an_order_of_a_day_counts_until_now_or_to_the_end_of_that_day():
    week = result(taken="2026-11-13T11:00:00+08:00")
    assert outcome(order(occurrence="2026-11-20"), week) == PASSED
    assert outcome(order(occurrence="2026-11-19"), week) == PASSED
    tomorrow = result(taken="2026-11-14T23:00:00+08:00")
    assert outcome(order(occurrence="2026-11-21"), tomorrow)[1] == "EXPIRED"


def test_g6_a_time_without_an_offset_is_the_regions():
    said = advice(found=result(taken="2026-11-19T10:00:00"))
    assert (said.age, said.left) == (1, 6)


def test_g6_windows_go_by_patient_and_issuer():
    found = result(days=2)
    assert outcome(found=found, at=context(patient="inpatient")) == PASSED
    low = county.changed(found, measured=county.changed(OTHER, level=2))
    assert outcome(found=low) == PASSED
    assert outcome(found=low, at=context(patient="inpatient"))[1] == "EXPIRED"


def test_g6_a_panel_has_the_shortest_window_of_its_analytes():
    asked, found = order("qinghe-3002"), result("qinghe-3002", mark="", issuer=COUNTY, days=8)
    assert advice(asked, found, context(COUNTY)).window == 7


def test_numbers_of_days_are_told():
    said = advice(found=result(days=3))
    assert (said.age, said.window, said.left) == (3, 7, 4)
    assert "3" in said.zh and "4" in said.zh and "7" in said.zh
    late = advice(found=result(days=9))
    assert (late.age, late.window, late.left) == (9, 7, None)


def test_a_similar_name_is_only_a_hint():
    said = advice(found=county.changed(result(), codings=NAMELESS, name="★血清钾测定"))
    assert (said.code, said.detail) == ("ITEM_DIFF", "result-unmapped")
    assert said.hints[0] == "potassium"
    assert not advice(found=county.changed(result(), codings=NAMELESS, name="钾")).recognised


@pytest.mark.parametrize(("side", "seen"), [("左", PASSED), ("双侧", PASSED), ("右", None), ("", None), ("?", None)])
def test_a_side_must_be_said_and_be_shown(side, seen):
    asked = order("mr-knee-plain", side="left")
    assert outcome(asked, picture("mr-knee-plain", side=side)) == (seen or ("G3", "ITEM_DIFF", "side"))
    assert outcome(order("mr-knee-plain"), picture("mr-knee-plain", side="双侧"))[2] == "side"


def test_what_a_study_says_agrees_with_its_item():
    given = {"modalities": ("SR", "CR"), "part": "胸部", "contrast": ""}
    assert outcome(order("dx-chest-frontal"), picture("dx-chest-frontal", **given)) == PASSED
    assert outcome(order("ct-chest-plain"), picture(contrast="平扫", modalities=("CT",))) == PASSED


def test_nothing_is_covered_the_other_way_or_across_modalities():
    for asked, found in [
        ("panel-electrolytes", "potassium"),
        ("ct-chest-both", "ct-chest-plain"),
        ("dx-chest-frontal", "ct-chest-plain"),
        ("ct-chest-plain", "dx-chest-frontal"),
    ]:
        assert outcome(order(asked), picture(found))[2] == "other-item"


def test_an_emergency_is_never_interrupted_whatever_fails():
    at = context(patient="emergency")
    for given in (
        {"found": result(identity="possible")},
        {"found": result(days=90)},
        {"found": result(status="preliminary")},
    ):
        said = advice(**given, at=at)
        assert not said.counted
        assert said.show in (Show.INFORMATION, Show.NOTHING)


def test_the_receiver_itself_may_be_the_issuer():
    assert outcome(found=result(issuer=HERE)) == PASSED


@pytest.mark.parametrize("gate", [test for _, test in GATES])
def test_a_gate_alone_has_an_answer_to_nothing_at_all(gate):
    nothing = case(county.Order(()), county.Result(()), county.Context(House(""), county.NOW), county.known())
    fault = gate(nothing)
    assert fault is None or Outcome(dict(map(reversed, GATES))[gate], *fault[:2]) in outcomes.OUTCOMES
