"""Page tokens: they open with their key and actor, show nothing, and are refused when anything changed."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.search.page import Page, seal, unseal
from gateway.search.request import Cursor

KEY = b"k" * 32
PAGE = Page("Patient", (("name", "张三"), ("_sort", "-birthdate")), Cursor((-5,), 42))


VALUE = st.one_of(st.none(), st.integers(-(2**62), 2**62), st.text(), st.floats(allow_nan=False))


@given(st.none() | st.builds(Cursor, st.lists(VALUE).map(tuple), st.integers(0, 2**62)))
@example(Cursor((float("-inf"), float("inf")), 7))
def test_opens_to_what_was_sealed(cursor):
    page = PAGE._replace(cursor=cursor)
    opened = unseal(KEY, seal(KEY, page))
    assert opened == page
    assert isinstance(opened.cursor, Cursor | None)


def test_shows_nothing_and_differs_each_time():
    first, second = seal(KEY, PAGE), seal(KEY, PAGE)
    assert first != second
    assert first.isascii()
    assert "name" not in first


def test_belongs_to_its_actor_and_key():
    token = seal(KEY, PAGE, "dr-li")
    assert unseal(KEY, token, "dr-li") == PAGE
    for key, actor in ((KEY, "dr-wu"), (b"j" * 32, "dr-li")):
        with pytest.raises(GatewayError, match="page link is damaged"):
            unseal(key, token, actor)


@given(st.integers(0, 60), st.sampled_from("AZaz09-_"))
def test_a_changed_token_is_refused(at, letter):
    token = seal(KEY, PAGE)
    changed = token[:at] + letter + token[at + 1 :]
    if changed != token:
        with pytest.raises(GatewayError, match="first page"):
            unseal(KEY, changed)


@given(st.text())
def test_anything_else_is_refused(token):
    with pytest.raises(GatewayError):
        unseal(KEY, token)
