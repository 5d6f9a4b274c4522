"""The judge of linking counts what is right, wrong and missed, and a run of 3,000 persons is safe."""

import json

import pytest

from gateway.errors import GatewayError
from gateway.identity import decide, evaluate, model, rules, scorecard
from gateway.identity.decide import Decision, Reason, Verdict
from gateway.identity.evidence import of_patient
from gateway.identity.population import Population, Truth, read
from gateway.simulate.population import populate

AIMS = evaluate.aims()
ID = "urn:oid:2.16.156.10011.1.3"


def person(name, phone):
    telecom = [{"system": "phone", "value": phone}]
    return {"resourceType": "Patient", "name": [{"text": name}], "birthDate": "1980-01-02", "telecom": telecom}


def told(place, whose, **more):
    return Truth(f"r{place}", "a", whose, f"2020-01-{place + 1:02d}", **more)


def by_name(one, other):
    """Same names are one person; a name with 疑 is in doubt."""
    names = {one.names[0].text, other.names[0].text}
    verdict = (
        Verdict.REVIEW if any("疑" in name for name in names) else Verdict.SAME if len(names) == 1 else Verdict.APART
    )
    return Decision(verdict, "certain", 20.0, (Reason("by-name", "as the names say", ""),), (), "toy")


@pytest.fixture
def small():
    """Two twins called alike, a parent, somebody with three records of which one is in doubt and one is alone."""
    rows = [
        (person("张子涵", "10011112222"), told(0, 1, twin=2, number="own")),
        (person("张子涵", "10011112222"), told(1, 2, twin=1, errors=("sound",))),
        (person("王芳", "10011112222"), told(2, 3, number="own")),
        (person("王芳", "10011112222"), told(3, 4, mother=3)),
        (person("李强", "10011113333"), told(4, 5, number="own")),
        (person("李强", "10011113333"), told(5, 5, number="own")),
        (person("李疑", "10011113333"), told(6, 5, errors=("garbled",))),
        (person("李弹", "10011114444"), told(7, 5, newborn=True)),
    ]
    return Population([of_patient(body, truth.site) for body, truth in rows], [truth for _, truth in rows])


def test_everything_is_counted(small):
    report = evaluate.evaluate(small, by_name, "toy", AIMS)
    assert (report.records, report.persons, report.cases) == (8, 5, 1)
    assert (report.links.hits, report.links.tries) == (1, 3)
    assert (report.together.hits, report.together.tries) == (1, 3)
    assert report.relations == {"twin": 1, "parent": 1}
    assert (report.with_number.hits, report.with_number.tries) == (1, 1)
    assert (report.without_number.hits, report.without_number.tries) == (0, 5)
    assert (report.reachable.hits, report.reachable.tries) == (0, 2)
    assert (report.review_records.hits, report.review_arrivals.hits) == (2, 1)
    assert report.cubed_precision == pytest.approx((0.5 * 4 + 4) / 8)
    assert report.cubed_recall == pytest.approx((4 + 2 / 4 + 2 / 4 + 1 / 4 + 1 / 4) / 8)
    assert report.missed == {"never compared": 3, "review: by-name": 2}
    assert report.classes["error garbled"].review == 1
    assert report.classes["error sound"].wrong == 1
    assert not report.good


def test_somebody_registered_wholly_as_a_relative_is_wrong_but_no_fault_of_the_kin_rules(small):
    truth = [one if one.id != "r3" else told(3, 4, mother=3, errors=("borrowed-whole",)) for one in small.truth]
    report = evaluate.evaluate(small._replace(truth=truth), by_name, "toy", AIMS)
    assert report.relations == {"twin": 1, "parent": 0, "unseen: registered wholly as a relative": 1}
    assert report.together.hits == 1
    assert report.together.tries == 3


def test_the_report_names_the_wrong_ones_and_why(small):
    text = scorecard.markdown(evaluate.evaluate(small, by_name, "toy", AIMS))
    assert "**together: twin**: r0, r1 (errors: sound)" in text
    assert "as the names say" in text
    assert "| twins put together | 0 | 1 | **missed** |" in text
    assert "| person newborn | 1 |" in text


def test_a_population_of_3000_links_no_twins_and_no_parents(tmp_path):
    populate(tmp_path / "p", persons=3000, seed=9)
    scorer, book, seen = model.shipped(), rules.ours(), []
    report = evaluate.evaluate(
        read(tmp_path / "p"),
        lambda one, other: decide.decide(one, other, scorer, book),
        scorer.version,
        AIMS,
        lambda done, whole: seen.append((done, whole)),
    )
    assert (report.relations["twin"], report.relations["parent"]) == (0, 0)
    assert report.links.value >= 0.999
    assert report.together.value >= 0.999
    assert report.with_number.value >= 0.95
    assert report.met.value >= 0.9
    assert seen[-1] == (report.records, report.records)


def test_aims_may_be_a_file(tmp_path):
    own = tmp_path / "aims.yaml"
    own.write_text(json.dumps({
        "precision": 0.5, "twin_pairs": 9, "parent_pairs": 9, "recall_with_number": 0, "recall_without_number": 0, "review": 1,
    }), encoding="utf-8")  # fmt: skip
    assert evaluate.aims(own).precision == 0.5
    own.write_text("{precision: much}", encoding="utf-8")
    with pytest.raises(GatewayError, match="cannot be used"):
        evaluate.aims(own)
