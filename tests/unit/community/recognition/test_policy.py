"""Windows, lists, quality, prices and the reach of marks."""

from datetime import date

import msgspec
import pytest

from gateway.community.recognition.marks import read
from gateway.community.recognition.places import House
from gateway.community.recognition.policy import Listing, Window
from tests.support import recognition as county
from tests.support.recognition import CENTRE, COUNTY, HERE, OTHER, YICHANG, known

DAY = date(2026, 11, 20)
POLICY = known().policy


def item(code):
    return known().catalogue.items[code]


def windows(*rows):
    made = [Window(source="test", **row) for row in rows]
    keys = [(f"item:{one.item}" if one.item else f"class:{one.group}", one.patient, one.issuer) for one in made]
    return county.changed(POLICY, windows=dict(zip(keys, made, strict=True)))


def test_the_most_exact_window_wins():
    alt = item("alt")
    rules = windows(
        {"group": "liver", "days": 1},
        {"group": "liver", "issuer": 3, "days": 2},
        {"group": "liver", "patient": "inpatient", "days": 3},
        {"group": "liver", "patient": "inpatient", "issuer": 3, "days": 4},
        {"item": "alt", "days": 5},
        {"item": "alt", "patient": "emergency", "days": 6},
    )
    assert rules.window(item("ast"), "outpatient", 2).days == 1
    assert rules.window(item("ast"), "outpatient", 3).days == 2
    assert rules.window(item("ast"), "inpatient", 2).days == 3
    assert rules.window(item("ast"), "inpatient", 3).days == 4
    assert rules.window(alt, "inpatient", 3).days == 5
    assert rules.window(alt, "emergency", None).days == 6
    assert rules.window(item("potassium"), "outpatient", 3) is None


@pytest.mark.parametrize(
    ("mark", "issuer", "receiver", "reaches"),
    [
        ("全国HR", YICHANG, COUNTY, True),
        ("鄂HR", YICHANG, HERE, True),
        ("湖北HR", OTHER, HERE, True),
        ("武汉HR", OTHER, HERE, True),
        ("武汉HR", YICHANG, HERE, False),
        ("宜昌HR", YICHANG, HERE, False),
        ("鄂HR", COUNTY, HERE, False),
        ("省HR", YICHANG, HERE, True),
        ("省HR", COUNTY, HERE, False),
        ("市HR", OTHER, HERE, True),
        ("市HR", YICHANG, HERE, False),
        ("县HR", CENTRE, COUNTY, True),
        ("京津冀HR", House("A", area="110101"), House("B", area="130102"), True),
        ("京津冀HR", House("A", area="110101"), HERE, False),
        ("★", OTHER, HERE, True),
        ("★", COUNTY, House("B", area="510104"), True),
    ],
)
def test_a_mark_reaches_houses_of_its_area(mark, issuer, receiver, reaches):
    (one,) = read(mark)
    scope = POLICY.scopes.of(one, issuer)
    assert scope is not None
    assert scope.reaches(issuer, receiver) is reaches


@pytest.mark.parametrize(
    ("mark", "issuer"),
    [
        ("某某HR", OTHER),
        ("HR", OTHER),
        ("★", CENTRE),
        ("*", COUNTY),
        ("省HR", House("A")),
        ("市HR", House("A", area="42")),
    ],
)
def test_a_mark_that_says_nothing_here_has_no_scope(mark, issuer):
    (one,) = read(mark)
    assert POLICY.scopes.of(one, issuer) is None


def test_a_house_of_unknown_area_lies_nowhere():
    (one,) = read("全国HR")
    assert not POLICY.scopes.of(one, OTHER).reaches(House("A"), HERE)


def test_houses_of_one_community_are_beside_each_other():
    assert COUNTY.beside(CENTRE) and COUNTY.beside(COUNTY)
    assert not COUNTY.beside(HERE)
    assert not House("").beside(House(""))


def test_a_list_holds_for_houses_of_its_scope_in_its_time():
    assert POLICY.listed(item("alt"), (), OTHER, HERE, DAY) == ""
    assert POLICY.listed(item("alt"), (), OTHER, HERE, date(2023, 6, 30)) == "no-list"
    assert POLICY.listed(item("myoglobin"), (), OTHER, HERE, DAY) == "not-on-list"
    assert POLICY.listed(item("myoglobin"), (), COUNTY, CENTRE, DAY) == ""
    assert POLICY.listed(item("alt"), (), COUNTY, HERE, DAY) == "no-list"


