"""Laboratory results long and wide, and imaging reports: what a doctor looks for in the record.

The rows are the golden samples of the feed `township-csv`; the published county samples are read where they are.
"""

from decimal import Decimal

import pytest

from gateway.mapping.tables.reading import TableFile
from tests.support.told import (
    ROOT,
    SAMPLES,
    SITE,
    code,
    codings,
    extended,
    named,
    numbers,
    read,
)

COUNTY = ROOT.parent / "shared" / "samples" / "csv"
TABLES = ("lab_results_long", "lab_results_wide", "imaging_reports")
GOLDEN = (*TABLES, "lab_results_long-unaudited", "imaging_reports-unaudited")


@pytest.mark.parametrize("table", GOLDEN)
def test_none_of_these_owns_demographics(told, table):
    assert {record.modes["patient"] for record in told(table)} == {"fill"}


# laboratory, a row for each item


def test_a_potassium_keeps_its_value_range_and_flag(told):
    potassium = named(told("lab_results_long")[0], "Observation", "K")
    assert potassium["valueQuantity"] == {
        "value": Decimal("3.42"), "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L",
    }  # fmt: skip
    (reference,) = potassium["referenceRange"]
    assert (reference["low"]["value"], reference["high"]["value"]) == (Decimal("3.5"), Decimal("5.3"))
    assert reference["text"] == "3.5--5.3"
    assert code(potassium["interpretation"][0]) == "L"


def test_the_mark_of_recognition_is_off_the_name_and_kept_beside_it(told):
    star, asterisk = (named(told("lab_results_long")[at], "Observation", "K")["code"] for at in (0, 2))
    assert (star["text"], extended(star, "recognition-mark")) == ("钾", ["★"])
    assert (asterisk["text"], extended(asterisk, "recognition-mark")) == ("钾 K+", ["*"])


def test_a_value_below_detection_has_a_comparator_and_is_no_number_alone(told):
    troponin = named(told("lab_results_long")[0], "Observation", "HSTNI")
    assert (troponin["valueQuantity"]["comparator"], troponin["valueQuantity"]["value"]) == ("<", Decimal("0.01"))
    assert troponin["referenceRange"][0]["high"]["value"] == Decimal("0.04")
    assert "interpretation" not in troponin


def test_words_of_a_strip_stay_words(told):
    strip = told("lab_results_long")[1]
    assert named(strip, "Observation", "PRO")["valueString"] == "-"
    assert named(strip, "Observation", "KET")["valueString"] == "+-"


def test_a_critical_value_says_so(told):
    assert code(named(told("lab_results_long")[2], "Observation", "K")["interpretation"][0]) == "HH"


def test_an_unknown_flag_is_an_issue_and_kept_as_sent(told):
    strip = told("lab_results_long")[1]
    assert code(named(strip, "Observation", "KET")["interpretation"][0]) == "弱阳"
    assert len([issue for issue in strip.issues if "弱阳" in issue]) == 1


def test_sampling_and_report_are_two_times_and_neither_stands_for_the_other(told):
    first, _, third = told("lab_results_long")
    report = first.one("DiagnosticReport")
    assert report["effectiveDateTime"] == "2026-12-01T08:12:00+08:00"
    assert report["issued"] == "2026-12-01T10:20:03+08:00"
    assert first.one("Specimen")["receivedTime"] == "2026-12-01T08:41:26+08:00"
    for body in (third.one("DiagnosticReport"), *third.all("Observation")):
        assert "effectiveDateTime" not in body
    assert "collection" not in third.one("Specimen")


def test_who_tests_and_who_sends_are_told_apart(told):
    first = told("lab_results_long")[0]
    assert first.one("DiagnosticReport")["performer"] == [{"display": "青禾县人民医院"}]
    order = first.one("ServiceRequest")
    assert extended(order, "requesting-organisation") == [{"display": "柳溪镇中心卫生院"}]
    assert order["requester"] == {"display": "李安"}
    assert first.one("DiagnosticReport")["basedOn"][0]["reference"].startswith("ServiceRequest/")


def test_an_age_is_a_measure_or_words_and_never_a_birth_date(told):
    first, second, _ = told("lab_results_long")
    assert extended(first.one("DiagnosticReport"), "age-at-service")[0]["value"] == Decimal(76)
    assert extended(second.one("DiagnosticReport"), "age-at-service") == ["虚岁71"]
    assert "birthDate" not in first.one("Patient")


def test_the_same_report_number_of_another_day_is_another_report(book):
    drafts = keyed(book, "lab_results_long")
    first, reused = drafts[0], drafts[2]
    assert first["order"].value == reused["order"].value == "LX20261201003"
    assert (first["order"].day, reused["order"].day) == ("2026-12-01", "2026-12-02")
    assert first["report"] != reused["report"]


