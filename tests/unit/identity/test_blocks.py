"""Records of one person meet under some key, and keys stay few and selective however many persons there are."""

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.identity import blocks as blocking
from gateway.identity.blocks import STRONG, agreeing, blocks
from gateway.identity.evidence import Evidence, Name, of_patient
from tests.support.residents import resident_id

OWN = resident_id("19680312", 151)
LI = Name("李建国", "李", "建国", "li jian guo", False)
WHOLE = Evidence(
    site="a", resident=OWN, national=("health-record|51992710120300901", "insured-person|51992700000000000901"),
    documents=("passport|E12345679",), local=("https://b/id/a/patient|P1", "https://b/id/a/visit-card|K1"), names=(LI,), sex="male",
    birth="1968-03-12", phones=("10012345601",), address="石桥大坝5组", area="石桥/大坝", mother="陈玘",
)  # fmt: skip


_FAMILIES = ("wang", "li", "zhang", "chen")
_GIVEN = ("wei", "min", "fang", "jun", "lei")


def kinds(evidence):
    return [block.kind for block in blocks(evidence)]


def meet(one, other):
    return {block.key for block in blocks(one)} & {block.key for block in blocks(other)} != set()


def but(**changed):
    return msgspec.structs.replace(WHOLE, site="b", **changed)


def test_a_record_that_tells_all_has_at_most_twelve_keys():
    assert kinds(WHOLE) == [
        "resident", "national", "national", "document", "phone+initials", "phone+birth", "birth+initials", "birth+area",
        "birth+mother", "name+area", "local", "card+initials",
    ]  # fmt: skip
    many = but(
        phones=("10012345601", "10012345602", "10012345603"),
        documents=tuple(f"passport|E1234567{one}" for one in range(5)),
    )
    assert len(blocks(many)) == 12


def test_every_kind_and_flag_is_explained_to_users():
    told = (Path(__file__).parents[3] / "docs" / "identity.md").read_text("utf-8")
    damaged = kinds(Evidence(site="a", damaged_resident="519927********1514"))
    assert [kind for kind in {*kinds(WHOLE), *damaged} if f"`{kind}`" not in told] == []
    flags = re.findall(r"[a-z]+(?:-[a-z]+)*", Evidence.__doc__.split("`flags`:")[1])
    assert len(flags) == 11
    assert [flag for flag in flags if f"`{flag}`" not in told] == []


def test_strong_kinds_come_first():
    assert {"resident", "national", "document"} == STRONG
    told = kinds(WHOLE)
    assert all(one in STRONG for one in told[:4])


def test_keys_are_signed_sixty_four_bits_and_differ_between_kinds():
    assert all(-(2**63) <= block.key < 2**63 for block in blocks(WHOLE))
    assert len({block.key for block in blocks(WHOLE)}) == len(blocks(WHOLE))
    assert blocks(WHOLE) == blocks(but())


@pytest.mark.parametrize("other", [
    but(resident="", national=(), documents=(), phones=(), area="", mother="", local=()),  # name and birth date
    but(resident="", national=(), documents=(), birth="", area="", mother="", local=()),  # name and telephone
    but(resident="", national=(), documents=(), names=(), area="", mother="", local=()),  # telephone and birth date
    but(resident="", national=(), documents=(), names=(), phones=(), mother="", local=()),  # birth date and village
    but(resident="", national=(), documents=(), birth="", phones=(), mother="", local=()),  # name and village
    but(resident="", national=(), documents=(), names=(), phones=(), area="", local=()),  # birth date and mother
    but(resident="", national=(), documents=(), names=(), phones=(), area="", birth="", mother=""),  # the number of a site
    Evidence(site="b", names=(LI,), local=WHOLE.local[1:]),  # name and visit card
    Evidence(site="b", resident=OWN), Evidence(site="b", national=WHOLE.national[1:]), Evidence(site="b", documents=WHOLE.documents),
])  # fmt: skip
def test_two_things_in_common_or_one_number_are_enough_to_meet(other):
    assert meet(WHOLE, other)


