import json
import threading

import pytest

from gateway import clock
from gateway.errors import GatewayError, Transient
from gateway.listeners.intake import Intake
from gateway.listeners.options import ReceiveOptions
from gateway.listeners.outcomes import Outcome
from gateway.listeners.values import Verdict, Who
from gateway.mapping.feeds import Feed, FeedBook
from gateway.store.engine import open_store

HERE = Who("mllp", "10.0.0.7", "CN=his")


def hl7(control_id="A1", *, sender="HIS", msh11="P", msh12="2.4", msh15="", msh16="", kind="ADT^A08", name="张三"):
    return (
        f"MSH|^~\\&|{sender}|COUNTY|GW|REGION|20260105093000||{kind}|{control_id}|{msh11}|{msh12}|||{msh15}|{msh16}||UTF-8\r"
        f"PID|1||P1^^^COUNTY^MR||{name}\r"
    ).encode()


def fields(answer):
    """Return the segments of an answer as lists of fields."""
    return {line.split("|")[0]: line.split("|") for line in answer.decode().split("\r") if line}


def said(answer):
    """Return (MSA-1, MSA-2) of each payload."""
    return [tuple(fields(payload)["MSA"][1:3]) for payload in answer.payloads]


BOOK = FeedBook(
    [
        Feed("his", "county", match={"msh3": ("HIS",)}),
        Feed("his-two", "county", match={"msh3": ("TWO",)}, ack="enhanced"),
        Feed("strict", "county", match={"msh3": ("STRICT",)}, test_traffic="refuse"),
        Feed("any", "town", match={"msh3": ("ANY",)}, test_traffic="real"),
        Feed("waiting", "county", match={"msh3": ("WAIT",)}, ack_when="applied"),
        Feed("waiting-two", "county", match={"msh3": ("WAIT2",)}, ack_when="applied", ack="enhanced"),
        Feed("told", "county", match={"msh3": ("TOLD",)}, on_fault="reject"),
        Feed("rows", "town", format="csv"),
    ]
)


class Ends:
    """Stands in for the worker: messages end when the test says so."""

    def __init__(self):
        self.known = {}

    def __call__(self, keys):
        return [Outcome(*key, *self.known[key]) for key in keys if key in self.known]


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path}/gateway.db", tmp_path)
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def ends():
    return Ends()


@pytest.fixture
def intake(store, ends, tmp_path):
    made = Intake(store, BOOK, ReceiveOptions(tmp_path, applied_wait=0.05), ends)
    made.start()
    yield made
    made.stop(5)


def take(intake, raw, who=HERE):
    return intake.take(raw, who)


def test_a_message_is_stored_byte_for_byte_before_it_is_answered(intake, store):
    answer = take(intake, hl7())
    assert (answer.verdict, answer.feed, answer.messages) == (Verdict.STORED, "his", 1)
    assert said(answer) == [("AA", "A1")]
    (arrival,) = store.inbox.unpicked(0, 10)
    assert arrival.body == hl7()
    assert (arrival.feed, arrival.site, arrival.control_id, arrival.type, arrival.event, arrival.answer) == (
        "his",
        "county",
        "A1",
        "ADT",
        "A08",
        "AA",
    )
    assert (arrival.peer, arrival.listener, arrival.charset) == ("10.0.0.7", "mllp", "UTF-8")
    assert json.loads(arrival.envelope)["certificate"] == "CN=his"


def test_the_same_message_is_answered_alike_and_kept_once(intake, store, monkeypatch):
    first = take(intake, hl7())
    monkeypatch.setattr(clock, "now_us", lambda: 1)
    again = take(intake, hl7(), Who("mllp", "10.0.0.8"))
    assert again.payloads == first.payloads
    assert again.verdict is Verdict.DUPLICATE
    assert store.inbox.counts()["arrivals"] == 1


def test_the_same_control_id_with_another_body_is_another_message(intake, store):
    take(intake, hl7())
    assert take(intake, hl7(name="李四")).verdict is Verdict.STORED
    assert store.inbox.counts()["arrivals"] == 2


