"""What an installation lets clients do: several deletes by one condition, references to what is not there."""

from tests.web.desk import opened, patient

ABOUT = {"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/nobody"}}


def test_what_settings_allow_and_demand(tmp_path):
    with opened(tmp_path, max_conditional_deletes=2, references_exist=True) as desk:
        for number in "123":
            desk.create(patient(number, gender="male"))
        assert desk.ask("DELETE", "/Patient?gender=male").status_code == 412
        assert desk.ask("DELETE", "/Patient?gender=male&identifier=1,2").status_code == 204
        assert desk.web.fhir("Patient?_summary=count")["total"] == 1
        assert desk.ask("POST", "/AllergyIntolerance", ABOUT).status_code == 422
        told = desk.web.fhir("metadata")["rest"][0]["resource"]
        assert {one["conditionalDelete"] for one in told} == {"multiple"}
