"""What a Patient says of who it is: never a fault, one form for every way to write it, nothing from dummies."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.identity import blocks
from gateway.identity.evidence import Evidence, Name, of_patient, packed, unpacked
from tests.support.residents import resident_id

RESIDENT = "urn:oid:2.16.156.10011.1.3"
OWN = resident_id("19680312", 151)
SAMPLES = Path(__file__).parents[3] / "mappings"

PLAIN = {
    "resourceType": "Patient", "gender": "male", "birthDate": "1968-03-12",
    "identifier": [{"system": RESIDENT, "value": OWN}, {"system": "https://g.example/fhir/id/a/patient", "value": "P0001001"}],
    "name": [{"text": "李建国"}], "telecom": [{"system": "phone", "value": "10012345601"}],
    "address": [{"text": "石桥镇大坝村5组"}],
}  # fmt: skip
SAME = {
    "gender": "male", "birthDate": "1968-03-12",
    "identifier": [{"system": RESIDENT, "value": f"'{OWN.lower()} "}, {"system": "https://g.example/fhir/id/a/patient", "value": "P0001001 "}],
    "name": [{"family": "李", "given": ["建國"]}, {"text": "LI JIANGUO"}], "telecom": [{"value": "+86 100-1234-5601"}],
    "address": [{"line": ["四川省青禾县石桥乡大坝村五组"], "state": "四川省"}],
}  # fmt: skip

letters = st.text("李王张建国明三·?□A ", min_size=1, max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20) | st.sampled_from([OWN, "1968-03", "李"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
        "system", "value", "use", "type", "coding", "code", "text", "family", "given", "line", "url", "valueString", "relationship",
        "security", "extension", "name",
    ]), inner, max_size=4), max_leaves=12,
)  # fmt: skip
patients = st.dictionaries(
    st.sampled_from(["identifier", "name", "telecom", "address", "gender", "birthDate", "contact", "extension", "meta",
                     "deceasedBoolean", "deceasedDateTime", "multipleBirthInteger", "multipleBirthBoolean"]), values)  # fmt: skip


def test_a_patient():
    assert of_patient(PLAIN, "a") == Evidence(
        site="a", resident=OWN, local=("https://g.example/fhir/id/a/patient|P0001001",),
        names=(Name("李建国", "李", "建国", "li jian guo", False),), sex="male", birth="1968-03-12",
        phones=("10012345601",), address="石桥大坝5组", area="石桥/大坝",
    )  # fmt: skip


def test_two_spellings_of_one_patient_are_the_same_evidence():
    assert of_patient(PLAIN, "a") == of_patient(SAME, "a")


@settings(max_examples=50)
@given(patients)
def test_no_patient_is_too_odd(body):
    found = of_patient(body, "a")
    assert unpacked(packed(found)) == found
    assert found.birth == "" or found.birth == body["birthDate"]
    blocks.blocks(found)


def test_patients_of_every_sample_pack_and_have_little_to_store():
    seen = 0
    for path in sorted(SAMPLES.glob("*/*/samples/*.json")):
        for patient in _patients(json.loads(path.read_text("utf-8"))):
            found = of_patient(patient, "s")
            assert unpacked(packed(found)) == found
            assert len(packed(found)) < 600
            assert "damaged_resident" not in found.flags
            seen += 1
    assert seen > 50


def _patients(told):
    if isinstance(told, dict):
        if told.get("resourceType") == "Patient":
            yield told
        told = list(told.values())
    if isinstance(told, list):
        for one in told:
            yield from _patients(one)


def test_bytes_that_are_no_evidence():
    with pytest.raises(msgspec.DecodeError):
        unpacked(b"\xc1")


@pytest.mark.parametrize("birth", ["1900-01-01", "1900", "1899-12-30", "1970-01-01", "0001-01-01", "9999-12-31", "2026-02-30", "0000-00-00",
                                   "1968-3-12", "5岁", "", None, 1968, ["1968"], "1968-03-12T00:00:00Z"])  # fmt: skip
def test_a_birth_that_is_none(birth):
    assert of_patient({"birthDate": birth}, "a").birth == ""


@pytest.mark.parametrize("birth", ["1968", "1968-03", "1968-03-12", "1880-02-29"])
def test_a_birth_is_kept_as_exact_as_it_is(birth):
    assert of_patient({"birthDate": birth}, "a").birth == birth


@pytest.mark.parametrize(
    ("gender", "sex"), [("male", "male"), ("female", "female"), ("unknown", ""), ("other", ""), (None, ""), (1, "")]
)
def test_sex(gender, sex):
    assert of_patient({"gender": gender}, "a").sex == sex


@pytest.mark.parametrize(("body", "flag"), [
    ({"deceasedBoolean": True}, "deceased"), ({"deceasedDateTime": "2026-01-01"}, "deceased"), ({"multipleBirthBoolean": True}, "multiple-birth"),
    ({"multipleBirthInteger": 2}, "multiple-birth"), ({"name": [{"text": "无名氏"}]}, "nameless"), ({"name": [{"text": "测试"}]}, "test"),
    ({"meta": {"security": [{"code": "HTEST"}]}}, "test"), ({"name": [{"text": "张三之子"}]}, "newborn-name"),
    (PLAIN | {"birthDate": "1968-03-21"}, "conflicting-birth"), (PLAIN | {"gender": "female"}, "conflicting-sex"),
    (PLAIN | {"birthDate": "1998-03-12"}, "borrowed-id"),
])  # fmt: skip
def test_flags(body, flag):
    assert flag in of_patient(body, "a").flags


@pytest.mark.parametrize("body", [{"deceasedBoolean": False}, {"multipleBirthBoolean": False}, {"multipleBirthInteger": 0},
                                  {"multipleBirthInteger": True}, {"meta": {"security": [3]}}, {"meta": 3}, PLAIN, {}])  # fmt: skip
def test_no_flags(body):
    assert of_patient(body, "a").flags == ()


def test_a_newborn_under_its_mothers_number():
    mother = resident_id("19950305", 4)
    found = of_patient(
        {
            "name": [{"text": "陳玘之女"}],
            "birthDate": "2026-01-12",
            "identifier": [{"system": RESIDENT, "value": mother}],
        },
        "a",
    )
    assert (found.mother, found.flags) == (mother, ("borrowed-id", "newborn-name"))
    assert of_patient({"name": [{"text": "陳玘之女"}]}, "a").mother == "陈玘"


def test_dummies_are_no_evidence():
    dummy = {
        "identifier": [{"system": RESIDENT, "value": "111111111111111111"}, {"system": "https://g.example/fhir/id/a/patient", "value": "0000"}],
        "name": [{"text": "不详"}], "telecom": [{"system": "phone", "value": "13800138000"}], "address": [{"text": "无"}],
        "birthDate": "1900-01-01", "gender": "unknown",
    }  # fmt: skip
    found = of_patient(dummy, "a")
    assert found == Evidence(site="a")
    assert blocks.blocks(found) == ()


@given(letters, letters, st.sampled_from(["", " ", "·", "\u3000"]))
def test_how_a_name_is_parted_changes_nothing(family, given_name, between):
    """A whole text, and the surname with the given name, are one name wherever the first is a surname."""
    if family.strip() not in ("李", "王", "张") or not set(given_name) <= set("建国明三"):
        return
    whole = of_patient({"name": [{"text": f"{family}{between}{given_name}"}]}, "a").names[0]
    parts = of_patient({"name": [{"family": family, "given": list(given_name)}]}, "a").names[0]
    assert (whole.text, whole.sound) == (parts.text, parts.sound)
