"""Orders: what messages and drafts say of them, read from golden messages and from what a doctor's system may send."""

import pytest

from gateway.community.recognition.catalogue import OWN, Found
from gateway.community.recognition.lookup import Codes
from gateway.community.recognition.orders import CIRCUMSTANCES, of_codes, order_of
from tests.support.golden import golden
from tests.support.recognised import LAB, concept, order
from tests.support.recognition import known

ASKING = "https://yigong.example/fhir/StructureDefinition/requesting-organisation"
TOWNSHIP_ITEMS = "https://yigong.example/fhir/CodeSystem/township-centre/item"


def of_message(start):
    return [one for name, one in golden() if name.startswith(start) and one["resourceType"] == "ServiceRequest"]


@pytest.mark.parametrize(
    ("message", "items", "when"),
    [
        ("03-orm-o01", ["ct-chest-plain"], "2026-01-05T08:29:00+08:00"),
        ("04-oml-o21", ["qinghe-3001", "qinghe-3002"], "2026-01-05T08:32:00+08:00"),
    ],
)
def test_orders_of_messages_lead_to_items(message, items, when):
    orders = [order_of(body) for body in of_message(message)]
    found = [known().catalogue.find(one.codings) for one in orders]
    assert [one.item.id for one in found if isinstance(one, Found)] == items
    assert {one.occurrence for one in orders} == {when}
    assert all(one.encounter and one.subject for one in orders)


def test_a_cancelled_order_of_a_message_is_none():
    (body,) = of_message("23-orm-o01")
    assert order_of(body) is None


def test_what_an_order_says_beside_its_code():
    body = order(
        id="o1",
        extension=[{"url": ASKING, "valueReference": {"display": "柳溪镇中心卫生院"}}, {"url": "else"}],
        contained=[{"resourceType": "Specimen", "id": "t", "type": {"text": "血清"}}, {"resourceType": "Patient"}],
        specimen=[{"reference": "#t"}, {"reference": "Specimen/s1", "display": "静脉血"}],
        reasonCode=[concept("surgery", CIRCUMSTANCES), concept("R05", "urn:icd")],
        bodySite=[{"text": "左"}],
        priority="stat",
    )
    one = order_of(body)
    assert (one.reference, one.houses) == ("ServiceRequest/o1", ("柳溪镇中心卫生院",))
    assert one.specimens == ("静脉血", "血清")
    assert one.tubes == (("Specimen", "s1"),)
    assert one.circumstances == {"surgery", "emergency"}
    assert one.sites == ("左",)


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ({"occurrencePeriod": {"start": "2026-11-21"}}, "2026-11-21"),
        ({"occurrenceTiming": {"event": ["2026-11-22T08:00:00+08:00"]}}, "2026-11-22T08:00:00+08:00"),
        ({"authoredOn": "2026-11-19T08:00:00+08:00"}, "2026-11-19T08:00:00+08:00"),
        ({}, ""),
    ],
)
def test_the_moment_of_an_order(given, moment):
    body = order() | given
    body.pop("occurrenceDateTime")
    assert order_of(body).occurrence == moment


def test_a_mark_is_no_part_of_the_name():
    assert order_of(order() | {"code": {"text": "★钾"}}).name == "钾"


def test_codes_to_look_for_are_those_of_the_item_and_of_what_covers_it():
    codes = Codes(known().catalogue)
    found = codes.of(order_of(order("K", LAB)))
    assert {"K", "http://loinc.org|2823-3", f"{OWN}|potassium", f"{OWN}|panel-electrolytes", "3002"} <= set(found)
    assert f"{OWN}|urine-potassium" not in found
    assert codes.of(of_codes(concept("no such", LAB))) == ()
    assert codes.of(of_codes(concept("9999-9", "http://loinc.org"))) == ()
    assert "K" in codes.of(of_codes(concept("2823-3", "http://loinc.org")))


def test_a_code_that_means_its_item_by_the_specimen_is_looked_for():
    assert f"{OWN}|potassium" in Codes(known().catalogue).of(of_codes(concept("K", TOWNSHIP_ITEMS)))
