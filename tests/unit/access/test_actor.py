"""Who is let in: nobody, unless this machine was opened to itself."""

import pytest

from gateway.access.actor import ANONYMOUS, actor_of
from gateway.errors import Category, GatewayError


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_is_let_in_when_opened_to_itself(peer):
    actor = actor_of(peer, insecure_local=True)
    assert (actor.name, actor.purpose, actor.scope.sites, actor.scope.test) == ("insecure-local", "TREAT", None, False)
    assert actor.site == "local"


@pytest.mark.parametrize("peer", ["192.0.2.1", "2001:db8::1", "0.0.0.0", "", "localhost", "unix:"])
def test_nobody_else_is(peer):
    with pytest.raises(GatewayError, match="this machine only") as refused:
        actor_of(peer, insecure_local=True)
    assert refused.value.category is Category.REFUSED


@pytest.mark.parametrize("peer", ["127.0.0.1", "192.0.2.1"])
def test_without_it_nobody_is(peer):
    with pytest.raises(GatewayError, match="no logins yet"):
        actor_of(peer, insecure_local=False)


def test_anybody_sees_nothing():
    assert ANONYMOUS.scope.sites == frozenset()
