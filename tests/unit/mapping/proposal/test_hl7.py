import pytest
import yaml

from gateway.formats import charset, hl7v2
from gateway.mapping import catalog
from gateway.mapping.proposal.hl7 import Sample, propose
from gateway.settings import shipped


@pytest.fixture(scope="module")
def book():
    return catalog.load([shipped("mappings")])


@pytest.fixture(scope="module")
def proposal(book):
    """What is proposed for the county hospital's HIS, as if nobody had configured it yet."""
    found = []
    for path in sorted((shipped("mappings") / "county-hospital" / "county-his" / "samples").glob("*.hl7")):
        decoded = charset.decode(path.read_bytes(), None, None)
        found.append(Sample(hl7v2.parse(decoded.text), decoded.encoding))
    return propose("new-hospital", "his", found, book.mapper("generic"))


def feed(proposal):
    return yaml.safe_load(proposal.files["new-hospital/his/feed.yaml"])


def test_the_sender_is_matched_by_what_it_says_of_itself(proposal):
    assert feed(proposal)["match"] == {"msh3": "HIS", "msh4": "QHXRMYY"}


def test_its_numbers_are_named_and_only_what_is_checked_is_called_national(proposal):
    found = feed(proposal)["naming"]["identifiers"]
    assert {"national": "resident-id"} not in [value for name, value in found.items() if name != "IdentifyNO"]
    assert all(set(value) <= {"kind", "national"} for value in found.values())


def test_a_person_is_told_what_to_decide_without_being_shown_anybody(proposal):
    page = proposal.files["new-hospital/his/DECIDE.md"]
    assert "| no rule reads |" in page
    assert "gateway feeds check" in page
    assert "519927" not in page
    assert "populated fields have a rule" in page


def test_what_is_proposed_is_sound(proposal, tmp_path):
    for name, text in proposal.files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert "his" in [one.name for one in catalog.load([shipped("mappings"), tmp_path]).feeds]


def test_bytes_of_one_charset_pin_it_and_an_ideograph_shows_as_its_shape(book):
    text = "MSH|^~\\&|LIS|WSY|GW|QH|20260101||ADT^A04|1|P|2.4\rPID|1||A12文^^^^PATNO||周䶮||1980|F\r"
    found = propose("s", "f", [Sample(hl7v2.parse(text), "gb18030")], book.mapper("generic"))
    assert feed_of(found)["charset"] == "gb18030"
    assert "A99文" in found.files["s/f/feed.yaml"]


def feed_of(found):
    return yaml.safe_load(found.files["s/f/feed.yaml"])
