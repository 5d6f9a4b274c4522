from gateway.store.values import State
from tests.support.county import county, hl7, lab, msh, pid


def overlay(folder, name, text):
    path = folder / "overlay" / "base" / "segments" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return [folder / "overlay"]


def replay(town, *items):
    town.store.work.replay([item.item_id for item in items])
    town.work()


def test_a_message_that_was_never_applied_is_not_applied_by_a_replay(town):
    _, reused = town.run(lab("M1", "R1", ("GLU", "5.1")), lab("M2", "R1", ("GLU", "9.9"), patient="P2"))
    replay(town, reused)
    assert town.states() == ["applied", "parked key-reused"]
    assert town.only("Observation")["valueQuantity"]["value"] == 5.1


def test_a_replay_of_what_waits_keeps_its_place_behind_the_parked_one(town):
    _, _, held = town.run(
        lab("M1", "R1", ("GLU", "1")), lab("M2", "R1", ("GLU", "2"), patient="P2"), hl7(msh("M3"), pid("P2"))
    )
    replay(town, held)
    assert town.states() == ["applied", "parked key-reused", "held"]


def test_an_applied_message_that_can_no_longer_be_read_is_parked_and_its_versions_stay(town, monkeypatch):
    (item,) = town.run(hl7(msh("M1"), pid("P1")))
    from gateway.errors import GatewayError

    def refuses(self, message, **given):
        raise GatewayError("PID-5 has no family name any more", where="PID[1]-5")

    with monkeypatch.context() as broken:
        broken.setattr(type(town.gateway.catalog.mapper("county-his")), "map", refuses)
        replay(town, item)
        assert town.states() == ["parked unreadable"]
    assert town.only("Patient")["meta"]["versionId"] == "1"
    assert town.items()[0].applied_us, "when it took effect is still known"
    replay(town, item)
    assert town.states() == ["applied"]
    assert town.only("Patient")["meta"]["versionId"] == "1"


def test_a_merge_that_would_now_be_refused_is_parked_again(town):
    town.run(hl7(msh("M1"), pid("P1")), hl7(msh("M2"), pid("P2")))
    *_, merge = town.run(hl7(msh("M3", "ADT^A40"), "EVN|A40|20260107", pid("P1"), "MRG|P2^^^^LocalID"))
    replay(town, merge)
    assert town.states()[-1] in ("applied", "parked refused")
    assert sorted(each.get("active", True) for each in town.all("Patient")) == [False, True]


def test_what_the_new_definitions_make_invalid_is_left_as_it_was(tmp_path, monkeypatch):
    database = f"sqlite:///{tmp_path}/gateway.db"
    with county(database, tmp_path) as town:
        (item,) = town.run(lab("M1", "R1", ("GLU", "5.1")))
    rule = 'segment: "OBX[Observation]"\nrules:\n  - {id: OBX-3/method, from: OBX-3.2, to: method.text}\n'
    with county(database, tmp_path, overlay(tmp_path, "obx.yaml", rule)) as town:
        monkeypatch.setattr("gateway.pipeline.replay.structure.is_valid", lambda body: "method" not in body)
        replay(town, item)
        assert town.states() == ["applied"]
        assert "would not be valid FHIR" in town.items()[0].issues
        assert "method" not in town.only("Observation")


def test_what_no_message_tells_any_more_is_left_and_said(tmp_path, monkeypatch):
    database = f"sqlite:///{tmp_path}/gateway.db"
    with county(database, tmp_path) as town:
        (item,) = town.run(lab("M1", "R1", ("GLU", "5.1"), ("K", "3.5")))
        mapper = type(town.gateway.catalog.mapper("county-lis"))
        genuine = mapper.map

        def fewer(self, message, **given):
            mapped = genuine(self, message, **given)
            last = [draft for draft in mapped.drafts if draft.type == "Observation"][-1]
            mapped.drafts.remove(last)
            for draft in mapped.drafts:
                draft.links[:] = [(place, name) for place, name in draft.links if name != last.name]
                if draft.type == "DiagnosticReport":
                    draft.body["result"] = [place for place in draft.body["result"] if place is not None][:1]
            return mapped

        monkeypatch.setattr(mapper, "map", fewer)
        replay(town, item)
        assert len(town.all("Observation")) == 2
        assert "no longer told by any message" in town.items()[0].issues


def test_a_replay_of_the_first_of_two_keeps_what_the_second_said(town):
    first, second = town.run(
        lab("M1", "R1", ("GLU", "5.1")), lab("M2", "R1", ("GLU", "6.2"), status="C", time="20260106120000")
    )
    replay(town, first)
    assert [item.state for item in town.items()] == [State.APPLIED] * 2
    assert town.only("Observation")["valueQuantity"]["value"] == 6.2
    assert second.applied_us
