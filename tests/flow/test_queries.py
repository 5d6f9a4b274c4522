"""Queries over MLLP: a stock client asks, the record answers, within its site, audited, without holding anybody up."""

import asyncio
import threading

import pytest
from hl7.client import MLLPClient

from gateway.errors import Transient
from gateway.listeners import queries
from gateway.listeners.options import GateOptions, MllpOptions, ReceiveOptions
from gateway.listeners.process import Receiver, loop_factory
from gateway.mapping.feeds import Feed, FeedBook
from tests.support.county import county, hl7, msh

ALL = ("QBP^Q22", "QBP^Q21", "QRY^A19", "ADT^ZP1")
SITE = "county-hospital"
BOOK = FeedBook(
    [
        Feed("asker", SITE, match={"msh3": ("ASK",)}, queries=ALL),
        Feed("gbk", SITE, match={"msh3": ("GBK",)}, queries=ALL, charset="gb18030"),
        Feed("mute", SITE, match={"msh3": ("MUTE",)}),
        Feed("clinic", "clinic", match={"msh3": ("CLINIC",)}, queries=("QBP^Q22",)),
        Feed("region", "clinic", match={"msh3": ("REGION",)}, queries=("QBP^Q22",), query_scope="community"),
    ]
)
RESIDENT = "11010519491231002X"


def pid(number, name="张三", birth="19800101", extra=""):
    return f"PID|1||{number}^^^QH^LocalID{extra}||{name}||{birth}|M|||城关镇1号^^青禾县^^519927||10012345678"


class Town:
    """A county whose receiver listens, with persons in its record."""

    def __init__(self, made, folder):
        self.county = made
        self.store = made.store
        options = ReceiveOptions(folder, mllp=(MllpOptions(port=0),), gate=GateOptions(1, 0))
        self.receiver = Receiver(options, made.store, BOOK)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self.receiver.ready.wait(20)

    def _run(self):
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(self.receiver.run())

    def stop(self):
        self.receiver.stop()
        self.thread.join(20)

    def raw(self, message):
        with MLLPClient("127.0.0.1", self.receiver.mllp[0].port) as client:
            return client.send_message(message).strip(b"\x0b\x1c\r")

    def ask(self, message, charset="utf-8"):
        """Return the segments of the answer by name."""
        found = {}
        for line in self.raw(message).decode(charset).split("\r"):
            found.setdefault(line[:3], []).append(line.split("|"))
        return found

    def audited(self):
        with self.store.databases["audit"].read() as session:
            return session.run("SELECT actor, action, outcome, detail FROM audit ORDER BY id")


@pytest.fixture
def town(database_url, tmp_path):
    with county(database_url, tmp_path) as made:
        made.run(
            hl7(msh("M1", "ADT^A04"), pid("P1", extra=f"~{RESIDENT}^^^^IdentifyNO")),
            hl7(msh("M2", "ADT^A04"), pid("P2", "张三丰", "19900202")),
            hl7(msh("M3", "ADT^A04"), pid("P3", "李珅", "19700303")),
        )
        assert made.states() == ["applied"] * 3
        running = Town(made, tmp_path)
        yield running
        running.stop()


def q22(*wanted, sender="ASK", control="Q1", limit="", pointer="", charset="UNICODE UTF-8", event="QBP^Q22^QBP_Q21"):
    header = f"MSH|^~\\&|{sender}|QHXRMYY|GW|QH|20260105080000||{event}|{control}|P|2.5||||||{charset}"
    tail = [f"RCP|I|{limit}^RD"] + ([f"DSC|{pointer}|I"] if pointer else [])
    return hl7(header, f"QPD|IHE PDQ Query|TAG1|{'~'.join(wanted)}", *tail)


def names(answer):
    return [one[5].split("^")[0] for one in answer.get("PID", [])]


def test_candidates_are_found_by_name_and_the_question_is_echoed(town):
    answer = town.ask(q22("@PID.5.1^张*"))
    (header,), (status,), (acknowledged,) = answer["MSH"], answer["QAK"], answer["MSA"]
    assert (header[4], header[8], header[17]) == ("ASK", "RSP^K22^RSP_K22", "UNICODE UTF-8")
    assert acknowledged[1:] == ["AA", "Q1"]
    assert status[1:] == ["TAG1", "OK", "IHE PDQ Query", "2", "2", "0"]
    assert answer["QPD"] == [["QPD", "IHE PDQ Query", "TAG1", "@PID.5.1^张*"]]
    assert sorted(names(answer)) == ["张三", "张三丰"]
    assert "DSC" not in answer
    assert town.store.inbox.last_id() == 3, "a query is not an arrival"


def test_a_name_without_wildcard_is_that_name(town):
    assert names(town.ask(q22("@PID.5.1^张三"))) == ["张三"]
    assert names(town.ask(q22("@PID.5.1^张", "@PID.5.2^三"))) == ["张三"]


