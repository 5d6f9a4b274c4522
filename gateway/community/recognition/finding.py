"""Earlier results of a patient that could answer orders: found by few searches in one reading transaction.

Of the patient's own record and of those linked to it, as far as the reader's scope goes, which is applied before
anything is judged (R13): what is hidden changes neither an advice nor a count.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

from gateway.community.recognition.facts import Identity, Result
from gateway.community.recognition.items import Imaging
from gateway.community.recognition.pieces import Json, codings, each, first, references, target, text
from gateway.community.recognition.reading import Reader, Told, shown
from gateway.community.recognition.usable import fault
from gateway.fhir import resource
from gateway.identity import assurance
from gateway.identity.survivorship import Assurance, Level
from gateway.search import parameters
from gateway.search.request import parse
from gateway.search.scope import Scope
from gateway.store import belongings, persons, query
from gateway.store.engine import ReadTx
from gateway.store.hits import Sight, StoredHit, current, sight_of
from gateway.store.linked import visible
from gateway.store.persons import Component
from gateway.store.referring import referring

MOST = 200
"""Results of one kind that are looked at, the youngest of them; and resources that they refer to, of each kind."""
_PANELS = 10
_STUDIES = 30
_UNDECIDED = ("open", "later")
_RESULT = parameters.for_type("DiagnosticReport")["result"]
_GRADES: dict[Level, Identity] = {"level4": "certain", "level3": "certain", "level2": "probable", "level1": "possible"}
Name = tuple[str, str]
Kind = Literal["value", "panel", "pictures"]


class Wanted(NamedTuple):
    """What to look for: codes as searches write them, pictures too, all values of panels too, what orders refer to."""

    codes: tuple[str, ...]
    imaging: bool
    panels: bool
    named: tuple[Name, ...] = ()


class Candidate(NamedTuple):
    """One earlier result: its facts, and the resources it stands in by their references, empty where there is none.

    `item` is the item of its codes, `parts` the items of which a panel's report has values to use; `images` are where
    the pictures can be looked at.
    """

    kind: Kind
    result: Result
    item: str
    patient: str
    report: str = ""
    results: tuple[str, ...] = ()
    study: str = ""
    value: str = ""
    images: tuple[str, ...] = ()
    parts: frozenset[str] = frozenset()


class Gathered(NamedTuple):
    """Candidates, whose records (pid) were looked into, and what the orders refer to."""

    candidates: list[Candidate]
    patients: tuple[int, ...]
    named: dict[Name, Json]


class Ways(NamedTuple):
    """How results are looked for: read by whom, links weighed by which rules, dates of which zone."""

    reader: Reader
    assurance: Assurance
    zone: str


def gather(tx: ReadTx, scope: Scope, patient: str, wanted: Wanted, ways: Ways) -> Gathered | None:
    """Return what there is of a Patient (its id) and its linked records; None where the scope sees no such Patient."""
    sight = sight_of(tx, scope)
    pid = persons.patient(tx, patient, sight) if sight else None
    if sight is None or pid is None:
        return None
    people = _People(tx, pid, sight, ways.assurance)
    desk = _Desk(tx, scope, sight, ways, people)
    desk.load(wanted.named)
    found = desk.candidates(wanted) if wanted.codes else []
    return Gathered(found, people.pids, {name: desk.bodies[name] for name in wanted.named if name in desk.bodies})


class _People:
    """The records of one person, how sure it is of each, and those of which a person has yet to decide."""

    def __init__(self, tx: ReadTx, pid: int, sight: Sight, rules: Assurance) -> None:
        people = persons.component(tx, pid, sight)
        asked = _undecided(tx, people, sight)
        self.pids = tuple(dict.fromkeys((pid, *people.patients, *asked)))
        fids = [*(stored.fid for stored in people.patients.values()), *asked.values()]
        self.searched = ",".join(f"Patient/{fid}" for fid in fids)
        levels = assurance.levels(rules, pid, people.links)
        sure = {stored.fid: _GRADES[levels[each]] for each, stored in people.patients.items() if each in levels}
        self._sure: dict[str, Identity] = {**sure, people.patients[pid].fid: "same"}

    def identity(self, body: Json) -> Identity:
        """Return how sure it is that a resource is of the person; merely possible of whoever is not linked."""
        named = target(text(first(body.get("subject")).get("reference")))
        return self._sure.get(named[1], "possible") if named else "possible"


def _undecided(tx: ReadTx, people: Component, sight: Sight) -> dict[int, str]:
    """Return pid -> id of the records that wait for a person's word on whether they are of this one."""
    cases = (case for case in tx.cases_of(people.patients) if case.state in _UNDECIDED)
    others = {pid for case in cases for pid in (case.low_pid, case.high_pid)} - people.patients.keys()
    return visible(tx.session, sorted(others)[:_PANELS], sight.sql)