@pytest.mark.parametrize(
    ("raw", "reason", "control_id", "place"),
    [
        (b"hello", "not-hl7", "", ""),
        (b"", "not-hl7", "", ""),
        (hl7(sender="NOBODY"), "unknown-feed", "A1", "MSH^1^3"),
        (hl7(msh12="3.0"), "version", "A1", "MSH^1^12"),
        (hl7(sender="STRICT", msh11="T"), "processing-id", "A1", "MSH^1^11"),
        (b"FHS|^~\\&\rBHS|^~\\&\rBTS|0\rFTS|1\r", "not-hl7", "", ""),
    ],
)
def test_what_is_refused_is_logged_with_its_reason(intake, store, raw, reason, control_id, place):
    answer = take(intake, raw)
    assert answer.verdict is Verdict.REFUSED
    assert said(answer) == [("AR", control_id)]
    (row,) = store.inbox.rejects()
    assert row.reason.startswith(f"{reason}: ")
    assert (row.head, row.size) == (raw, len(raw))
    assert answer.reasons[0] in row.reason
    assert place in answer.payloads[0].decode()
    assert store.inbox.counts()["arrivals"] == 0


def test_an_unknown_sender_is_told_what_was_seen(intake, store):
    take(intake, hl7(sender="NOBODY"))
    (row,) = store.inbox.rejects()
    assert json.loads(row.seen) | {"msh3": "NOBODY", "peer": "10.0.0.7", "certificate": "CN=his"} == json.loads(
        row.seen
    )
    assert "MSH-3 'NOBODY'" in row.reason


def test_a_giant_is_refused_by_its_head(intake, store):
    told = []
    done = threading.Event()
    intake.oversize(hl7("BIG")[:4096], 40_000_000, 33_554_432, HERE, lambda answer: (told.append(answer), done.set()))
    assert done.wait(5)
    assert said(told[0]) == [("AR", "BIG")]
    (row,) = store.inbox.rejects()
    assert row.size == 40_000_000
    assert "40,000,000 bytes; at most 33,554,432 are taken" in row.reason
    intake.oversize(b"x" * 4096, 40_000_001, 33_554_432, HERE, lambda answer: (told.append(answer), done.set()))
    intake.take(hl7(), HERE)
    assert said(told[1]) == [("AR", "")]


def test_test_traffic_is_marked_unless_the_feed_says_otherwise(intake, store):
    for raw in (hl7("1", msh11="T"), hl7("2", msh11="D^A"), hl7("3", msh11="P"), hl7("4", sender="ANY", msh11="T")):
        take(intake, raw)
    assert [arrival.test for arrival in store.inbox.unpicked(0, 10)] == [True, True, False, False]


def test_an_acknowledgement_is_never_acknowledged(intake, store):
    answer = take(intake, hl7(kind="ACK^A08"))
    assert (answer.verdict, answer.payloads) == (Verdict.IGNORED, ())
    assert store.inbox.rejects()[0].reason.startswith("acknowledgement: ")


# -- several messages at once -------------------------------------------------------------------------------


def test_several_messages_are_one_arrival_with_an_answer_each(intake, store):
    raw = hl7("A1") + hl7("A2") + hl7("A3")
    answer = take(intake, raw)
    assert said(answer) == [("AA", "A1"), ("AA", "A2"), ("AA", "A3")]
    assert answer.messages == 3
    (arrival,) = store.inbox.unpicked(0, 10)
    assert arrival.body == raw
    assert take(intake, raw).payloads == answer.payloads
    assert len({fields(payload)["MSH"][9] for payload in answer.payloads}) == 3


def test_a_message_that_speaks_of_msh_is_one(intake):
    answer = take(intake, hl7() + b"NTE|1||the MSH segment\r")
    assert (said(answer), answer.messages) == ([("AA", "A1")], 1)


