"""Who refers to many resources at once by one parameter, read off the index in one statement."""

from collections.abc import Iterable

from gateway.search import parameters
from gateway.search.parameters import Parameter
from gateway.store.resources import ResourceReads

_REFERRING = "SELECT pid FROM search_reference"


def referring(tx: ResourceReads, parameter: Parameter, targets: Iterable[int]) -> list[int]:
    """Return the pids of the resources that refer to any of some pids by a parameter; a scope is yet to be applied."""
    rows = [(stored.id, pid) for stored in parameters.stored(parameter) for pid in targets]
    found = tx.session.keyed(_REFERRING, (("param", "int"), ("target", "int")), rows)
    return list(dict.fromkeys(pid for (pid,) in found))
