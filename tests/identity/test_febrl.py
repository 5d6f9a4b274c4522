"""Show line 1 of identity: the scorer alone on FEBRL. Trained, and its threshold fixed, on febrl3; febrl4 only judges."""

import csv

import pytest

from gateway.identity import model as models
from tests.identity import febrl, febrl_rules
from tests.unit.cli.conftest import gateway

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]
AIMS = {"with ID": ((), 0.995), "without ID": (("insurance",), 0.98)}


@pytest.fixture(scope="module")
def table():
    rows = [febrl.HEAD]
    yield rows
    print("\n" + "\n".join(rows))


def trained(folder, without):
    """The model that `gateway identity train` makes of febrl3, nobody telling it which records are of one person."""
    records = febrl.people("dataset3", without=without)
    with (folder / "febrl3.csv").open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(
            handle, [name for name in records[0] if name not in ("person", *without)], extrasaction="ignore"
        )
        writer.writeheader()
        writer.writerows(records)
    start = folder / "start.yaml"
    start.write_text(_lacking(febrl.START.read_text(encoding="utf-8"), without), encoding="utf-8")
    made = folder / "febrl.yaml"
    done = gateway(
        "identity", "train", folder / "febrl3.csv", "--like", start, "--model", made, "--charts", folder / "charts",
        "--pairs", 300_000,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert {path.name for path in (folder / "charts").iterdir()} == {"weights.html", "shares.html"}
    return models.load(made), records


def _lacking(text, without):
    """The model's text without some fields, which are its last."""
    for name in without:
        text = text.partition(f"  - name: {name}\n")[0]
    return text


@pytest.mark.parametrize("name", AIMS)
def test_the_scorer_alone_finds_the_pairs_of_febrl4_and_no_other(name, tmp_path, table):
    without, least_recall = AIMS[name]
    model, records = trained(tmp_path, without)
    found = febrl.scored(model, records)
    bits = febrl.threshold(found)
    table.append(febrl.judged(found, records, bits).row(f"febrl3 {name} (training)"))
    second = febrl.people("dataset2", without=without)
    table.append(febrl.judged(febrl.scored(model, second), second, bits).row(f"febrl2 {name}"))
    unseen = febrl.people("dataset4a", "dataset4b", without=without)
    result = febrl.judged(febrl.scored(model, unseen), unseen, bits)
    table.append(result.row(f"febrl4 {name} (held out)"))
    assert result.precision == 1.0
    assert result.recall >= least_recall


def test_the_production_rules_link_less_and_nothing_wrong(table):
    model = febrl_rules.trained(febrl.people("dataset3"))
    results = {}
    for name, without in (("with ID", ()), ("without ID", ("insurance",))):
        unseen = febrl.people("dataset4a", "dataset4b", without=without)
        results[name] = febrl_rules.ruled(model, unseen, febrl.true_pairs(unseen))
        table.append(results[name].row(f"febrl4 {name}, rules on"))
    assert [result.wrong for result in results.values()] == [0, 0]
    assert results["with ID"].linked > results["without ID"].linked
