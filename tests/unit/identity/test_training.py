import random
import sys
from datetime import date

import msgspec
import pytest

from gateway.errors import GatewayError
from gateway.identity import model as models
from gateway.identity import records as reading
from gateway.identity import splinked, training
from gateway.identity.names import Name
from gateway.identity.training import Estimate
from tests.unit.cli.conftest import gateway

START = """\
format: 1
name: village
made: 2026-11-01
trained: {by: hand, data: nothing}
prior: 0.002
thresholds: {auto: 12, review: 6}
training: {rounds: [[birth], [family, given]], sure: [[family, given, birth]], recall: 0.8}
frequencies:
  families: {floor: 0.001, values: {}}
  signs: {floor: 0.01, by: character, values: {}}
fields:
  - name: family
    compare: text
    levels:
      same: {m: 0.9, u: 0.1, terms: {value: families}}
      different: {m: 0.1, u: 0.9}
  - name: given
    compare: text
    levels:
      same: {m: 0.8, u: 0.01, terms: {value: signs}}
      close: {edits: 1, m: 0.1, u: 0.01}
      different: {m: 0.1, u: 0.98}
  - name: birth
    compare: date
    levels:
      same: {m: 0.9, u: 0.001}
      swapped: {m: 0.01, u: 0.0001}
      different: {m: 0.09, u: 0.9989}
  - name: sex
    compare: exact
    levels:
      same: {m: 0.99, u: 0.5}
      different: {m: 0.01, u: 0.5}
"""
FAMILIES = ["wang"] * 20 + ["li"] * 15 + ["zhang", "zhao", "sun", "gao", "he", "luo", "fan", "ouyang"]


def village(count=150):
    """Persons, most of them written down twice, one in five times with a slip in the given name."""
    chance = random.Random(7)
    records = []
    for person in range(count):
        given = "".join(chance.choices("abcdefgh", k=6))
        told = {
            "family": chance.choice(FAMILIES), "given": given, "sex": chance.choice(["male", "female"]),
            "birth": f"{chance.randrange(1930, 2020)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
            "person": f"p{person}",
        }  # fmt: skip
        records.append(told)
        if chance.random() < 0.8:
            records.append({**told, "given": "x" + given[1:] if chance.random() < 0.2 else given})
    return records


def start():
    return models.parse(START.encode(), "start")


@pytest.fixture(scope="module")
def lesson():
    return training.train(
        start(), village(), splinked.estimate, source="village", today=date(2026, 11, 22), pairs=20_000
    )


def test_training_finds_what_the_records_have_in_common(lesson):
    given = lesson.model.field("given").levels
    assert given["same"].m == pytest.approx(0.8, abs=0.1)
    assert given["close"].m == pytest.approx(0.2, abs=0.1)
    assert given["same"].u < 0.001, "pairs of one person among the random ones are not strangers"
    assert lesson.model.field("sex").levels["same"].u == pytest.approx(0.5, abs=0.05)
    assert lesson.model.field("birth").levels["same"].m > 0.95
    assert lesson.model.prior == pytest.approx(120 / (270 * 269 / 2), rel=0.5)


def test_training_counts_the_terms_and_keeps_the_rest(lesson):
    found, before = lesson.model, start()
    tables = found.frequencies
    assert tables["families"].values["wang"] > tables["families"].values["li"] > 0.2
    assert sum(tables["signs"].values.values()) == pytest.approx(1, abs=0.02)
    assert (found.thresholds, found.made, found.trained.by) == (before.thresholds, date(2026, 11, 22), "splink")
    assert [list(field.levels) for field in found.fields] == [list(field.levels) for field in before.fields]
    assert {name: "vega" in html.lower() for name, html in lesson.charts.items()} == {"weights": True, "shares": True}


@pytest.mark.long
def test_the_same_records_train_the_same_model(lesson):
    again = training.train(
        start(), village(), splinked.estimate, source="village", today=date(2026, 11, 22), pairs=20_000
    )
    assert again.model == lesson.model


@pytest.mark.long
def test_known_pairs_are_counted_rather_than_estimated():
    found = training.train(
        start(), village(), splinked.estimate, source="x", today=date(2026, 11, 22), label="person", pairs=20_000
    ).model
    assert found.field("birth").levels["same"].m == pytest.approx(1, abs=0.03)
    assert found.field("birth").levels["swapped"].m > 0, "what nobody had yet stays possible"
    assert "the same person" in found.trained.note


def as_it_was(sample):
    """An estimator that changes no weight, to see what else training does."""
    weights = {f.name: {n: (one.m, one.u) for n, one in f.levels.items()} for f in sample.model.fields}
    return Estimate(weights, 0.001, {"weights": "<html>", "shares": "<html>"})


