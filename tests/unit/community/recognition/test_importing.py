"""An item dictionary becomes a file that a person can approve; what it leaves open is told."""

from datetime import date

import pytest

from gateway.community.recognition import knowledge
from gateway.community.recognition.importing import Row, propose
from gateway.settings import shipped
from tests.support.recognition import COUNTY, known

DAY = date(2026, 12, 1)
TABLE = "new-lab/item"
GOOD = {"mark": "省HR", "assessor": "省临床检验中心", "round": "2026年第2次", "result": "合格", "until": "2027-06-30"}


def proposed(*rows):
    return propose(rows, COUNTY, DAY, known())


def row(code="X1", name="★谷草转氨酶", item="ast", **other):
    return Row(TABLE, code, name, item=item, **other)


def loaded(tmp_path, text, *, approved=True):
    name = "approved: {by: 张某某, on: 2026-12-02}\n" if approved else ""
    (tmp_path / "imported.yaml").write_text(text + name, encoding="utf-8")
    return knowledge.load(shipped("profiles") / "recognition", tmp_path)


def test_a_proposal_is_in_force_once_a_person_has_approved_it(tmp_path):
    made = proposed(row(price="14.00", **GOOD))
    assert made.remarks == []
    before = loaded(tmp_path, made.text, approved=False)
    assert before.pending == ("imported.yaml",)
    assert before.catalogue.local == known().catalogue.local
    after = loaded(tmp_path, made.text)
    assert after.catalogue.local[TABLE, "X1"] == "ast"
    assert str(after.policy.price("ast", COUNTY.code, DAY).amount) == "14.00"
    (found,) = [one for one, items in after.policy.quality[COUNTY.code] if items == {"ast"}]
    assert (found.status, found.scope, found.since, found.until) == (
        "passed",
        "sichuan",
        date(2026, 1, 1),
        date(2027, 6, 30),
    )
    assert found.assumed


def test_a_local_code_that_is_mapped_needs_no_recognition_code():
    made = proposed(Row("county-hospital/lab-item", "AST", "谷草转氨酶", **GOOD))
    assert made.remarks == [] and "codes:" not in made.text and "item:ast" in made.text


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (row(item=""), "X1 谷草转氨酶: no item; perhaps ast (100)"),
        (row(item="", name="完全不相干的一项东西"), "none that is alike"),
        (Row("county-hospital/lab-item", "AST", item="alt"), "AST: is ast by codes.yaml and alt by the dictionary"),
        (row(**GOOD | {"result": "良"}), "X1: '良' is no known result of an evaluation"),
        (row(name="谷草转氨酶", **GOOD | {"mark": ""}), "X1: whose evaluation said 合格 is not told"),
        (row(**GOOD | {"until": "明年"}), "X1: until when 合格 holds is not told"),
        (row(price="十四元"), "X1: '十四元' is no price"),
        (row(price="-3"), "X1: '-3' is no price"),
        (row(price="NaN"), "X1: 'NaN' is no price"),
    ],
)
def test_what_the_dictionary_leaves_open_is_a_remark(given, wanted):
    made = proposed(given)
    assert wanted in "\n".join(made.remarks)
    assert f"# open: {made.remarks[0]}" in made.text
    assert "quality:" not in made.text and "prices:" not in made.text


def test_a_name_with_line_breaks_stays_a_remark(tmp_path):
    made = proposed(row(item="", name="钾\nwindows: [7]"))
    assert loaded(tmp_path, made.text).policy.windows == known().policy.windows


def test_rows_that_say_nothing_or_are_retired_make_nothing():
    made = proposed(row(active=False, **GOOD), Row("county-hospital/lab-item", "RMK", "异常提示", price="3"))
    assert made.remarks == [] and "quality:" not in made.text and "prices:" not in made.text


def test_an_item_that_stands_twice_counts_once():
    made = proposed(row(price="14"), row(price="15"))
    assert made.remarks == ["X1: stands twice; its first row counts"]
    assert made.text.count("amount:") == 1 and "'14'" in made.text


def test_a_failed_evaluation_holds_from_the_import_where_no_year_is_told(tmp_path):
    made = proposed(row(**GOOD | {"result": "不合格", "round": "第2次", "until": ""}))
    known_now = loaded(tmp_path, made.text)
    item = known_now.catalogue.items["ast"]
    neighbour = COUNTY.__class__("B", area="510104", level=2)
    assert known_now.policy.standing(item, (), COUNTY, neighbour, DAY).state == "suspended"
    assert known_now.policy.standing(item, (), COUNTY, neighbour, date(2026, 11, 30)).state == "unproven"
