"""What a researcher does through `fhir-pyrate`, which only reads: prints each step's outcome as one JSON object."""

import json
import sys

import requests
from fhir_pyrate import Pirate

base = sys.argv[1]
code = {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}
patient = requests.post(f"{base}/Patient", json={"resourceType": "Patient", "name": [{"text": "张三"}]}).json()["id"]
for number in range(7):
    body = {
        "resourceType": "Observation",
        "status": "final",
        "code": code,
        "subject": {"reference": f"Patient/{patient}"},
    }
    requests.post(f"{base}/Observation", json={**body, "valueQuantity": {"value": number}})
pirate = Pirate(base_url=f"{base}/", auth=None, num_processes=1, print_request_url=False)
frame = pirate.steal_bundles_to_dataframe(
    resource_type="Observation",
    request_params={"subject": f"Patient/{patient}", "_count": 2},
    fhir_paths=["id", "valueQuantity.value", ("code", "code.coding.code")],
)
print(
    json.dumps(
        {
            "search": len(frame["id"].unique()),
            "sum": float(sum(map(float, frame["valueQuantity.value"]))),
            "total": pirate.get_bundle_total("Observation", {"subject": f"Patient/{patient}", "_total": "accurate"}),
        }
    )
)
