"""Person: of linked Patients rendered when asked for (decision 8), beside those that clients wrote themselves."""

import hashlib
from email.utils import format_datetime

from gateway.record.searching import Asked
from gateway.search.request import Cursor
from gateway.store.query import Page
from gateway.web.rest import asked
from gateway.web.rest import read as stored
from gateway.web.rest import search as searching
from gateway.web.rest.message import Answer, Pairs, Request, Rest
from gateway.web.rest.times import moment


def read(rest: Rest, request: Request) -> Answer:
    """Return the Person of the Patient with this id, or one that a client wrote under it."""
    asked.only(request)
    shown = rest.persons.read(request.actor, request.path[1])
    if shown is None:
        return stored.read(rest, request)
    tag = hashlib.blake2b(shown.body, digest_size=8).hexdigest()
    headers = {"etag": f'W/"{tag}"', "last-modified": format_datetime(moment(shown.updated_us), usegmt=True)}
    if stored.tagged(request.headers, tag):
        return Answer(304, headers=headers)
    return Answer(200, shown.body, headers)


def search(rest: Rest, request: Request) -> Answer:
    """Return one page of Persons: of all whose Patients answer to what is asked, then those that clients wrote."""

    def page(pairs: Pairs, cursor: Cursor | None) -> Page:
        wanted = Asked("Person", pairs, cursor, request.prefer.lenient)
        return rest.persons.page(request.actor, wanted, request.base)

    return searching.paged(rest, request, page)
