"""Recognition over a record on both databases: scope before gates, linked records, the budget, and odd orders."""

import json
import random
import threading
from contextlib import contextmanager

import pytest

from gateway import clock
from gateway.access.actor import Actor
from gateway.community.recognition.orders import of_codes, order_of
from gateway.community.recognition.service import MOST, Asked, Recognition
from gateway.errors import GatewayError
from gateway.search.scope import Scope
from gateway.store.identity import NewCase
from gateway.store.values import NewLink
from tests.support.recognised import (
    CENTRE,
    COUNTY,
    HOSPITAL,
    LAB,
    NOW_US,
    PICTURES,
    TOWNSHIP,
    ago,
    concept,
    endpoint,
    order,
    patient,
    report,
    rules,
    study,
    told,
    value,
)
from tests.support.recognition import known

ALL = Scope(sites=None)
HIDDEN = 4


@pytest.fixture
def service(store):
    made = Recognition(store, known(), rules().assurance, "Asia/Shanghai")
    yield made
    made.close()


def asked(*orders, scope=ALL, fid="p1", **more):
    """A question of the township centre, whose doctor may see a scope."""
    return Asked(Actor("dr", "TREAT", scope, CENTRE), fid, tuple(map(order_of, orders)), **more)


def advise(service, *orders, **more):
    judged = service.judged(asked(*orders, **more), 30)
    assert judged.state == "answered"
    return list(judged.found)


def codes(found):
    return [(one.advice.code, one.advice.detail) for one in found]


def join(store, one, other, **evidence):
    with store.write() as tx:
        tx.links_add([NewLink("same", one, other, "active", NOW_US, json.dumps(evidence))])


# --- what is found ----------------------------------------------------------------------------------------------------


def test_the_best_result_comes_first_and_each_says_why(store, service):
    told(store, patient(), value("old", days=8), value("new", days=1), value("wrong", days=1, status="preliminary"))
    found = advise(service, order())
    assert [(one.results, one.advice.code) for one in found] == [
        (("Observation/new",), "RECOGNISED"),
        (("Observation/old",), "EXPIRED"),
        (("Observation/wrong",), "NOT_FINAL"),
    ]
    assert (found[0].source.name, found[0].value, found[0].advice.left) == (HOSPITAL, "4.1 mmol/L", 6)


def test_local_codes_and_loinc_lead_to_one_item(store, service):
    told(store, patient(), value("k1", "2823-3", system="http://loinc.org"))
    assert codes(advise(service, order("K", LAB))) == [("RECOGNISED", "equal")]


def test_the_state_of_the_report_counts(store, service):
    told(
        store, patient(), value("k1"), report("r1", status="entered-in-error", result=[{"reference": "Observation/k1"}])
    )
    (found,) = advise(service, order())
    assert (found.advice.code, found.advice.show, found.report) == ("NOT_FINAL", "nothing", "DiagnosticReport/r1")


def test_sampling_time_is_the_specimens_and_never_the_reports(store, service):
    tube = {"resourceType": "Specimen", "id": "t1", "collection": {"collectedDateTime": ago(9)}}
    told(
        store, patient(), tube, value("k1", specimen={"reference": "Specimen/t1"}), value("k2", effectiveDateTime=None)
    )
    assert codes(advise(service, order())) == [("EXPIRED", "too-old"), ("EXPIRED", "no-time")]


def test_the_specimen_decides(store, service):
    urine = {"resourceType": "Specimen", "id": "t1", "type": {"coding": [{"code": "UR"}]}}
    told(store, patient(), urine, value("k1", specimen={"reference": "Specimen/t1"}))
    assert codes(advise(service, order())) == [("ITEM_DIFF", "specimen")]


def test_a_haemolysed_specimen_is_of_no_use(store, service):
    tube = {"resourceType": "Specimen", "id": "t1", "condition": [{"coding": [{"code": "HEM"}]}]}
    told(store, patient(), tube, value("k1", specimen={"reference": "Specimen/t1"}))
    assert codes(advise(service, order())) == [("NOT_USABLE", "specimen")]


def test_a_panel_answers_with_all_its_values_or_not_at_all(store, service):
    parts = [value(f"e{n}", code, 2) for n, code in enumerate(("potassium", "sodium", "chloride", "calcium"))]
    told(store, patient(), *parts, report("r1", result=[{"reference": f"Observation/e{n}"} for n in range(4)]))
    (found,) = advise(service, order("panel-electrolytes"))
    assert codes([found]) == [("RECOGNISED", "equal")]
    assert found.results == tuple(f"Observation/e{n}" for n in range(4))
    told(store, report("r2", days=1, result=[{"reference": f"Observation/e{n}"} for n in range(3)]))
    assert codes(advise(service, order("panel-electrolytes"))) == [("RECOGNISED", "equal"), ("NOT_USABLE", "no-value")]


