"""The acceptance vectors of china.md §4.6: receiver in a Wuhan-like city, the shipped windows."""

import pytest

from gateway.community.recognition.advice import Show
from gateway.community.recognition.facts import Value
from tests.support import recognition as county
from tests.support.recognition import COUNTY, HERE, OTHER, SISTER, YICHANG, advice, context, order, outcome, result

PASSED = ("", "RECOGNISED", "equal")


def test_hba1c_of_45_days_from_the_same_community_with_quality_is_accepted():
    hospital = context(COUNTY)
    assert outcome(order("hba1c"), result("hba1c", days=45, mark="", issuer=COUNTY), hospital) == PASSED
    centre = county.changed(hospital, receiver=county.CENTRE)
    assert outcome(order("hba1c"), result("hba1c", days=45, mark="", issuer=COUNTY), centre) == PASSED


def test_potassium_of_8_days_is_expired():
    assert outcome(order("potassium"), result("potassium", days=8)) == ("G6", "EXPIRED", "too-old")


def test_plain_ct_does_not_answer_an_order_of_enhanced_ct():
    found = result("ct-chest-plain", mark="鄂HR")
    assert outcome(order("ct-chest-enhanced"), found) == ("G3", "ITEM_DIFF", "other-item")


def test_plain_and_enhanced_ct_answers_an_order_of_plain_ct():
    said = advice(order("ct-chest-plain"), result("ct-chest-both", mark="鄂HR"))
    assert (said.recognised, said.detail) == (True, "covered")
    assert "平扫+增强 covers 平扫" in said.cover
    assert "覆盖" in said.zh and "covers" in said.en


def test_hbsag_of_10_days_before_surgery_is_repeated():
    asked = order("hbsag", circumstances=frozenset({"surgery"}))
    assert outcome(asked, result("hbsag", days=10)) == ("G8", "E3", "justified")
    assert outcome(order("hbsag"), result("hbsag", days=10)) == PASSED


def test_a_star_of_the_own_province_is_accepted_and_another_citys_mark_is_not():
    assert outcome(found=result(mark="★", issuer=OTHER)) == PASSED
    assert outcome(found=result(mark="★", issuer=YICHANG)) == PASSED
    assert outcome(found=result(mark="宜昌HR", issuer=YICHANG)) == ("G5", "MARK_SCOPE", "other-scope")
    assert "宜昌HR" in advice(found=result(mark="宜昌HR", issuer=YICHANG)).zh


def test_a_preliminary_report_is_not_final():
    assert outcome(found=result(status="preliminary")) == ("G2", "NOT_FINAL", "preliminary")


def test_a_laboratory_suspended_on_the_day_of_sampling_has_no_quality():
    centre, asked = county.CENTRE, context(COUNTY, now=county.NOW.replace(month=9, day=20))
    found = result("urine-protein", issuer=centre, mark="", taken="2026-09-19T16:00:00+08:00")
    assert outcome(order("urine-protein"), found, asked) == ("G5", "NO_QC", "suspended")
    later = context(COUNTY, now=county.NOW.replace(month=10, day=1))
    found = county.changed(found, taken="2026-10-01T08:00:00+08:00")
    assert outcome(order("urine-protein"), found, later) == PASSED


@pytest.mark.parametrize("how", ["patient", "circumstance"])
def test_an_emergency_has_no_prompt(how):
    at = context(patient="emergency") if how == "patient" else context()
    asked = order(circumstances=frozenset({"emergency"} if how == "circumstance" else ()))
    said = advice(asked, result(days=0, taken="2026-11-20T08:00:00+08:00"), at)
    assert (said.gate, said.code) == ("G8", "E4")
    assert said.show is Show.INFORMATION
    assert not said.counted


def test_a_reports_time_does_not_stand_for_the_time_of_sampling():
    found = result(taken="", issued=county.days_ago(1))
    assert outcome(found=found) == ("G6", "EXPIRED", "no-time")


def test_the_same_analyte_in_another_specimen_is_another_item():
    assert outcome(order("potassium"), result("urine-potassium")) == ("G3", "ITEM_DIFF", "other-item")
    assert outcome(order("potassium"), result("potassium", specimen="尿液")) == ("G3", "ITEM_DIFF", "specimen")
    assert outcome(order("potassium", specimen="尿液"), result("potassium")) == ("G3", "ITEM_DIFF", "specimen")
    assert outcome(order("potassium", specimen="血清"), result("potassium", specimen="静脉血")) == PASSED


def test_inside_one_community_everything_is_listed():
    found = result("myoglobin", issuer=SISTER, mark="鄂HR", days=0)
    assert outcome(order("myoglobin"), found, context(HERE)) == PASSED
    assert outcome(order("myoglobin"), county.changed(found, measured=OTHER))[:2] == ("G4", "NOT_LISTED")


def test_an_unreadable_value_is_never_read():
    assert outcome(found=result(value=Value(text="见报告"))) == ("G7", "NOT_USABLE", "no-value")
