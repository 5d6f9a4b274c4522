"""Patients of invented persons for the tests of linking, stored without the line, and a judge of few words."""

import json

from gateway.fhir import temporal
from gateway.identity.decide import Decision, Reason, Verdict
from gateway.store.values import NewVersion, Op

RESIDENT = "http://www.nhc.gov.cn/id/resident"
AREA = "519927"
MODEL = "toy"


def id_number(birth="19800512", serial=101):
    """Return a resident ID number of nobody, with its check digit."""
    digits = f"{AREA}{birth}{serial:03d}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return digits + "10X98765432"[sum(int(one) * weight for one, weight in zip(digits, weights, strict=True)) % 11]


def patient(name="张伟", number="", phone="", **more):
    """Return a Patient; `number` is a resident ID number."""
    body = {"resourceType": "Patient", "name": [{"text": name}]}
    if number:
        kind = [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NNCHN"}]
        body["identifier"] = [{"system": RESIDENT, "type": {"coding": kind}, "value": number}]
    if phone:
        body["telecom"] = [{"system": "phone", "value": phone}]
    return body | more


def keep(store, fid, body, *, site="county", deleted=False, at_us=0, test=False):
    """Store the next version of a Patient and return its pid; the very first one where there is none."""
    with store.write() as tx:
        moment = tx.moment(at_us or 1_700_000_000_000_000)
        head = tx.heads([("Patient", fid)]).get(("Patient", fid))
        pid = head.pid if head else tx.allocate(1)[0]
        ver = head.ver + 1 if head else 1
        meta = {"versionId": str(ver), "lastUpdated": temporal.instant(moment)}
        text = json.dumps({"resourceType": "Patient", "id": fid, "meta": meta} | body, ensure_ascii=False).encode()
        op = Op.DELETE if deleted else Op.CREATE if ver == 1 else Op.UPDATE
        version = NewVersion(
            pid, ver, "Patient", fid, op, None if deleted else text, ver.to_bytes(16), site, moment, pid, test=test,
            actor="test",
        )  # fmt: skip
        tx.put([version])
    return pid


def judge(one, other):
    """Say: numbers equal and names equal the same, names unequal in doubt; two numbers apart; a phone in doubt."""
    code, verdict, bits = "nothing", Verdict.APART, 0.0
    same_name = one.names and other.names and one.names[0].text == other.names[0].text
    if one.resident and one.resident == other.resident:
        code, verdict, bits = ("number", Verdict.SAME, 30.0) if same_name else ("other-name", Verdict.REVIEW, 12.0)
    elif one.resident and other.resident:
        code, verdict = "other-number", Verdict.CONTRADICTED
    elif set(one.phones) & set(other.phones):
        code, verdict, bits = ("phone-and-name", Verdict.SAME, 20.0) if same_name else ("phone", Verdict.REVIEW, 8.0)
    grade = {Verdict.SAME: "certain", Verdict.REVIEW: "probable", Verdict.APART: "possible"}.get(
        verdict, "certainly-not"
    )
    return Decision(verdict, grade, bits, (Reason(code, f"it is {code}", code),), (), MODEL)