def test_a_report_of_many_results_is_read_to_its_end(store, service):
    others = [{"reference": f"Observation/x{n}"} for n in range(120)]
    held = report("r1", status="preliminary", result=[*others, {"reference": "Observation/k1"}])
    told(store, patient(), value("k1"), held)
    assert codes(advise(service, order())) == [("NOT_FINAL", "preliminary")]


def test_of_a_panel_the_ordered_value_is_told_once(store, service):
    told(store, patient(), value("k1"), report("r1", result=[{"reference": "Observation/k1"}]))
    (found,) = advise(service, order())
    assert (found.results, found.report) == (("Observation/k1",), "DiagnosticReport/r1")


@pytest.mark.parametrize(
    ("ordered", "done", "outcome"),
    [
        ("ct-chest-plain", "ct-chest-both", ("RECOGNISED", "covered")),
        ("ct-chest-enhanced", "ct-chest-plain", ("ITEM_DIFF", "other-item")),
    ],
)
def test_pictures_cover_by_the_table(store, service, ordered, done, outcome):
    told(
        store,
        patient(),
        endpoint("s1"),
        study("s1"),
        report("x1", done, 5, imagingStudy=[{"reference": "ImagingStudy/s1"}]),
    )
    (found,) = advise(service, order(ordered))
    assert codes([found]) == [outcome]
    assert (found.study, found.images) == ("ImagingStudy/s1", ("http://127.0.0.1/s1",))


def test_who_made_the_pictures_counts_not_who_reported(store, service):
    done = report(
        "x1", "dx-chest-frontal", 5, imagingStudy=[{"reference": "ImagingStudy/s1"}], performer=[{"display": HOSPITAL}]
    )
    told(store, patient(), endpoint("s1"), study("s1", modality="DX", where=TOWNSHIP), done)
    (found,) = advise(service, order("DR0101", PICTURES), organisation=HOSPITAL)
    assert (found.source.name, found.advice.code) == (TOWNSHIP, "RECOGNISED")


def test_pictures_without_a_code_or_a_report_are_told_with_the_reason(store, service):
    told(store, patient(), endpoint("s1"), study("s1", procedureCode=[{"text": "胸部CT"}]), study("s2", modality="US"))
    assert codes(advise(service, order("ct-chest-plain"))) == [("NOT_FINAL", "unknown")]
    told(store, report("x1", "18748-4", system="http://loinc.org", imagingStudy=[{"reference": "ImagingStudy/s1"}]))
    assert codes(advise(service, order("ct-chest-plain"))) == [("ITEM_DIFF", "result-unmapped")]


def test_a_laboratory_that_is_named_and_unknown_is_not_taken_for_the_sites_own(store, service):
    told(store, patient(), value("k1", performer=[{"display": "某第三方检验所"}]))
    (found,) = advise(service, order())
    assert (codes([found]), found.source.code) == ([("NOT_LISTED", "issuer-unknown")], "")


def test_a_laboratory_is_found_by_its_resource(store, service):
    house = {"resourceType": "Organization", "id": "h1", "name": HOSPITAL}
    people = {"reference": "Practitioner/d1", "display": TOWNSHIP}
    told(store, patient(), house, value("k1", performer=[people, {"reference": "Organization/h1"}]), site="generic")
    assert advise(service, order())[0].source.name == HOSPITAL


def test_an_encounter_says_what_kind_of_patient_it_is(store, service):
    stay = {"resourceType": "Encounter", "id": "e1", "status": "in-progress", "class": {"code": "IMP"}}
    told(
        store,
        patient(),
        stay,
        {**stay, "id": "e2", "class": {"code": "EMER"}},
        value("k1", days=5),
        value("k2", days=1),
    )
    assert codes(advise(service, order(encounter={"reference": "Encounter/e1"}))) == [
        ("RECOGNISED", "equal"),
        ("EXPIRED", "too-old"),
    ]
    assert codes(advise(service, order(encounter={"reference": "Encounter/e2"})))[0] == ("E4", "justified")
    assert advise(service, order(encounter={"display": "急诊"}))[0].advice.counted is False
    assert advise(service, order(priority="stat"))[0].advice.code == "E4"


