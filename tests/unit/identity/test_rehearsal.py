"""The rehearsal ends with the very links and cases of the linker, on a population with all its errors."""

import json

import pytest

from gateway.identity import decide, model, rules
from gateway.identity.linker import Linker
from gateway.identity.population import Population, read
from gateway.identity.rehearsal import Rehearsal
from gateway.simulate.population import populate
from tests.support.patients import keep

RECORDS = 220


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("population") / "p"
    populate(folder, persons=200, seed=5)
    return folder


@pytest.fixture(scope="module")
def judge():
    scorer, book = model.shipped(), rules.ours()
    return lambda one, other: decide.decide(one, other, scorer, book)


def bodies(folder):
    files = [path for path in folder.glob("*.ndjson") if path.name != "truth.ndjson"]
    lines = [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    return {body["id"]: body for body in map(json.loads, lines)}


def test_it_ends_as_the_linker_does(store, folder, judge):
    whole, held = read(folder), bodies(folder)
    population = Population(whole.evidence[:RECORDS], whole.truth[:RECORDS])
    pids = [keep(store, truth.id, held[truth.id], site=truth.site) for truth in population.truth]
    linker = Linker(store, judge, "test", page=32)
    while linker.step(lambda tx: None):
        pass
    rehearsal = Rehearsal(judge, page=32)
    assert list(rehearsal.take(population.evidence))[-1] == len(pids)
    with store.read() as tx:
        links = {(link.from_pid, link.to_pid) for link in tx.links(pids, kind="same")}
        cases = {(case.low_pid, case.high_pid) for case in tx.cases_of(pids) if case.state == "open"}
    assert links == {(pids[low], pids[high]) for low, high in rehearsal.links}
    assert cases == {(pids[case.low_pid], pids[case.high_pid]) for case in rehearsal.cases.values()}
    assert len(links) > 30
    assert cases


def test_a_block_is_cut_at_its_limit_and_told(folder, judge):
    population = read(folder)
    rehearsal = Rehearsal(judge, most=0)
    for _ in rehearsal.take(population.evidence):
        pass
    assert sum(rehearsal.cut.values()) > 0
    assert not {"resident", "national"} & rehearsal.cut.keys()
