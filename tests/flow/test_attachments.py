"""Attachments: what a message carries comes back byte for byte, once stored, within the reader's sites, or is told."""

import base64
import hashlib
import json
import os
import random
import subprocess
import sys

import pytest

from gateway.access.actor import Actor
from gateway.errors import Category, GatewayError
from gateway.record import attachments, fsck
from gateway.record.repository import Repository
from gateway.search.scope import Scope
from gateway.web.rest.message import FHIR_JSON
from tests.support.county import ALL, county, hl7, msh, pid
from tests.web.county import make

PDF = b"%PDF-1.4\n" + random.Random(1).randbytes(700_000)
SMALL = b"%PDF-1.4 small"
PNG = b"\x89PNG\r\n\x1a\n" + random.Random(2).randbytes(20_000)
CLINIC = Actor("clinic", "TREAT", Scope(sites=frozenset({"elsewhere"})))


@pytest.fixture
def town(database_url, tmp_path):
    with county(database_url, tmp_path) as made:
        yield made


def ed(content: bytes | str, kind: str = "AP^PDF", encoding: str = "Base64") -> str:
    data = base64.b64encode(content).decode() if isinstance(content, bytes) else content
    return f"HIS^{kind}^{encoding}^{data}"


def report(control: str, value: str, number: str = "R1", kind: str = "ED", patient: str = "P1") -> bytes:
    return hl7(
        msh(control, "ORU^R01", "LIS"),
        pid(patient),
        f"OBR|1||{number}|CT^胸部CT|||20260105||||||||||||||||||F",
        f"OBX|1|{kind}|PDF^胸部CT报告||{value}||||||F",
    )


def attachment_of(town):
    (result,) = town.all("Observation")
    return result["extension"][0]["valueAttachment"]


def body_of(town, fid: str, actor_scope=ALL):
    stored = town.store.resources.read("Binary", fid, actor_scope)
    return b"".join(attachments.held(town.store.blobs, stored).parts)