@pytest.mark.parametrize(
    ("said", "outcome"), [("左", ("RECOGNISED", "equal")), ("右", ("ITEM_DIFF", "side")), ("", ("ITEM_DIFF", "side"))]
)
def test_the_side_must_be_told_by_both(store, service, said, outcome):
    series = [{"uid": "1.2", "modality": {"code": "CT"}, "laterality": {"display": "左"}}]
    done = report("x1", "ct-knee-plain", 5, imagingStudy=[{"reference": "ImagingStudy/s1"}])
    told(store, patient(), endpoint("s1"), study("s1", series=series), done)
    assert codes(advise(service, order("ct-knee-plain", bodySite=[{"text": said}]))) == [outcome]


def test_a_local_code_means_its_item_by_the_orders_specimen(store, service):
    tube = {"resourceType": "Specimen", "id": "t1", "type": {"text": "血清"}}
    told(store, patient(), tube, value("k1"))
    local = "https://yigong.example/fhir/CodeSystem/township-centre/item"
    assert codes(advise(service, order("K", local, specimen=[{"reference": "Specimen/t1"}]))) == [
        ("RECOGNISED", "equal")
    ]
    assert advise(service, order("K", local)) == []


def test_who_orders_is_told_by_the_order(store, service):
    told(store, patient(), value("k1"))
    asking = "https://yigong.example/fhir/StructureDefinition/requesting-organisation"
    stranger = {"url": asking, "valueReference": {"display": "石桥乡卫生院"}}
    assert advise(service, order(extension=[stranger]))[0].price is None
    assert advise(service, order())[0].price is not None
    assert codes(advise(service, order(), organisation="他县医院")) == [("NOT_LISTED", "no-list")]


# --- who may see what, and whose it is --------------------------------------------------------------------------------


def test_what_the_scope_hides_changes_nothing(store, service):
    told(store, patient(), value("old", days=8))
    before = advise(service, order())
    told(store, value("secret", days=1), sensitivity=HIDDEN)
    told(store, value("elsewhere", days=1), report("r1", result=[{"reference": "Observation/old"}]), site=CENTRE)
    told(store, value("test", days=1), test=True)
    scope = Scope(sites=frozenset({COUNTY}), hidden=HIDDEN)
    assert advise(service, order(), scope=scope) == before
    assert len(advise(service, order())) == 3
    assert service.judged(asked(order(), scope=Scope(sites=frozenset())), 30).state == "unknown-patient"
    assert service.judged(asked(order(), fid="nobody"), 30).state == "unknown-patient"


def test_a_hidden_value_of_a_panel_is_as_if_it_were_not(store, service):
    parts = [value(f"e{n}", code, 2) for n, code in enumerate(("potassium", "sodium", "chloride"))]
    told(store, patient(), *parts, report("r1", result=[{"reference": f"Observation/e{n}"} for n in range(4)]))
    told(store, value("e3", "calcium", 2), sensitivity=HIDDEN)
    found = advise(service, order("panel-electrolytes"), scope=Scope(None, hidden=HIDDEN))
    assert codes(found) == [("NOT_USABLE", "no-value")]
    assert "Observation/e3" not in found[0].results
    assert codes(advise(service, order("panel-electrolytes"))) == [("RECOGNISED", "equal")]


@pytest.fixture
def linked(store):
    """One woman at three sites, and somebody of whom it is not known whether she is her."""
    sure, unsure = {"grade": "certain"}, {"grade": "probable"}
    (mine,) = told(store, patient(), site=CENTRE)
    (hers,) = told(store, patient("p2"))
    (likely,) = told(store, patient("p3"), site="village-clinic")
    (other,) = told(store, patient("p4"), site="tcm-hospital")
    join(store, mine, hers, **sure)
    join(store, mine, likely, **unsure)
    with store.write() as tx:
        tx.cases_add([NewCase(min(mine, other), max(mine, other), 1.0, "{}", "m", NOW_US)])
    return mine, hers, likely, other


def test_results_of_certainly_linked_records_answer(store, service, linked):
    told(store, value("k1", of="p2"))
    (found,) = advise(service, order())
    assert (found.advice.code, found.patient, found.results) == ("RECOGNISED", "Patient/p2", ("Observation/k1",))
    assert codes(advise(service, order(), scope=Scope(frozenset({CENTRE})))) == []


@pytest.mark.parametrize("whose", ["p3", "p4"])
def test_of_records_that_are_not_certain_nothing_but_the_question_is_told(store, service, linked, whose):
    told(store, value("k1", of=whose))
    (found,) = advise(service, order())
    assert (found.advice.code, found.advice.show) == ("ID_UNSURE", "identity")
    assert (found.results, found.patient, found.value, found.source.code) == ((), "", "", "")
    assert (found.advice.age, found.advice.issuer, found.advice.left) == (None, "", None)


