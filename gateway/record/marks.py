"""The marks that a merge leaves on the Patient it retires, and a Patient without them."""

import json
from collections.abc import Mapping
from typing import Any

from gateway.record.fold import Body
from gateway.record.states import NewLink


def retired(body: Body, survivor: str) -> Body:
    """Return a Patient as one that `survivor` (Patient/id) replaces: inactive, with a link that says so."""
    mark = {"other": {"reference": survivor}, "type": "replaced-by"}
    return {**body, "active": False, "link": [*body.get("link", ()), mark]}


def standing(body: Body, survivor: str, said: Mapping[str, Any]) -> Body:
    """Return a Patient without the marks of a merge; `said` holds how active it was, where it said."""
    mark = {"other": {"reference": survivor}, "type": "replaced-by"}
    links = [link for link in body.get("link", ()) if link != mark]
    after = {**body, "active": said.get("active"), "link": links}
    return {name: value for name, value in after.items() if value is not None and value != []}


def before(join: NewLink) -> Body:
    """Return what a merge marked a record with instead of what it had said."""
    found: Body = json.loads(join.evidence).get("before", {})
    return found
