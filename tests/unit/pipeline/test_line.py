from gateway.fhir.issues import Issue
from gateway.pipeline import map as mapping
from gateway.pipeline import validate
from gateway.pipeline.commit import lane_of
from tests.support.county import hl7, lab, msh, pid


def test_a_lane_is_the_same_in_every_process_and_of_the_first_number():
    assert lane_of("county", ["county|P1", "county|P2"]) == lane_of("county", ["county|P1"]) == 61
    assert lane_of("county", []) == lane_of("county", ["county"])
    assert {0 <= lane_of("county", [f"county|P{n}"]) < 256 for n in range(1000)} == {True}
    assert len({lane_of("county", [f"county|P{n}"]) for n in range(2000)}) > 250


def test_a_message_nothing_is_known_about_is_parked_with_what_was_seen(town, monkeypatch):
    monkeypatch.setattr(mapping, "RENDERED", frozenset({"Patient", *mapping.RENDERED}))
    town.run(hl7(msh("M1", "XYZ^Z99"), pid("P1")))
    assert town.states() == ["parked unmapped"]
    assert "no definition yields a resource from XYZ^Z99 with MSH, PID" in town.items()[0].issues


def test_a_message_that_would_be_invalid_is_parked_and_takes_those_behind_it_along(town, monkeypatch):
    genuine = validate.findings

    def strict(planned):
        bad = planned.body.get("name", [{}])[0].get("text") == "坏"
        return [Issue("error", "invalid", "the name is bad", "Patient.name")] if bad else genuine(planned)

    monkeypatch.setattr(validate, "findings", strict)
    town.run(
        hl7(msh("M1"), pid("P1")),
        hl7(msh("M2", time="20260106080000"), pid("P1", "坏")),
        hl7(msh("M3", time="20260107080000"), pid("P1", "李四")),
        hl7(msh("M4"), pid("P2")),
        lab("M5", "R1", ("GLU", "5.1"), patient="P1"),
    )
    assert town.states() == ["applied", "parked invalid", "held", "applied", "held"]
    assert "Patient.name" in town.items()[1].issues
    assert {each["name"][0]["text"] for each in town.all("Patient")} == {"张三"}


def test_messages_of_a_feed_that_skips_pass_a_parked_one(town, monkeypatch):
    genuine = validate.findings

    def strict(planned):
        bad = planned.body.get("name", [{}])[0].get("text") == "坏"
        return [Issue("error", "invalid", "the name is bad", "Patient.name")] if bad else genuine(planned)

    monkeypatch.setattr(validate, "findings", strict)
    town.run(hl7(msh("M1"), pid("P1", "坏")), hl7(msh("M2"), pid("P1", "李四")), feed="generic")
    assert town.states() == ["parked invalid", "applied"]
