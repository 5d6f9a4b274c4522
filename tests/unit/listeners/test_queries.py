"""Answers of queries where the record is odd: two of one number, survivors nobody may see, endless pages."""

import json

import pytest

from gateway.access.actor import ANONYMOUS
from gateway.errors import GatewayError, Transient
from gateway.formats import hl7v2, hl7v2_query
from gateway.formats.hl7v2_query import BadQuery
from gateway.listeners import queries
from gateway.listeners.queries import Queries
from gateway.search.request import Cursor
from gateway.store.query import Page, StoredHit

HEAD = "MSH|^~\\&|A|B|GW|QH|20260105||{}|C1|P|2.5"


class Record:
    """A repository that answers from pages of Patients by hand."""

    def __init__(self, *pages, survivors=None, endless=False):
        self.pages = list(pages)
        self.survivors = survivors or {}
        self.endless = endless
        self.asked = []

    def search(self, actor, kind, pairs, cursor):
        self.asked.append((dict(pairs), cursor))
        number = 0 if self.endless else len(self.asked) - 1
        hits = [
            StoredHit("Patient", one["id"], 1, 0, json.dumps(one).encode(), n + 1)
            for n, one in enumerate(self.pages[number])
        ]
        more = self.endless or number + 1 < len(self.pages)
        return Page(hits, [], Cursor((), 7) if more else None, None)

    def read(self, actor, kind, fid):
        found = self.survivors[fid]
        if isinstance(found, Exception):
            raise found
        return StoredHit("Patient", fid, 1, 0, json.dumps(found).encode(), 9)


def result(record, *segments, event="QBP^Q22"):
    asking = Queries.__new__(Queries)
    asking._record = record
    query = hl7v2_query.read(hl7v2.parse("\r".join((HEAD.format(event), *segments))))
    return asking._result(ANONYMOUS, query)


def patient(fid, other=""):
    body = {"resourceType": "Patient", "id": fid, "identifier": [{"value": "1", "assigner": {"display": "QH"}}]}
    if other:
        body["link"] = [{"type": "replaced-by", "other": {"reference": f"Patient/{other}"}}]
    return body


def test_a_number_of_two_persons_is_not_guessed_at():
    with pytest.raises(BadQuery, match="more than one person"):
        result(Record([patient("a"), patient("b")]), "QPD|G|T|1", event="QBP^Q21")


def test_a_merged_record_and_its_survivor_are_one_person():
    record = Record([patient("a", "b"), patient("b")], survivors={"b": patient("b")})
    assert len(result(record, "QPD|F|T|@PID.3.1^1").people) == 1


def test_a_survivor_out_of_sight_is_nobody():
    record = Record([patient("a", "b")], survivors={"b": GatewayError("not for you")})
    assert result(record, "QPD|F|T|@PID.3.1^1").people == []


def test_a_circle_of_merges_ends():
    record = Record([patient("a", "b")], survivors={"b": patient("b", "a"), "a": patient("a", "b")})
    assert result(record, "QPD|F|T|@PID.3.1^1").people == []


def test_a_store_that_fails_on_the_way_is_told():
    with pytest.raises(Transient):
        result(Record([patient("a", "b")], survivors={"b": Transient("busy")}), "QPD|F|T|@PID.3.1^1")


def test_pages_are_asked_for_until_the_answer_is_full():
    record = Record([patient("a"), patient("b")], [patient("c"), patient("d")])
    found = result(record, "QPD|F|T|@PID.8^M", "RCP|I|3^RD")
    assert (len(found.people), found.pointer) == (3, "1")
    assert record.asked[1][1] == Cursor((), 7)


def test_pages_of_which_nothing_agrees_are_not_asked_for_for_ever():
    record = Record([patient("a")], endless=True)
    with pytest.raises(GatewayError, match="Too many records"):
        result(record, "QPD|F|T|@PID.3.1^1~@PID.3.4^XX")
    assert len(record.asked) == queries._PAGES