def test_what_splink_refuses_however_few_its_rounds_is_told(monkeypatch):
    tried = []

    class Refusing:
        def __init__(self, _table, settings, **_):
            tried.append(settings["max_iterations"])
            self.training = self.misc = self

        def estimate_probability_two_random_records_match(self, *_, **__):
            pass

        def save_model_to_json(self):
            return {"probability_two_random_records_match": 0.01}

        def estimate_u_using_random_sampling(self, **_):
            raise ValueError("m_probability value 0.0")

    monkeypatch.setattr("splink.Linker", Refusing)
    with pytest.raises(GatewayError, match="splink cannot estimate weights from these records: m_probability"):
        training.train(start(), village(30), splinked.estimate, source="x", today=date(2026, 11, 22), pairs=100)
    assert tried == [1, 25, 8, 3], "fewer rounds are tried first"


def test_names_as_evidence_has_them_are_counted_by_part():
    people = [{"names": (Name(f + g, f, g, "", False),)} for f, g in (("王", "秀英"), ("王", "秀兰"), ("李", "英"))]
    lesson = training.train(models.shipped(), people, as_it_was, source="x", today=date(2026, 11, 22))
    assert lesson.model.frequencies["surname"].values == {"王": 0.6667}
    assert lesson.model.frequencies["given"].values == {"秀": 0.4, "英": 0.4}


def test_a_model_that_does_not_say_how_it_is_trained_is_refused():
    bare = msgspec.structs.replace(start(), training=None)
    with pytest.raises(GatewayError, match="village has no `training`"):
        training.train(bare, village(), splinked.estimate, source="x", today=date(2026, 11, 22))


def test_the_command_writes_a_model_and_its_charts(tmp_path, monkeypatch):
    monkeypatch.setattr(splinked, "estimate", as_it_was)
    (tmp_path / "start.yaml").write_text(START)
    names = ["family", "given", "birth", "sex"]
    lines = [",".join(names), *(",".join(record[name] for name in names) for record in village(60))]
    (tmp_path / "people.csv").write_text("\n".join(lines))
    done = gateway(
        "identity", "train", tmp_path / "people.csv", "--like", tmp_path / "start.yaml", "--model", tmp_path / "new.yaml",
        "--pairs", 2000, "--charts", tmp_path / "charts",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    made = models.load(tmp_path / "new.yaml")
    assert made.version in done.output
    assert made.trained.data == "people.csv"
    assert sorted(path.name for path in (tmp_path / "charts").iterdir()) == ["shares.html", "weights.html"]


def test_without_splink_the_command_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "splink", None)
    (tmp_path / "people.csv").write_text("family\nwang\nli\n")
    done = gateway("identity", "train", tmp_path / "people.csv", "--model", tmp_path / "new.yaml")
    assert done.exit_code == 1
    assert "pip install 'yigong-gateway[train]'" in done.output
    assert not (tmp_path / "new.yaml").exists()


def test_records_are_read_from_csv_and_json_lines(tmp_path):
    (tmp_path / "a.csv").write_text("\ufefffamily, given\nwang, xiu\nli,\n", encoding="utf-8")
    assert reading.read(tmp_path / "a.csv") == [{"family": "wang", "given": "xiu"}, {"family": "li", "given": ""}]
    (tmp_path / "a.ndjson").write_text(
        '{"resourceType":"Patient","id":"7","gender":"male","birthDate":"1949-12-31","name":[{"text":"张三"}]}\n\n'
        '{"sex":"male","phones":["10012345678"],"names":[{"text":"张三","family":"张","given":"三"}]}\n'
        '{"names":[["李四","李","四","li si",true]]}\n',
        encoding="utf-8",
    )
    patient, other, last = reading.read(tmp_path / "a.ndjson")
    assert (patient["id"], patient["sex"], patient["birth"]) == ("7", "male", "1949-12-31")
    assert patient["names"][0].text == "张三"
    assert other["phones"] == ("10012345678",)
    assert other["names"] == (Name("张三", "张", "三", "", False),)
    assert last["names"] == (Name("李四", "李", "四", "li si", True),)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"family\nwang\n", "a.csv has 1 records"),
        ("a.csv", "family\n王\n李\n".encode("gbk"), "a.csv is no CSV in UTF-8"),
        ("a.jsonl", b'{"sex":"male"}\n{"sex":\n', "a.jsonl, line 2: "),
        ("a.jsonl", b'{"sex":"male"}\n[1]\n', "a.jsonl, line 2: "),
        ("a.jsonl", b'{"sex":"male"}\n{"names":[[1]]}\n', "a.jsonl, line 2: "),
        ("a.jsonl", b'{"sex":"male"}\n{"names":3}\n', "a.jsonl, line 2: "),
    ],
)
def test_records_that_cannot_be_read_are_told_by_file_and_line(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(GatewayError) as fault:
        reading.read(tmp_path / name)
    assert told in fault.value.text
