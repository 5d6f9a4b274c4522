"""Any order of registrations, merges, unlinks and results ends as a simple reference says (F18 of the fault plan)."""

import itertools
import json
import re

import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from gateway.store.values import WorkFilter
from tests.conftest import TEMPLATE
from tests.support.county import County, county, hl7, msh
from tests.support.merges import Message, Record

PEOPLE = ("P0", "P1", "P2", "P3", "P4")
REPORTS = ("R0", "R1", "R2")
SAID = {
    "name": ("张三", "李四", "王五"),
    "birth": ("19800101", "19910228"),
    "sex": ("M", "F"),
    "phone": ("10013800001", "10013800002"),
}
_examples = itertools.count()
_controls = itertools.count()

minutes = st.integers(1, 40)
people = st.sampled_from(PEOPLE)
said = st.fixed_dictionaries({}, optional={word: st.sampled_from(values) for word, values in SAID.items()})
registrations = st.builds(Message, st.sampled_from(["A04", "A08"]), people, minutes, said)
merges = st.builds(Message, st.just("A40"), people, minutes, said, people)
unlinks = st.builds(Message, st.just("A37"), people, minutes, said, people)
results = st.builds(
    Message, st.just("ORU"), people, minutes, said, st.just(""), st.sampled_from(REPORTS), st.sampled_from("PFC"),
    st.sampled_from(["1", "2"]),
)  # fmt: skip
BORDER, REPLAY = "border", "replay"
steps = st.lists(
    st.one_of(registrations, merges, merges, unlinks, results, results, st.just(BORDER), st.just(REPLAY)),
    min_size=1, max_size=24,
)  # fmt: skip


class Site:
    """One hospital of a shared gateway whose numbers nobody else has."""

    def __init__(self, town: County):
        self.town = town
        self.prefix = f"E{next(_examples)}"
        self.reference = Record()
        self.expected: list[str] = []
        self._waiting: list[tuple[str, bytes]] = []
        with town.store.read() as tx:
            self.first = tx.last_pid() + 1
        self.first_item = max((row.item_id for row in _newest(town)), default=0) + 1

    def run(self, steps):
        for step in steps:
            if step == BORDER:
                self.work()
            elif step == REPLAY:
                self.replay()
            else:
                self.tell(step)
        self.work()

    def tell(self, message):
        self.expected.append(self.reference.tell(message))
        self._waiting.append(("county-lis" if message.event == "ORU" else "county-his", _text(message, self.prefix)))

    def work(self):
        for feed, texts in itertools.groupby(self._waiting, lambda waiting: waiting[0]):
            self.town.send(b"".join(text for _, text in texts), feed=feed)
        self._waiting.clear()
        self.town.work()

    def replay(self):
        """Tell everything anew that took effect; nothing may change, not even a version."""
        self.work()
        before, versions = self.bodies(), self._versions()
        self.town.store.work.replay([row.item_id for row in self.items() if row.applied_us])
        self.town.work()
        assert self.states() == self.expected
        assert self.bodies() == before
        assert self._versions() == versions

    def probe(self):
        """File a new result under every number that is not held back."""
        for number in sorted(self.reference.people):
            if number not in self.reference.blocked:
                self.tell(Message("ORU", number, 50, {}, "", f"Z{number}", "F", "7"))
        self.work()

    def items(self):
        return sorted((row for row in _newest(self.town) if row.item_id >= self.first_item), key=_item)

    def states(self):
        return [row.state.name.lower() + (f" {row.reason}" if row.state == 2 else "") for row in self.items()]

    def check(self):
        """Compare all of it with the reference."""
        assert self.states() == self.expected
        assert self.shown() == {
            number: _shown(person) | {"into": self.reference.into.get(number)}
            for number, person in self.reference.people.items()
        }
        assert self.links() == self.reference.into
        for kind, kept in (("DiagnosticReport", self.reference.reports), ("Observation", self.reference.results)):
            assert self.filed(kind) == {
                (kind, report): {word: value for word, value in one.items() if word != "since"}
                for report, one in kept.items()
            }

    def shown(self):
        return {number: _person(body, self._numbers()) for number, body in self._patients().items()}

    def bodies(self):
        """Return every Patient's text without its meta."""
        return {number: _unstamped(text) for number, text in self._texts().items()}

    def links(self):
        pids = {pid: number for number, pid in self._pids().items()}
        with self.town.store.read() as tx:
            found = tx.links(pids, kind="replaced-by")
        return {pids[link.from_pid]: pids[link.to_pid] for link in found}

    def filed(self, kind):
        named, found = self._numbers(), {}
        for body in self._all(kind):
            report = body["identifier"][0]["value"] if "identifier" in body else body["code"]["coding"][0]["code"]
            found[(kind, report.removeprefix(self.prefix))] = _filed(body, named)
        return found

    def _current(self):
        with self.town.store.read() as tx:
            return sorted(tx.current(range(self.first, tx.last_pid() + 1)).values())

    def _versions(self):
        return [(one.pid, one.ver) for one in self._current()]

    def _all(self, kind):
        return [json.loads(one.body) for one in self._current() if one.type == kind]

    def _texts(self):
        return {
            _number(json.loads(one.body), self.prefix): one.body for one in self._current() if one.type == "Patient"
        }

    def _patients(self):
        return {number: json.loads(text) for number, text in self._texts().items()}

    def _numbers(self):
        return {f"Patient/{body['id']}": number for number, body in self._patients().items()}

    def _pids(self):
        return {_number(json.loads(one.body), self.prefix): one.pid for one in self._current() if one.type == "Patient"}


