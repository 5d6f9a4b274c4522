"""Transactions: all entries or none, in R4's order, with the references between them resolved."""

import json

import pytest

from gateway.errors import Category, GatewayError
from gateway.fhir.issues import Invalid
from gateway.record.editing import Edit
from gateway.store.values import Op
from tests.unit.record.clients import (
    COUNTY,
    body,
    by_number,
    create,
    delete,
    editor,
    mostly_sqlite,  # noqa: F401  the fixture of this file
    one,
    person,
    put,
    text,
    update,
)
from tests.unit.record.test_editing import found

ONE, TWO, THREE = (f"urn:uuid:00000000-0000-4000-8000-00000000000{number}" for number in "123")


def result(subject, **elements):
    return text("Observation", status="final", code={"text": "k"}, subject={"reference": subject}, **elements)


def all_of(store, *edits, **rules):
    return editor(store, **rules).apply(COUNTY, edits)


def refused(store, *edits, **rules):
    with store.read() as tx:
        before = tx.last_change()
    with pytest.raises(GatewayError) as raised:
        all_of(store, *edits, **rules)
    with store.read() as tx:
        assert tx.last_change() == before
    return raised.value


def test_entries_refer_to_each_other_in_any_order_and_in_circles(store):
    head, member = all_of(
        store,
        create("RelatedPerson", text("RelatedPerson", patient={"reference": TWO}, id="x"), full_url=ONE),
        create("Patient", text("Patient", link=[{"other": {"reference": ONE}, "type": "seealso"}]), full_url=TWO),
    )
    assert body(head)["patient"]["reference"] == f"Patient/{member.stored.fid}"
    assert body(member)["link"][0]["other"]["reference"] == f"RelatedPerson/{head.stored.fid}"
    assert head.stored.patient_pid == member.stored.pid
    assert found(store, "RelatedPerson", patient=member.stored.fid) == [head.stored.fid]


def test_answers_stand_in_the_order_of_the_entries(store):
    put(store, "old", active=True)
    put(store, "gone", active=True)
    done = all_of(
        store,
        update("Patient", "old", text("Patient", id="old", active=False)),
        create("Patient", person("1"), full_url=ONE),
        delete("Patient", "gone"),
        create("Observation", result(ONE)),
        delete("Patient", "never"),
    )
    assert [each.edit.action for each in done] == ["update", "create", "delete", "create", "delete"]
    assert [each.created for each in done] == [False, True, False, True, False]
    assert [each.changed for each in done] == [True, True, True, True, False]
    assert done[2].stored.op is Op.DELETE
    assert body(done[3])["subject"]["reference"] == f"Patient/{done[1].stored.fid}"


def test_deletes_come_first_so_that_a_condition_no_longer_finds_what_goes(store):
    old = one(store, create("Patient", person("1")))
    new, gone = all_of(
        store, create("Patient", person("1"), criteria=by_number("1")), delete("Patient", old.stored.fid)
    )
    assert new.created
    assert gone.changed


def test_all_or_none(store):
    put(store, "old", active=True)
    fault = refused(
        store,
        create("Patient", person("1")),
        delete("Patient", "old"),
        update("Patient", "b", text("Patient", id="b"), if_match=3),
    )
    assert (fault.category, fault.where) == (Category.PRECONDITION, "Bundle.entry[2]")
    assert found(store, "Patient") == ["old"]


def test_a_fault_says_in_which_entry_it_stands(store):
    fault = refused(store, create("Patient", person("1")), create("Patient", text("Patient", gender="x")))
    assert isinstance(fault, Invalid)
    assert [issue.where for issue in fault.issues] == ["Bundle.entry[1].resource.gender"]
    fault = refused(
        store, create("Patient", person("1"), place="Bundle.entry[7]"), create("Patient", b"{", place="here")
    )
    assert fault.where == "here"


TWICE = [
    [update("Patient", "a", text("Patient", id="a")), update("Patient", "a", text("Patient", id="a", active=True))],
    [update("Patient", "a", text("Patient", id="a")), delete("Patient", "a")],
    [delete("Patient", criteria=by_number("1")), update("Patient", "a", text("Patient", id="a"))],
    [
        Edit("update", "Patient", text=person("1"), criteria=by_number("1")),
        update("Patient", "a", text("Patient", id="a")),
    ],
    [Edit("update", "Patient", text=person("5"), criteria=by_number("5"))] * 2,
    [create("Patient", person("5"), full_url=ONE), create("Patient", person("6"), full_url=ONE)],
]


def test_the_same_resource_or_address_twice_is_refused(store):
    put(store, "a", identifier=[{"system": by_number()[0][1].split("|")[0], "value": "1"}])
    for edits in TWICE:
        fault = refused(store, *edits)
        assert fault.category is Category.INVALID
        assert fault.where.startswith("Bundle.entry[")


def test_equal_conditional_creates_are_one_resource_for_all_who_refer_to_them(store):
    first, second, seen = all_of(
        store,
        create("Patient", person("1"), criteria=by_number("1"), full_url=ONE),
        create("Patient", person("1"), criteria=by_number("1"), full_url=TWO),
        create("Observation", result(TWO)),
    )
    assert (first.created, second.created) == (True, False)
    assert second.stored == first.stored
    assert body(seen)["subject"]["reference"] == f"Patient/{first.stored.fid}"