def test_pid_tells_what_the_record_knows(town):
    (found,) = town.ask(q22("@PID.3.1^P1"))["PID"]
    assert found[3] == f"P1^^^QH^LocalID~{RESIDENT}^^^&2.16.156.10011.1.3&ISO"
    assert (found[5], found[7], found[8]) == ("张三^^^^^^L", "19800101", "M")
    assert found[11] == "城关镇1号^^青禾县^^519927"
    assert found[13] == "10012345678"
    assert found[19] == RESIDENT


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (["@PID.3.1^P1", "@PID.3.4.1^QH", "@PID.3.5^LocalID"], ["张三"]),
        (["@PID.3.1^P1", "@PID.3.5^Card_No"], []),
        (["@PID.3.1^P1", "@PID.3.4.1^ELSEWHERE"], []),
        ([f"@PID.19^{RESIDENT}"], ["张三"]),
        (["@PID.7^19900202"], ["张三丰"]),
        (["@PID.7^19900202", "@PID.8^F"], []),
        (["@PID.5.1^李*", "@PID.13^10012345678"], ["李珅"]),
        (["@PID.11.3^青禾县", "@PID.5.1^李珅"], ["李珅"]),
        (["@PID.3.1^P1,P2"], []),
        (["@PID.3.1^NOBODY"], []),
    ],
)
def test_every_element_narrows(town, wanted, found):
    answer = town.ask(q22(*wanted))
    assert names(answer) == found
    assert answer["QAK"][0][2] == ("OK" if found else "NF")
    assert answer["MSA"][0][1] == "AA"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (q22("@PID.22^1"), "PID-22.1 is not searched by"),
        (q22("@ORC.2^1"), "QPD-3 asks by '@ORC.2'"),
        (q22("@PID.3.1^"), "names nobody"),
        (q22("@PID.3.4.1^QH"), "by an authority alone"),
        (q22("@PID.7^soon"), "no date"),
        (q22("@PID.8^X"), "M, F, O and U are known"),
        (q22("@PID.5.3^x"), "PID-5.3 is not searched by"),
        (q22("@PID.3.1^P1", limit="many"), "a whole number from 1"),
        (q22("@PID.3.1^P1", limit="0"), "a whole number from 1"),
        (q22("@PID.3.1^P1", pointer="'; DROP"), "no continuation pointer"),
        (hl7(*q22("@PID.3.1^P1").decode().split("\r")[:1]), "no QPD segment"),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(town, message, told):
    answer = town.ask(message)
    assert answer["MSA"][0][1] == "AE"
    assert told in answer["MSA"][0][3]
    assert answer["ERR"][0][3].split("^")[0] == "102"
    assert answer["QAK"][0][2] == "AE"
    assert "PID" not in answer


def test_an_answer_goes_on_where_it_stopped(town):
    seen, pointer = [], ""
    for _ in range(3):
        answer = town.ask(q22("@PID.13^10012345678", limit="1", pointer=pointer))
        seen += names(answer)
        pointer = answer["DSC"][0][1] if "DSC" in answer else ""
    assert sorted(seen) == ["张三", "张三丰", "李珅"]
    assert pointer == ""


def test_a_feed_in_gb18030_is_asked_and_answered_in_gb18030(town):
    message = q22("@PID.5.1^李珅", sender="GBK", charset="").decode().encode("gb18030")
    raw = town.raw(message)
    assert "李珅".encode("gb18030") in raw
    assert names(town.ask(message, "gb18030")) == ["李珅"]


def test_a_feed_sees_its_own_site_unless_it_may_see_all(town):
    assert town.ask(q22("@PID.5.1^张*", sender="CLINIC"))["QAK"][0][2] == "NF"
    assert len(names(town.ask(q22("@PID.5.1^张*", sender="REGION")))) == 2
    rows = town.audited()
    assert [row[0] for row in rows] == ["feed:clinic", "feed:region", "feed:region"]
    assert {row[1:3] for row in rows} == {("search", "success")}
    assert "张" not in "".join(row[3] for row in rows), "what was asked for stands nowhere, only by what"


def test_a_feed_asks_nothing_unless_it_may(town):
    for message, may in (
        (q22("@PID.3.1^P1", sender="MUTE"), "may ask nothing"),
        (q22("@PID.3.1^P1", sender="CLINIC", event="QBP^Q21"), "may ask only QBP\\S\\Q22, not QBP\\S\\Q21"),
        (q22("@PID.3.1^P1", event="QRY^R02"), "not QRY\\S\\R02"),
    ):
        answer = town.ask(message)
        assert answer["MSA"][0][1] == "AR"
        assert may in answer["MSA"][0][3]
        assert "PID" not in answer
    assert len(town.store.inbox.rejects()) == 3
    assert town.audited() == []


