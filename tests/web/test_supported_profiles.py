"""The CapabilityStatement names the region's profiles, and every name leads to one that $validate knows."""

import json

JSON = {"content-type": "application/fhir+json"}
STRUCTURE = "https://yigong.example/fhir/StructureDefinition/"


def test_the_capability_statement_names_the_profiles_of_each_type(web):
    told = web.get("/fhir/metadata").json()["rest"][0]["resource"]
    named = {one["type"]: one["supportedProfile"] for one in told if "supportedProfile" in one}
    assert named["CarePlan"] == [f"{STRUCTURE}contract", f"{STRUCTURE}household-contract"]
    assert named["Patient"] == [f"{STRUCTURE}resident"]
    assert "Binary" not in named
    assert not [url for urls in named.values() for url in urls if "extension" in url]


def test_every_profile_named_is_one_that_validation_applies(web):
    told = web.get("/fhir/metadata").json()["rest"][0]["resource"]
    for one in told:
        for url in one.get("supportedProfile", ()):
            body = json.dumps({"resourceType": one["type"]})
            answer = web.ask("POST", f"/fhir/{one['type']}/$validate?profile={url}", content=body, headers=JSON)
            assert answer.status_code == 200
            assert not [issue for issue in answer.json()["issue"] if issue["code"] == "not-found"], url
