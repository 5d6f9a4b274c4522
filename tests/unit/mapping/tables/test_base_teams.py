"""Teams, packages, services done, institutions, staff, denominators and surveys as a township exports them."""

import csv
import io
from decimal import Decimal

import pytest

from tests.support.told import OWN, SAMPLES, SITE, code, extended, numbers, read

RECORD = "urn:oid:2.16.156.10011.1.2"


# teams and packages


def test_a_member_who_came_back_stands_twice_with_both_periods(told):
    team = told("team_members")[0].one("CareTeam")
    nurse = [one for one in team["participant"] if one["member"]["display"] == "谢小兰"]
    assert [(code(one["role"][0]), one["period"]) for one in nurse] == [
        ("community-nurse", {"start": "2024-01-01", "end": "2025-06-30"}),
        ("health-manager", {"start": "2026-01-01"}),
    ]
    assert len({one["member"]["reference"] for one in nurse}) == 1


def test_a_member_without_number_is_only_a_name(told):
    record = told("team_members")[0]
    (expert,) = [one for one in record.one("CareTeam")["participant"] if "reference" not in one["member"]]
    assert (expert["member"], code(expert["role"][0])) == ({"display": "钱中和"}, "帮扶专家")
    assert len(record.all("Practitioner")) == 2
    assert extended(record.one("CareTeam"), "team-capacity") == [2000]


def test_who_pays_for_a_package_adds_up_to_the_cent(told):
    shares = ("insurance", "public-health", "government", "discount", "personal")
    found = {}
    for record in told("service_packages"):
        for action in record.one("PlanDefinition")["action"]:
            (price,) = [one["extension"] for one in action["extension"] if one["url"] == OWN + "package-price"]
            amounts = {part["url"]: Decimal(str(part["valueMoney"]["value"])) for part in price}
            assert {part["valueMoney"]["currency"] for part in price} == {"CNY"}
            assert sum((amounts.get(share, Decimal()) for share in shares), Decimal()) == amounts["total"]
            found[action["code"][0]["coding"][0]["code"]] = str(amounts["personal"])
    assert found == {"XM0501": "0.00", "XM0507": "40.01", "XM0101": "0"}


def test_the_items_of_a_package_are_its_actions(told):
    package = told("service_packages")[0].one("PlanDefinition")
    assert [(one["title"], one["timingTiming"]["repeat"]["frequency"]) for one in package["action"]] == [
        ("面对面随访", 4), ("眼底照相\n（双眼）", 1)
    ]  # fmt: skip
    assert [str(extended(one, "workload-weight")[0]) for one in package["action"]] == ["1.0", "2.5"]


def test_a_service_done_is_a_task_with_its_evidence(told):
    task = told("fulfilled_items")[0].one("Task")
    said = {code(one["type"]): one for one in (*task["input"], *task["output"])}
    assert task["status"] == "completed"
    assert task["basedOn"] == [
        {"identifier": {"system": SITE + "contract", "value": "QY2026030500301"}, "type": "CarePlan"}
    ]
    assert (said["planned-count"]["valueUnsignedInt"], said["done-count"]["valueUnsignedInt"]) == (4, 3)
    assert said["evidence"]["valueReference"] == {"identifier": {"value": "SF20261105000333"}}
    assert said["result"]["valueString"] == "血压152/94，\n控制不满意"
    assert code(extended(task, "service-mode")[0]) == "home"
    assert task["executionPeriod"] == {"start": "2026-11-05", "end": "2026-11-05"}


@pytest.mark.parametrize("count", ["约3", "若干"])
def test_a_count_that_is_none_is_left_out_whole(book, count):
    rows = list(csv.DictReader(io.StringIO((SAMPLES / "fulfilled_items.csv").read_text(encoding="utf-8"))))[:1]
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerow(rows[0] | {"计划次数": count})
    (record,) = read(book, out.getvalue().encode(), "fulfilled_items.csv")
    assert [code(one["type"]) for one in record.one("Task")["input"]] == ["package"]
    assert any("计划次数" in issue for issue in record.issues)


# institutions, staff, denominators, surveys


def test_an_institution_has_its_numbers_names_and_parent(told):
    hospital, township, village = told("organisations")
    one = hospital.one("Organization")
    assert one["alias"] == ["青禾县中医院", "青禾县针灸推拿康复中心"]
    assert numbers(one)["urn:oid:2.16.156.10011.1.5"] == "12519927MB00020197"
    assert code(extended(township.all("Organization")[0], "hospital-level")[0]) == "1"
    assert township.all("Organization")[0]["partOf"]["reference"].startswith("Organization/")
    assert (village.all("Organization")[0]["active"], village.one("Location")["status"]) == (False, "inactive")


def test_a_doctor_at_two_places_is_one_person_with_two_roles(told):
    first, second = told("staff")[:2]
    assert first.keys["practitioner"] == second.keys["practitioner"] == [(SITE + "staff", "0307")]
    assert first.keys["role"] != second.keys["role"]
    assert extended(first.one("PractitionerRole"), "family-doctor") == [True]
    assert [one["text"] for one in first.one("PractitionerRole")["specialty"]] == ["全科医学专业", "内科专业"]
    assert first.one("Practitioner")["gender"] == told("staff")[2].one("Practitioner")["gender"] == "male"


def test_a_licence_belongs_to_the_profession_not_to_the_title(told):
    qualifications = told("staff")[0].one("Practitioner")["qualification"]
    assert [one["code"]["text"] for one in qualifications] == ["主治医师", "临床"]
    assert qualifications[1]["identifier"][0]["value"] == "110519927000307"
    (alone,) = told("staff")[3].one("Practitioner")["qualification"]
    assert (alone["code"], alone["identifier"][0]["value"]) == ({"text": "执业证书"}, "200819927118")


def test_denominators_say_whether_they_were_counted(told):
    township, village = (record.one("MeasureReport") for record in told("population_denominators"))
    found = {code(group["code"]): group for group in township["group"]}
    assert found["registered-population"]["population"][0]["count"] == 12420
    assert extended(found["hypertension"], "denominator-kind") == ["estimated"]
    assert extended(found["severe-mental-illness"], "denominator-kind") == ["counted"]
    assert township["reporter"] == {"display": "统计局年报;患病率测算"}
    known = {code(group["code"]): group["population"][0].get("count") for group in village["group"]}
    assert "resident-population" not in known
    assert (known["tuberculosis"], known["age60"], village["date"]) == (0, None, "2026-03")


def test_a_survey_keeps_numbers_as_numbers_and_words_as_words(told):
    named, anonymous = (record.one("QuestionnaireResponse") for record in told("satisfaction_survey"))
    answers = {one["linkId"]: next(iter(one["answer"][0].values())) for one in named["item"]}
    assert (answers["总体满意度"]["code"], answers["服务态度"], answers["意见建议"]) == (
        "satisfied", 5, "希望周末也能开药，\n排队短一点"
    )  # fmt: skip
    assert "转诊满意度" not in answers
    assert named["source"]["identifier"] == {"system": RECORD, "value": "51992711520400001"}
    assert "source" not in anonymous
    assert {one["linkId"]: next(iter(one["answer"][0].values())) for one in anonymous["item"]}["总体满意度"] == 3
