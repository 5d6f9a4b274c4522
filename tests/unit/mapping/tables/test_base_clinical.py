"""Prescriptions, follow-ups, health checks and visits: what a doctor looks for in the record.

The rows are the golden samples of the feed `township-csv`; the published county samples are read where they are.
"""

from decimal import Decimal

import pytest

from tests.support.told import (
    ROOT,
    SAMPLES,
    SITE,
    code,
    codings,
    component,
    extended,
    named,
    numbers,
    read,
)

COUNTY = ROOT.parent / "shared" / "samples" / "csv"
VILLAGE = "village-xlsx"
TABLES = ("prescriptions", "followup_hypertension", "followup_diabetes", "health_checks", "visits_outpatient")
RESIDENT = "urn:oid:2.16.156.10011.1.3"
PANEL, SYSTOLIC, DIASTOLIC = "85354-9", "8480-6", "8462-4"


@pytest.mark.parametrize("table", TABLES)
def test_none_of_these_owns_demographics(told, table):
    assert {record.modes["patient"] for record in told(table)} == {"fill"}


# prescriptions


def test_frequencies_stay_the_words_of_the_prescription(told):
    western, _ = told("prescriptions")
    first, second = western.all("MedicationRequest")
    assert [one["dosageInstruction"][0]["timing"]["code"]["text"] for one in (first, second)] == ["qd", "每日三次"]
    assert {code(one["dosageInstruction"][0]["route"]) for one in (first, second)} == {"26643006"}


def test_what_is_handed_out_is_days_and_packages(told):
    first, second = told("prescriptions")[0].all("MedicationRequest")
    assert first["dispenseRequest"]["expectedSupplyDuration"]["code"] == "d"
    assert first["dispenseRequest"]["quantity"] == {"value": Decimal(5), "unit": "盒"}
    assert second["dispenseRequest"]["quantity"] == {"value": Decimal(4)}


def test_a_long_and_extended_prescription_names_the_hospitals(told):
    first, second = told("prescriptions")[0].all("MedicationRequest")
    assert (extended(first, "long-prescription"), extended(first, "extended-prescription")) == ([True], [True])
    assert first["priorPrescription"]["identifier"] == {"value": "ZYCF261118009"}
    assert extended(second, "extended-prescription") == [False]
    assert first["groupIdentifier"] == second["groupIdentifier"]
    assert first["encounter"]["identifier"]["value"] == "JZ2612010077"


def test_a_formula_of_herbs_is_one_request_with_one_medication(told):
    _, formula = told("prescriptions")
    request, medication = formula.one("MedicationRequest"), formula.one("Medication")
    assert request["dispenseRequest"]["quantity"] == {"value": Decimal(7), "unit": "付"}
    assert [one["itemCodeableConcept"]["text"] for one in medication["ingredient"]] == ["法半夏", "陈皮", "茯苓"]
    first = medication["ingredient"][0]["strength"]
    assert (first["numerator"]["value"], first["numerator"]["code"]) == (Decimal(9), "g")
    assert first["denominator"] == {"value": 1, "unit": "付"}
    disease, syndrome = request["reasonCode"]
    assert (disease["text"], syndrome["text"]) == ("眩晕病", "痰浊上蒙证")
    assert {one["coding"][0]["version"] for one in (disease, syndrome)} == {"1995"}


# follow-ups


def test_blood_pressure_is_a_panel_with_two_components(told):
    for record in (told("followup_hypertension")[0], told("followup_diabetes")[0]):
        panel = named(record, "Observation", PANEL)
        upper, lower = component(panel, SYSTOLIC), component(panel, DIASTOLIC)
        assert (upper["value"], upper["code"]) == (Decimal(158), "mm[Hg]")
        assert (lower["value"], lower["code"]) == (Decimal(94), "mm[Hg]")


def test_a_pressure_with_one_value_is_no_pair(told):
    (only,) = named(told("followup_hypertension")[1], "Observation", PANEL)["component"]
    assert code(only["code"]) == SYSTOLIC


def test_weight_and_its_goal_come_from_one_cell_or_two(told):
    for record in (told("followup_hypertension")[0], told("followup_diabetes")[0]):
        weight = named(record, "Observation", "29463-7")["valueQuantity"]
        assert (weight["value"], weight["code"]) in ((Decimal("61.5"), "kg"), (Decimal(61), "kg"))
        assert record.one("Goal")["target"][0]["detailQuantity"]["value"] == Decimal(58)