def test_the_trail_names_every_record_looked_into(store, service, linked):
    advise(service, order())
    rows = [row for _, row in store.audit.rows() if row.action == "recognise"]
    assert {row.patient for row in rows} == {str(pid) for pid in linked}
    assert {(row.actor, row.purpose, row.outcome) for row in rows} == {("dr", "TREAT", "success")}


# --- never late, never loud -------------------------------------------------------------------------------------------


def test_without_time_it_is_silent(store, service):
    told(store, patient(), value("k1"))
    assert service.judged(asked(order()), 0.0).state == "silent"
    assert service.advise(asked(order()), 0.0) == []


def test_when_time_runs_out_on_the_way_it_is_silent(store, service, monkeypatch):
    told(store, patient(), value("k1"))
    hands = iter([0.0, 0.0, *[5.0] * 100])
    monkeypatch.setattr(clock, "monotonic", lambda: next(hands))
    assert service.judged(asked(order()), 1.0).state == "silent"


def test_a_store_that_fails_makes_it_silent(store, service, monkeypatch, caplog):
    @contextmanager
    def failing(_seconds):
        raise RuntimeError("Patient 张三")
        yield

    monkeypatch.setattr(store, "read", failing)
    assert service.judged(asked(order()), 5).state == "silent"
    assert "RuntimeError" in caplog.text
    assert "张三" not in caplog.text


def test_a_store_that_hangs_is_not_waited_for(store, service, monkeypatch):
    told(store, patient(), value("k1"))
    genuine, free = store.read, threading.Event()

    @contextmanager
    def hanging(seconds):
        free.wait(10)
        with genuine(seconds) as tx:
            yield tx

    monkeypatch.setattr(store, "read", hanging)
    assert service.judged(asked(order()), 0.05).state == "silent"
    free.set()


def test_many_results_of_one_order_are_cut_to_the_best(store, service):
    told(store, patient(), *(value(f"k{n}", days=n + 1) for n in range(30)))
    found = advise(service, order())
    assert len(found) == MOST
    assert found[0].results == ("Observation/k0",)


ODD = [
    {}, {"code": 7}, {"code": []}, {"code": {"coding": "x"}}, {"code": {"coding": [7, None, {"system": 1, "code": {}}]}},
    {"code": concept("a,b|c$\\d")}, {"code": concept("K" * 9999)}, {"code": {"text": "钾\u0000\ud800"}},
    {"code": concept("potassium"), "occurrenceDateTime": "0000-99"}, {"code": concept("potassium"), "occurrenceTiming": {"event": []}},
    {"code": concept("potassium"), "encounter": {"reference": "Encounter"}, "specimen": [{"reference": "//"}]},
    {"code": concept("potassium"), "specimen": [{"reference": "Nothing/1"}], "bodySite": "x", "contained": [[]]},
    {"code": concept("potassium"), "occurrenceDateTime": "9999-12-31"}, {"code": concept("ct-knee-plain"), "bodySite": [{"text": "左"}]},
]  # fmt: skip


def test_odd_orders_have_an_answer(store, service):
    told(store, patient(), value("k1"))
    for body in ODD:
        one = order_of({"resourceType": "ServiceRequest", **body})
        assert one is not None
        judged = service.judged(Asked(Actor("dr", "TREAT", ALL, CENTRE), "p1", (one, of_codes({}))), 30)
        assert judged.state == "answered", body


@pytest.mark.parametrize(
    "body", [{"status": "revoked"}, {"status": "completed"}, {"doNotPerform": True}, {"resourceType": "Task"}]
)
def test_what_is_no_order_is_none(body):
    assert order_of(order() | body) is None


def test_odd_results_are_no_obstacle(store, service):
    chance = random.Random(6)
    odd = [None, "", "x", 7, -0.5, [], {}, [{}], {"value": "?"}, [None], {"reference": "Specimen/none"}]
    names = ["valueQuantity", "referenceRange", "specimen", "effectiveDateTime", "performer", "method", "issued"]
    broken = [value(f"b{n}", **{name: chance.choice(odd) for name in names}) for n in range(60)]
    told(store, patient(), value("k1", days=1))
    for one in broken:
        try:
            told(store, one)
        except GatewayError:  # what the index refuses, the record refuses
            continue
    assert advise(service, order())[0].advice.code == "RECOGNISED"
