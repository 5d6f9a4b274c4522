import sqlite3

import pytest

from tests.support.county import county
from tests.unit.cli.conftest import gateway

FEED = """
feed: exports
format: csv
"""


@pytest.fixture
def config(tmp_path):
    with sqlite3.connect(tmp_path / "his.db") as connection:
        connection.execute("CREATE TABLE v_results (条码号 TEXT, 审核时间 TEXT)")
        connection.execute("INSERT INTO v_results VALUES ('A1', '2026-11-06 08:00:00')")
    connection.close()
    folder = tmp_path / "mappings" / "clinic"
    (folder / "exports").mkdir(parents=True)
    (folder / "site.yaml").write_text("site: clinic\n")
    (folder / "exports" / "feed.yaml").write_text(FEED)
    file = tmp_path / "gateway.toml"
    file.write_text(
        f'data = "{tmp_path}/data"\nmappings = ["{tmp_path}/mappings"]\n'
        f'[[pulls]]\nname = "lis"\nfeed = "exports"\nurl = "sqlite:///{tmp_path}/his.db"\n'
        'query = "SELECT * FROM v_results WHERE 审核时间 > :since"\nsince = "审核时间"\nbegin = "2026-01-01"\n',
        encoding="utf-8",
    )
    return file


def test_rows_are_in_the_inbox_as_csv(config, tmp_path):
    result = gateway("pull", "--config", config)
    assert (result.exit_code, result.stdout) == (0, "lis: 1 rows, 1 files stored, 0 already known\n")
    with county(f"sqlite:///{tmp_path}/data/gateway.db", tmp_path / "data") as town:
        [arrival] = town.store.inbox.unpicked(0, 10)
    assert arrival.body.decode().splitlines() == ["条码号,审核时间", "A1,2026-11-06 08:00:00"]
    assert (arrival.feed, arrival.listener) == ("exports", "pull")


def test_a_name_that_is_none_is_told_those_there_are(config):
    result = gateway("pull", "ris", "--config", config)
    assert result.exit_code == 2
    assert "there are: lis" in result.stderr


def test_a_failure_is_told_and_ends_with_one(config, tmp_path):
    (tmp_path / "his.db").unlink()
    result = gateway("pull", "lis", "--config", config)
    assert result.exit_code == 1
    assert "v_results" in result.stderr
