"""Which of several advices is shown."""

from gateway.community.recognition.advice import best
from tests.support import recognition as county
from tests.support.recognition import advice, result


def test_a_recognised_result_with_most_days_left_is_best():
    old, young, expired = (advice(found=result(days=days)) for days in (5, 1, 9))
    assert best([old, expired, young]) is young
    assert best([expired, old]) is old


def test_of_others_the_one_that_came_furthest():
    unsure, unusable = advice(found=result(identity="possible")), advice(found=result(has_range=False))
    assert best([unsure, unusable]) is unusable
    older, younger = advice(found=result(days=20)), advice(found=result(days=10))
    assert best([older, younger]) is younger
    nameless = advice(found=county.changed(result(taken=""), has_range=False))
    assert best([nameless]) is nameless


def test_without_any_there_is_none():
    assert best([]) is None
