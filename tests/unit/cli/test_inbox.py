import json
import re

from gateway.cli import redact
from gateway.settings import shipped
from gateway.store.values import State
from tests.unit.cli.conftest import MESSAGES, gateway


def test_list_shows_items_newest_first_with_their_reason(town):
    lines = town("inbox", "list").output.splitlines()
    shown = [line.split() for line in lines if re.search(r"\d{6,}", line)]
    assert [int(next(word for word in line if word.isdigit())) for line in shown] == town.items[::-1]
    assert "key-reused" in next(line for line in lines if str(town.parked) in line)


def test_list_can_be_narrowed(town):
    parked = town("inbox", "list", "--state", "parked", "--reason", "key-reused").output
    assert str(town.parked) in parked
    assert str(town.applied) not in parked
    assert not re.search(r"\d{6,}", town("inbox", "list", "--feed", "county-his", "--reason", "invalid").output)
    assert len(re.findall(r"^. *\d{6,}", town("inbox", "list", "--limit", "2").output, re.M)) == 2


def test_show_tells_what_came_in_what_became_of_it_and_why(town):
    applied = town("inbox", "show", town.applied).output
    assert f"item {town.applied}" in applied
    assert "made DiagnosticReport/" in applied
    assert "|张三|" in applied
    parked = town("inbox", "show", town.parked).output
    assert "parked key-reused" in parked
    assert "already known with another person" in parked


def test_show_raw_gives_the_bytes_as_received(town):
    assert town("inbox", "show", town.applied, "--raw").stdout_bytes == MESSAGES[0]


def test_show_of_one_message_of_a_batch_gives_its_own_bytes(tmp_path):
    batch = tmp_path / "two.hl7"
    batch.write_bytes(MESSAGES[0] + MESSAGES[3])
    data = tmp_path / "data"
    assert gateway("ingest", batch, "--data", data, "--feed", "county-lis").exit_code == 0
    from tests.support.county import county

    with county(f"sqlite:///{data}/gateway.db", data) as town:
        town.work()
        items = [item.item_id for item in town.items()]
    assert gateway("inbox", "show", items[1], "--raw", "--data", data).stdout_bytes == MESSAGES[3].rstrip(b"\r")


def test_show_of_an_unknown_item_says_so(town):
    result = town("inbox", "show", 7)
    assert (result.exit_code, result.output) == (1, "gateway: There is no item 7.\n")


def test_show_says_when_the_bytes_are_past_retention(town):
    with town.opened() as opened:
        opened.store.inbox.prune(1 << 62)
    result = town("inbox", "show", town.applied)
    assert result.exit_code == 1
    assert "past retention" in result.output


def test_undecodable_bytes_are_shown_as_far_as_they_can_be_read(town):
    with town.opened() as opened:
        (*_, last) = opened.run(MESSAGES[3].replace("王五".encode(), b"\xff\x80\xfe\x7c").replace(b"M4", b"M9"))
    shown = town("inbox", "show", last.item_id)
    assert shown.exit_code == 0
    assert "\\xff" in shown.output
    assert "PID|" in town("inbox", "show", last.item_id, "--redacted").output


def personal(raw):
    """Return what tells of a person in a message: names, numbers, addresses, whole and in parts of two or more."""
    text = next(raw.decode(name) for name in ("utf-8", "gb18030") if _decodes(raw, name))
    lines = [line.split("|")[2:] for line in re.split("[\r\n]", text) if not line.startswith("MSH")]
    words = {word for line in lines for field in line for word in re.split(r"[~^&]", field)}
    return {word for word in words if re.search(r"[\u3400-\u9fff]|\d{4}", word)}


def _decodes(raw, name):
    try:
        raw.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def test_redacted_lets_no_name_number_or_ideograph_through(tmp_path):
    from tests.support.county import county

    folder = shipped("examples") / "messages"
    raws = [path.read_bytes() for path in sorted(folder.glob("*.hl7"))]
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path) as town:
        town.send(*raws)
        town.work()
        items = town.items()
        kept = {item.item_id: town.store.inbox.raw(item.item_id >> 20) for item in items}
    assert {item.state for item in items} >= {State.APPLIED, State.PARKED}
    shown = gateway("inbox", "show", items[0].item_id, "--redacted", "--data", tmp_path).output
    assert redact.message(kept[items[0].item_id]) in shown
    for item in items:
        raw = kept[item.item_id]
        issues = [redact.sentence(text, raw) for _, _, text, _ in json.loads(item.issues)]
        text = "\n".join([redact.message(raw), *issues])
        assert not re.search(r"[\u3400-\u4dff\u4e00-\u67cf\u67d1-\u9fff]", text), "no ideograph but 某"
        if _decodes(raw, "utf-8") or _decodes(raw, "gb18030"):
            assert [word for word in personal(raw) if word in text] == []


def test_redacted_keeps_the_shape(town):
    shown = town("inbox", "show", town.applied, "--redacted").output
    assert "MSH|^~\\&|xxx|xxxxxxx|xx|xx|99999999999999||ORU^R01|x9|P|2.4|" in shown
    assert "PID|9||x9^^^^xxxxxxx||某某||99999999|x" in shown
    assert "OBX|1|NM|xxx^某某xxx^xxxxx||9.9|" in shown


def test_redacted_and_raw_together_are_redacted(town):
    assert "张三" not in town("inbox", "show", town.applied, "--raw", "--redacted").output


def test_retry_queues_what_was_parked(town):
    result = town("inbox", "retry", town.parked)
    assert (result.exit_code, result.output) == (0, "queued: 1 of 1\n")
    assert town.states() == ["applied", "queued", "held", "applied"]


def test_retry_says_what_it_could_not_do(town):
    result = town("inbox", "retry", town.parked, town.applied, 7)
    assert result.exit_code == 1
    assert "queued: 1 of 3" in result.output
    assert "another state, or are unknown" in result.output


def test_replay_of_items_and_of_a_whole_feed(town):
    assert town("inbox", "replay", town.applied).output == "queued: 1 of 1\n"
    assert town("inbox", "replay", "--feed", "county-lis").output.startswith("queued: ")
    assert town.states() == ["queued", "queued", "held", "applied"]
    with town.opened() as opened:
        opened.work()
        assert [row.reason for row in opened.items() if row.state == State.PARKED] == ["key-reused"]


def test_replay_of_a_feed_nobody_knows_replays_nothing(town):
    assert town("inbox", "replay", "--feed", "nobody").output == "queued: 0 of 0\n"


def test_discard_keeps_the_reason_and_lets_go_what_was_held(town):
    assert town("inbox", "discard", town.parked, "--reason", "the vendor's test").output == "discarded: 1 of 1\n"
    assert town.states() == ["applied", "discarded", "queued", "applied"]
    assert "discarded the vendor's test" in town("inbox", "show", town.parked).output
