"""Reading a population: in the order of arrival, and with a sentence where it is none."""

import json

import pytest

from gateway.errors import GatewayError
from gateway.identity.population import read

TRUTH = {"id": "a-1", "site": "a", "person": 1, "registered": "2020-01-02", "number": "none", "errors": ["no-number"]}
PATIENT = {"resourceType": "Patient", "id": "a-1", "name": [{"text": "张伟"}]}


def made(folder, truths, patients):
    (folder / "truth.ndjson").write_text("\n".join(map(json.dumps, truths)) + "\n", encoding="utf-8")
    (folder / "a.ndjson").write_text("\n".join(map(json.dumps, patients)) + "\n", encoding="utf-8")
    return folder


def test_records_stand_in_the_order_of_arrival(tmp_path):
    other = TRUTH | {"id": "a-2", "person": 2, "registered": "2019-12-31", "twin": 1}
    population = read(made(tmp_path, [TRUTH, other], [PATIENT, PATIENT | {"id": "a-2"}]))
    assert [truth.id for truth in population.truth] == ["a-2", "a-1"]
    assert [evidence.site for evidence in population.evidence] == ["a", "a"]
    assert (population.truth[0].twin, population.truth[1].twin) == (1, 0)


@pytest.mark.parametrize(
    ("truths", "patients", "why"),
    [
        ([TRUTH], [], "1 records have a truth, but 0"),
        ([TRUTH], [PATIENT | {"id": "b"}], "nothing is known of the record in line 1"),
        ([TRUTH], ["Patient"], "line 1 is no resource"),
        ([{"id": "a-1"}], [PATIENT], "line 1 tells no truth"),
    ],
)
def test_what_is_no_population_is_told(tmp_path, truths, patients, why):
    with pytest.raises(GatewayError, match=why):
        read(made(tmp_path, truths, patients))


def test_an_empty_folder_says_how_to_make_one(tmp_path):
    with pytest.raises(GatewayError, match="simulate --population makes one"):
        read(tmp_path)
