"""Survivorship: the rules' order decides, damaged values never compete, and what others say is told."""

from dataclasses import dataclass

import pytest

from gateway.errors import GatewayError
from gateway.identity import survivorship
from gateway.identity.survivorship import chosen, load, member
from gateway.settings import shipped

RULES = load(shipped("profiles") / "identity" / "survivorship.yaml")
RESIDENT = "urn:oid:2.16.156.10011.1.3"
ID = "519927195011120025"


def told(pid, site="s", *, told_us=0, authority=False, replaced=False, **body):
    return member(
        {"resourceType": "Patient", **body},
        site,
        pid=pid,
        fid=f"p{pid}",
        told_us=told_us,
        authority=authority,
        replaced=replaced,
    )


def values(name, *members):
    return [one.value for one in chosen(RULES, members).get(name, [])]


def why(name, *members):
    return chosen(RULES, members)[name][0].because


def named(text):
    return [{"text": text}]


WINS = [
    ("in-use", {"active": False, "authority": True}, {}),
    ("in-use", {"replaced": True, "authority": True}, {}),
    ("authority", {"told_us": 9}, {"authority": True}),
    ("newest", {"told_us": 8}, {"told_us": 9}),
    ("complete", {}, {"gender": "female"}),
]


@pytest.mark.parametrize(("rule", "loser", "winner"), WINS)
def test_the_rules_decide_in_their_order(rule, loser, winner):
    name = "name"
    one = told(1, name=[{"text": "张三"}], **{key: value for key, value in loser.items() if key != "gender"})
    longer = [{"text": "李四四"}] if rule == "complete" else [{"text": "李四"}]
    two = told(2, name=longer, **{key: value for key, value in winner.items() if key != "gender"})
    assert values(name, one, two) == longer
    assert why(name, one, two) == rule


def test_between_equals_the_older_record_stands():
    one, two = told(1, gender="male"), told(2, gender="female")
    found = chosen(RULES, [one, two])["gender"][0]
    assert (found.value, found.because) == ("male", "oldest")
    assert [(said.value, said.member.fid) for said in found.otherwise] == [("female", "p2")]


def test_an_id_number_proves_birth_date_and_sex():
    right = told(1, identifier=[{"system": RESIDENT, "value": ID}], birthDate="1950-11-12", gender="female")
    wrong = told(2, birthDate="1950-12-11", gender="male", told_us=9)
    assert (values("birthDate", wrong, right), why("birthDate", wrong, right)) == (["1950-11-12"], "verified")
    assert (values("gender", wrong, right), why("gender", wrong, right)) == (["female"], "verified")
    authority = wrong._replace(authority=True)
    assert why("birthDate", authority, right) == "authority"


def test_two_id_numbers_prove_nothing():
    one = told(1, identifier=[{"system": RESIDENT, "value": ID}], birthDate="1950-11-12")
    two = told(2, identifier=[{"system": RESIDENT, "value": "11010519491231002X"}], birthDate="1949-12-31", told_us=5)
    assert (values("birthDate", one, two), why("birthDate", one, two)) == (["1949-12-31"], "newest")


DAMAGED = [
    ("name", named("张\ufffd"), named("张三")),
    ("name", named("张*"), named("张三")),
    ("name", named("锟斤拷"), named("张三")),
    ("name", named("\ue000三"), named("张三")),
    ("gender", "unknown", "male"),
    ("birthDate", "1900-01-01", "1980-01-02"),
    ("telecom", [{"system": "phone", "value": "100****0190"}], [{"system": "phone", "value": "10000000190"}]),
    ("telecom", [{"system": "phone"}], [{"system": "phone", "value": "10000000190"}]),
    ("address", [{"text": "石桥乡?村"}], [{"text": "石桥乡"}]),
    ("address", ["x"], [{"line": ["石桥乡"]}]),
    (
        "identifier",
        [{"system": RESIDENT, "value": "519927********0025"}],
        [{"system": RESIDENT, "value": ID, "type": {"coding": [{"code": "NI"}]}}],
    ),
    ("identifier", [{"system": RESIDENT}], [{"type": {"coding": [{"code": "MR"}]}, "value": "1"}]),
]


@pytest.mark.parametrize(("name", "damaged", "whole"), DAMAGED)
def test_what_is_damaged_masked_or_a_dummy_never_wins(name, damaged, whole):
    one = told(1, authority=True, told_us=9, **{name: damaged})
    two = told(2, **{name: whole})
    assert values(name, one, two) == (whole if isinstance(whole, list) else [whole])
    assert values(name, one) == []


def test_a_date_told_less_exactly_is_the_same_date():
    year, day, other = (
        told(1, birthDate="1950", authority=True),
        told(2, birthDate="1950-11-12"),
        told(3, birthDate="1951"),
    )
    found = chosen(RULES, [year, day, other])["birthDate"][0]
    assert (found.value, [one.fid for one in found.tellers]) == ("1950-11-12", ["p1", "p2"])
    assert [said.value for said in found.otherwise] == ["1951"]
    assert chosen(RULES, [year, day])["birthDate"][0].because == "only"


def test_names_are_those_of_one_record_and_others_are_told():
    one = told(1, name=[{"text": "张三"}, {"text": "ZHANG SAN"}], told_us=2)
    same = told(2, name=[{"text": "张 三"}], told_us=1)
    spelled = told(3, name=[{"text": "Zhang San"}])
    other = told(4, name=[{"text": "章三"}])
    found = chosen(RULES, [one, same, spelled, other])["name"]
    assert [entry.value["text"] for entry in found] == ["张三", "ZHANG SAN"]
    assert [teller.fid for teller in found[0].tellers] == ["p1", "p2"]
    assert [said.member.fid for said in found[0].otherwise] == ["p4"]


def test_numbers_and_phones_of_all_stand_once_each():
    one = told(1, telecom=[{"system": "phone", "value": "100 0000 0101"}, {"system": "email", "value": "a@b"}])
    two = told(2, telecom=[{"system": "phone", "value": "10000000101"}], told_us=5)
    assert [entry["value"] for entry in values("telecom", one, two)] == ["10000000101", "a@b"]
    assert len(chosen(RULES, [one, two])["telecom"][0].tellers) == 2


def test_blood_group_and_allergies_are_no_part():
    body = {"extension": [{"url": "x", "valueString": "A"}], "deceasedBoolean": True}
    assert chosen(RULES, [told(1, **body)]) == {}


@dataclass
class Broken:
    text: str
    says: str


BROKEN = [
    Broken("version: [", "no table of survivorship"),
    Broken("version: '1'\norder: [luck]\n", "order"),
    Broken("- a\n", "no table of survivorship"),
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_wrong_file_is_named(tmp_path, broken):
    path = tmp_path / "survivorship.yaml"
    path.write_text(broken.text, "utf-8")
    with pytest.raises(GatewayError, match=broken.says) as caught:
        load(path)
    assert caught.value.where == str(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GatewayError, match="cannot be read"):
        load(tmp_path / "none.yaml")


def test_a_text_is_sound_or_not():
    assert survivorship.sound("阿卜杜·热合曼")
    assert not any(map(survivorship.sound, ("", "张*", "张？", "□", "锟斤拷", "\ue001")))
