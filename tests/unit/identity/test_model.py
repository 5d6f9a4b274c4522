import re

import pytest

from gateway.errors import GatewayError
from gateway.identity import model as models
from gateway.identity import writing
from gateway.settings import shipped

TEXT = (shipped("profiles") / "identity" / "model.yaml").read_text(encoding="utf-8")
SMALL = """\
format: 1
name: small
made: 2026-11-22
trained: {by: hand, data: nothing}
prior: 0.001
thresholds: {auto: 10, review: 5}
training: {rounds: [[name]]}
frequencies:
  names: {floor: 0.01, values: {smith: 0.1}}
fields:
  - name: name
    compare: text
    levels:
      same: {m: 0.9, u: 0.01, terms: {value: names}}
      close: {at: 0.9, m: 0.05, u: 0.01}
      different: {m: 0.05, u: 0.98}
"""


def test_the_version_follows_every_byte():
    one, other = (models.parse(text.encode(), "x") for text in (SMALL, SMALL.replace("auto: 10", "auto: 11")))
    assert re.fullmatch(r"2026-11-22\.[0-9a-f]{8}", one.version)
    assert one.version != other.version
    assert models.shipped().version == models.parse(TEXT.encode(), "x").version


def test_a_field_is_found_by_its_name():
    assert models.parse(SMALL.encode(), "x").field("name").compare == "text"
    with pytest.raises(GatewayError, match="small has no field birth; it has name"):
        models.parse(SMALL.encode(), "x").field("birth")


@pytest.mark.parametrize("text", [TEXT, SMALL], ids=["shipped", "small"])
def test_a_model_that_is_written_reads_as_it_was(text):
    model = models.parse(text.encode(), "x")
    written = writing.text(model)
    again = models.parse(written.encode(), "x")
    assert writing.text(again) == written
    assert [again.fields, again.frequencies, again.thresholds, again.prior] == [
        model.fields, model.frequencies, model.thresholds, model.prior,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("m: 0.9,", "m: much,", "field name, levels, m: Expected `float`, got `str`"),
        ("m: 0.9,", "m: 0.2,", "field name: levels: their m add up to 0.3000, not 1"),
        ("m: 0.9,", "m: 1.9,", "field name, levels, m: Expected `float` <= 1.0"),
        ("compare: text", "compare: telepathy", "field name: compare: there is no telepathy; known are date, exact"),
        ("compare: text", "compare: date", "field name: level close: date has no such level; it has same, partial"),
        ("compare: text", "compare: number", "field name: read: number reads 2 value(s), not 1"),
        ("value: names}", "value: surnames}", "field name: terms: there is no table surnames in frequencies"),
        ("value: names}", "family: names}", "field name: terms: text has no part family; it has value"),
        ("{at: 0.9, m", "{m", "field name: level close: say `at` or `edits`"),
        ("different: {m", "different: {at: 0.1, m", "field name: level different: its meaning is fixed"),
        ("different: {m", "other: {at: 0.1, m", "field name: levels: different is missing"),
        ("rounds: [[name]]", "rounds: [[birth]]", "training: there is no field birth"),
        ("review: 5", "review: 50", "thresholds: review must not be above auto"),
        (", review: 5", "", "thresholds: review is missing"),
        ("format: 1", "format: 2", "format: Invalid enum value 2"),
        ("prior: 0.001\n", "", "Object missing required field `prior`"),
        ("prior: 0.001\n", "prior: 0.001\ncolour: red\n", "Object contains unknown field `colour`"),
        ("prior: 0.001\n", "prior: 0.001\ndigest: ab\n", "`digest` is computed, never told"),
        ("format: 1\n", "- 1\n", "x.yaml is no YAML: "),
        (SMALL, "- 1\n", "x.yaml is no identity model: it must be a mapping"),
        ("fields:", "fields: 3\nnote:", "fields: Expected `array`, got `int`"),
        ("  - name: name", "  - name: 7", "field 7, name: Expected `str`, got `int`"),
        ("fields:", "fields:\n  - 3", "field 0: Expected `object`, got `int`"),
        ("{smith: 0.1}", "{3: 0.1}", "frequencies, values: a name: Expected `str`"),
    ],
)
def test_a_fault_names_the_file_and_the_field(old, new, told):
    assert SMALL.replace(old, new) != SMALL
    with pytest.raises(GatewayError) as fault:
        models.parse(SMALL.replace(old, new, 1).encode(), "x.yaml")
    assert fault.value.text.startswith("x.yaml")
    assert told in fault.value.text


def test_two_fields_of_one_name_and_a_missing_file(tmp_path):
    twice = SMALL + SMALL.partition("fields:\n")[2]
    with pytest.raises(GatewayError, match="field name stands twice"):
        models.parse(twice.encode(), "x")
    with pytest.raises(GatewayError, match=r"none\.yaml cannot be read: No such file"):
        models.load(tmp_path / "none.yaml")