def test_a_panel_is_listed_with_all_its_analytes():
    parts = known().catalogue.analytes(item("panel-cardiac"))
    wanted = Listing(id="l", scope="hubei", since=date(2026, 1, 1), items=(), source="test")
    some = frozenset(part.id for part in parts)
    assert county.changed(POLICY, lists=((wanted, some),)).listed(item("panel-cardiac"), parts, OTHER, HERE, DAY) == ""
    less = county.changed(POLICY, lists=((wanted, some - {"myoglobin"}),))
    assert less.listed(item("panel-cardiac"), parts, OTHER, HERE, DAY) == "not-on-list"


@pytest.mark.parametrize(("level", "why"), [(3, ""), (2, ""), (1, "level"), (None, "level")])
def test_an_older_list_takes_the_same_level_or_a_higher_one(level, why):
    issuer, receiver = House("A", area="510104", level=level), House("B", area="510700", level=2)
    assert POLICY.listed(item("alt"), (), issuer, receiver, DAY) == why


@pytest.mark.parametrize(
    ("code", "issuer", "receiver", "day", "state", "by"),
    [
        ("alt", COUNTY, House("B", area="510104"), DAY, "passed", "eqa"),
        ("alt", COUNTY, HERE, DAY, "unproven", ""),
        ("alt", COUNTY, CENTRE, date(2027, 1, 1), "unproven", ""),
        ("ast", COUNTY, CENTRE, DAY, "passed", "iqc"),
        ("ast", COUNTY, House("B", area="510104"), DAY, "unproven", ""),
        ("urine-ph", CENTRE, COUNTY, date(2026, 8, 31), "passed", "iqc"),
        ("urine-ph", CENTRE, COUNTY, date(2026, 9, 1), "suspended", ""),
        ("urine-ph", CENTRE, COUNTY, date(2026, 9, 30), "suspended", ""),
        ("urine-ph", CENTRE, COUNTY, date(2026, 10, 1), "passed", "iqc"),
        ("qinghe-3002", COUNTY, CENTRE, DAY, "passed", "iqc"),
        ("panel-urinalysis", CENTRE, COUNTY, date(2026, 9, 9), "suspended", ""),
    ],
)
def test_a_house_stands_for_an_item_on_a_day(code, issuer, receiver, day, state, by):
    parts = known().catalogue.analytes(item(code))
    found = POLICY.standing(item(code), parts, issuer, receiver, day)
    assert (found.state, found.by) == (state, by)


def test_a_panel_without_a_row_of_its_own_stands_as_its_analytes_do():
    rows = POLICY.quality[COUNTY.code]
    eqa = tuple((row, items) for row, items in rows if row.kind == "eqa")
    bare = county.changed(POLICY, quality={COUNTY.code: eqa})
    far = House("B", area="510104")
    two = [item("alt"), item("glucose")]
    assert bare.standing(item("panel-liver"), two, COUNTY, far, DAY).state == "passed"
    assert bare.standing(item("panel-liver"), [*two, item("ast")], COUNTY, far, DAY).state == "unproven"


def test_a_price_is_that_of_the_house_and_the_day():
    assert str(POLICY.price("potassium", COUNTY.code, DAY).amount) == "8.00"
    assert str(POLICY.price("potassium", CENTRE.code, DAY).fund) == "5.10"
    assert POLICY.price("potassium", COUNTY.code, date(2025, 12, 31)) is None
    assert POLICY.price("myoglobin", COUNTY.code, DAY) is None


def test_a_later_price_or_list_stands_for_the_earlier_one():
    (old,) = POLICY.prices[COUNTY.code, "potassium"]
    new = msgspec.structs.replace(old, since=date(2026, 6, 1), amount=old.amount + 1)
    both = county.changed(POLICY, prices={(COUNTY.code, "potassium"): (new, old)})
    assert both.price("potassium", COUNTY.code, DAY) is new
    assert both.price("potassium", COUNTY.code, date(2026, 5, 31)) is old
    (wide,) = [listing for listing, _ in POLICY.lists if listing.id == "hubei-2023"]
    narrow = msgspec.structs.replace(wide, since=date(2026, 1, 1))
    lists = ((wide, frozenset({"alt", "ast"})), (narrow, frozenset({"alt"})))
    less = county.changed(POLICY, lists=lists)
    assert less.listed(item("ast"), (), OTHER, HERE, DAY) == "not-on-list"
    assert less.listed(item("ast"), (), OTHER, HERE, date(2025, 12, 31)) == ""


def test_an_exception_of_an_analyte_is_one_of_its_panel():
    panel = item("qinghe-3006")
    parts = known().catalogue.analytes(panel)
    assert POLICY.exception(panel, parts, {"surgery"}).code == "E3"
    assert POLICY.exception(panel, parts, set()) is None
    assert POLICY.exception(item("alt"), (), {"surgery"}) is None
    assert POLICY.exception(item("abo-group"), (), set()).code == "E3"