def _item(row):
    return row.item_id


def _newest(town):
    return town.store.work.list(WorkFilter(limit=60))


def _text(message, prefix):
    control, time = f"C{next(_controls)}", f"2026010508{message.at:02d}00"
    first = _pid(prefix + message.number, message.said)
    if message.event == "ORU":
        report = prefix + message.report
        return hl7(
            msh(control, "ORU^R01", "LIS", time),
            first,
            f"OBR|1||{report}|GLU^血糖^QHLIS|||20260105080000|||||||20260105081000||||||||20260105085000|||{message.status}",
            f"OBX|1|NM|{report}^血糖^QHLIS||{message.value}|mmol/L|3.9-6.1||||{message.status}|||20260105080000",
        )
    segments = [msh(control, f"ADT^{message.event}", "HIS", time), f"EVN|{message.event}|{time}", first]
    if message.event == "A40":
        segments.append(f"MRG|{prefix}{message.other}^^^^LocalID")
    if message.event == "A37":
        segments.append(_pid(prefix + message.other, {}))
    return hl7(*segments)


def _pid(number, said):
    fields = [said.get(word, "") for word in ("name", "birth", "sex", "phone")]
    return "PID|1||{}^^^^LocalID||{}||{}|{}|||||{}".format(number, *fields)


def _number(body, prefix):
    (entry,) = body["identifier"]
    return entry["value"].removeprefix(prefix)


def _person(body, numbers):
    into = [numbers[link["other"]["reference"]] for link in body.get("link", ())]
    assert body.get("active") == (False if into else None)
    found = {
        "name": body.get("name", [{}])[0].get("text"),
        "birth": body.get("birthDate", "").replace("-", ""),
        "sex": {"male": "M", "female": "F"}.get(body.get("gender")),
        "phone": body.get("telecom", [{}])[0].get("value"),
    }
    return {word: value for word, value in found.items() if value} | {"into": into[0] if into else None}


def _shown(person):
    return {word: value for word, value in person.items() if word != "since"}


def _filed(body, numbers):
    owner = numbers[body["subject"]["reference"]]
    status = {"preliminary": "P", "final": "F", "corrected": "C"}[body["status"]]
    value = {"value": str(body["valueQuantity"]["value"])} if "valueQuantity" in body else {}
    return {"owner": owner, "status": status} | value


def _unstamped(text):
    return re.sub(rb'"meta":\{[^}]*\},?', b"", text)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    folder = tmp_path_factory.mktemp("merges")
    with county(f"sqlite:///{folder}/gateway.db", folder, linking=False) as made:
        yield made


def follows(town, steps):
    note("\n".join(map(str, steps)))
    site = Site(town)
    site.run(steps)
    site.check()
    site.probe()
    site.check()


def restores(town, steps, retired, survivor):
    """Merge and unlink two records that were told of: the texts, numbers and links are what they were."""
    site = Site(town)
    site.run(steps)
    pair = {retired, survivor}
    known = pair <= site.reference.people.keys() and not site.reference.one(retired, survivor)
    assume(known and retired not in site.reference.into and not pair & site.reference.blocked)
    before, links = site.bodies(), site.links()
    for message in (Message("A40", survivor, 41, {}, retired), BORDER, Message("A37", survivor, 42, {}, retired)):
        site.run([message])
    assert site.states()[-2:] == ["applied", "applied"]
    assert site.bodies() == before
    assert site.links() == links
    site.probe()
    site.check()


@settings(max_examples=45, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_any_order_of_messages_ends_as_the_reference_says(town, steps):
    follows(town, steps)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps, people, people)
def test_an_unlink_restores_the_very_text(town, steps, retired, survivor):
    restores(town, steps, retired, survivor)


@pytest.mark.long
@settings(max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_two_thousand_orders_of_messages_end_as_the_reference_says(town, steps):
    follows(town, steps)


@pytest.mark.long
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps, people, people)
def test_five_hundred_unlinks_restore_the_very_text(town, steps, retired, survivor):
    restores(town, steps, retired, survivor)


@pytest.fixture(scope="module")
def on_postgresql(server, tmp_path_factory):
    with county(server.create("merges", TEMPLATE), tmp_path_factory.mktemp("merges"), linking=False) as made:
        yield made
    server.drop("merges")


@pytest.mark.long
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps)
def test_any_order_of_messages_ends_as_the_reference_says_on_postgresql(on_postgresql, steps):
    follows(on_postgresql, steps)
