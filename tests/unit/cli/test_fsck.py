"""Every kind of damage is found and named; on both databases through the check, on SQLite through the command."""

import hashlib

import pytest

from gateway.record import fsck
from tests.support.county import county, hl7, lab, msh, pid
from tests.unit.cli.conftest import gateway


def damage(store, area, *statements):
    with store.databases[area].write() as session:
        for statement in statements:
            assert session.do(statement) > 0, statement


def test_a_sound_store(town):
    result = town("fsck")
    assert (result.exit_code, result.stdout) == (0, "the store is sound\n")


@pytest.mark.parametrize(
    ("area", "statement", "told"),
    [
        ("inbox", "UPDATE arrival SET body=x'4d5348' WHERE id=2", "arrival 2: its bytes are not those"),
        ("record", "DELETE FROM search_token WHERE pid=1", "Patient/{}: its token search rows"),
        ("record", "DELETE FROM search_string WHERE pid=1", "Patient/{}: its string search rows"),
        ("record", "DELETE FROM search_clinical", "its clinical search rows"),
        ("record", "UPDATE search_reference SET target=target+1", "its reference search rows"),
        ("record", "UPDATE version SET item_id=NULL WHERE vid >> 24 = 1", "Patient/{}: version 1 does not say"),
        (
            "record",
            "UPDATE version SET body=x'01ffff' WHERE vid >> 24 = 1",
            "Patient/{}: A stored body is damaged",
        ),
        ("record", "UPDATE resource SET digest=x'00' WHERE pid=1", "Patient/{}: the text of version 1 is not"),
        ("record", "UPDATE resource SET fid='other' WHERE pid=1", "Patient/other: its text says Patient/{}"),
        ("record", "DELETE FROM work WHERE item_id >> 20 = 2", "arrival 2: it was picked up, but no item"),
    ],
)
def test_damage_is_found_and_named(town, area, statement, told):
    with town.opened() as opened:
        fid = opened.all("Patient")[0]["id"]
        damage(opened.store, area, statement)
    result = town("fsck")
    assert result.exit_code == 1
    assert told.format(fid) in result.stdout
    assert "faults" in result.stdout


def test_a_flipped_audit_row_is_found(town):
    from gateway.store.values import AuditRow

    with town.opened() as opened:
        opened.store.audit.record([AuditRow(1, "someone", "read", "success")])
        with opened.store.databases["audit"].write() as session:
            (trigger, *_) = session.run("SELECT name FROM sqlite_master WHERE type='trigger' AND sql LIKE '%UPDATE%'")[
                0
            ]
            session.do(f"DROP TRIGGER {trigger}")
        damage(opened.store, "audit", "UPDATE audit SET actor='nobody'")
    assert "audit trail: Audit row 1 was changed" in town("fsck").stdout


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE version SET item_id=NULL", "does not say where it comes from"),
        ("DELETE FROM version WHERE ver_of(vid)=1", "of 2 versions not every one is there"),
        ("UPDATE work SET state=11, applied_us=NULL", "which was not applied"),
        ("DELETE FROM search_reference", "its reference search rows"),
        ("DELETE FROM version WHERE vid >> 24 = 1 AND ver_of(vid)=2", "version 2, its current one, is lost"),
    ],
)
def test_every_version_is_checked_on_every_database(database_url, tmp_path, statement, told):
    with county(database_url, tmp_path) as town:
        town.run(lab("M1", "R1", ("GLU", "5.1")), hl7(msh("M2", time="20260107080000"), pid("P1", "李四")))
        assert [finding for step in fsck.check(town.store) for finding in step.findings] == []
        damage(town.store, "record", statement.replace("ver_of(vid)", "vid & 16777215"))
        texts = [finding.text for step in fsck.check(town.store) for finding in step.findings]
    assert any(told in text for text in texts), texts


def test_a_reference_stored_before_its_target_is_sound(tmp_path):
    """An index row may stand for a target by its hash, where the target came later."""
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path) as town:
        town.run(lab("M1", "R1", ("GLU", "5.1")))
        patient = town.only("Patient")["id"]
        from gateway.store import index

        unknown = index.unknown_target("Patient", patient)
        damage(town.store, "record", f"UPDATE search_reference SET target={unknown} WHERE target=1")
        damage(town.store, "record", "DELETE FROM search_clinical WHERE patient=1")
        findings = [finding for step in fsck.check(town.store) for finding in step.findings]
    assert {finding.text.split(" search")[0] for finding in findings} <= {"its clinical"}


def test_progress_reaches_the_end(tmp_path):
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path) as town:
        town.run(lab("M1", "R1", ("GLU", "5.1")))
        last = {step.area: (step.done, step.total) for step in fsck.check(town.store)}
    assert set(last) == {"inbox", "resources", "audit"}
    assert all(done == total for done, total in last.values())


def test_fsck_of_no_store_says_how_to_make_one(tmp_path):
    result = gateway("fsck", "--data", tmp_path / "nothing")
    assert result.exit_code == 1
    assert "migrate" in result.output


def test_a_sweep_takes_orphaned_content_of_yesterday(town, monkeypatch):
    from gateway import clock
    from gateway.store.blobs import NewBlob

    with town.opened() as opened:
        opened.store.blobs.put([NewBlob(hashlib.sha256(b"orphan").digest(), 6, lambda: [b"orphan"])])
    assert town("fsck", "--sweep").stdout == "0 orphaned attachments taken away\nthe store is sound\n"
    now = clock.now_us()
    monkeypatch.setattr(clock, "now_us", lambda: now + 2 * 86_400_000_000)
    assert town("fsck").stdout == "the store is sound\n"
    assert town("fsck", "--sweep").stdout == "1 orphaned attachments taken away\nthe store is sound\n"
    with town.opened() as opened:
        assert opened.store.blobs.count() == 0
