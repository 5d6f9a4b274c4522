"""Patient/$merge and Patient/$unmerge: one record within a site, one person across sites, and back again exactly."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.conformance import structure
from gateway.mapping.draft import Merge
from gateway.search.scope import Scope
from tests.store.conftest import database_url, new_store  # noqa: F401  the stores on both databases
from tests.unit.record.make import draft, key, plans, told
from tests.unit.record.make import patient as of_feed
from tests.web.county import make
from tests.web.desk import Desk, entry, issue, opened, patient, result

ALL = Scope(sites=None)
WHY = {"name": "reason", "valueString": "one card, registered twice"}


@pytest.fixture
def desk(new_store, tmp_path):  # noqa: F811
    return Desk(make(new_store(), tmp_path))


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    with opened(tmp_path_factory.mktemp("merge")) as made:
        yield made


def parameters(source, target, *more):
    sides = [("source-patient", source), ("target-patient", target)]
    named = [{"name": name, "valueReference": {"reference": f"Patient/{fid}"}} for name, fid in sides]
    return {"resourceType": "Parameters", "parameter": [*named, WHY, *more]}


def ask(desk, operation, source, target, *more, **headers):
    return desk.ask("POST", f"/Patient/${operation}", parameters(source, target, *more), **headers)


def done(answer):
    """Return the outcome's first sentence and the target patient of an answer that is as HL7 defines it."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert structure.check(body) == []
    given, outcome, target = body["parameter"]
    assert (given["name"], outcome["name"], target["name"]) == ("input", "outcome", "result")
    return outcome["resource"]["issue"][0]["details"]["text"], target["resource"]


def two(desk):
    return [desk.create(patient(number))["id"] for number in ("1", "2")]


def read(desk, fid):
    return desk.ask("GET", f"/Patient/{fid}").json()


def events(desk, fid):
    store = desk.web.store
    with store.read() as tx:
        pid = tx.heads([("Patient", fid)])["Patient", fid].pid
        return [(event.action, event.actor, json.loads(event.evidence)) for event in tx.identity_events([pid])]


def found(desk, fid):
    answer = desk.ask("GET", f"/Observation?patient=Patient/{fid}")
    return len(answer.json().get("entry", []))


def test_within_a_site_a_merge_is_what_a_message_does_and_an_unmerge_restores_the_very_text(desk):
    text = b'{ "resourceType":"Patient",  "active" : true, "birthDate":"1990-01-01", "identifier":[{"system":"urn:c","value":"9"}]}'
    source = desk.ask("POST", "/Patient", text).json()["id"]
    target = desk.create(patient("1"))["id"]
    desk.create(result(f"Patient/{source}"))
    before = desk.ask("GET", f"/Patient/{source}").content
    sentence, kept = done(ask(desk, "merge", source, target, {"name": "performer", "valueString": "王医生"}))
    assert "is replaced by" in sentence
    assert kept["id"] == target
    retired = read(desk, source)
    assert (retired["active"], retired["meta"]["versionId"]) == (False, "2")
    assert retired["link"] == [{"other": {"reference": f"Patient/{target}"}, "type": "replaced-by"}]
    assert (found(desk, source), found(desk, target)) == (1, 1)
    ((action, actor, evidence),) = events(desk, source)
    assert (action, actor, evidence["reason"], evidence["client"]) == (
        "merged",
        "王医生",
        WHY["valueString"],
        "insecure-local",
    )
    sentence, _ = done(ask(desk, "unmerge", source, target))
    assert "stands by itself" in sentence
    after = desk.ask("GET", f"/Patient/{source}").content
    stamp = before.index(b'"meta"'), before.index(b"}", before.index(b'"meta"'))
    assert after[: stamp[0]] == before[: stamp[0]]
    assert after[after.index(b"}", after.index(b'"meta"')) :] == before[stamp[1] :]
    assert found(desk, target) == 0
    assert [one[0] for one in events(desk, source)] == ["merged", "unmerged", "decided-different"]
    with desk.web.store.read() as tx:
        pids = [tx.heads([("Patient", fid)])["Patient", fid].pid for fid in (source, target)]
        assert [case.state for case in tx.cases_of(pids)] == ["different"]


