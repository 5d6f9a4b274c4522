"""The made-up county's messages, sent in their order: each becomes, or is refused as, what examples/README.md says."""

import json

import pytest

from tests.support.county import ALL, ROOT, county

FILES = sorted((ROOT / "examples" / "messages").glob("*.hl7"))
RESIDENT = "urn:oid:2.16.156.10011.1.3"


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """Return the gateway after all examples, and what became of each by the number of its file."""
    home = tmp_path_factory.mktemp("county")
    with county(f"sqlite:///{home}/gateway.db", home) as made:
        states = {}
        for file in FILES:
            made.send(file.read_bytes())
            made.work()
            states[file.name[:2]] = made.states()[-1]
        made.by_file = states
        yield made


def person(town, name):
    (found,) = [each for each in town.all("Patient") if each["name"][0]["text"] == name]
    return found


def visit(town, number):
    (found,) = [each for each in town.all("Encounter") if each["identifier"][0]["value"] == number]
    return found


def result(town, code):
    (found,) = [each for each in town.all("Observation") if each["code"]["coding"][0]["code"] == code]
    return found


def test_every_good_message_is_applied_and_every_bad_one_parked_for_its_reason(town):
    good = {number: "applied" for number in town.by_file if number < "90"}
    bad = {"90": "parked undecodable", "92": "parked key-reused", "93": "parked unidentified"}
    assert {number: state for number, state in town.by_file.items() if number != "91"} == good | bad


def test_the_probe_that_speaks_http_never_becomes_an_item(town):
    assert len(town.items()) == len(FILES) - 1


@pytest.mark.parametrize(
    "name", ["李珅", "陈玘", "周䶮", "王妡", "赵珇", "周玕", "阿卜杜·热合曼", "孙秀梅", "陈玘之女"]
)
def test_no_name_is_broken_by_the_delimiters_in_its_bytes(town, name):
    assert person(town, name)["name"][0]["text"] == name


def test_the_visit_card_is_not_taken_for_the_resident_id(town):
    numbers = {each["system"].rsplit("/", 1)[-1]: each["value"] for each in person(town, "李珅")["identifier"]}
    assert numbers["visit-card"] == "K20010001"
    assert numbers[RESIDENT].startswith("519927")


def test_the_newborn_is_a_person_of_her_own_with_the_minute_of_birth(town):
    child = person(town, "陈玘之女")
    assert all(each["system"] != RESIDENT for each in child["identifier"])
    assert child["_birthDate"]["extension"][0]["valueDateTime"] == "2026-01-12T06:34:00+08:00"


def test_words_that_say_nothing_become_no_data_and_a_null_deletes(town):
    child = person(town, "王妡")
    assert [each["line"] for each in child["address"]] == [["青禾县城关镇朝阳路40号"]]
    assert "telecom" not in child


def test_phones_are_found_where_senders_put_them(town):
    assert [person(town, name)["telecom"][0]["value"] for name in ("李珅", "陈玘", "周䶮")] == [
        "10012345601",
        "10012345602",
        "10012345603",
    ]


def test_a_stay_is_one_encounter_through_transfer_discharge_and_their_cancellations(town):
    stay = visit(town, "ZY2026000117")
    history = town.store.resources.history("Encounter", stay["id"], ALL)
    told = [json.loads(version.body) for version in history]
    assert [each["status"] for each in told] == ["in-progress", "finished", "in-progress", "in-progress", "in-progress"]
    assert told[1]["hospitalization"]["dischargeDisposition"]["coding"][0]["code"] == "3"
    assert stay["period"] == {"start": "2026-01-07T09:25:00+08:00"}
    assert "hospitalization" not in stay
    assert [place["location"]["display"] for place in stay["location"]] == ["05"]


def test_classes_come_from_the_hospitals_own_words(town):
    numbers = {"MZ20260108021": "AMB", "ZY2026000130": "IMP", "ZY2026000121": "EMER", "TJ20260118003": "AMB"}
    assert {number: visit(town, number)["class"]["code"] for number in numbers} == numbers
    assert visit(town, "TJ20260118003")["type"][0]["coding"][0]["code"] == "T"
    assert visit(town, "ZY2026000121")["status"] == "cancelled"


def test_a_correction_is_a_new_version_and_notes_stay_with_their_result(town):
    alt, potassium = result(town, "ALT"), result(town, "K")
    assert (alt["valueQuantity"]["value"], alt["status"], alt["meta"]["versionId"]) == (26, "corrected", "2")
    assert potassium["note"] == [{"text": "轻度溶血"}]
    assert b'"value":5.10' in town.store.resources.read("Observation", potassium["id"], ALL).body
    assert "note" not in result(town, "AST")


def test_twenty_results_stand_in_one_report(town):
    (count,) = [each for each in town.all("DiagnosticReport") if each["code"]["coding"][0]["display"] == "血常规"]
    assert len(count["result"]) == 20
    assert [result(town, code)["interpretation"][0]["coding"][0]["code"] for code in ("WBC", "HGB")] == ["H", "L"]


def test_the_ct_report_keeps_its_lines(town):
    assert result(town, "GDT")["valueString"].split("\n")[1].startswith("双肺纹理增多")


def test_an_organism_without_a_value_is_not_lost(town):
    assert result(town, "KPN")["valueCodeableConcept"]["coding"][0]["display"] == "肺炎克雷伯菌"
    assert result(town, "CTX")["interpretation"][0]["coding"][0]["code"] == "R"


def test_a_cancelled_order_is_revoked(town):
    (order,) = [each for each in town.all("ServiceRequest") if each["identifier"][0]["value"] == "SQ260116-0002"]
    assert order["status"] == "revoked"


def test_a_home_made_segment_is_read_by_the_sites_own_rules(town):
    team = "https://yigong.example/fhir/StructureDefinition/family-doctor-team"
    said = {each["url"]: each.get("valueString") for each in person(town, "赵珇")["extension"]}
    assert said[team] == "石桥镇家庭医生三队"
    assert result(town, "883-9")["valueCodeableConcept"]["coding"][0]["display"] == "A型"


def test_no_under_allergy_says_that_none_is_known(town):
    codes = {each["code"]["coding"][0]["code"] for each in town.all("AllergyIntolerance")}
    assert codes == {"Y001", "716186003"}
