"""A message map may begin as a copy of another; statements of who is who are read from the segments it names."""

import pytest

from gateway.formats import hl7v2
from gateway.mapping.catalog import WrongDefinitions
from gateway.mapping.draft import Move, Renumber, Split
from tests.unit.mapping.test_catalog import load  # noqa: F401  the fixture

LIKE = """
    message: AAA
    like: generic
    for: ["AAA^*"]
    resources:
      account: {type: Account, under: patient, on: {PID: "PID[Account]"}, keys: child, links: {"subject[]": patient}}
    """
ACCOUNT = 'segment: "PID[Account]"\nrules:\n  - {id: PID-18, to: name}\n'


def tell(book, event, *lines):
    head = f"MSH|^~\\&|HIS||||20260101||{event}|M1"
    return book.mapper("his").map(hl7v2.parse("\r".join((head, *lines)) + "\r"))


def test_a_map_that_is_like_another_has_its_resources_and_its_own(load):  # noqa: F811
    book = load(base__messages__AAA=LIKE, base__segments__ACC=ACCOUNT)
    assert {draft.type for draft in tell(book, "AAA^A01", "PID|1||7^^^^MR|||||||||||||||A1").drafts} == {
        "Patient",
        "Account",
    }
    assert {draft.type for draft in tell(book, "BBB^A01", "PID|1||7^^^^MR").drafts} == {"Patient"}


@pytest.mark.parametrize(("like", "told"), [("nothing", "no message map nothing"), ("generic", "generic already")])
def test_a_map_cannot_be_like_what_is_not_there_or_replace_what_is(load, like, told):  # noqa: F811
    name = "generic" if like == "generic" else "AAA"
    with pytest.raises(WrongDefinitions, match=told):
        load(h__messages__AAA=f"message: {name}\nlike: {like}\n")


def statement(load, word, segment="MRG", numbers="8^^^^MR"):  # noqa: F811
    mrg = 'segment: "MRG[Patient]"\nrules:\n  - {id: MRG-1, to: "identifier[]", as: "CX[Identifier]"}\n'
    message = f'message: AAA\nlike: generic\nfor: ["AAA^*"]\n{word}: {{{segment}: "{segment}[Patient]"}}\n'
    book = load(base__messages__AAA=message, base__segments__MRG=mrg)
    return tell(book, "AAA^A01", "PID|1||7^^^^MR", f"{segment}|{numbers}" if segment == "MRG" else "PID|2||8^^^^MR")


def test_who_is_who_is_said_by_the_segment_named(load):  # noqa: F811
    (renumber,) = statement(load, "renumber").said
    assert isinstance(renumber, Renumber)
    assert (renumber.former[0].value, renumber.survivor, renumber.where) == ("8", "patient", "MRG[1]")
    (move,) = statement(load, "move").said
    assert isinstance(move, Move)
    assert (move.origin[0].value, move.to) == ("8", "patient")
    assert statement(load, "unlink", "PID").said == [Split("patient", "patient/2", "PID[2]")]


def test_a_statement_without_numbers_is_an_issue(load):  # noqa: F811
    mapped = statement(load, "move", numbers='""')
    assert (mapped.said, mapped.issues[-1].text) == ([], "a move needs the numbers of both records")