def test_what_was_said_of_a_retired_record_since_stays(desk):
    source, target = two(desk)
    done(ask(desk, "merge", source, target))
    changed = {**read(desk, source), "gender": "female"}
    assert desk.ask("PUT", f"/Patient/{source}", changed).status_code == 200
    done(ask(desk, "unmerge", target, source))
    stands = read(desk, source)
    assert (stands["gender"], "active" in stands, "link" in stands) == ("female", False, False)


def test_across_sites_a_link_is_made_and_ended_and_neither_record_is_rewritten(desk):
    store = desk.web.store
    (plan,) = plans(store, told(of_feed("P1", gender="male")))
    theirs = plan.versions[0].state.fid
    mine = desk.create(patient("1"))["id"]
    desk.create(result(f"Patient/{mine}"))
    before = [desk.ask("GET", f"/Patient/{fid}").content for fid in (mine, theirs)]
    sentence, _ = done(ask(desk, "merge", mine, theirs, {"name": "performer", "valueString": "李护士"}))
    assert "linked as one person" in sentence
    assert found(desk, theirs) == 1
    assert issue(ask(desk, "merge", theirs, mine), 409)
    sentence, _ = done(ask(desk, "unmerge", theirs, mine, {"name": "performer", "valueString": "李护士"}))
    assert "two persons" in sentence
    assert found(desk, theirs) == 0
    assert [desk.ask("GET", f"/Patient/{fid}").content for fid in (mine, theirs)] == before
    assert {actor for _, actor, _ in events(desk, mine)} == {"李护士"}
    assert [action for action, _, _ in events(desk, mine)] == ["decided-same", "unlinked", "decided-different"]
    assert issue(ask(desk, "unmerge", theirs, mine), 409)


def test_a_preview_changes_nothing(desk):
    source, target = two(desk)
    preview = {"name": "preview", "valueBoolean": True}
    sentence, kept = done(ask(desk, "merge", source, target, preview))
    assert sentence.startswith("preview, nothing was changed")
    assert kept["id"] == target
    assert (read(desk, source)["meta"]["versionId"], events(desk, source)) == ("1", [])
    done(ask(desk, "merge", source, target))
    done(ask(desk, "unmerge", source, target, preview))
    assert read(desk, source)["active"] is False
    assert issue(ask(desk, "merge", target, source, preview), 409)["details"]["text"].endswith(
        "undo that first ($unmerge)"
    )


def test_what_cannot_be_is_refused_with_what_to_do(desk):
    source, target = two(desk)
    third = desk.create(patient("3"))["id"]
    assert "name two" in issue(ask(desk, "merge", source, source), 400)["details"]["text"]
    assert "nothing to undo" in issue(ask(desk, "unmerge", source, target), 409)["details"]["text"]
    assert issue(ask(desk, "merge", "none", target), 404)["expression"] == ["Parameters.parameter:source-patient"]
    done(ask(desk, "merge", source, target))
    assert "already" in issue(ask(desk, "merge", source, target), 409)["details"]["text"]
    assert "circle" in issue(ask(desk, "merge", target, source), 409)["details"]["text"]
    assert "merge that one" in issue(ask(desk, "merge", source, third), 409)["details"]["text"]
    done(ask(desk, "merge", target, third))
    assert "circle" in issue(ask(desk, "merge", third, source), 409)["details"]["text"]
    assert "are one through" in issue(ask(desk, "unmerge", source, third), 409)["details"]["text"]
    gone = desk.create(patient("4"))["id"]
    desk.ask("DELETE", f"/Patient/{gone}")
    assert issue(ask(desk, "merge", gone, third), 410)
    assert issue(ask(desk, "merge", third, gone), 410)


def test_only_who_may_write_both_records_merges_them(desk):
    store = desk.web.store
    one, other = (
        plans(store, told(of_feed(number), number=n))[0].versions[0].state.fid
        for n, number in enumerate(("P1", "P2"), 1)
    )
    assert "only that feed" in issue(ask(desk, "merge", one, other), 409)["details"]["text"]
    assert "active" not in read(desk, one)
    plans(store, told(draft(keys="P1"), merges=[Merge((key("P2"),), "patient", "MRG[1]")], number=3))
    assert "only that feed" in issue(ask(desk, "unmerge", one, other), 409)["details"]["text"]


def test_the_version_that_is_named_must_be_the_current_one(desk):
    source, target = two(desk)
    assert issue(ask(desk, "merge", source, target, if_match='W/"7"'), 412)
    body = parameters(f"{source}/_history/7", target)
    assert issue(desk.ask("POST", "/Patient/$merge", body), 412)
    answer = ask(desk, "merge", source, target, if_match='W/"1"')
    assert (done(answer)[1]["id"], answer.headers["etag"]) == (target, 'W/"2"')