def test_a_digit_means_what_its_form_says(told):
    first, second = told("followup_hypertension")
    adverse = [named(record, "Observation", "adverse-reaction")["valueBoolean"] for record in (first, second)]
    assert adverse == [False, True]
    symptoms = [
        code(body["valueCodeableConcept"]) for body in first.all("Observation") if codings(body)[0]["code"] == "75325-1"
    ]
    assert symptoms == ["headache-dizziness", "palpitations"]
    assert code(named(first, "Observation", "control")["valueCodeableConcept"]) == "unsatisfied"


def test_a_way_of_another_release_is_an_issue_and_never_the_nearest(told):
    first, second = told("followup_hypertension")
    assert first.one("Encounter")["class"]["code"] == "HH"
    assert second.one("Encounter")["class"]["code"] == "dh"
    assert any("dh" in issue for issue in second.issues)


def test_drugs_are_statements_and_who_stopped_takes_none(told):
    first, second = told("followup_hypertension")
    said = [
        (one["medicationCodeableConcept"]["text"], one["dosage"][0]["text"]) for one in first.all("MedicationStatement")
    ]
    assert said == [("氨氯地平", "5mg qd"), ("缬沙坦", "80mg qd")]
    stopped = second.one("MedicationStatement")
    assert (stopped["status"], stopped["statusReason"][0]["text"]) == ("stopped", "自行停药")


def test_the_next_visit_is_a_task_and_a_referral_a_proposal(told):
    first, second = told("followup_hypertension")
    task = first.one("Task")
    assert (task["status"], task["restriction"]["period"]["end"]) == ("requested", "2026-11-19")
    referral = first.one("ServiceRequest")
    assert (referral["intent"], code(referral["reasonCode"][0])) == ("proposal", "twice-unsatisfied")
    assert second.all("ServiceRequest") == []


def test_one_condition_and_one_programme_for_all_follow_ups(book):
    found = book.tables("township-csv").read(
        (SAMPLES / "followup_hypertension.csv").read_bytes(), "followup_hypertension.csv"
    )
    mapper = book.mapper("township-csv")
    children = [
        {draft.name: (draft.parent, draft.child) for draft in mapper.map(record.message).drafts}
        for record in found.records
    ]
    assert children[0]["condition"] == children[1]["condition"]
    assert children[0]["episode"] == children[1]["episode"]
    assert children[0]["condition"][0] == "patient"


def test_glucose_has_its_unit_and_the_test_its_own_day(told):
    first, second = told("followup_diabetes")
    assert named(first, "Observation", "76629-5")["valueQuantity"]["code"] == "mmol/L"
    assert named(first, "Observation", "4548-4")["effectiveDateTime"] == "2026-09-03"
    assert [body for body in second.all("Observation") if codings(body)[0]["code"] == "glucose-2h"] == []
    assert [one["medicationCodeableConcept"]["text"] for one in second.all("MedicationStatement")] == [
        "降糖药",
        "门冬胰岛素",
    ]


# health checks


def test_a_number_without_unit_gets_none_and_an_issue(told):
    first, second = told("health_checks")
    units = [named(record, "Observation", "creatinine")["valueQuantity"] for record in (first, second)]
    assert units[0] == {"value": Decimal(71)}
    assert (units[1]["value"], units[1]["unit"], units[1]["code"]) == (Decimal("0.9"), "mg/dl", "mg/dL")
    haemoglobin = [named(record, "Observation", "718-7")["valueQuantity"] for record in (first, second)]
    assert haemoglobin == [{"value": Decimal(124)}, {"value": Decimal("13.2")}]
    assert any("血红蛋白" in issue and "unit" in issue for issue in second.issues)


def test_both_arms_are_panels_and_say_which(told):
    first = told("health_checks")[0]
    panels = [body for body in first.all("Observation") if codings(body)[0]["code"] == PANEL]
    said = [(code(body["bodySite"]), component(body, SYSTOLIC)["value"]) for body in panels]
    assert said == [("368208006", Decimal(150)), ("368209003", Decimal(148))]


def test_a_header_in_kilopascals_is_not_read_as_millimetres(book):
    text = (SAMPLES / "health_checks.csv").read_text(encoding="utf-8")
    changed = text.replace("左侧血压", "左侧血压(kPa)").replace("150/92", "20.0/12.3")
    first = read(book, changed.encode(), "health_checks.csv")[0]
    left = next(
        body for body in first.all("Observation") if body.get("bodySite") and code(body["bodySite"]) == "368208006"
    )
    assert component(left, SYSTOLIC)["code"] == component(left, DIASTOLIC)["code"] == "kPa"


