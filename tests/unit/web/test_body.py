"""Bodies of requests: their limit, their time, and how many may be held at once."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from gateway.errors import Category, GatewayError
from gateway.web.rest import body
from gateway.web.rest.body import Bodies, inflated, media_of
from gateway.web.rest.conditions import prefer, version


def sending(*messages):
    waiting = list(messages)

    async def receive():
        return waiting.pop(0) if waiting else await asyncio.Future()

    return receive


def part(text, more=False):
    return {"type": "http.request", "body": text, "more_body": more}


def taken(bodies, *messages, headers=None, most=100):
    async def take():
        async with bodies.taken(sending(*messages), headers or {}, most) as found:
            return found

    return asyncio.run(take())


def test_parts_become_one():
    assert taken(Bodies(100), part(b"ab", more=True), part(b"", more=True), part(b"c")) == b"abc"


@pytest.mark.parametrize(
    ("messages", "headers", "category"),
    [
        ([part(b"x" * 101)], {}, Category.TOO_LARGE),
        ([part(b"x" * 60, more=True), part(b"x" * 60, more=True)], {}, Category.TOO_LARGE),
        ([], {"content-length": "101"}, Category.TOO_LARGE),
        ([], {"content-length": "9" * 30}, Category.TOO_LARGE),
        ([part(b"x", more=True), {"type": "http.disconnect"}], {}, Category.INVALID),
    ],
)
def test_what_is_not_taken(messages, headers, category):
    with pytest.raises(GatewayError) as told:
        taken(Bodies(100), *messages, headers=headers)
    assert told.value.category == category


def test_a_body_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(body, "SECONDS", 0.02)
    with pytest.raises(GatewayError) as told:
        taken(Bodies(100), part(b"x", more=True))
    assert told.value.status == 408


def test_no_more_are_held_than_have_room():
    async def hold(bodies, count):
        async with AsyncExitStack() as held:
            for _ in range(count):
                await held.enter_async_context(bodies.taken(sending(part(b"x" * 100)), {}, 100))

    bodies = Bodies(100)
    with pytest.raises(GatewayError) as told:
        asyncio.run(hold(bodies, 7))
    assert told.value.category == Category.BUSY
    asyncio.run(hold(bodies, 6))


def test_a_fault_of_the_work_itself_is_not_the_bodys():
    async def fail():
        async with Bodies(100).taken(sending(part(b"x")), {}, 100):
            raise TimeoutError

    with pytest.raises(TimeoutError):
        asyncio.run(fail())


@pytest.mark.parametrize(
    ("told", "media"),
    [
        ("", ""),
        ("Application/FHIR+JSON ; charset=UTF-8", "application/fhir+json"),
        ("text/plain; charset=gbk", "text/plain"),
        ("application/fhir+json; charset=", "application/fhir+json"),
        ("application/fhir+json; xcharset", "application/fhir+json"),
    ],
)
def test_media_types(told, media):
    try:
        assert media_of({"content-type": told}) == media
    except GatewayError as fault:
        assert fault.status == 415


def test_codings():
    assert inflated(b"x", {"content-encoding": " Identity "}, 9) == b"x"
    with pytest.raises(GatewayError, match="br is not taken"):
        inflated(b"x", {"content-encoding": "br"}, 9)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ("", False)),
        ("return=minimal", ("minimal", False)),
        ('handling=lenient; return="representation"', ("representation", True)),
        ("return=minimal, return=representation", ("minimal", False)),
        ("respond-async, wait=10", ("", False)),
        ("return=OPERATIONOUTCOME; ;=", ("", False)),
    ],
)
def test_what_clients_prefer(text, found):
    assert tuple(prefer(text)) == found


def test_versions():
    assert (version(None), version('W/"12"'), version(' "7" ')) == (None, 12, 7)
    with pytest.raises(GatewayError) as told:
        version('W/"0"')
    assert told.value.category == Category.PRECONDITION
