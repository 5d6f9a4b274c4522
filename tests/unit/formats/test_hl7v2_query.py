"""Queries as values: what is read of each kind, and answers that a strict reader understands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats import hl7v2, hl7v2_envelope, hl7v2_query
from gateway.formats.hl7v2_ack import AckError
from gateway.formats.hl7v2_query import Address, BadQuery, Number, Person, Result, Wanted

HEAD = "MSH|^~\\&|A|B|GW|QH|20260105||{event}|C1|P|2.5||||||UNICODE UTF-8"


def message(event, *segments):
    return hl7v2.parse("\r".join((HEAD.format(event=event), *segments)) + "\r")


def read(event, *segments):
    return hl7v2_query.read(message(event, *segments))


def answer(result, query=None, event="QBP^Q22"):
    envelope = hl7v2_envelope.read(message(event).text.encode())
    raw = hl7v2_query.respond(envelope, query, result, ack_id="Q1", time="20260105080000")
    return hl7v2.parse(raw.decode())


def test_reads_parameters_by_component():
    query = read("QBP^Q22", "QPD|Find|T1|@PID.3.1^A\\T\\B~@PID.3.4.2^1.2~PID.5^张", "RCP|I|7^RD", "DSC|99|I")
    assert query.wanted == (Wanted(3, 1, "A&B"), Wanted(3, 4, "1.2", 2), Wanted(5, 1, "张"))
    assert (query.tag, query.name, query.limit, query.pointer) == ("T1", "Find", 7, "99")


def test_limits_are_capped_and_usual():
    assert read("QBP^Q22", "QPD|F|T|@PID.8^M", "RCP|I|100000^RD").limit == hl7v2_query.MOST
    assert read("QBP^Q22", "QPD|F|T|@PID.8^M").limit == hl7v2_query.USUAL


@pytest.mark.parametrize(
    ("event", "segments", "where"),
    [
        ("QBP^Q22", (), "QPD[1]"),
        ("QRY^A19", (), "QRD[1]"),
        ("ADT^ZP1", (), "PID[1]"),
        ("QBP^Q22", ("QPD|F|T|",), "QPD[1]"),
        ("QBP^Q21", ("QPD|F|T|^^^",), "QPD[1]"),
        ("ADT^ZP1", ("PID|1||",), "PID[1]"),
        ("QBP^Q22", ("QPD|F|T|@PID.8^M", "RCP|I|-3"), "RCP[1]-2"),
        ("QBP^Q22", ("QPD|F|T|@PID.8^M", "RCP|I|" + "9" * 5000), "RCP[1]-2"),
        ("QRY^A19", ("QRD|1|R|I|T|||x|P1|DEM",), "QRD[1]-7"),
        ("QRY^A19", ("QRD|1|R|I|T||||P1|RES",), "QRD[1]-9"),
    ],
)
def test_faults_name_their_field(event, segments, where):
    with pytest.raises(BadQuery) as caught:
        read(event, *segments)
    assert caught.value.where == where


@given(st.text(max_size=60), st.text(max_size=20))
def test_no_query_raises_anything_else(asked, limit):
    for event, segments in (
        ("QBP^Q22", (f"QPD|F|T|{asked}", f"RCP|I|{limit}")),
        ("QBP^Q21", (f"QPD|F|T|{asked}",)),
        ("QRY^A19", (f"QRD|1|R|I|T|||{limit}|{asked}",)),
        ("ADT^ZP1", (f"PID|1||{asked}",)),
    ):
        try:
            query = read(event, *segments)
        except BadQuery:
            continue
        assert 0 < query.limit <= hl7v2_query.MOST
        assert query.wanted


def test_values_of_persons_are_escaped():
    person = Person(
        numbers=(Number("a^b", "x&y"), Number("7", oid="1.2.3", type="T")),
        names=(("王|五", "", "L"),),
        addresses=(Address("line~1", "c"),),
        home_phones=("1", "2"),
        work_phones=("3",),
        dead=True,
    )
    pid = answer(Result([person])).first("PID")
    assert pid.value(3) == "a^b"
    assert pid.value(3, 4) == "x&y"
    assert pid.reps(3)[1] == "7^^^&1.2.3&ISO^T"
    assert pid.value(5) == "王|五"
    assert pid.value(11) == "line~1"
    assert (pid.raw(13), pid.raw(14), pid.raw(30)) == ("1~2", "3", "Y")


def test_the_status_tells_found_nobody_and_faults_apart():
    query = read("QBP^Q22", "QPD|Find|T\\F\\1|@PID.8^M")
    assert answer(Result(), query).first("QAK").line == "QAK|T\\F\\1|NF|Find|0|0|0"
    assert answer(Result([Person()]), query).first("QAK").line == "QAK|T\\F\\1|OK|Find|1|1|0"
    assert answer(Result([Person()], "17"), query).first("QAK").line == "QAK|T\\F\\1|OK|Find"
    assert answer(Result([Person()], "17"), query).first("DSC").line == "DSC|17|I"
    failed = answer(Result(fault=AckError("102", "why", "QPD[1]-3")))
    assert [segment.name for segment in failed.segments] == ["MSH", "MSA", "ERR", "QAK"]
    assert (failed.first("MSA").value(1), failed.first("QAK").value(2)) == ("AE", "AE")


@pytest.mark.parametrize(
    ("event", "structure"),
    [("QBP^Q22", "RSP_K22"), ("QBP^Q21", "RSP_K21"), ("QRY^A19", "ADR_A19"), ("ADT^ZP1", "RSP_K23")],
)
def test_each_query_has_its_answer(event, structure):
    assert answer(Result(), event=event).header.value(9, 3) == structure
    assert answer(Result(), event="QBP^Q99").header.value(9, 3) == "RSP_K22"