def test_messages_of_different_feeds_are_told_apart(intake, store):
    answer = take(intake, hl7("A1") + hl7("A2", sender="NOBODY") + hl7("A3", sender="ANY"))
    assert said(answer) == [("AA", "A1"), ("AR", "A2"), ("AA", "A3")]
    assert [arrival.feed for arrival in store.inbox.unpicked(0, 10)] == ["his", "any"]
    assert store.inbox.counts()["rejects"] == 1


def batch(*messages, count=None):
    count = len(messages) if count is None else count
    return (
        b"FHS|^~\\&|HIS|COUNTY\rBHS|^~\\&|HIS|COUNTY|GW|REGION|||||B77\r"
        + b"".join(messages)
        + b"BTS|%d\rFTS|1\r" % count
    )


def test_a_batch_is_one_arrival_and_one_batch_answer(intake, store):
    answer = take(intake, batch(hl7("A1"), hl7("A2")))
    (payload,) = answer.payloads
    lines = payload.decode().split("\r")
    assert [line[:3] for line in lines if line] == ["FHS", "BHS", "MSH", "MSA", "MSH", "MSA", "BTS", "FTS"]
    assert lines[-3] == "BTS|2"
    assert store.inbox.counts()["arrivals"] == 1
    assert take(intake, batch(hl7("A1"), hl7("A2"))).payloads == answer.payloads


def test_a_wrong_count_is_told_in_the_answer(intake):
    answer = take(intake, batch(hl7("A1"), count=5))
    assert "BTS-1 says 5" in answer.reasons[0]
    assert "BTS-1 says 5" in answer.payloads[0].decode()


def test_a_batch_is_taken_whole_or_not_at_all(intake, store):
    answer = take(intake, batch(hl7("A1"), hl7("A2", msh12="3.0")))
    assert answer.verdict is Verdict.REFUSED
    text = answer.payloads[0].decode()
    assert text.count("MSA|AR") == 2
    assert "Message 2 of 2" in text
    mixed = take(intake, batch(hl7("A1"), hl7("A2", msh11="T")))
    assert "mixes" in mixed.reasons[0]
    assert store.inbox.counts()["arrivals"] == 0


def test_a_file_of_rows_is_stored_whole_under_the_feed_its_door_names(intake, store):
    answer = take(intake, "姓名,性别\n张三,男\n".encode("gbk"), Who("folder", "a.csv", feed="rows"))
    assert (answer.verdict, answer.payloads) == (Verdict.STORED, ())
    assert store.inbox.unpicked(0, 1)[0].feed == "rows"


def test_a_door_that_names_an_unknown_feed_is_told(intake):
    answer = take(intake, hl7(), Who("http", feed="nowhere"))
    assert "No feed is called 'nowhere'" in answer.reasons[0]


def test_the_feed_a_door_names_wins_over_the_header(intake):
    assert take(intake, hl7(sender="NOBODY"), Who("http", feed="any")).feed == "any"


# -- enhanced mode ------------------------------------------------------------------------------------------

CONDITIONS = ["AL", "NE", "ER", "SU", ""]


@pytest.mark.parametrize("accept", CONDITIONS)
@pytest.mark.parametrize("application", CONDITIONS)
@pytest.mark.parametrize("outcome", ["AA", "AE", "AR"])
def test_the_matrix(intake, ends, store, accept, application, outcome):
    late, came = [], threading.Event()
    done, told = threading.Event(), []
    intake.submit(
        hl7(sender="TWO", msh15=accept, msh16=application),
        HERE,
        lambda answer: (told.append(answer), done.set()),
        lambda payload: (late.append(payload), came.set()),
    )
    assert done.wait(5)
    if not accept and not application:
        assert said(told[0]) == [("AA", "A1")]
    else:
        assert said(told[0]) == ([("CA", "A1")] if accept in ("AL", "SU") else [])
    wanted = application == "AL" or application == ("SU" if outcome == "AA" else "ER")
    ends.known[told[0].arrivals[0], 0] = (outcome, "the reason")
    if wanted:
        assert came.wait(5)
        assert tuple(fields(late[0])["MSA"][1:3]) == (outcome, "A1")
    else:
        intake._watcher.stop(5)
        assert late == []


