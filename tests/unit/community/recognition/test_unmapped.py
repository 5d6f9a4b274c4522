"""The report of unmapped items: by volume, with hints, and what mapping them would reach."""

import pytest

from gateway.community.recognition.catalogue import LOINC, Coding
from gateway.community.recognition.unmapped import Seen, report
from tests.support.recognition import known

LAB = "https://yigong.example/fhir/CodeSystem/county-hospital/lab-item"


def seen(code, times, name="", **more):
    return Seen((Coding(LAB, code),), name, times=times, **more)


def test_the_greatest_gap_comes_first():
    made = report(
        [
            seen("K", 50, "钾"),
            seen("Q1", 10, "★血清钾测定", specimen="血清", unit="mmol/L"),
            seen("Q2", 30, "谷草转氨酶测定"),
            seen("Q1", 5, "血清钾"),
            seen("RMK", 5, "异常提示"),
            seen("Q3", 0, "没有"),
        ],
        known().catalogue,
    )
    assert (made.seen, made.mapped, made.left_out) == (100, 50, 5)
    assert [(line.code, line.times) for line in made.lines] == [("Q2", 30), ("Q1", 15)]
    assert made.coverage == pytest.approx(50 / 95)
    first, second = made.lines
    assert (first.table, first.share, first.reached) == (
        "county-hospital/lab-item",
        pytest.approx(30 / 95),
        pytest.approx(80 / 95),
    )
    assert second.reached == 1.0
    assert second.names == ("★血清钾测定", "血清钾")
    assert (second.specimens, second.units) == (("血清",), ("mmol/L",))
    assert second.hints[0].item == "potassium"
    assert "ast" in [hint.item for hint in first.hints]


def test_words_that_nobody_knows_are_listed_by_volume():
    made = report(
        [
            seen("K", 3, method="干式电极", specimen="血清"),
            seen("NA", 4, method="干式电极", specimen="静脉穿刺血"),
            seen("CL", 9, method="ISE"),
        ],
        known().catalogue,
    )
    assert made.strange == [("method", "干式电极", 7), ("specimen", "静脉穿刺血", 4)]


def test_codes_that_disagree_are_a_gap_that_says_so():
    clash = Seen((Coding(LAB, "K"), Coding(LOINC, "2951-2")), "钾", times=2)
    (line,) = report([clash], known().catalogue).lines
    assert set(line.conflict) == {"potassium", "sodium"}


def test_what_has_no_code_goes_by_its_name():
    (line,) = report([Seen((), " 钾 "), Seen((), "钾", times=2)], known().catalogue).lines
    assert (line.table, line.code, line.times) == ("", "钾", 3)


def test_nothing_seen_is_nothing_missing():
    made = report([], known().catalogue)
    assert (made.lines, made.coverage) == ([], 1.0)
    assert report([seen("RMK", 3)], known().catalogue).coverage == 1.0
