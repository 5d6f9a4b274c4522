"""Many clients at once over real HTTP, on both databases: one resource of 64 creates, one line of versions."""

import asyncio
import socket
import threading
from collections import Counter

import httpx
import pytest
import uvicorn

from tests.store.conftest import database_url, new_store, store  # noqa: F401  the fixtures of the store's tests
from tests.web.county import make
from tests.web.desk import FHIR, patient

CREATES = 64
WRITERS = 16
CHANGES = 1


@pytest.fixture
def base(store, tmp_path):  # noqa: F811  the fixture, imported above
    """The address of a server on 127.0.0.1."""
    config = uvicorn.Config(make(store, tmp_path).app, log_level="critical", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()


def together(base, *works):
    """Run the works of many clients at once; each has a connection of its own."""

    async def all_of_them():
        limits = httpx.Limits(max_connections=CREATES)
        async with httpx.AsyncClient(
            base_url=base, limits=limits, timeout=60, headers={"content-type": FHIR}
        ) as client:
            return await asyncio.gather(*(work(client) for work in works))

    return asyncio.run(all_of_them())


def test_sixty_four_conditional_creates_make_one(base):
    async def create(client):
        return await client.post(
            "/Patient", json=patient("one"), headers={"if-none-exist": "identifier=urn:test:card|one"}
        )

    answers = together(base, *[create] * CREATES)
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: CREATES - 1}
    assert len({answer.json()["id"] for answer in answers}) == 1
    found = httpx.get(f"{base}/Patient?identifier=urn:test:card|one&_total=accurate").json()
    assert found["total"] == 1
    (one,) = found["entry"]
    assert httpx.get(f"{base}/Patient/{one['resource']['id']}/_history").json()["total"] == 1


def test_writers_that_name_the_version_make_one_line(base):
    place = "/Patient/shared"
    first = httpx.put(f"{base}{place}", json=patient("line", id="shared", multipleBirthInteger=0))
    assert first.status_code == 201
    refused = Counter()

    async def count(client):
        """Raise the number by one, CHANGES times, reading anew whenever another one was first."""
        done = 0
        while done < CHANGES:
            read = await client.get(place)
            body = read.json()
            body["multipleBirthInteger"] += 1
            answer = await client.put(place, json=body, headers={"if-match": read.headers["etag"]})
            assert answer.status_code in (200, 412), answer.text
            done += answer.status_code == 200
            refused[answer.status_code] += 1

    together(base, *[count] * WRITERS)
    assert refused[200] == WRITERS * CHANGES
    history = httpx.get(f"{base}{place}/_history?_count=1000").json()["entry"]
    numbers = [one["resource"]["multipleBirthInteger"] for one in history]
    assert numbers == list(range(WRITERS * CHANGES, -1, -1)), "no change was lost"
    versions = [int(one["resource"]["meta"]["versionId"]) for one in history]
    assert versions == [number + 1 for number in numbers]


def test_writers_that_name_no_version_are_never_failed(base):
    async def put(client):
        body = patient("free", id="free", multipleBirthInteger=number.pop())
        return await client.put("/Patient/free", json=body)

    number = list(range(WRITERS))
    answers = together(base, *[put] * WRITERS)
    assert sorted(answer.status_code for answer in answers) == [200] * (WRITERS - 1) + [201]
    history = httpx.get(f"{base}/Patient/free/_history?_count=1000").json()["entry"]
    assert len(history) == WRITERS