def test_a_report_taken_back_is_the_same_report_and_in_error(book, told):
    before, after = keyed(book, "lab_results_long")[0], keyed(book, "lab_results_long-unaudited")[0]
    assert (after["report"], after["order"], after["patient"]) == (before["report"], before["order"], before["patient"])
    (record,) = told("lab_results_long-unaudited")
    assert {body["status"] for body in (*record.all("Observation"), *record.all("DiagnosticReport"))} == {
        "entered-in-error"
    }
    assert record.one("ServiceRequest")["status"] == "active"


def keyed(book, name) -> list[dict]:
    """Return the first key of each draft of every record."""
    found: TableFile = book.tables("township-csv").read((SAMPLES / f"{name}.csv").read_bytes(), f"{name}.csv")
    mapper = book.mapper("township-csv")
    drafts = [mapper.map(record.message).drafts for record in found.records]
    return [{draft.name: draft.keys[0] for draft in one if draft.keys} for one in drafts]


# laboratory, a column for each item


def test_a_column_is_an_item_with_the_unit_of_its_header(told):
    white = named(told("lab_results_wide")[0], "Observation", "26464-8")
    assert (white["valueQuantity"]["value"], white["valueQuantity"]["code"]) == (Decimal("6.21"), "10*9/L")
    assert len(told("lab_results_wide")[0].all("Observation")) == 7


def test_flags_glued_to_values_are_flags(told):
    second = told("lab_results_wide")[1]
    flags = {
        codings(body)[0]["code"]: [code(flag) for flag in body.get("interpretation", ())]
        for body in second.all("Observation")
    }
    assert (flags["26464-8"], flags["26511-6"], flags["26478-8"], flags["1988-5"]) == (["A"], ["H"], ["L"], ["H"])
    assert flags["26453-1"] == []
    assert named(second, "Observation", "26464-8")["valueQuantity"]["value"] == Decimal("11.8")


def test_what_was_not_measured_makes_no_result_and_a_spoilt_sample_stays_words(told):
    _, second, third = told("lab_results_wide")
    assert not [body for body in second.all("Observation") if codings(body)[0]["code"] == "718-7"]
    assert named(third, "Observation", "26464-8")["valueString"] == "溶血"


def test_the_sheet_of_another_analyser_says_no_more_than_its_signs(book):
    head, row = (SAMPLES / "lab_results_wide.csv").read_text(encoding="utf-8").splitlines()[1:3]
    changed = head.replace("HGB(g/L)", "血红蛋白(g/dL)").encode() + b"\r\n" + row.replace("121", "12.1").encode()
    (record,) = read(book, changed, "lab_results_wide.csv")
    assert named(record, "Observation", "718-7")["valueQuantity"]["code"] == "g/dL"


def test_total_line_is_reconciled_and_no_patient(book):
    found = book.tables("township-csv").read((SAMPLES / "lab_results_wide.csv").read_bytes(), "lab_results_wide.csv")
    assert (len(found.records), found.reconciled) == (3, True)


# imaging


def test_done_here_and_read_there(told):
    first = told("imaging_reports")[0]
    study, report = first.one("ImagingStudy"), first.one("DiagnosticReport")
    (series,) = study["series"]
    assert series["performer"][0]["actor"] == {"display": "柳溪镇中心卫生院"}
    assert report["performer"] == [{"display": "青禾县人民医院"}]
    assert report["resultsInterpreter"] == [{"display": "周明"}]
    assert extended(report, "verifier") == [{"display": "吴平"}]


def test_a_study_has_its_uid_its_number_and_the_way_to_its_images(told):
    first, second = told("imaging_reports")
    assert numbers(first.one("ImagingStudy")) == {
        "urn:dicom:uid": "urn:oid:1.2.999.519927.101.20261201.3",
        f"{SITE}accession": "DR2612010003",
    }
    assert first.one("Endpoint")["address"] == "http://127.0.0.1/pacs/viewer?acc=DR2612010003"
    assert second.all("Endpoint") == []
    assert numbers(second.one("ImagingStudy")) == {f"{SITE}accession": "US2612010004"}


def test_findings_keep_their_lines_and_the_opinion_is_the_conclusion(told):
    first = told("imaging_reports")[0]
    assert first.one("Observation")["valueString"] == "两肺纹理增多，心影饱满。\n双侧肋膈角锐利。"
    assert first.one("DiagnosticReport")["conclusion"].startswith("1.心影增大")


def test_a_masked_id_is_no_identifier_and_nobody_is_found_by_the_name(told):
    second = told("imaging_reports")[1]
    assert "identifier" not in second.one("Patient")
    assert second.keys["patient"][0][0] == f"{SITE}message"
    assert any("masked" in issue for issue in second.issues)