@pytest.mark.parametrize(
    ("accept", "expected"), [("AL", [("CR", "A1")]), ("ER", [("CR", "A1")]), ("NE", []), ("SU", [])]
)
def test_a_refusal_follows_the_accept_condition(intake, accept, expected):
    assert said(take(intake, hl7(sender="TWO", msh12="3.0", msh15=accept))) == expected


def test_an_original_feed_answers_whatever_the_header_asks(intake):
    assert said(take(intake, hl7(msh15="NE", msh16="NE"))) == [("AA", "A1")]


def test_a_condition_nobody_knows_is_answered(intake):
    assert said(take(intake, hl7(sender="TWO", msh15="ALWAYS"))) == [("CA", "A1")]


def test_an_outcome_that_never_comes_is_never_told(store, tmp_path, ends):
    intake = Intake(store, BOOK, ReceiveOptions(tmp_path, late_wait=0), ends)
    intake.start()
    late, done = [], threading.Event()
    intake.submit(hl7(sender="TWO", msh15="AL", msh16="AL"), HERE, lambda answer: done.set(), late.append)
    assert done.wait(5)
    intake.stop(5)
    assert late == []


# -- ack_when: applied --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("outcome", "code"), [(("AA", ""), "AA"), (("AE", "bad date"), "AE"), (("AR", "no"), "AR")])
def test_an_answer_that_waits_tells_the_outcome_and_repeats_it(intake, ends, store, outcome, code):
    ends.known[1, 0] = outcome
    answer = take(intake, hl7(sender="WAIT"))
    assert said(answer) == [(code, "A1")]
    assert outcome[1] in answer.payloads[0].decode()
    ends.known[1, 0] = ("AA", "")
    assert take(intake, hl7(sender="WAIT")).payloads == answer.payloads


def test_an_answer_that_waited_long_enough_is_as_stored_and_stays_so(intake, ends):
    answer = take(intake, hl7(sender="WAIT"))
    assert said(answer) == [("AA", "A1")]
    ends.known[1, 0] = ("AE", "too late")
    assert take(intake, hl7(sender="WAIT")).payloads == answer.payloads


def test_an_accept_answer_may_tell_a_content_error(intake, ends):
    ends.known[1, 0] = ("AE", "bad date")
    assert said(take(intake, hl7(sender="WAIT2", msh15="AL"))) == [("CE", "A1")]


def test_an_answer_that_cannot_be_kept_is_not_given(intake, store, monkeypatch):
    def fail(*_):
        raise Transient("the disk is full")

    monkeypatch.setattr(store.inbox, "answered", fail)
    assert take(intake, hl7(sender="WAIT")).verdict is Verdict.UNAVAILABLE


# -- when the store fails -----------------------------------------------------------------------------------


