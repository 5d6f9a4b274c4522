"""What a program does through `fhirclient`, SMART's Python client: prints each step's outcome as one JSON object."""

import json
import sys

from fhirclient import client
from fhirclient.models.bundle import Bundle
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient
from fhirclient.server import FHIRNotFoundException

smart = client.FHIRClient(settings={"app_id": "gateway-test", "api_base": sys.argv[1]})
smart.prepare()
server = smart.server
done = {"metadata": server.capabilityStatement.fhirVersion if server.capabilityStatement else ""}
code = {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}

made = Patient({"resourceType": "Patient", "name": [{"text": "张三"}]}).create(server)
place = made["id"]
done["create"] = bool(place)
patient = Patient.read(place, server)
done["read"] = patient.name[0].text
for _ in range(7):
    body = {
        "resourceType": "Observation",
        "status": "final",
        "code": code,
        "subject": {"reference": f"Patient/{place}"},
    }
    Observation(body).create(server)
search = Observation.where({"subject": f"Patient/{place}", "_count": "2"})
found = list(search.perform_resources_iter(server))
done["search"] = len({one.id for one in found})
patient.gender = "female"
done["update"] = patient.update(server)["meta"]["versionId"]
entry = {"resource": {"resourceType": "Patient"}, "request": {"method": "POST", "url": "Patient"}}
told = server.post_json(
    "", Bundle({"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]}).as_json()
)
done["transaction"] = [one["response"]["status"][:3] for one in told.json()["entry"]]
found[0].delete()
try:
    Observation.read(found[0].id, server)
    done["delete"] = "still there"
except FHIRNotFoundException:
    done["delete"] = "not found"
except Exception as fault:
    done["delete"] = str(getattr(getattr(fault, "response", None), "status_code", fault))
print(json.dumps(done))
