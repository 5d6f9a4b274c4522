"""Judging with the code files of a site, at most two at a time, with definitions read when they are needed."""

import logging
import shutil
from typing import Any

import pytest

from gateway import settings
from gateway.errors import Category, GatewayError
from gateway.record import terminology
from gateway.record.judging import AT_ONCE, Claims, Installed, Judge, Region

RESIDENT = "https://yigong.example/fhir/StructureDefinition/resident"
PATIENT = {
    "resourceType": "Patient",
    "identifier": [{"system": "https://h.example/id", "value": "1"}],
    "name": [{"text": "王小明"}],
}
ICD = "编码,名称,上级编码\nA00-A09,肠道传染病,\nA01,伤寒,A00-A09\nA01.0,伤寒,A01\n".encode()


NO_CODES: Any = None  # nothing asks for code files


@pytest.fixture(scope="module")
def region():
    return Region(settings.shipped("profiles"))


def test_the_newest_version_of_a_code_file_is_asked(store):
    terminology.import_file(store, ICD, url="urn:icd", version="1", columns={})
    newer = ICD + "Z99,新,\n".encode()
    terminology.import_file(store, newer, url="urn:icd", version="2", columns={})
    codes = Installed(store)
    assert codes.installed("urn:icd")
    assert not codes.installed("urn:other")
    assert codes.above("urn:icd", "A01.0") == ("A01", "A00-A09")
    assert codes.above("urn:icd", "Z99") == ()
    assert codes.above("urn:icd", "Z00") is None
    assert codes.above("urn:other", "Z00") is None


def test_a_resource_is_judged_by_what_it_is_asked(region):
    judge = Judge(NO_CODES, region, 5.0)
    assert judge.validate(PATIENT, [RESIDENT], 100) == []
    wrong = judge.validate(PATIENT | {"name": []}, [RESIDENT], 100)
    assert "error" in {one.severity for one in wrong}
    assert judge.check(PATIENT) == []
    assert [one.where for one in judge.check(PATIENT | {"gender": "m"})] == ["Patient.gender"]


def test_the_models_of_fhir_resources_add_nothing_to_what_is_right(region):
    judge = Judge(NO_CODES, region, 5.0)
    lunar = {"extension": [{"url": "urn:x", "valueString": "x", "_valueString": {"id": "i"}}]}
    assert judge.validate(PATIENT | lunar, [], 100) == []
    strange = {"resourceType": "Sparrow"}
    assert [one.severity for one in judge.validate(strange, [], 100)] == ["error"]


def test_what_only_the_models_refuse_is_a_warning(region, monkeypatch):
    from gateway.fhir import models
    from gateway.fhir.issues import Issue

    monkeypatch.setattr(models, "explain", lambda _: [Issue("error", "value", "No.", "Patient.name")])
    (one,) = Judge(NO_CODES, region, 5.0).validate(PATIENT, [], 100)
    assert (one.severity, one.where) == ("warning", "Patient.name")
    assert Judge(NO_CODES, region, 5.0).validate(PATIENT, [], 10**9) == []


def test_more_than_two_at_once_come_back_later(region):
    judge = Judge(NO_CODES, region, 5.0)
    for _ in range(AT_ONCE):
        assert judge._room.acquire(blocking=False)
    with pytest.raises(GatewayError, match="moment") as busy:
        judge.validate(PATIENT, [], 100)
    assert busy.value.category is Category.BUSY
    judge._room.release()
    assert judge.validate(PATIENT, [], 100) == []


def test_mapped_resources_claim_what_they_satisfy(region):
    claims = Claims(region)
    assert claims(PATIENT) == (RESIDENT,)
    assert claims({"resourceType": "Observation"}) == ()


def test_broken_definitions_stop_no_message(tmp_path, caplog):
    folder = tmp_path / "profiles"
    shutil.copytree(settings.shipped("profiles"), folder)
    (folder / "valuesets" / "broken.json").write_text("{")
    with pytest.raises(GatewayError) as fault:
        Judge(NO_CODES, Region(folder), 5.0).check(PATIENT)
    assert fault.value.category is Category.UNAVAILABLE
    claims = Claims(Region(folder))
    with caplog.at_level(logging.ERROR):
        assert claims(PATIENT) == ()
        assert claims(PATIENT) == ()
    assert len(caplog.records) == 1
    assert "broken.json" in caplog.text
