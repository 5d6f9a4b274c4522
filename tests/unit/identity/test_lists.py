"""The lists are data that come with the gateway; a broken one is told with its file and place."""

import pytest
import yaml

from gateway.errors import GatewayError
from gateway.identity import lists
from gateway.identity.evidence import of_patient
from gateway.settings import shipped

FOLDER = shipped("profiles") / "identity"


@pytest.fixture
def folder(tmp_path):
    """Return an installed folder that holds a copy of the lists."""
    (tmp_path / "identity").mkdir()
    for path in FOLDER.glob("[ds]*.yaml"):
        (tmp_path / "identity" / path.name).write_bytes(path.read_bytes())
    yield tmp_path / "identity"
    lists.install(FOLDER.parent)


def changed(path, **entries):
    told = yaml.safe_load(path.read_text("utf-8")) | entries
    path.write_text(yaml.safe_dump(told, allow_unicode=True), "utf-8")


def test_the_shipped_lists_are_read_once():
    assert lists.dummies() is lists.dummies()
    assert lists.documents().national
    assert "李" in lists.surnames().single
    assert lists.surnames().compound["欧阳"] == ("ou", "yang")


def test_surnames_are_in_the_characters_that_are_compared():
    assert "傅" in lists.surnames().single
    assert "付" not in lists.surnames().single


def test_every_list_has_a_version():
    assert all(yaml.safe_load(path.read_text("utf-8"))["version"] for path in FOLDER.glob("[ds]u*.yaml"))


@pytest.mark.parametrize("field", ["numbers", "phones", "nameless"])
def test_an_expression_that_is_none(folder, field):
    changed(folder / "dummies.yaml", **{field: ["(unclosed"]})
    with pytest.raises(GatewayError, match=rf"dummies.yaml, {field}: '\(unclosed' is no expression"):
        lists.install(folder.parent)


def test_a_field_nobody_knows(folder):
    changed(folder / "documents.yaml", nationl={})
    with pytest.raises(GatewayError, match=r"documents\.yaml cannot be used: .*nationl.*Mend it"):
        lists.install(folder.parent)


def test_a_broken_file_leaves_the_lists_as_they_were(folder):
    (folder / "surnames.yaml").write_text("single: [", "utf-8")
    with pytest.raises(GatewayError, match=r"surnames\.yaml cannot be used"):
        lists.install(folder.parent)
    assert "李" in lists.surnames().single


def test_a_county_has_lists_of_its_own_and_the_shipped_ones_for_the_rest(folder):
    patient = {"telecom": [{"system": "phone", "value": "10055500000"}], "name": [{"text": "李敏"}]}
    assert of_patient(patient, "a").phones == ("10055500000",)
    (folder / "surnames.yaml").unlink()
    changed(folder / "dummies.yaml", phones=["10055500000"])
    lists.install(folder.parent)
    assert of_patient(patient, "a").phones == ()
    assert of_patient(patient, "a").names[0].family == "李"


def test_groups_of_expressions_keep_to_themselves(folder):
    changed(folder / "dummies.yaml", numbers=["(a)\\1", "(b)(c)\\2"])
    lists.install(folder.parent)
    found = lists.dummies().numbers
    assert [bool(found.fullmatch(text)) for text in ("aa", "bcc", "bca", "ab")] == [True, True, False, False]
