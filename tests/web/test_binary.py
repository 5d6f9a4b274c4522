"""Binary over HTTP: what is damaged breaks off, what holds its own data is served alike, headers are its own."""

import asyncio
import base64
import hashlib
import random

import pytest

from gateway.store.blobs import PART_BYTES
from tests.store.make import version
from tests.support.county import county
from tests.web.county import make


async def _sent(app, path: str, accept: str) -> list[dict]:
    """Return the raw messages the application sends; a client library would refuse what is incomplete."""
    found: list[dict] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"accept", accept.encode())],
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 8000),
    }

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        found.append(message)

    await app(scope, receive, send)
    return found


CONTENT = random.Random(3).randbytes(PART_BYTES * 2 + 17)


@pytest.fixture
def town(tmp_path, definitions_read_once):
    with county(f"sqlite:///{tmp_path}/gateway.db", tmp_path) as made:
        yield made


def store(town, fid: str, body: str) -> None:
    text = f'{{"resourceType":"Binary","id":"{fid}","meta":{{"versionId":"1"}},{body}}}'.encode()
    with town.store.write() as tx:
        (pid,) = tx.allocate(1)
        tx.put([version(pid, fid, type="Binary", body=text)])


def pointed(town, content: bytes, media: str = "application/pdf") -> None:
    from gateway.store.blobs import NewBlob

    parts = [content[at : at + PART_BYTES] for at in range(0, len(content), PART_BYTES)]
    digest = hashlib.sha256(content).digest()
    town.store.blobs.put([NewBlob(digest, len(content), lambda: parts)])
    told = f'{{"url":"sha256","valueString":"{digest.hex()}"}},{{"url":"size","valueUnsignedInt":{len(content)}}}'
    store(
        town,
        "large",
        f'"contentType":"{media}","_data":{{"extension":[{{"url":"urn:yigong:content","extension":[{told}]}}]}}',
    )


def test_a_binary_that_holds_its_data_itself_is_served_alike(town, tmp_path):
    store(town, "small", f'"contentType":"text/plain","data":"{base64.b64encode(b"words").decode()}"')
    web = make(town.store, tmp_path)
    raw = web.get("/fhir/Binary/small")
    assert (raw.content, raw.headers["content-type"]) == (b"words", "text/plain")
    told = web.get("/fhir/Binary/small", headers={"accept": "application/fhir+json"})
    assert base64.b64decode(told.json()["data"]) == b"words"
    assert told.headers["etag"] == 'W/"1"'
    unchanged = {"accept": "application/fhir+json", "if-none-match": 'W/"1"'}
    assert web.get("/fhir/Binary/small", headers=unchanged).status_code == 304


def test_a_content_type_that_is_none_becomes_bytes_to_save(town, tmp_path):
    store(town, "odd", '"contentType":"text/html\\r\\nset-cookie:a=b","data":"AAAA"')
    answer = make(town.store, tmp_path).get("/fhir/Binary/odd")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="odd"'
    assert "set-cookie" not in answer.headers


def test_an_empty_binary_has_an_empty_body(town, tmp_path):
    store(town, "empty", '"contentType":"text/plain"')
    answer = make(town.store, tmp_path).get("/fhir/Binary/empty")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


@pytest.mark.parametrize("accept", ["application/fhir+json", "*/*"])
def test_content_of_many_parts_arrives_whole(town, tmp_path, accept):
    pointed(town, CONTENT)
    answer = make(town.store, tmp_path).get("/fhir/Binary/large", headers={"accept": accept})
    given = base64.b64decode(answer.json()["data"]) if "fhir" in accept else answer.content
    assert given == CONTENT
    assert answer.headers["content-length"] == str(len(answer.content))


@pytest.mark.parametrize("accept", ["application/fhir+json", "*/*"])
def test_content_that_is_found_damaged_on_its_way_breaks_off(town, tmp_path, accept):
    pointed(town, CONTENT)
    with town.store.databases["blobs"].write() as session:
        session.do("UPDATE blob_part SET data=? WHERE number=2", (b"z" * 17,))
    sent = asyncio.run(_sent(make(town.store, tmp_path).app, "/fhir/Binary/large", accept))
    length = int(dict(sent[0]["headers"])[b"content-length"])
    bodies = sent[1:]
    assert bodies
    assert all(part["more_body"] for part in bodies), "it never ends well, so the server closes the connection"
    assert sum(len(part["body"]) for part in bodies) < length
    damaged = (b"z" * 17, base64.b64encode(b"z" * 15))
    assert not any(one in part["body"] for part in bodies for one in damaged)


def test_binary_refuses_what_reads_refuse(town, tmp_path):
    pointed(town, CONTENT)
    web = make(town.store, tmp_path)
    assert web.get("/fhir/Binary/large/_history/9").status_code == 404
    assert web.get("/fhir/Binary/large/_history/x").status_code == 404
    assert web.ask("POST", "/fhir/Binary/large").status_code == 405
    assert web.get("/fhir/Binary/large", client="10.1.1.1").status_code in (401, 403)