def test_demographics_of_one_number(town):
    answer = town.ask(q22("P1^^^QH^LocalID", event="QBP^Q21^QBP_Q21"))
    assert answer["MSH"][0][8] == "RSP^K21^RSP_K21"
    assert names(answer) == ["张三"]


def test_the_original_mode_query_is_answered_with_demographics(town):
    header = "MSH|^~\\&|ASK|QHXRMYY|GW|QH|20260105||QRY^A19|Q1|P|2.3||||||UNICODE UTF-8"
    by_number = town.ask(hl7(header, "QRD|20260105|R|I|TAG7|||10^RD|P3|DEM"))
    assert by_number["MSH"][0][8] == "ADR^A19^ADR_A19"
    assert by_number["QRD"][0][4] == "TAG7"
    assert by_number["QAK"][0][1:3] == ["TAG7", "OK"]
    assert names(by_number) == ["李珅"]
    assert names(town.ask(hl7(header, "QRD|20260105|R|I|TAG7|||10^RD|^李珅|DEM", "QRF|GW"))) == ["李珅"]
    other = town.ask(hl7(header, "QRD|20260105|R|I|TAG7|||10^RD|P3|RES"))
    assert (other["MSA"][0][1], "only DEM" in other["MSA"][0][3]) == ("AE", True)


def test_a_home_made_event_is_a_query_where_the_feed_says_so(town):
    header = "MSH|^~\\&|ASK|QHXRMYY|GW|QH|20260105||ADT^ZP1|Q1|P|2.4||||||UNICODE UTF-8"
    answer = town.ask(hl7(header, f"PID|1||{RESIDENT}^^^^IdentifyNO||张三"))
    assert answer["MSH"][0][8] == "RSP^K23^RSP_K23"
    assert names(answer) == ["张三"]
    stored = town.ask(hl7(header.replace("ASK", "MUTE"), "PID|1||P1"))
    assert (stored["MSA"][0][1], town.store.inbox.last_id()) == ("AA", 4)


def test_a_number_that_was_merged_away_names_the_survivor(town):
    town.county.run(hl7(msh("M4", "ADT^A40"), "EVN|A40|20260107", pid("P1"), "MRG|P2^^^QH^LocalID"))
    answer = town.ask(q22("@PID.3.1^P2"))
    assert names(answer) == ["张三"]


def test_test_queries_see_test_persons_only(town):
    message = q22("@PID.5.1^张*").replace(b"|P|2.5", b"|T|2.5")
    assert town.ask(message)["QAK"][0][2] == "NF"


def test_queries_among_other_messages_are_refused(town):
    batch = hl7("BHS|^~\\&|ASK", *q22("@PID.3.1^P1").decode().strip("\r").split("\r"), "BTS|1")
    assert b"A query comes by itself" in town.raw(batch)


def test_nobody_waits_for_a_search(town, monkeypatch):
    """While every query thread hangs in its search, an ordinary message is answered."""
    go_on = threading.Event()
    genuine = queries.Queries._result

    def slow(self, actor, query):
        go_on.wait(20)
        return genuine(self, actor, query)

    monkeypatch.setattr(queries.Queries, "_result", slow)
    answers = []
    asking = [
        threading.Thread(target=lambda: answers.append(town.ask(q22("@PID.3.1^P1")))) for _ in range(queries.THREADS)
    ]
    for thread in asking:
        thread.start()
    feed = hl7(msh("M9", "ADT^A08", sender="ASK"), pid("P9"))
    assert town.ask(feed)["MSA"][0][1:] == ["AA", "M9"]
    assert answers == []
    go_on.set()
    for thread in asking:
        thread.join(20)
    assert [names(answer) for answer in answers] == [["张三"]] * queries.THREADS


def test_too_many_queries_and_a_broken_store_are_told_plainly(town, monkeypatch):
    monkeypatch.setattr(queries, "WAITING", 0)
    assert "Too many queries are waiting" in town.ask(q22("@PID.3.1^P1"))["MSA"][0][3]
    monkeypatch.undo()

    def raises(fault):
        def search(*_given):
            raise fault

        return search

    for fault, told in (
        (Transient("gateway.db is busy."), "The record cannot be asked now"),
        (RuntimeError("a fault of ours"), "The gateway failed on this query"),
    ):
        monkeypatch.setattr("gateway.record.repository.Repository.search", raises(fault))
        answer = town.ask(q22("@PID.3.1^P1"))
        assert (answer["MSA"][0][1], told in answer["MSA"][0][3]) == ("AE", True)


def test_a_query_that_waited_too_long_is_told_to_come_back(town, monkeypatch):
    monkeypatch.setattr(town.receiver.intake._queries, "_seconds", -1.0)
    assert "waited too long" in town.ask(q22("@PID.3.1^P1"))["MSA"][0][3]


def test_queries_are_counted_by_feed(town):
    town.ask(q22("@PID.3.1^P1"))
    assert town.receiver.intake.counters.snapshot()["feeds"]["asker"]["asked"] == 1
