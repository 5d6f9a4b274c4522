"""Train the zstd dictionary of resource bodies on invented resources as the mappings make them.

python tools/train_dictionary.py N       writes gateway/store/data/resource-N.zdict and prints what it saves.
A dictionary in use is never replaced: stored bodies need it. Train the next number and raise bodies.CURRENT.
"""

import base64
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

DATA = Path(__file__).resolve().parent.parent / "gateway" / "store" / "data"
BASE = "https://yigong.example/fhir"
V2 = "http://terminology.hl7.org/CodeSystem/v2-"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
UCUM = "http://unitsofmeasure.org"
LOINC = "http://loinc.org"
TESTS = [
    ("6690-2", "WBC", "白细胞计数", "10*9/L", "3.5-9.5"),
    ("789-8", "RBC", "红细胞计数", "10*12/L", "4.3-5.8"),
    ("718-7", "HGB", "血红蛋白", "g/L", "130-175"),
    ("777-3", "PLT", "血小板计数", "10*9/L", "125-350"),
    ("2345-7", "GLU", "葡萄糖", "mmol/L", "3.9-6.1"),
    ("2160-0", "CREA", "肌酐", "umol/L", "57-97"),
    ("3094-0", "UREA", "尿素", "mmol/L", "3.1-8.0"),
    ("1742-6", "ALT", "丙氨酸氨基转移酶", "U/L", "9-50"),
    ("1920-8", "AST", "天门冬氨酸氨基转移酶", "U/L", "15-40"),
    ("2093-3", "TC", "总胆固醇", "mmol/L", "0-5.2"),
    ("2571-8", "TG", "甘油三酯", "mmol/L", "0-1.7"),
    ("2951-2", "NA", "钠", "mmol/L", "137-147"),
    ("2823-3", "K", "钾", "mmol/L", "3.5-5.3"),
    ("2075-0", "CL", "氯", "mmol/L", "99-110"),
    ("1975-2", "TBIL", "总胆红素", "umol/L", "0-26"),
    ("2885-2", "TP", "总蛋白", "g/L", "65-85"),
    ("4548-4", "HBA1C", "糖化血红蛋白", "%", "4-6"),
    ("3016-3", "TSH", "促甲状腺激素", "mIU/L", "0.27-4.2"),
]
SITES = ("county-hospital", "township-centre", "village-clinic", "generic", "maternity-hospital")


