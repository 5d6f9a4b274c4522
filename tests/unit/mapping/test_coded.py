"""Coded values: standard beside local, never a guess."""

import pytest

from gateway.mapping import coded

LOCAL = "https://yigong.example/fhir/codes/generic/"


def concept(raw, env, table="OBX-3", codes=""):
    return coded.concept(raw, env, table, env.codes.get(codes))


def test_all_three_codings_and_the_original_text(env):
    cell = concept("1^one^LN^2^two^99X^1.7^2.1^words^3^three^SCT^3.0", env)
    assert cell.value == {
        "coding": [
            {"system": "http://loinc.org", "code": "1", "version": "1.7", "display": "one"},
            {"system": f"{LOCAL}99x", "code": "2", "version": "2.1", "display": "two"},
            {"system": "http://snomed.info/sct", "code": "3", "version": "3.0", "display": "three"},
        ],
        "text": "words",
    }


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("", f"{LOCAL}obx-3"),
        ("HL70078", "http://terminology.hl7.org/CodeSystem/v2-0078"),
        ("0078", "http://terminology.hl7.org/CodeSystem/v2-0078"),
        ("ln", "http://loinc.org"),
        ("urn:oid:1.2.3", "urn:oid:1.2.3"),
        ("检验 字典", f"{LOCAL}检验-字典"),
    ],
)
def test_names_of_code_systems(env, system, expected):
    assert concept(f"a^b^{system}", env).value["coding"][0]["system"] == expected


def test_a_mapped_code_stands_before_the_code_as_sent(env):
    cell = concept("S^未婚", env, "PID-16", "MaritalStatus")
    first, second = cell.value["coding"]
    assert first["system"] == "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
    assert first["code"] == "S"
    assert second == {"system": "http://terminology.hl7.org/CodeSystem/v2-0002", "code": "S", "display": "未婚"}
    assert cell.notes == ()


def test_an_unmapped_code_is_kept_as_the_sites_own_and_noted(env):
    cell = concept("Z9^其他", env, "PID-16", "MaritalStatus")
    assert cell.value["coding"] == [{"system": f"{LOCAL}hl70002", "code": "Z9", "display": "其他"}]
    assert "'Z9'" in cell.notes[0].text
    assert cell.notes[0].severity == "information"


def test_a_code_of_another_named_system_is_not_looked_up(env):
    cell = concept("M^Blood^SCT", env, "SPM-4", "SpecimenType")
    assert [coding["system"] for coding in cell.value["coding"]] == ["http://snomed.info/sct"]
    assert cell.notes == ()


def test_words_without_code_are_text(env):
    assert concept("^阴性", env).value == {"text": "阴性"}
    assert concept("^^^^^", env).value is None
    assert concept('""', env).value is None


def test_components_without_place_are_reported(env):
    cell = concept("1^one^LN" + "^" * 18 + "x", env)
    assert [(note.component, note.left) for note in cell.notes] == [("21", True)]


def test_a_code_comes_from_its_map_only(env):
    sex = env.codes["AdministrativeSex"]
    assert coded.code("F", env, "PID-8", sex).value == "female"
    assert coded.code("", env, "PID-8", sex).value is None
    unmapped = coded.code("2", env, "PID-8", sex)
    assert unmapped.value is None
    assert unmapped.notes[0].severity == "warning"
    kept = unmapped.beside["extension"][0]
    assert kept["url"] == coded.ALTERNATE
    assert kept["valueCodeableConcept"]["coding"][0] == {"system": f"{LOCAL}hl70001", "code": "2"}


def test_a_code_without_map_is_as_sent(env):
    assert coded.code("abc^^X", env, "X-1", None).value == "abc"
    assert coded.code("^^^alt", env, "X-1", None).value == "alt"


def test_coding_is_the_mapped_one_or_the_first(env):
    assert coded.coding("I", env, "PV1-2", env.codes["PatientClass[EncounterClass]"]).value["code"] == "IMP"
    assert coded.coding("^only words", env, "PV1-2", None).value is None


def test_words_of_a_coded_field():
    assert coded.display("a^b^c^^^^^^orig") == "orig"
    assert coded.display("a^b") == "b"
    assert coded.display("a") == "a"
    assert coded.display("") == ""
