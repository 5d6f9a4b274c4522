"""Searches of a store as tests ask them: one page, every page, and what would drive them."""

from gateway.search.request import Owner, parse
from gateway.search.scope import Scope
from gateway.store import query
from gateway.store.engine import Store
from tests.support.search_records import Json

ALL = Scope.everything()
ZONE = "Asia/Shanghai"
LOINC = "http://loinc.org"


def search(
    store: Store, kind: str, *pairs: tuple[str, str], scope: Scope = ALL, cursor=None, owner=None, reach=None
) -> query.Page:
    """Return one page."""
    with store.read() as tx:
        asked = parse(kind, pairs, ZONE, cursor, owner=owner and Owner(*owner))
        return query.run(tx, asked, scope, reach or query.Reach())


def ids(page: query.Page) -> list[str]:
    """Return the ids of the matches in their order."""
    return [hit.fid for hit in page.matches]


def included(page: query.Page) -> list[str]:
    """Return the includes as Type/id, sorted."""
    return sorted(f"{hit.type}/{hit.fid}" for hit in page.includes)


def listed(store: Store, kind: str, *pairs: tuple[str, str], size: int = 2, scope: Scope = ALL) -> list[str]:
    """Return the ids of all matches in their order, read page by page."""
    found, cursor = [], None
    while True:
        page = search(store, kind, *pairs, ("_count", str(size)), scope=scope, cursor=cursor)
        found += ids(page)
        cursor = page.next
        if cursor is None:
            return found


def words(store: Store, kind: str, *pairs: tuple[str, str]) -> str:
    """Return how a search would be driven."""
    with store.read() as tx:
        return query.explain(tx, parse(kind, pairs, ZONE), ALL)


def patient(fid: str, **given) -> Json:
    """Return a patient."""
    return {"resourceType": "Patient", "id": fid, **given}


def observation(fid: str, of: str = "p0", code: str = "718-7", **given) -> Json:
    """Return a result of a patient."""
    return {
        "resourceType": "Observation",
        "id": fid,
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": f"Patient/{of}"},
        **given,
    }