def test_a_code_with_its_words_keeps_both(told):
    ecg = named(told("health_checks")[0], "Observation", "11524-6")["valueCodeableConcept"]
    assert (code(ecg), ecg["text"]) == ("ecg-abnormal", "2:左室高电压")
    assert named(told("health_checks")[1], "Observation", "20454-5")["valueString"] == "±"


def test_problems_and_advice_are_the_doctors_impression(told):
    first, second = told("health_checks")
    impression = first.one("ClinicalImpression")
    assert [one["itemCodeableConcept"]["text"] for one in impression["finding"]] == ["高血压", "2型糖尿病"]
    assert [code(one) for one in extended(impression, "health-guidance")] == ["chronic-care", "recheck"]
    assert second.all("ClinicalImpression") == []


# visits


def test_a_visit_is_known_by_house_and_number(told):
    first, _, third, _ = told("visits_outpatient")
    assert first.keys["encounter"] == [(f"{SITE}visit", "JZ2612010077|MB000101151992711C2101")]
    assert third.keys["encounter"] == [(f"{SITE}visit", "JZ2612010077|MB000102151992711C2101")]


def test_a_number_of_the_day_belongs_to_its_house_and_its_day(told):
    persons = [record.keys["patient"] for record in told("visits_outpatient")]
    assert len({keys[-1] for keys in persons}) == 3  # 0007 twice in one house, on two days: the day is not in this list
    assert persons[2] == [(f"{SITE}石桥镇中心卫生院/outpatient", "0007")]
    last = told("visits_outpatient")[3].one("Patient")["identifier"][0]
    assert last["period"] == {"start": "2026-12-02", "end": "2026-12-02"}


def test_the_mothers_number_is_not_the_childs(told):
    third = told("visits_outpatient")[2]
    assert RESIDENT not in numbers(third.one("Patient"))
    assert any("parent" in issue for issue in third.issues)


def test_diagnoses_are_conditions_the_first_one_ranked(told):
    first = told("visits_outpatient")[0]
    encounter, conditions = first.one("Encounter"), first.all("Condition")
    assert [one.get("rank") for one in encounter["diagnosis"]] == [1, None, None]
    assert code(conditions[0]["code"]) == "I10.x00"
    assert conditions[0]["code"]["text"] == "高血压"
    assert [one["code"] for one in conditions[1:]] == [
        {"coding": [{"system": "urn:oid:2.16.156.10011.2.3.3.11.3", "code": "E11.9"}]},
        {"text": "2型糖尿病性肾病"},
    ]


def test_midnight_is_the_next_day_and_money_keeps_its_digits(told):
    _, second, _, _ = told("visits_outpatient")
    encounter = second.one("Encounter")
    assert encounter["period"]["start"] == "2026-12-02T00:00:00+08:00"
    (cost,) = extended(encounter, "total-cost")
    assert (str(cost["value"]), cost["currency"]) == ("1015.00", "CNY")


def test_an_emergency_and_a_referral_are_told(told):
    first, _, _, last = told("visits_outpatient")
    assert last.one("Encounter")["class"]["code"] == "EMER"
    assert first.one("Encounter")["basedOn"][0]["identifier"]["value"] == "ZZS2026113000004"
    assert extended(first.one("Encounter"), "contracted") == [True]


def test_a_village_room_under_its_townships_code_is_told_by_its_name(book):
    folder = ROOT / "mappings" / "village-clinic" / VILLAGE / "samples"
    raw = (folder / "visits_outpatient.csv").read_bytes()
    (record,) = book.tables(VILLAGE).read(raw, "visits_outpatient.csv").records
    drafts = {draft.name: draft.body for draft in book.mapper(VILLAGE).map(record.message).drafts}
    assert drafts["encounter"]["serviceProvider"]["display"] == "柳溪镇河湾村卫生室"
    assert "name" not in drafts["organisation"]


def test_the_villages_form_codes_groups_of_people_otherwise(book):
    folder = ROOT / "mappings" / "village-clinic" / VILLAGE / "samples"
    (record,) = book.tables(VILLAGE).read((folder / "contracts.csv").read_bytes(), "contracts.csv").records
    plans = [draft.body for draft in book.mapper(VILLAGE).map(record.message).drafts if draft.type == "CarePlan"]
    groups = [code(one) for plan in plans for one in extended(plan, "population-group")]
    assert groups == ["elder", "hypertension"]