def test_a_pdf_in_a_result_is_streamed_back_byte_for_byte(town, tmp_path):
    town.run(report("M1", ed(PDF)))
    assert town.states() == ["applied"]
    found = attachment_of(town)
    binary = town.only("Binary")
    assert found == {
        "contentType": "application/pdf",
        "url": f"Binary/{binary['id']}",
        "size": len(PDF),
        "hash": base64.b64encode(hashlib.sha1(PDF, usedforsecurity=False).digest()).decode(),
        "title": "胸部CT报告",
    }
    (result,) = town.all("Observation")
    assert binary["securityContext"] == {"reference": f"Observation/{result['id']}"}
    web = make(town.store, tmp_path)
    raw = web.get(f"/fhir/{found['url']}", headers={"accept": "application/pdf"})
    assert (raw.status_code, raw.content) == (200, PDF)
    assert raw.headers["content-type"] == "application/pdf"
    assert raw.headers["content-length"] == str(len(PDF))
    assert raw.headers["etag"] == f'"{hashlib.sha256(PDF).hexdigest()}"'
    assert raw.headers["x-content-type-options"] == "nosniff"
    again = web.get(f"/fhir/{found['url']}", headers={"if-none-match": raw.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    told = web.get(f"/fhir/{found['url']}", headers={"accept": "application/fhir+json"})
    assert told.headers["content-type"] == FHIR_JSON
    assert base64.b64decode(told.json()["data"]) == PDF
    assert told.json() == {**{k: v for k, v in binary.items() if k != "_data"}, "data": told.json()["data"]}
    assert told.headers["content-length"] == str(len(told.content))
    version = web.get(f"/fhir/{found['url']}/_history/1")
    assert version.content == PDF
    head = web.ask("HEAD", f"/fhir/{found['url']}")
    assert (head.headers["content-length"], head.content) == (str(len(PDF)), b"")


def test_a_binary_belongs_to_the_site_and_person_of_its_report(town):
    town.run(report("M1", ed(PDF)))
    binary = town.only("Binary")
    reader = Repository(town.store, "Asia/Shanghai", 5.0)
    with pytest.raises(GatewayError, match="that you may see") as caught:
        reader.read(CLINIC, "Binary", binary["id"])
    assert caught.value.category == Category.NOT_FOUND
    with town.store.read() as tx:
        heads = tx.heads([("Binary", binary["id"]), ("Patient", town.only("Patient")["id"])])
    site, patient = (heads["Binary", binary["id"]][6:8], heads["Patient", town.only("Patient")["id"]].pid)
    assert site == ("county-hospital", patient) or site[1] == patient
    reader.read(Actor("doctor", "TREAT", Scope(sites=frozenset({site[0]}))), "Binary", binary["id"])
    town.store.audit.close()
    with town.store.databases["audit"].read() as session:
        rows = session.run("SELECT actor, action, outcome, patient FROM audit ORDER BY id")
    assert rows == [("clinic", "read", "not-found", ""), ("doctor", "read", "success", str(patient))]


def test_the_same_pdf_of_two_patients_is_stored_once_and_named_twice(town):
    town.run(report("M1", ed(PDF)), report("M2", ed(PDF), number="R2", patient="P2"))
    one, other = town.all("Binary")
    assert one["id"] != other["id"]
    assert town.store.blobs.count() == 1
    assert body_of(town, one["id"]) == body_of(town, other["id"]) == PDF


def test_a_corrected_report_gets_a_binary_of_its_own_and_the_old_one_stays(town):
    town.run(report("M1", ed(PDF)), report("M2", ed(PNG, "IM^PNG")), report("M3", ed(PNG, "IM^PNG")))
    found = attachment_of(town)
    (result,) = town.all("Observation")
    assert (found["contentType"], result["meta"]["versionId"]) == ("image/png", "2")
    assert body_of(town, found["url"].split("/")[1]) == PNG
    first = json.loads(town.store.resources.vread("Observation", result["id"], 1, ALL).body)
    assert body_of(town, first["extension"][0]["valueAttachment"]["url"].split("/")[1]) == PDF


def test_replay_finds_the_binaries_it_made(town):
    town.run(report("M1", ed(PDF)))
    before = town.only("Binary")
    town.store.work.replay([item.item_id for item in town.items()])
    town.work()
    assert town.states() == ["applied"]
    assert town.only("Binary") == before


def test_small_content_stays_inside_its_resource(town):
    town.run(report("M1", ed(SMALL)))
    assert base64.b64decode(attachment_of(town)["data"]) == SMALL
    assert town.all("Binary") == []
    assert town.store.blobs.count() == 0


def test_wrong_base64_is_told_and_the_rest_of_the_message_applied(town):
    (item,) = town.run(report("M1", ed("JVBERi0" + "*" * 20_000)))
    assert town.states() == ["applied"]
    assert "as its encoding says" in item.issues
    assert b"*" * 20_000 in town.store.inbox.raw(item.item_id >> 20)
    assert town.only("DiagnosticReport")
    assert town.all("Binary") == []


def test_a_type_that_the_bytes_contradict_is_told_and_kept_as_declared(town):
    (item,) = town.run(report("M1", ed(PNG)))
    assert "declared application/pdf but begins like image/png" in item.issues
    assert attachment_of(town)["contentType"] == "application/pdf"


def test_a_type_that_was_not_sent_is_read_from_the_bytes(town):
    town.run(report("M1", ed(PNG, "^", "")))
    assert attachment_of(town)["contentType"] == "image/png"
    assert body_of(town, attachment_of(town)["url"].split("/")[1]) == PNG


def test_a_pointer_is_kept_as_an_address_and_never_fetched(town):
    town.run(report("M1", "\\E\\\\E\\pacs\\E\\share\\E\\报告 1.pdf^PACS^AP^PDF", kind="RP"))
    assert town.states() == ["applied"]
    assert attachment_of(town) == {"url": "\\\\pacs\\share\\报告%201.pdf", "contentType": "application/pdf"}


@pytest.mark.parametrize(
    ("kind", "content", "place"),
    [
        ("TX^HTML", b"<html><script>alert(1)</script>" + b"x" * 9000, "attachment"),
        ("IM^SVG+XML", b"<svg onload='alert(1)'>" + b"x" * 9000, "attachment"),
        ("IM^PNG", PNG, "inline"),
        ("AP^PDF", PDF, "inline"),
    ],
)
def test_what_a_browser_would_run_is_only_saved(town, tmp_path, kind, content, place):
    town.run(report("M1", ed(content, kind)))
    answer = make(town.store, tmp_path).get(f"/fhir/Binary/{town.only('Binary')['id']}")
    assert answer.content == content
    assert answer.headers["content-disposition"].startswith(f"{place}; filename=")
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"


def test_a_document_message_carries_its_pdf(town, tmp_path):
    town.run(
        hl7(
            msh("M1", "MDM^T02"),
            "EVN|T02|20260105",
            pid(),
            "PV1|1|I",
            "TXA|1|OP^手术记录|AP|20260105||||||||DOC1||||||LA",
            f"OBX|1|ED|PDF^手术记录||{ed(PDF)}||||||F",
        )
    )
    document = town.only("DocumentReference")
    found = document["content"][0]["attachment"]
    assert (found["size"], found["title"]) == (len(PDF), "手术记录")
    binary = town.only("Binary")
    assert binary["securityContext"] == {"reference": f"DocumentReference/{document['id']}"}
    assert make(town.store, tmp_path).get(f"/fhir/{found['url']}").content == PDF


def test_searches_and_histories_name_content_and_do_not_carry_it(town, tmp_path):
    town.run(report("M1", ed(PDF)))
    web = make(town.store, tmp_path)
    for path in ("Binary", f"Binary/{town.only('Binary')['id']}/_history"):
        told = web.get(f"/fhir/{path}")
        assert told.status_code == 200
        assert len(told.content) < 3000
        assert hashlib.sha256(PDF).hexdigest() in told.text


def test_lost_and_damaged_content_is_found_and_never_served(town, tmp_path):
    town.run(report("M1", ed(PDF)), report("M2", ed(PNG, "IM^PNG"), number="R2"))
    assert [finding for step in fsck.check(town.store) for finding in step.findings] == []
    lost, damaged = town.all("Binary")
    with town.store.databases["blobs"].write() as session:
        session.do("DELETE FROM blob WHERE digest=?", (hashlib.sha256(PDF).digest(),))
        session.do("DELETE FROM blob_part WHERE digest=?", (hashlib.sha256(PDF).digest(),))
        session.do("UPDATE blob_part SET data=? WHERE digest=?", (b"\0" * 20_008, hashlib.sha256(PNG).digest()))
    told = {(finding.where, finding.text) for step in fsck.check(town.store) for finding in step.findings}
    assert (f"Binary/{lost['id']}", "its content is lost; replay its message to bring it back") in told
    assert any("not what its digest says" in text for _, text in told)
    web = make(town.store, tmp_path)
    for binary in (lost, damaged):
        for accept in ("*/*", "application/fhir+json"):
            answer = web.get(f"/fhir/Binary/{binary['id']}", headers={"accept": accept})
            assert answer.status_code == 503
            assert "missing or damaged" in answer.text
    with town.store.databases["blobs"].write() as session:
        session.do("DELETE FROM blob_part")
    town.store.work.replay([item.item_id for item in town.items()])
    town.work()
    assert (body_of(town, lost["id"]), body_of(town, damaged["id"])) == (PDF, PNG), "a replay brings it back"
    assert [finding for step in fsck.check(town.store) for finding in step.findings] == []


def test_content_whose_use_or_size_is_told_wrong_is_found(town):
    town.run(report("M1", ed(PDF)))
    with town.store.databases["blobs"].write() as session:
        session.do("UPDATE blob SET size=size+1")
    with town.store.databases["record"].write() as session:
        session.do("DELETE FROM attached")
    told = [finding.text for step in fsck.check(town.store) for finding in step.findings]
    assert told == [
        "its content is not marked as in use, so a sweep would take it",
        f"its size is told as {len(PDF) + 1} bytes; it has {len(PDF)}",
    ]


def test_a_format_of_fhir_that_is_not_offered_is_refused(town, tmp_path):
    town.run(report("M1", ed(PDF)))
    web = make(town.store, tmp_path)
    path = f"/fhir/Binary/{town.only('Binary')['id']}"
    assert web.get(path, headers={"accept": "application/fhir+xml"}).status_code == 406
    assert web.get(path + "?_format=xml").status_code == 406
    assert web.get(path + "?_format=json").json()["resourceType"] == "Binary"
    assert web.get(path + "?code=x").status_code == 400
    assert web.get("/fhir/Binary/nobody").status_code == 404


def test_a_crash_between_content_and_commit_leaves_a_sound_store(tmp_path):
    """The worker dies at fp6, inside the transaction that would refer to the content, which is durable by then."""
    database = f"sqlite:///{tmp_path}/gateway.db"
    with county(database, tmp_path) as town:
        town.send(report("M1", ed(PDF)))
    program = (
        "import sys\nfrom pathlib import Path\nfrom gateway import failpoints\n"
        "from tests.support.county import county\nfailpoints.arm('fp6')\n"
        "with county(sys.argv[1], Path(sys.argv[2]), ()) as town:\n    town.work()\n"
    )
    command = [sys.executable, "-c", program, database, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60, env={**os.environ, "PYTHONPATH": "."})
    assert done.returncode == -9, done.stderr.decode()
    with county(database, tmp_path) as town:
        assert (town.all("Binary"), town.store.blobs.count()) == ([], 1)
        assert [finding for step in fsck.check(town.store) for finding in step.findings] == []
        town.work()
        assert town.states() == ["applied"]
        assert (body_of(town, town.only("Binary")["id"]), town.store.blobs.count()) == (PDF, 1)
        assert [finding for step in fsck.check(town.store) for finding in step.findings] == []
