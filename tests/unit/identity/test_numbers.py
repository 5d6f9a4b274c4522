"""Only national numbers are national evidence, and only what names one person is evidence at all (ruling R3)."""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.identity import lists, numbers
from gateway.settings import shipped
from tests.support.residents import resident_id

RESIDENT = "urn:oid:2.16.156.10011.1.3"
RECORD = "urn:oid:2.16.156.10011.1.2"
CARD = "urn:oid:2.16.156.10011.1.19"
INSURED = "https://yigong.example/fhir/NamingSystem/insured-person"
SITE = "https://gateway.example/fhir/id/county-hospital/"
OWN = resident_id("19800101", 2)
OTHER = resident_id("19510707", 3)


def read(*pairs, **told):
    return numbers.of_identifiers([{"system": system, "value": value} for system, value in pairs], **told)


@pytest.mark.parametrize("value", [
    OWN, f" {OWN} ", f"'{OWN}", f'="{OWN}"', f"={OWN}", f"{OWN}\t", f"\ufeff{OWN}", "".join(chr(0xFEE0 + ord(one)) for one in OWN),
    f"{OWN[:6]} {OWN[6:14]} {OWN[14:]}", OWN.lower(), f"‘{OWN}’",
])  # fmt: skip
def test_a_resident_id_is_one_however_it_is_typed(value):
    assert read((RESIDENT, value)).resident == OWN
    assert read((RESIDENT, value)).damaged == ""


def test_of_two_resident_ids_the_own_one_counts():
    for pair in ((OWN, OTHER), (OTHER, OWN)):
        found = read(*((RESIDENT, value) for value in pair), birth="1980-01-01", sex="female")
        assert (found.resident, found.damaged, found.flags) == (OWN, OTHER, ("two-ids",))


def test_fifteen_digits_are_upgraded_and_say_so():
    old = OWN[:6] + OWN[8:17]
    assert read((RESIDENT, old))[::5] == (OWN, ("fifteen-digits",))
    copied = read((RESIDENT, OWN), (f"{SITE}resident-id-15", old))
    assert (copied.resident, copied.local, copied.flags) == (OWN, (), ("fifteen-digits",))


def test_a_former_number_is_compared_and_proves_nothing():
    told = [{"system": RESIDENT, "value": OWN}, {"system": RESIDENT, "value": OTHER, "use": "old"}]
    assert numbers.of_identifiers(told)[:2] == (OWN, OTHER)
    assert numbers.of_identifiers(told)[5] == ()


def test_what_our_mappings_call_unverified_is_damaged():
    assert read((f"{SITE}unverified-resident-id", OWN[:17]))[:2] == ("", OWN[:17])
    assert read((f"{SITE}unverified-resident-id", OWN))[:2] == ("", OWN)


def test_a_masked_copy_of_the_own_number_says_nothing_new():
    assert read((RESIDENT, OWN), (f"{SITE}unverified-resident-id", f"{OWN[:6]}********{OWN[14:]}")).damaged == ""


@pytest.mark.parametrize(
    ("system", "kind"), [(RECORD, "health-record"), (CARD, "health-card"), (INSURED, "insured-person")]
)
def test_national_numbers(system, kind):
    assert read((system, "5199 2700-000000000001")).national == (f"{kind}|51992700000000000001",)
    assert read((system, "1234")).national == ()


def test_a_national_number_that_repeats_the_resident_id_proves_nothing_more():
    assert read((RESIDENT, OWN), (CARD, OWN)).national == ()


def test_local_numbers_belong_to_their_system():
    found = read((f"{SITE}patient", "P0001001"), ("http://other.example/mrn", "P0001001"), (f"{SITE}visit-card", "K1"))
    assert found.local == (f"{SITE}patient|P0001001", "http://other.example/mrn|P0001001", f"{SITE}visit-card|K1")
    assert [numbers.lasting(one) for one in found.local] == [True, True, False]
    assert not numbers.lasting("https://b/id/township/柳溪镇中心卫生院/outpatient|MZ1")


def test_a_visit_card_is_no_resident_id_even_if_it_looks_like_one():
    """`IDCard` is 就诊卡 (china.md section 5.1), whatever its name and its number look like."""
    told = [{"system": f"{SITE}visit-card", "value": OWN, "type": {"coding": [{"code": "IDCard"}]}}]
    assert numbers.of_identifiers(told) == ("", "", (), (), (f"{SITE}visit-card|{OWN}",), ())