def test_references_lead_to_what_a_condition_found(store):
    known = one(store, create("Patient", person("1"))).stored.fid
    done = all_of(
        store,
        create("Patient", person("1"), criteria=by_number("1"), full_url=ONE),
        Edit("update", "Organization", text=text("Organization", name="o"), criteria=(("name", "o"),), full_url=TWO),
        create("Observation", result(ONE, performer=[{"reference": TWO}])),
    )
    made = body(done[2])
    assert made["subject"]["reference"] == f"Patient/{known}"
    assert made["performer"][0]["reference"] == f"Organization/{done[1].stored.fid}"


def test_foreign_addresses_become_ours_for_those_of_the_same_base(store):
    base = "http://clinic.example/fhir/"
    patient, first, second = all_of(
        store,
        create("Patient", person("1"), full_url=f"{base}Patient/77"),
        create("Observation", result("Patient/77"), full_url=f"{base}Observation/1"),
        create("Observation", result("Patient/77"), full_url=ONE),
    )
    assert body(first)["subject"]["reference"] == f"Patient/{patient.stored.fid}"
    assert body(second)["subject"]["reference"] == "Patient/77"


def test_a_reference_by_condition_may_find_what_the_transaction_makes(store):
    done = all_of(
        store,
        create("Observation", result("Patient?identifier=5")),
        create("Patient", person("5", managingOrganization={"reference": "Organization?name=neu"})),
        create("Organization", text("Organization", name="neu")),
    )
    assert body(done[0])["subject"]["reference"] == f"Patient/{done[1].stored.fid}"
    assert body(done[1])["managingOrganization"]["reference"] == f"Organization/{done[2].stored.fid}"
    assert done[0].stored.patient_pid == done[1].stored.pid
    fine = create("Organization", text("Organization", name="x"))
    for query, category in (("identifier=none", Category.PRECONDITION), ("nosuch=1", Category.INVALID)):
        fault = refused(store, fine, create("Observation", result(f"Patient?{query}")))
        assert (fault.category, fault.where) == (category, "Bundle.entry[1]")


def test_a_reference_that_resolves_to_the_wrong_type_is_refused(store):
    fault = refused(
        store,
        create("Organization", text("Organization", name="o"), full_url=ONE),
        create("Observation", result(ONE, encounter={"reference": ONE})),
    )
    assert isinstance(fault, Invalid)
    assert fault.issues[0].where.startswith("Bundle.entry[1].resource.")


def test_only_references_change_in_a_clients_text(store):
    sent = (
        b'{"resourceType":"Observation","status" : "final","code":{ "text":"a\\u0062" },\n"subject":{"reference": "%b"},"valueQuantity":{"value":5.10}}'
        % ONE.encode()
    )
    patient, seen = all_of(store, create("Patient", person("1"), full_url=ONE), create("Observation", sent))
    tail = b'"status":"final","code":{ "text":"a\\u0062" },"subject":{"reference": "Patient/%b"},"valueQuantity":{"value":5.10}}'
    assert seen.stored.body.endswith(tail % patient.stored.fid.encode())


def test_the_same_transaction_again_makes_no_version(store):
    edits = [
        update("Patient", "a", text("Patient", id="a", active=True), full_url=ONE),
        update("Observation", "b", json.dumps({**json.loads(result(ONE)), "id": "b"}).encode()),
    ]
    assert [done.changed for done in all_of(store, *edits)] == [True, True]
    assert [done.changed for done in all_of(store, *edits)] == [False, False]


def test_what_is_referred_to_may_be_made_by_the_same_transaction(store):
    edits = [create("Observation", result(ONE)), create("Patient", person("1"), full_url=ONE)]
    assert all(done.created for done in all_of(store, *edits, references_exist=True))
    refused(
        store, create("Observation", result(ONE)), create("Observation", result("Patient/zz")), references_exist=True
    )
    put(store, "going")
    refused(store, delete("Patient", "going"), create("Observation", result("Patient/going")), references_exist=True)


def test_a_patient_put_by_its_url_keeps_it_and_others_find_it(store):
    url = "http://ours.example/fhir/Patient/a"
    done = all_of(
        store,
        update("Patient", "a", text("Patient", id="a"), full_url=url),
        create("Observation", result(url), full_url=TWO),
        create("Observation", result("Patient/a"), full_url="http://ours.example/fhir/Observation/x"),
    )
    assert [body(each)["subject"]["reference"] for each in done[1:]] == ["Patient/a", "Patient/a"]


def test_the_same_edit_twice_makes_two(store):
    edit = create("Patient", person("1"))
    first, second = all_of(store, edit, edit)
    assert first.stored.fid != second.stored.fid


def test_nothing_to_do(store):
    assert all_of(store) == []


def test_a_large_transaction(store):
    patients = [create("Patient", person(str(n)), full_url=f"urn:uuid:p{n}") for n in range(20)]
    results = [create("Observation", result(f"urn:uuid:p{n % 20}")) for n in range(200)]
    done = all_of(store, *results, *patients)
    assert len({each.stored.patient_pid for each in done}) == 20
    assert len(found(store, "Observation", patient=done[-1].stored.fid)) == 10


def test_a_condition_that_also_matches_what_the_transaction_creates_is_refused(store):
    """R4 looks for what to update after it has created: then there are two."""
    found_update = Edit("update", "Patient", text=person("1", active=True), criteria=by_number("1"))
    fault = refused(store, create("Patient", person("1")), found_update)
    assert (fault.category, fault.where) == (Category.PRECONDITION, "Bundle.entry[1]")
    one(store, create("Patient", person("1")))
    fault = refused(store, found_update, create("Patient", person("1")))
    assert (fault.category, fault.where) == (Category.PRECONDITION, "Bundle.entry[0]")
    assert all_of(store, found_update, create("Patient", person("2")))[0].changed