def test_a_store_that_fails_is_silence(intake, store, monkeypatch):
    def fail(_):
        raise Transient("inbox.db: the disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(store.inbox, "append", fail)
        answer = take(intake, hl7())
    assert (answer.verdict, answer.payloads) == (Verdict.UNAVAILABLE, ())
    assert answer.reasons == ("inbox.db: the disk is full.",)
    assert take(intake, hl7()).verdict is Verdict.STORED


def test_a_refusal_that_cannot_be_logged_is_silence(intake, store, monkeypatch):
    def fail(_):
        raise Transient("full")

    monkeypatch.setattr(store.inbox, "reject", fail)
    assert take(intake, b"hello").verdict is Verdict.UNAVAILABLE


def test_a_feed_may_ask_for_a_rejection_instead_of_silence(intake, store, monkeypatch):
    def fail(_):
        raise Transient("full")

    monkeypatch.setattr(store.inbox, "append", fail)
    answer = take(intake, hl7(sender="TOLD"))
    assert answer.verdict is Verdict.REFUSED
    assert said(answer) == [("AR", "A1")]


def test_one_message_the_store_cannot_take_costs_the_others_nothing(store, tmp_path, monkeypatch, ends):
    real = store.inbox.append

    def append(arrivals):
        if any(arrival.control_id == "BAD" for arrival in arrivals):
            raise GatewayError("This row cannot be kept.")
        return real(arrivals)

    monkeypatch.setattr(store.inbox, "append", append)
    intake = Intake(store, BOOK, ReceiveOptions(tmp_path), ends)
    told = {}
    for control_id in ("A1", "BAD", "A2"):
        intake.submit(hl7(control_id), HERE, lambda answer, key=control_id: told.update({key: answer.verdict}))
    intake.start()
    intake.stop(5)
    assert told == {"A1": Verdict.STORED, "BAD": Verdict.UNAVAILABLE, "A2": Verdict.STORED}


def test_a_fault_of_ours_is_silence_and_told_in_the_log(intake, monkeypatch, caplog):
    def fail(*_):
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr("gateway.listeners.door.read", fail)
        assert take(intake, hl7()).verdict is Verdict.UNAVAILABLE
    assert "could not be judged" in caplog.text
    assert take(intake, hl7()).verdict is Verdict.STORED


def test_a_listener_that_fails_does_not_stop_the_others(intake, caplog):
    def fail(_):
        raise RuntimeError

    intake.submit(hl7("A1"), HERE, fail)
    assert take(intake, hl7("A2")).verdict is Verdict.STORED
    assert "could not be handed over" in caplog.text


def test_waiting_for_a_stuck_store_ends(store, tmp_path, ends, monkeypatch):
    monkeypatch.setattr("gateway.listeners.intake._TAKE_SECONDS", 0.01)
    intake = Intake(store, BOOK, ReceiveOptions(tmp_path), ends)
    answer = intake.take(hl7(), HERE)
    assert answer.verdict is Verdict.UNAVAILABLE
    assert "sending it again is safe" in answer.reasons[0]
    assert intake.waiting == 1


def test_messages_that_wait_together_share_one_transaction(store, tmp_path, ends, monkeypatch):
    groups = []
    real = store.inbox.append
    monkeypatch.setattr(store.inbox, "append", lambda arrivals: groups.append(len(arrivals)) or real(arrivals))
    intake = Intake(store, BOOK, ReceiveOptions(tmp_path, group=4), ends)
    for number in range(10):
        intake.submit(hl7(str(number)), HERE, lambda answer: None)
    intake.start()
    intake.stop(5)
    assert groups == [4, 4, 2]


def test_counts_by_verdict_reason_and_feed(intake):
    for raw in (hl7(), hl7(), b"hello", hl7(sender="STRICT", msh11="T")):
        take(intake, raw)
    found = intake.counters.snapshot()
    assert found["counts"] | {"stored": 1, "duplicate": 1, "refused": 2, "refused:not-hl7": 1} == found["counts"]
    assert found["feeds"]["his"] | {"stored": 1, "duplicate": 1} == found["feeds"]["his"]
    assert found["feeds"]["strict"]["refused"] == 1


def test_another_book_is_used_from_the_next_message_on(intake):
    intake.use(FeedBook([Feed("new", "town", match={"msh3": ("NOBODY",)})]))
    assert take(intake, hl7(sender="NOBODY")).feed == "new"


def test_a_store_that_hangs_is_noticed(store, tmp_path, ends, monkeypatch):
    entered, go = threading.Event(), threading.Event()
    real = store.inbox.append

    def append(arrivals):
        entered.set()
        go.wait(5)
        return real(arrivals)

    monkeypatch.setattr(store.inbox, "append", append)
    intake = Intake(store, BOOK, ReceiveOptions(tmp_path, store_wait=5), ends)
    intake.start()
    intake.submit(hl7(), HERE, lambda answer: None)
    assert entered.wait(5)
    assert not intake.stuck(clock.monotonic())
    assert intake.stuck(clock.monotonic() + 6)
    go.set()
    intake.stop(5)
    assert not intake.stuck(clock.monotonic() + 6)
