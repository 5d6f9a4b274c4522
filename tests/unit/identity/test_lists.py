"""The lists are data that come with the gateway; a broken one is told with its file and place."""

import pytest
import yaml

from gateway.errors import GatewayError
from gateway.identity import lists
from gateway.settings import shipped

FOLDER = shipped("profiles") / "identity"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a copy of the lists that the gateway reads instead of its own."""
    for path in FOLDER.glob("*.yaml"):
        (tmp_path / "identity" / path.name).parent.mkdir(exist_ok=True)
        (tmp_path / "identity" / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(lists, "shipped", lambda name: tmp_path)
    readers = (lists.dummies, lists.documents, lists.surnames)
    for reader in readers:
        reader.cache_clear()
    yield tmp_path / "identity"
    for reader in readers:
        reader.cache_clear()


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


@pytest.mark.parametrize(
    ("field", "reader"), [("numbers", lists.dummies), ("phones", lists.dummies), ("nameless", lists.dummies)]
)
def test_an_expression_that_is_none(folder, field, reader):
    changed(folder / "dummies.yaml", **{field: ["(unclosed"]})
    with pytest.raises(GatewayError, match=rf"dummies.yaml, {field}: '\(unclosed' is no expression"):
        reader()


def test_a_field_nobody_knows(folder):
    changed(folder / "documents.yaml", nationl={})
    with pytest.raises(GatewayError, match=r"documents.yaml cannot be used: .*nationl.*Restore the shipped file"):
        lists.documents()


def test_a_file_that_is_not_there_or_no_yaml(folder):
    (folder / "surnames.yaml").unlink()
    with pytest.raises(GatewayError, match=r"surnames\.yaml cannot be used"):
        lists.surnames()
    (folder / "surnames.yaml").write_text("single: [", "utf-8")
    with pytest.raises(GatewayError, match=r"surnames\.yaml cannot be used"):
        lists.surnames()


def test_groups_of_expressions_keep_to_themselves(folder):
    changed(folder / "dummies.yaml", numbers=["(a)\\1", "(b)(c)\\2"])
    found = lists.dummies().numbers
    assert [bool(found.fullmatch(text)) for text in ("aa", "bcc", "bca", "ab")] == [True, True, False, False]