class _Desk:
    """Searches and reads for one patient, and keeps what was read."""

    def __init__(self, tx: ReadTx, scope: Scope, sight: Sight, ways: Ways, people: _People) -> None:
        self._tx, self._scope, self._sight, self._ways, self._people = tx, scope, sight, ways, people
        self.bodies: dict[Name, Json] = {}
        self._sites: dict[Name, str] = {}

    def candidates(self, wanted: Wanted) -> list[Candidate]:
        """Return every candidate, those of each kind from the youngest on."""
        codes = ",".join(wanted.codes)
        results = self._search("Observation", [("code", codes)])
        reports = self._search("DiagnosticReport", [("code", codes)])
        studies = self._search("ImagingStudy", [], _STUDIES) if wanted.imaging else []
        if studies:
            self._search("DiagnosticReport", [])
        self._read_on(results, reports, studies, reports[:_PANELS] if wanted.panels else [])
        panels = self._panels(reports, whole=wanted.panels)
        return [*self._measured(results), *panels, *self._examined(reports, studies)]

    def load(self, names: Iterable[Name]) -> None:
        """Read resources that are not at hand, as far as the scope sees them."""
        missing = [name for name in dict.fromkeys(names) if name not in self.bodies and name[0] in parameters.types()]
        if missing:
            pids = belongings.pids_of(self._tx, missing[: 4 * MOST])
            self._keep(current(self._tx, pids.values(), self._sight).values())

    def _search(self, kind: str, asked: list[tuple[str, str]], most: int = MOST) -> list[Name]:
        order = "-started" if kind == "ImagingStudy" else "-date"
        who = [("patient", self._people.searched), ("_linked", "false")]
        pairs = [*who, *asked, ("_sort", order), ("_count", str(most))]
        page = query.run(self._tx, parse(kind, pairs, self._ways.zone), self._scope)
        self._keep(page.matches)
        return [(hit.type, hit.fid) for hit in page.matches]

    def _keep(self, hits: Iterable[StoredHit]) -> None:
        for hit in hits:
            if (hit.type, hit.fid) not in self.bodies:
                self.bodies[hit.type, hit.fid] = resource.loads(hit.body, strict=False)

    def _read_on(self, results: list[Name], reports: list[Name], studies: list[Name], panels: list[Name]) -> None:
        """Read what the results refer to, then what pictures refer to, and which sites told them."""
        bodies = [self.bodies[name] for name in (*results, *reports, *studies)]
        names = [name for body in bodies for name in _around(body)]
        values = (references(*each(self.bodies[name].get("result"))) for name in panels)
        heads = self._tx.heads([*results, *reports, *studies])
        self._sites = {name: head.site for name, head in heads.items()}
        owners = referring(self._tx, _RESULT, (heads[name].pid for name in results if name in heads))
        self._keep(current(self._tx, owners, self._sight).values())
        self.load([*names, *(name for some in values for name in some)])
        pictured = [body for (kind, _), body in self.bodies.items() if kind == "ImagingStudy"]
        self.load([name for body in pictured for name in _around(body)])

    def _told(self, name: Name, report: Name | None) -> Told:
        body, held = self.bodies[name], self.bodies[report] if report else {}
        tubes = references(*each(body.get("specimen"))) or references(*each(held.get("specimen")))
        specimens = tuple(self.bodies[tube] for tube in tubes if tube in self.bodies)
        near = (*each(body.get("performer")), *each(held.get("performer")), *_actors(body))
        houses = {text(one.get("reference")): self._of(one) for one in near}
        return Told(self._people.identity(body), self._sites.get(name, ""), held, specimens, houses)

    def _of(self, reference: Json) -> Json:
        name = target(text(reference.get("reference")))
        return self.bodies.get(name, {}) if name else {}

    def _measured(self, results: list[Name]) -> Iterator[Candidate]:
        owners = self._owners("result")
        for name in results:
            body, report = self.bodies[name], owners.get(name)
            facts = self._ways.reader.measured(body, self._told(name, report))
            yield self._candidate("value", facts, body, report, results=("/".join(name),), value=shown(body))

    def _panels(self, reports: list[Name], *, whole: bool) -> Iterator[Candidate]:
        """Yield laboratory reports by their own codes; `whole` with which of their values can be used."""
        for name in reports:
            body = self.bodies[name]
            told = self._told(name, name)
            facts = self._ways.reader.reported(told)
            if isinstance(self._ways.reader.item(facts.codings, facts.specimen), Imaging):
                continue
            held = [one for one in references(*each(body.get("result"))) if one in self.bodies]
            used = (self._usable(self.bodies[one], told) for one in held) if whole else ()
            parts = frozenset(item for item in used if item)
            yield self._candidate("panel", facts, body, name, results=tuple(map("/".join, held)), parts=parts)

    def _usable(self, observation: Json, told: Told) -> str:
        """Return the item of a value that can be used, nothing where there is none (gate G7)."""
        reader = self._ways.reader
        facts = reader.measured(observation, told)
        item = reader.item(facts.codings, facts.specimen)
        return item.id if item is not None and not fault(reader.catalogue, item, facts)[0] else ""

    def _examined(self, reports: list[Name], studies: list[Name]) -> Iterator[Candidate]:
        """Yield pictures with their reports: reports of the codes asked for, then studies without such a report."""
        reader, done = self._ways.reader, set[Name]()
        for name in reports:
            body = self.bodies[name]
            if isinstance(reader.item(codings(body.get("code"))), Imaging):
                mine = [one for one in references(*each(body.get("imagingStudy"))) if one in self.bodies]
                done.update(mine)
                yield self._pictured(mine[0] if mine else None, name)
        owners = self._owners("imagingStudy")
        for name in studies:
            if name not in done:
                yield self._pictured(name, owners.get(name))

    def _pictured(self, study: Name | None, report: Name | None) -> Candidate:
        name = study or report
        assert name is not None
        pictures = self.bodies[study] if study else {}
        told = self._told(name, report)
        images = tuple(self._addresses(pictures))
        held = [self.bodies[one] for one in references(*each(told.report.get("result"))) if one in self.bodies]
        facts = self._ways.reader.examined(pictures, told, held, images)
        shows = {"study": "/".join(study) if study else "", "images": images}
        said = text(told.report.get("conclusion"))
        return self._candidate("pictures", facts, self.bodies[name], report, value=said, **shows)

    def _addresses(self, study: Json) -> Iterator[str]:
        """Yield where the pictures of a study can be looked at: endpoints in use that the scope sees."""
        series = [one for whole in each(study.get("series")) for one in each(whole.get("endpoint"))]
        for name in references(*each(study.get("endpoint")), *series):
            endpoint = self.bodies.get(name, {})
            if endpoint.get("status") == "active" and (address := text(endpoint.get("address"))):
                yield address

    def _owners(self, member: str) -> dict[Name, Name]:
        """Return what reports at hand refer to by a member -> the report; of several the youngest, which came first."""
        reports = reversed([pair for pair in self.bodies.items() if pair[0][0] == "DiagnosticReport"])
        return {owned: name for name, body in reports for owned in references(*each(body.get(member)))}

    def _candidate(self, kind: Kind, facts: Result, body: Json, report: Name | None, **more: Any) -> Candidate:
        item = self._ways.reader.item(facts.codings, facts.specimen)
        owner = "/".join(report) if report else ""
        patient = text(first(body.get("subject")).get("reference"))
        return Candidate(kind, facts, item.id if item else "", patient, owner, **more)


def _around(body: Json) -> tuple[Name, ...]:
    """Return what a result refers to that is needed to judge it."""
    near = [*each(body.get("specimen")), *each(body.get("imagingStudy")), *each(body.get("endpoint")), *_actors(body)]
    series = [one for whole in each(body.get("series")) for one in each(whole.get("endpoint"))]
    houses = [name for name in references(*each(body.get("performer"))) if name[0] == "Organization"]
    return (*references(*near, *series), *houses)


def _actors(study: Json) -> list[Json]:
    """Return who made the pictures of a study, and where."""
    series = (one for whole in each(study.get("series")) for one in each(whole.get("performer")))
    return [*(first(one.get("actor")) for one in series), *each(study.get("location"))]