def test_records_are_named_by_their_identifiers(desk):
    two(desk)
    named = [
        {"name": f"{side}-patient-identifier", "valueIdentifier": {"system": "urn:test:card", "value": number}}
        for side, number in (("source", "1"), ("target", "2"))
    ]
    body = {"resourceType": "Parameters", "parameter": [*named, WHY]}
    assert done(desk.ask("POST", "/Patient/$merge", body))[1]["identifier"][0]["value"] == "2"
    body["parameter"][0]["valueIdentifier"]["value"] = "none"
    assert issue(desk.ask("POST", "/Patient/$merge", body), 422)
    desk.create(patient("2"))
    body["parameter"][0]["valueIdentifier"]["value"] = "1"
    assert "several" in issue(desk.ask("POST", "/Patient/$merge", body), 422)["details"]["text"]


def test_both_stand_in_the_audit_trail(quick):
    source, target = two(quick)
    done(ask(quick, "merge", source, target))
    issue(ask(quick, "merge", source, target), 409)
    rows = [row for _, row in quick.web.store.audit.rows(limit=20) if row.action == "merge"]
    assert sorted(row.outcome for row in rows) == ["conflict", "success", "success"]


def test_a_merge_is_no_entry_of_a_bundle_and_is_in_the_statement(quick):
    source, target = two(quick)
    answer = quick.bundle("transaction", entry("POST", "Patient/$merge", parameters(source, target)))
    assert "by itself" in issue(answer, 400)["details"]["text"]
    statement = quick.ask("GET", "/metadata").json()
    (told_of,) = [one for one in statement["rest"][0]["resource"] if one["type"] == "Patient"]
    named = {one["name"]: one["definition"] for one in told_of["operation"]}
    assert named["merge"] == "http://hl7.org/fhir/OperationDefinition/Patient-merge"
    assert "unmerge" in named
    assert issue(quick.ask("POST", "/Observation/$merge", parameters(source, target)), 404)


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        [{"name": "source-patient", "valueReference": {"reference": "Observation/1"}}],
        [{"name": "source-patient", "valueReference": {}}],
        [{"name": "source-patient"}, {"name": "source-patient"}],
        [{"name": "source-patient-identifier", "valueIdentifier": {"system": 7, "value": "1"}}],
        [{"name": "result-patient", "resource": {"resourceType": "Patient"}}],
        [{"name": "colour", "valueString": "red"}],
        "no list",
        [7],
    ],
)
def test_wrong_parameters_are_refused_with_their_place(quick, wrong):
    body = {"resourceType": "Parameters", "parameter": wrong}
    assert issue(quick.ask("POST", "/Patient/$merge", body), 400)["expression"][0].startswith("Parameters.parameter")
    assert issue(quick.ask("POST", "/Patient/$merge", {"resourceType": "Patient"}), 400)
    assert issue(quick.ask("POST", "/Patient/$merge", b"x", content_type="text/plain"), 415)


@pytest.mark.parametrize(
    "more", [{"name": "preview", "valueBoolean": "yes"}, {"name": "performer", "valueString": " "}, WHY]
)
def test_a_parameter_of_another_kind_is_refused(quick, more):
    source, target = two(quick)
    assert issue(ask(quick, "merge", source, target, more), 400)
    silent = parameters(source, target)
    silent["parameter"].remove(WHY)
    assert "reason" in issue(quick.ask("POST", "/Patient/$merge", silent), 400)["details"]["text"]


_scalar = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8)
_value = st.recursive(_scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=6)  # fmt: skip
_words = st.sampled_from(
    ["source-patient", "target-patient", "source-patient-identifier", "preview", "reason", "performer"]
)
_slots = st.sampled_from(["valueReference", "valueIdentifier", "valueBoolean", "valueString", "resource"])
_part = st.builds(lambda name, slot, value: {"name": name, slot: value}, _words, _slots, _value)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(_part | _value, max_size=5), st.sampled_from(["merge", "unmerge"]))
def test_whatever_the_parameters_are_the_server_does_not_fail(quick, parts, operation):
    answer = quick.ask("POST", f"/Patient/${operation}", {"resourceType": "Parameters", "parameter": parts})
    assert answer.status_code in (400, 404, 409, 422), answer.text
