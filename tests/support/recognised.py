"""Results of an invented patient in a store, for the tests of recognition over stored records: told at will."""

from functools import lru_cache

from gateway.community.recognition.catalogue import OWN
from gateway.fhir import temporal
from gateway.identity import survivorship
from gateway.identity.persons import SURVIVORSHIP
from gateway.settings import shipped
from tests.support.search_records import put

COUNTY, CENTRE = "county-hospital", "township-centre"
HOSPITAL, TOWNSHIP = "青禾县人民医院", "柳溪镇中心卫生院"
LAB = "https://yigong.example/fhir/CodeSystem/county-hospital/lab-item"
PICTURES = "https://yigong.example/fhir/CodeSystem/county-hospital/imaging-item"
DAY_US = 86_400_000_000
NOW = "2026-11-20T10:00:00+08:00"
NOW_US = temporal.bounds(NOW, "Asia/Shanghai")[0]


def ago(days):
    """A moment so many days before the order."""
    return temporal.instant(NOW_US - int(days * DAY_US), temporal.fixed_zone(8))


def concept(code, system=OWN, **more):
    return {"coding": [{"system": system, "code": code}], **more}


def patient(fid="p1", **more):
    return {"resourceType": "Patient", "id": fid, "name": [{"text": "马秀英"}], **more}


def value(fid, code="potassium", days=2, *, of="p1", system=OWN, unit="mmol/L", **more):
    """A final laboratory result with a number, taken so many days ago."""
    plain = {
        "resourceType": "Observation",
        "id": fid,
        "status": "final",
        "code": concept(code, system),
        "subject": {"reference": f"Patient/{of}"},
        "effectiveDateTime": ago(days),
        "valueQuantity": {"value": 4.1, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        "referenceRange": [{"text": "3.5-5.3"}],
    }
    return {name: one for name, one in (plain | more).items() if one is not None}


def report(fid, code="panel-electrolytes", days=2, *, of="p1", system=OWN, **more):
    """A final report, issued an hour after the specimen was taken."""
    plain = {
        "resourceType": "DiagnosticReport",
        "id": fid,
        "status": "final",
        "code": concept(code, system),
        "subject": {"reference": f"Patient/{of}"},
        "effectiveDateTime": ago(days),
        "issued": ago(days - 1 / 24),
    }
    return {name: one for name, one in (plain | more).items() if one is not None}


def study(fid, days=5, *, of="p1", modality="CT", where=HOSPITAL, **more):
    """Pictures that can be looked at, made at a house."""
    plain = {
        "resourceType": "ImagingStudy",
        "id": fid,
        "status": "available",
        "subject": {"reference": f"Patient/{of}"},
        "started": ago(days),
        "modality": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": modality}],
        "series": [{"uid": "1.2.3", "modality": {"code": modality}, "performer": [{"actor": {"display": where}}]}],
        "endpoint": [{"reference": f"Endpoint/{fid}"}],
    }
    return {name: one for name, one in (plain | more).items() if one is not None}


def endpoint(fid, **more):
    return {"resourceType": "Endpoint", "id": fid, "status": "active", "address": f"http://127.0.0.1/{fid}", **more}


def order(code="potassium", system=OWN, **more):
    """A draft of a doctor's system."""
    plain = {"resourceType": "ServiceRequest", "status": "draft", "intent": "order", "code": concept(code, system)}
    return plain | {"subject": {"reference": "Patient/p1"}, "occurrenceDateTime": NOW} | more


def told(store, *resources, site=COUNTY, **more):
    """Put resources of a site into a store."""
    return put(store, *resources, site=site, **more)


@lru_cache(maxsize=1)
def rules():
    """The shipped rules of survivorship, which say how sure links are."""
    return survivorship.load(shipped("profiles") / SURVIVORSHIP)