@pytest.mark.parametrize("other", [
    Evidence(site="b", names=(LI,)), Evidence(site="b", names=(LI,), birth="1968"), Evidence(site="b", birth="1968-03-12", sex="male"),
    Evidence(site="b", phones=WHOLE.phones), Evidence(site="b", area=WHOLE.area), Evidence(site="b", local=("https://b/id/a/visit-card|K1",)),
    Evidence(site="b", names=(Name("李?", "李", "?", "li ?", True),), area=WHOLE.area),
])  # fmt: skip
def test_what_thousands_share_is_no_key(other):
    """With a million persons a name alone, or with a year, or a village, would be a key of thousands."""
    assert not meet(WHOLE, other)


def test_a_birth_date_inside_the_own_resident_id_counts():
    insurer = Evidence(site="i", resident=OWN, names=(LI,))
    assert meet(insurer, Evidence(site="b", names=(LI,), birth="1968-03-12"))
    borrowed = msgspec.structs.replace(insurer, flags=("borrowed-id",))
    assert not meet(borrowed, Evidence(site="b", names=(LI,), birth="1968-03-12"))


@given(st.integers(0, 16), st.integers(1, 9))
def test_a_damaged_resident_id_meets_the_right_one(at, by):
    damaged = OWN[:at] + str((int(OWN[at]) + by) % 10) + OWN[at + 1 :]
    told = Evidence(site="b", damaged_resident=damaged, birth="1968-03-12", sex="male")
    assert meet(Evidence(site="a", resident=OWN), told)
    assert meet(told, Evidence(site="c", damaged_resident=damaged))


def test_what_is_damaged_is_no_proof():
    assert "resident" not in kinds(Evidence(site="b", damaged_resident="519927********1514"))
    assert kinds(Evidence(site="b", damaged_resident="519927********1514")) == ["damaged-resident"]


def test_names_that_sound_alike_or_are_sent_in_pinyin_meet():
    told = {"birthDate": "1968-03-12", "gender": "male"}
    spellings = ("李建国", "李健国", "LI JIANGUO", "Jianguo Li", "李 建國")
    found = [of_patient(told | {"name": [{"text": spelling}]}, "b") for spelling in spellings]
    assert all(meet(found[0], other) for other in found)


def test_values_are_grouped_by_what_is_evidence_of_its_own():
    assert blocking.values(WHOLE) == {
        "resident": {OWN}, "health-record": {"health-record|51992710120300901"}, "insurance": {"insured-person|51992700000000000901"},
        "document": {"passport|E12345679"}, "local": {"https://b/id/a/patient|P1"}, "phone": {"10012345601"}, "birth": {"1968-03-12"},
        "name": {"李建国"}, "address": {"石桥大坝5组"}, "mother": {"陈玘"},
    }  # fmt: skip
    assert blocking.values(Evidence(site="a", birth="1968", names=(Name("李?", "李", "?", "li ?", True),))) == {}


@pytest.mark.parametrize(("other", "groups"), [
    (WHOLE, {"resident", "health-record", "insurance", "document", "local", "phone", "birth", "name", "address", "mother"}),
    (Evidence(site="b"), set()), (Evidence(site="b", phones=("10012345602", "10012345601"), birth="1968-03-12"), {"phone", "birth"}),
    (Evidence(site="b", resident=resident_id("19680312", 153), names=(LI,)), {"name"}),
])  # fmt: skip
def test_agreeing_groups_are_the_same_whichever_record_comes_first(other, groups):
    assert agreeing(WHOLE, other) == agreeing(other, WHOLE) == groups


def test_a_population_keeps_its_keys_small():
    """Of 4,000 persons with two hundred names in forty villages, no key that is not a number holds more than a few."""
    held = {}
    for number in range(4000):
        birth = f"{1940 + number % 80}-{1 + number % 12:02d}-{1 + number % 28:02d}"
        sound = f"{_FAMILIES[number % 4]} {_GIVEN[number // 4 % 5]} {_GIVEN[number // 20 % 2]}"
        person = Evidence(
            site="a", names=(Name(sound, "", "", sound, False),), birth=birth, phones=(str(10_000_000_000 + number // 4),),
            area=f"石桥/{number % 400}",
        )  # fmt: skip
        for block in blocks(person):
            held[block] = held.get(block, 0) + 1
    assert max(held.values()) <= 12
