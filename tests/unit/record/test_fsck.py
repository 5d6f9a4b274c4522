"""The check of the store: silent on a sound one, and each kind of damage is named where it is."""

import pytest

from gateway.record import fsck, indexing
from gateway.store.bodies import pack
from gateway.store.values import State, item_id
from tests.store.make import arrival, work
from tests.unit.record.make import START_US, observation, patient, plans, tell, told


@pytest.fixture
def sound(store):
    """A store with two messages, what they became, and their items."""
    receipts = store.inbox.append([arrival("MSH|1", control_id="1"), arrival("MSH|2", control_id="2")])
    numbers = [receipt.id for receipt in receipts]
    plans(
        store,
        told(patient(gender="male"), observation(), number=numbers[0]),
        told(patient(gender="female"), observation(valueString="7"), number=numbers[1], at_us=START_US + 1),
    )
    with store.write() as tx:
        tx.work_put([work(number, State.APPLIED, applied_us=START_US) for number in numbers])
        tx.cursor_set("arrivals", numbers[-1])
    return store


def findings(store):
    return [finding for progress in fsck.check(store) for finding in progress.findings]


def damage(store, sql, *params, area="record"):
    with store.databases[area].write() as session:
        assert session.many(sql, [params]) > 0


def head(store, kind="Observation"):
    with store.read() as tx:
        return next(one for one in tx.heads_by_pid(range(1, 9000)).values() if one.type == kind)


def test_a_sound_store_has_no_findings(sound):
    steps = list(fsck.check(sound))
    assert [step.area for step in steps] == ["inbox", "resources", "audit"]
    assert findings(sound) == []
    assert all(step.done <= step.total for step in steps)


def test_an_empty_store_is_sound(store):
    assert findings(store) == []


def only(store, text):
    found = findings(store)
    assert any(text in finding.text for finding in found), found
    return found[0]


def test_changed_bytes_of_an_arrival(sound):
    damage(sound, "UPDATE arrival SET body=? WHERE control_id='1'", pack(b"MSH|x"), area="inbox")
    assert only(sound, "not those that were received").where.startswith("arrival ")


def test_an_arrival_without_a_state(sound):
    damage(sound, "DELETE FROM work WHERE item_id=?", item_id(1, 0))
    found = findings(sound)
    assert "no item of it has a state" in found[0].text
    assert any("does not say where it comes from" in finding.text for finding in found)


@pytest.mark.parametrize("text", [b"{", b'{"resourceType":"Patient","id":"x","meta":{"versionId":"2"}}', b'{"meta":3}'])
def test_a_text_that_is_not_what_was_written(sound, text):
    one = head(sound)
    damage(sound, "UPDATE version SET body=? WHERE vid=?", pack(text), one.pid << 24 | one.ver)
    assert {finding.where for finding in findings(sound)} == {f"Observation/{one.fid}"}


def test_a_body_that_cannot_be_unpacked(sound):
    one = head(sound)
    damage(sound, "UPDATE version SET body=? WHERE vid=?", b"\x01garbage", one.pid << 24 | one.ver)
    assert findings(sound)


def test_a_missing_version(sound):
    one = head(sound)
    damage(sound, "DELETE FROM version WHERE vid=?", one.pid << 24 | 1)
    assert only(sound, "not every one is there").where == f"Observation/{one.fid}"


def test_search_rows_that_differ(sound):
    damage(sound, "DELETE FROM search_token WHERE pid=?", head(sound, "Patient").pid)
    assert "token search rows" in only(sound, "reindex").text


def test_a_value_that_cannot_be_indexed(sound, monkeypatch):
    from gateway.errors import GatewayError

    def refuse(*_):
        raise GatewayError("value is not a date")

    monkeypatch.setattr(indexing.extract, "rows", refuse)
    assert "cannot be indexed" in only(sound, "not a date").text


def test_an_effect_of_an_item_that_was_given_up(sound):
    damage(sound, "UPDATE work SET state=?, applied_us=NULL WHERE item_id=?", int(State.DISCARDED), item_id(2, 0))
    only(sound, "was not applied")


def test_what_the_audit_trail_says_of_itself(sound, monkeypatch):
    monkeypatch.setattr(sound.audit, "verify", lambda: ["Audit row 1 was changed after it was written."])
    assert only(sound, "Audit row 1").where == "audit trail"


def test_a_reference_stored_before_its_target_is_right(store):
    late = observation(focus=[{"reference": "Device/not-yet"}])
    tell(store, patient(), late)
    assert not [finding for finding in findings(store) if "search rows" in finding.text]
