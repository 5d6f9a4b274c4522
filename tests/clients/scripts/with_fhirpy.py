"""What a program does through `fhirpy`: prints each step's outcome as one JSON object."""

import json
import sys

from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import ResourceNotFound

base = sys.argv[1]
client = SyncFHIRClient(base)
code = {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}
done = {}

patient = client.resource("Patient", name=[{"text": "张三"}], gender="female")
patient.save()
done["create"] = bool(patient.id)
done["read"] = client.reference("Patient", patient.id).to_resource()["name"][0]["text"]
for _ in range(7):
    client.resource("Observation", status="final", code=code, subject=patient.to_reference()).save()
found = client.resources("Observation").search(subject=f"Patient/{patient.id}").limit(2)
done["search"] = len({one.id for one in found.fetch_all()})
done["count"] = found.count()
patient["birthDate"] = "1990-01-01"
patient.save()
done["update"] = patient["meta"]["versionId"]
entry = {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}
told = client.execute(
    "", method="post", data={"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]}
)
done["transaction"] = [one["response"]["status"][:3] for one in told["entry"]]
one = found.first()
one.delete()
try:
    client.reference("Observation", one.id).to_resource()
    done["delete"] = "still there"
except ResourceNotFound:
    done["delete"] = "not found"
print(json.dumps(done))