def test_a_number_of_the_day_is_no_evidence():
    told = [{"system": f"{SITE}outpatient", "value": "0007", "period": {"start": "2026-12-01", "end": "2026-12-01"}}]
    assert numbers.of_identifiers(told).local == ()


@pytest.mark.parametrize("claim", [
    {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "NNCHN"}]}, {"text": "居民身份证"},
    {"coding": [{"code": "IdentifyNO"}]}, {"coding": [{"code": "NI"}]}, {"coding": [{"display": "身份证号"}]},
])  # fmt: skip
def test_another_vendors_resident_id_is_known_by_its_type(claim):
    assert numbers.of_identifiers([{"system": "http://v.example/x", "value": OWN, "type": claim}]).resident == OWN


def test_a_national_number_of_another_country_is_local():
    told = [{"system": "http://v.example/x", "value": "AB123456C", "type": {"coding": [{"code": "NI"}]}}]
    assert numbers.of_identifiers(told)[1:] == ("", (), (), ("http://v.example/x|AB123456C",), ())


@pytest.mark.parametrize(("value", "kind", "found"), [
    ("E12345679", "document", "passport|E12345679"), ("EA1234567", "document", "passport|EA1234567"),
    ("H1234567801", "document", "permit-hk-mo|H12345678"), ("H12345678", "document", "permit-hk-mo|H12345678"),
    ("CHN110112345679", "document", "foreigner-card|CHN110112345679"), ("南字第01234567号", "document", "military|南字01234567"),
    ("T510123457", "document", "birth-certificate|T510123457"), ("X-99 12", "document", "document|X9912"),
    (resident_id(area="830000"), "document", f"residence-permit|{resident_id(area='830000')}"),
    (resident_id(area="911156"), "document", f"foreigner-card|{resident_id(area='911156')}"),
])  # fmt: skip
def test_documents_are_told_by_their_form(value, kind, found):
    assert read((f"{SITE}{kind}", value)).documents == (found,)


@pytest.mark.parametrize(("claim", "found"), [
    ({"coding": [{"code": "PPN"}]}, "passport|H12345678"), ({"text": "护照"}, "passport|H12345678"),
    ({"text": "回乡证"}, "permit-hk-mo|H12345678"), ({"text": "军官证"}, "military|H12345678"), ({"text": "台胞证"}, "permit-tw|H12345678"),
])  # fmt: skip
def test_documents_are_told_by_their_type(claim, found):
    assert numbers.of_identifiers(
        [{"system": "http://v.example/x", "value": "h12345678", "type": claim}]
    ).documents == (found,)


def test_a_permit_sent_as_a_resident_id_is_a_document():
    permit = resident_id(area="810000")
    assert read((RESIDENT, permit))[:3] == ("", "", (f"residence-permit|{permit}",))


@pytest.mark.parametrize("value", [
    "无", "不详", "unknown", "N/A", "-", "0", "000", "00000000", "111111", "123456", "12345678", "1234567890", "0001234567",
    "123456789012345678", "110***********002X", "5199****01", "E00000000", "1.10105E+17", "", "   ", "9" * 41, "''", '=""',
])  # fmt: skip
@pytest.mark.parametrize("system", [RECORD, INSURED, f"{SITE}patient", f"{SITE}document", "http://other.example/mrn"])
def test_dummies_are_no_evidence(system, value):
    assert read((system, value)) == ("", "", (), (), (), ())


def test_at_most_eight_of_a_kind_are_kept():
    assert len(read(*((f"{SITE}patient", f"P{number:07d}") for number in range(99, 120))).local) == 8


@settings(max_examples=50)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=12),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
                        st.sampled_from(["system", "value", "type", "use", "coding", "code", "text", "period", "start", "end"]), inner)))  # fmt: skip
def test_nothing_is_too_odd_for_an_identifier(told):
    numbers.of_identifiers(told)
    numbers.of_identifiers([told])


def test_the_national_systems_are_those_our_mappings_write():
    ours = yaml.safe_load((shipped("mappings") / "base" / "naming.yaml").read_text("utf-8"))["national"]
    known = lists.documents()
    assert known.resident_systems == {ours["resident-id"]}
    assert dict(known.national) == {
        ours["health-record"]: "health-record", ours["health-card"]: "health-card", ours["insured-person"]: "insured-person",
    }  # fmt: skip