class Invent:
    """A source of made-up resources, the same ones at every run."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)

    def messages(self, count: int) -> Iterator[dict[str, Any]]:
        """Yield the resources of `count` messages."""
        for _ in range(count):
            patient, site = self.fid(), self.pick.choice(SITES)
            yield self.patient(patient, site)
            yield self.encounter(patient, site)
            yield from self.report(patient, site)

    def fid(self) -> str:
        """Return an id as the gateway makes them."""
        return base64.b32encode(self.pick.randbytes(17)).decode().lower()[:26]

    def start(self, kind: str, fid: str) -> dict[str, Any]:
        """Return the beginning every stored resource has."""
        stamp = f"{self.moment()[:19]}.{self.pick.randrange(1000):03}+08:00"
        return {"resourceType": kind, "id": fid, "meta": {"versionId": "1", "lastUpdated": stamp}}

    def moment(self) -> str:
        """Return an instant of the last years."""
        pick = self.pick.randrange
        return f"202{pick(5, 8)}-{pick(1, 13):02}-{pick(1, 29):02}T{pick(24):02}:{pick(60):02}:{pick(60):02}+08:00"

    def identifier(self, site: str, kind: str, code: str) -> dict[str, Any]:
        """Return a number an institution hands out."""
        return {
            "use": "usual",
            "type": {"coding": [{"system": f"{V2}0203", "code": code}]},
            "system": f"{BASE}/id/{site}/{kind}",
            "value": str(self.pick.randrange(10**9)),
        }

    def patient(self, fid: str, site: str) -> dict[str, Any]:
        """Return a Patient."""
        year, family = self.pick.randrange(1935, 2024), self.pick.choice("王李张刘陈杨黄赵周吴")
        given = self.pick.choice(["伟", "芳", "秀英", "敏", "静", "建国", "桂兰", "磊", "洋", "艳"])
        return self.start("Patient", fid) | {
            "identifier": [self.identifier(site, "patient", "PI"), self.identifier(site, "card", "MR")],
            "active": True,
            "name": [{"use": "official", "text": family + given, "family": family, "given": [given]}],
            "telecom": [{"system": "phone", "value": f"100{self.pick.randrange(10**8):08}", "use": "home"}],
            "gender": self.pick.choice(["male", "female"]),
            "birthDate": f"{year}-{self.pick.randrange(1, 13):02}-{self.pick.randrange(1, 29):02}",
            "address": [{"use": "home", "text": "青石县河东镇3组12号", "city": "青石县", "country": "CN"}],
            "maritalStatus": {"coding": [{"system": f"{V2}0002", "code": "M"}]},
        }

    def encounter(self, patient: str, site: str) -> dict[str, Any]:
        """Return an Encounter."""
        return self.start("Encounter", self.fid()) | {
            "identifier": [self.identifier(site, "visit", "VN")],
            "status": self.pick.choice(["in-progress", "finished", "planned"]),
            "class": {"system": ACT, "code": self.pick.choice(["AMB", "IMP", "EMER"])},
            "subject": {"reference": f"Patient/{patient}"},
            "participant": [self.participant()],
            "period": {"start": self.moment(), "end": self.moment()},
            "location": [{"location": {"display": self.pick.choice(["内科门诊", "外科二病区", "急诊"])}}],
            "serviceProvider": {"reference": f"Organization/{self.fid()}"},
        }

    def participant(self) -> dict[str, Any]:
        """Return who attends."""
        coding = [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "ATND"}]
        return {"type": [{"coding": coding}], "individual": {"reference": f"Practitioner/{self.fid()}"}}

    def report(self, patient: str, site: str) -> Iterator[dict[str, Any]]:
        """Yield an order, its specimen, its report and the results."""
        order, fid, specimen = self.fid(), self.fid(), self.fid()
        subject = {"subject": {"reference": f"Patient/{patient}"}}
        code = {
            "coding": [{"system": f"{BASE}/code/{site}/order", "code": "CBC", "display": "血常规"}],
            "text": "血常规",
        }
        numbers = [self.identifier(site, "placer", "PLAC"), self.identifier(site, "filler", "FILL")]
        yield self.start("ServiceRequest", order) | {
            "identifier": numbers,
            "status": "active",
            "intent": "order",
            "code": code,
            **subject,
            "authoredOn": self.moment(),
            "requester": {"reference": f"Practitioner/{self.fid()}"},
        }
        yield self.start("Specimen", specimen) | {
            "type": {"coding": [{"system": f"{V2}0487", "code": "BLD", "display": "全血"}]},
            **subject,
            "receivedTime": self.moment(),
            "collection": {"collectedDateTime": self.moment()},
        }
        results = [f"{fid}-obx{number}" for number in range(1, self.pick.randrange(3, 22))]
        yield self.start("DiagnosticReport", fid) | {
            "identifier": numbers,
            "basedOn": [{"reference": f"ServiceRequest/{order}"}],
            "status": "final",
            "category": [{"coding": [{"system": f"{V2}0074", "code": "LAB"}]}],
            "code": code,
            **subject,
            "effectiveDateTime": self.moment(),
            "issued": self.moment(),
            "specimen": [{"reference": f"Specimen/{specimen}"}],
            "result": [{"reference": f"Observation/{result}"} for result in results],
        }
        for result in results:
            yield self.observation(result, site, order, specimen) | subject

    def observation(self, fid: str, site: str, order: str, specimen: str) -> dict[str, Any]:
        """Return one result."""
        loinc, local, text, unit, normal = self.pick.choice(TESTS)
        codings = [{"system": LOINC, "code": loinc}, {"system": f"{BASE}/code/{site}/test", "code": local}]
        value, flag = round(self.pick.uniform(1, 200), self.pick.randrange(3)), self.pick.choice("NHL")
        return self.start("Observation", fid) | {
            "basedOn": [{"reference": f"ServiceRequest/{order}"}],
            "status": self.pick.choice(["final", "preliminary", "corrected"]),
            "category": [{"coding": [{"system": CATEGORY, "code": "laboratory", "display": "Laboratory"}]}],
            "code": {"coding": [{**coding, "display": text} for coding in codings], "text": text},
            "effectiveDateTime": self.moment(),
            "issued": self.moment(),
            "performer": [{"reference": f"Organization/{self.fid()}"}],
            "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
            "interpretation": [{"coding": [{"system": INTERPRETATION, "code": flag}]}],
            "specimen": {"reference": f"Specimen/{specimen}"},
            "referenceRange": [{"text": normal}],
        }


def texts(seed: int, messages: int) -> list[bytes]:
    """Return resources as the gateway writes them."""
    found = Invent(seed).messages(messages)
    return [json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode() for resource in found]


def main() -> None:
    """Train on one set, measure on another."""
    number = int(sys.argv[1])
    target = DATA / f"resource-{number}.zdict"
    if target.exists():
        sys.exit(f"{target} exists, and stored bodies may need it. Choose the next number.")
    dictionary = zstandard.train_dictionary(32_768, texts(1, 800), level=3)
    target.write_bytes(dictionary.as_bytes())
    compress = zstandard.ZstdCompressor(level=3, dict_data=dictionary, write_dict_id=False).compress
    sample = texts(2, 200)
    before, after = sum(map(len, sample)), sum(len(compress(text)) for text in sample)
    print(f"{target.name}: {len(sample)} resources, {before / len(sample):.0f} -> {after / len(sample):.0f} bytes each")


if __name__ == "__main__":
    main()
