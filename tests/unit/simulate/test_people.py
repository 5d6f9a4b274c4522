"""The residents: valid invented numbers, a county's names and ages."""

import re
from collections import Counter
from datetime import date

import pytest
from stdnum.cn import uscc

from gateway.formats import sheet
from gateway.simulate import names, numbers, places
from gateway.simulate.chronic import DIABETES, HYPERTENSION
from gateway.simulate.people import Registry
from gateway.simulate.streams import Streams
from gateway.simulate.values import Person

START = date(2026, 10, 1)
REAL_PHONE = re.compile(r"(?<![\d.])1[3-9]\d{9}(?!\d)")


@pytest.fixture(scope="module")
def county():
    streams = Streams(5)
    registry = Registry(streams, places.build(streams, 4000, START), START)
    registry.fill(4000)
    return registry


def remainder(number):
    """The sum of ISO 7064 MOD 11-2, by Horner's rule: 1 for a right number."""
    total = 0
    for letter in number:
        total = (total * 2 + (10 if letter == "X" else int(letter))) % 11
    return total


def test_every_resident_has_a_number_of_his_own_with_a_right_check_digit(county):
    held = [one.id for one in county.people]
    assert len(set(held)) == len(held)
    for one in county.people:
        assert one.id.startswith("519927")
        assert remainder(one.id) == 1
        assert one.id[6:14] == f"{one.birth:%Y%m%d}"
        assert int(one.id[16]) % 2 == (one.sex == "1")


def test_staff_share_no_number_with_residents(county):
    built = places.build(Streams(5), 4000, START)
    staff = [one for town in built.towns for one in town.staff] + built.hospital
    held = [one.id for one in staff]
    assert all(remainder(number) == 1 for number in held)
    assert len(set(held)) == len(held)
    assert not set(held) & {one.id for one in county.people}


def test_institutions_have_right_credit_codes():
    for town in places.build(Streams(5), 60_000, START).towns:
        uscc.validate(town.society)


def test_the_old_form_leads_back_to_the_new_one(county):
    for one in county.people[:300]:
        if one.birth.year < 2000:
            old = numbers.fifteen(one.id)
            assert len(old) == 15
            assert old[:6] + "19" + old[6:] + one.id[-1] == one.id


def test_the_county_is_rural_and_old(county):
    ages = [one.age(START) for one in county.people]
    share = Counter("child" if age < 15 else "old" if age >= 60 else "adult" for age in ages)
    assert 0.10 < share["child"] / len(ages) < 0.26
    assert 0.24 < share["old"] / len(ages) < 0.50
    women = sum(one.sex == "2" for one in county.people) / len(ages)
    assert 0.42 < women < 0.60


def test_surnames_are_as_skewed_as_in_life(county):
    plain = [one.name[0] for one in county.people if "·" not in one.name]
    common = Counter(plain).most_common(5)
    assert {name for name, _ in common} & {"王", "李", "张"}
    assert 0.05 < Counter(plain)["王"] / len(plain) < 0.13


def test_old_and_young_have_the_names_of_their_time(county):
    old = " ".join(one.name for one in county.people if one.birth.year < 1950)
    young = " ".join(one.name for one in county.people if one.birth.year >= 2010)
    assert "秀英" in old
    assert "秀英" not in young
    assert any(name in young for name in ("梓涵", "子轩", "浩宇", "一诺"))


def test_rare_names_are_rare_and_there(county):
    rare = [one for one in county.people if names.holds_delimiter(one.name) or "䶮" in one.name]
    assert 3 < len(rare) < 200
    assert [one for one in county.people if "·" in one.name]
    for one in county.people:
        one.name.encode("gb18030")


def test_illness_comes_with_age(county):
    def share(kind, low, high):
        group = [one for one in county.people if low <= one.age(START) < high]
        return sum(one.course(kind) is not None for one in group) / len(group)

    assert share(HYPERTENSION, 65, 100) > 0.3
    assert share(HYPERTENSION, 0, 40) == 0
    assert 0.1 < share(DIABETES, 65, 100) < 0.3


def test_a_household_lives_together(county):
    for one in county.people:
        head = county[one.head]
        assert (head.village, head.household, head.house_number) == (one.village, one.household, one.house_number)


def test_children_bear_their_fathers_name_and_are_younger(county):
    children = [one for one in county.people if one.relation in ("2", "3")]
    assert children
    assert all(one.birth > county[one.head].birth for one in children)


def test_a_newborn_has_no_number_and_a_mother(county):
    mother = next(one for one in county.people if one.sex == "2" and 20 < one.age(START) < 40)
    child = county.born(mother, START, "")
    assert (child.id, child.mother, child.name[:-1]) == ("", mother.number, f"{mother.name}之")
    county.people.pop()


@pytest.mark.parametrize("residents", [200, 5000, 127_300, 900_000])
def test_townships_by_size(residents):
    built = places.build(Streams(1), residents, START)
    assert 3 <= len(built.towns) <= 20
    codes = [village.code for village in built.villages]
    assert len(set(codes)) == len(codes)
    assert all(town.teams and town.teams[0].leader.family_doctor for town in built.towns)


def test_no_phone_is_a_real_one_anywhere(day):
    for entry in day.files:
        raw = (day.folder / entry["file"]).read_bytes()
        if not raw:
            continue
        if entry["kind"] == "table":
            text = "\n".join("\t".join(row.cells) for row in sheet.read(raw)[0].rows)
        else:
            text = raw.decode("gb18030", "replace")
        assert not REAL_PHONE.search(text), entry["file"]


def test_phones_of_residents_begin_with_100(tables):
    for row in tables["residents"]:
        for phone in re.split("/", row["本人电话"]):
            assert phone.startswith("100") or phone == "无"


def test_words_of_a_person():
    person = Person(
        7, "王玘", "2", date(1950, 10, 2), "", "01", places.build(Streams(1), 200, START).villages[0], 3, "0", 7, ""
    )
    assert (person.age(START), person.age(date(2026, 10, 2))) == (75, 76)
    assert person.known("a", "b", "1") == person.known("a", "b", "1")
    assert person.numbers == {"a/b": ["1"]}
    assert person.word == "女"
    assert len(person.record) == 17
